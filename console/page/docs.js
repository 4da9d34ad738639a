// The API's own page; everything it needs comes from here.
// This Swagger UI knows OpenAPI 3.0. The document is 3.1, which differs in nothing that it shows.
const description = await (await fetch("/openapi.json")).json();
window.SwaggerUIBundle({
  spec: { ...description, openapi: "3.0.3" },
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    request.headers["X-Win-Event-Console"] = "1";
    return request;
  },
});
