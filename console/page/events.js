// Two lists of lines, both bounded: events with a filter, and rejected lines.

import { CELL, bytes, definitions, element, empty, eventTime, firstLine, hostile, time } from "./text.js";

const EVENTS = 150; // rows on the page
const REJECTED = 100;
const byId = (id) => document.getElementById(id);

// Events: newest on top. While held, or while a row is open, they wait.
export class EventList {
  constructor() {
    this.list = byId("events");
    this.waiting = [];
    this.held = false;
    byId("hold").addEventListener("click", () => this.hold(!this.held));
    empty(this.list, "No events yet.");
  }

  hold(held) {
    this.held = held;
    byId("hold").setAttribute("aria-pressed", String(held));
    this.flush();
  }

  clear(text) {
    this.waiting = [];
    empty(this.list, text);
  }

  take(events, fresh, filtered) {
    if (fresh && (!this.rests() || isEmpty(this.list))) this.clear(filtered ? "No event matches." : "No events yet.");
    const lines = unknown(events.lines, this.list, this.waiting).sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
    this.waiting = [...lines, ...this.waiting].slice(0, EVENTS);
    this.flush();
  }

  rests() {
    return this.held || hasOpen(this.list);
  }

  flush() {
    const resting = this.rests();
    if (!resting && this.waiting.length) {
      this.list.querySelector(".empty")?.remove();
      this.list.prepend(...this.waiting.map(eventRow));
      while (this.list.childElementCount > EVENTS) this.list.lastElementChild.remove();
      this.waiting = [];
    }
    byId("hold").textContent = resting && this.waiting.length ? `Held: ${this.waiting.length === EVENTS ? `${EVENTS}+` : this.waiting.length} new` : "Hold";
    byId("hold").classList.toggle("resting", resting);
  }

  // Closes what is open, so that the list goes on.
  release() {
    for (const row of this.list.querySelectorAll("details[open]")) row.open = false;
    this.hold(false);
  }
}

const hasOpen = (list) => list.querySelector("details[open]") !== null;
const isEmpty = (list) => list.querySelector(".empty") !== null;
const placeOf = ({ partition, offset }) => `${partition}/${offset}`;

// After an interruption the stream begins with the newest lines, some of which may be there already. Their
// places tell, because a console that was started again counts anew.
function unknown(lines, list, waiting = []) {
  const known = new Set([...[...list.children].map((row) => row.dataset.place), ...waiting.map(placeOf)]);
  return lines.filter((line) => !known.has(placeOf(line)));
}

function eventRow(event) {
  const summary = element(
    "summary",
    {},
    element("span", { className: "when" }, hostile(eventTime(event.time), 40)),
    element("span", { className: `level ${event.level.toLowerCase()}` }, event.level),
    element("span", { className: "source" }, hostile(event.source, CELL)),
    element("span", { className: "number" }, hostile(event.event_id, 20)),
    element("span", { className: "computer" }, hostile(event.computer, CELL)),
    element("span", { className: "message" }, hostile(firstLine(event.message) || event.line, CELL)),
  );
  const row = element("details", { className: "row event", "data-place": placeOf(event) }, summary);
  row.addEventListener("toggle", () => {
    if (row.open && row.childElementCount === 1) row.append(eventBody(event));
  });
  return row;
}

// A whole number that JavaScript cannot hold keeps its digits, where the browser tells them.
function asSent(_name, value, context) {
  const isLarge = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source);
  return isLarge ? context.source : value;
}

function eventBody(event) {
  const facts = [["partition, offset", `${event.partition}, ${event.offset}`], ["arrived", `${time(event.arrived)}`]];
  let fields;
  try {
    fields = Object.entries(JSON.parse(event.line, asSent));
  } catch {
    fields = [["line", event.line]];
  }
  const flat = fields.flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).map(([inner, each]) => [`${name}.${inner}`, each])
      : [[name, value]],
  );
  return definitions([...flat.slice(0, 200), ...facts]);
}

export class RejectedList {
  constructor() {
    this.list = byId("rejected");
    empty(this.list, "Nothing was rejected.");
  }

  take(lines, fresh) {
    if (fresh && !hasOpen(this.list)) empty(this.list, "Nothing was rejected.");
    if (!lines.length) return;
    this.list.querySelector(".empty")?.remove();
    this.list.prepend(...unknown(lines, this.list).map(rejectedRow));
    while (this.list.childElementCount > REJECTED) this.list.lastElementChild.remove();
  }
}

function rejectedRow(line) {
  const summary = element(
    "summary",
    {},
    element("span", { className: "when" }, line.timestamp === null ? "–" : time(line.timestamp)),
    element("span", { className: "reason" }, hostile(line.reason || "no reason given", 80)),
    element("span", { className: "number" }, bytes(line.size)),
    element("span", { className: "message" }, hostile(line.text, CELL)),
  );
  const row = element("details", { className: "row reject", "data-place": placeOf(line) }, summary);
  row.addEventListener("toggle", () => {
    if (!row.open || row.childElementCount > 1) return;
    row.append(
      definitions([["text", line.text], ["bytes", line.hex || "none"], ["size", bytes(line.size)], ["from", line.endpoint || "–"],
        ["partition, offset", `${line.partition}, ${line.offset}`]]),
    );
  });
  return row;
}
