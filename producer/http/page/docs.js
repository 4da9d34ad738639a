// The API's own page; everything it needs comes from here.
// This Swagger UI knows OpenAPI 3.0. The document is 3.1, which differs in nothing that it shows.
const description = await (await fetch("/openapi.json")).json();
const spec = { ...description, openapi: "3.0.3" };
window.SwaggerUIBundle({ spec, dom_id: "#api", deepLinking: true, validatorUrl: null });
