// Buttons: what they do goes through the console to the producer, whose token no browser ever sees.

import { element, hostile } from "./text.js";

const byId = (id) => document.getElementById(id);
const told = byId("told");

export async function send(method, path, body) {
  const headers = { "X-Win-Event-Console": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/api/v1/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.ok) return;
  let detail = `${answer.status} ${answer.statusText}`;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch { /* not a problem document: the status says enough */ }
  throw new Error(detail);
}

async function tell(method, path, body, done) {
  told.dataset.state = "";
  told.replaceChildren("…");
  try {
    await send(method, path, body);
    told.replaceChildren(done);
  } catch (error) {
    told.dataset.state = "bad";
    told.replaceChildren(hostile(error.message, 300));
  }
}

export function connectControl() {
  byId("start").addEventListener("click", () => tell("POST", "producer/start", undefined, "Started."));
  byId("stop").addEventListener("click", () => tell("POST", "producer/stop", undefined, "Stopped."));
  byId("inject").addEventListener("click", () => {
    const name = byId("scenario").value;
    tell("POST", `producer/scenarios/${encodeURIComponent(name)}`, undefined, `${name} injected.`);
  });
  byId("control").addEventListener("submit", (event) => {
    event.preventDefault();
    const rate = byId("rate").valueAsNumber;
    if (Number.isFinite(rate)) tell("PUT", "producer/rate", { rate }, `Rate: ${rate}/s.`);
    else tell("PUT", "producer/rate", { rate: "max" }, "As fast as it goes.");
  });
}

export function showControl(producer, service) {
  const control = byId("control");
  const able = service.state === "up" && producer !== null;
  control.classList.toggle("unable", !able);
  control.hidden = service.state === "off";
  for (const each of control.querySelectorAll("button, input, select")) each.disabled = !able;
  if (!able) return;
  byId("start").disabled = producer.running;
  byId("stop").disabled = !producer.running;
  const rate = byId("rate");
  if (document.activeElement !== rate && rate.dataset.asked !== String(producer.rate_asked)) {
    rate.dataset.asked = String(producer.rate_asked);
    rate.value = producer.rate_asked ?? "";
  }
  const scenario = byId("scenario");
  const names = producer.scenarios.join(" ");
  if (scenario.dataset.names !== names) {
    scenario.dataset.names = names;
    scenario.replaceChildren(...producer.scenarios.map((name) => element("option", { value: name }, name)));
  }
  byId("inject").disabled = producer.scenarios.length === 0;
}
