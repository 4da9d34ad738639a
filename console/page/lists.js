// The lists: events with a filter, rejected lines, alerts, result rows, jobs, topics. All of them bounded.

import { bytes, count, duration, element, eventTime, firstLine, hostile, rate, time } from "./text.js";

const EVENTS = 150; // rows on the page
const REJECTED = 100;
const CELL = 200; // characters of a value in a row

const byId = (id) => document.getElementById(id);
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

function empty(list, text) {
  list.replaceChildren(element("p", { className: "empty" }, text));
}

// Events: newest on top. While held, or while a row is open, they wait.
export class EventList {
  constructor() {
    this.list = byId("events");
    this.waiting = [];
    this.held = false;
    this.came = 0;
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
    this.came = 0;
    empty(this.list, text);
  }

  take(events, fresh) {
    if (fresh) this.clear("No event matches.");
    else this.came += events.came;
    const lines = events.lines.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
    this.waiting = [...lines, ...this.waiting].slice(0, EVENTS);
    this.flush();
  }

  flush() {
    const resting = this.held || this.list.querySelector("details[open]") !== null;
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
  const row = element("details", { className: "row event" }, summary);
  row.addEventListener("toggle", () => {
    if (row.open && row.childElementCount === 1) row.append(eventBody(event));
  });
  return row;
}

function eventBody(event) {
  const facts = [["partition, offset", `${event.partition}, ${event.offset}`], ["arrived", `${time(event.arrived)}`]];
  let fields;
  try {
    fields = Object.entries(JSON.parse(event.line));
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

function definitions(pairs) {
  const list = element("dl", {});
  for (const [name, value] of pairs) list.append(element("dt", {}, hostile(name, CELL)), element("dd", {}, hostile(value)));
  return list;
}

export class RejectedList {
  constructor() {
    this.list = byId("rejected");
    empty(this.list, "Nothing was rejected.");
  }

  take(lines, fresh) {
    if (fresh) empty(this.list, "Nothing was rejected.");
    if (!lines.length) return;
    this.list.querySelector(".empty")?.remove();
    this.list.prepend(...lines.map(rejectedRow));
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
  const row = element("details", { className: "row reject" }, summary);
  row.addEventListener("toggle", () => {
    if (!row.open || row.childElementCount > 1) return;
    row.append(
      definitions([["text", line.text], ["bytes", line.hex || "none"], ["size", bytes(line.size)], ["from", line.endpoint || "–"],
        ["partition, offset", `${line.partition}, ${line.offset}`]]),
    );
  });
  return row;
}

// Alerts: the newest on top; one that grows moves up again.
const ALERT_FIELDS = new Set(["rule_id", "rule", "title", "level", "tags", "group", "first", "last", "count", "events", "record_ids", "detected_at"]);

export class AlertList {
  constructor() {
    this.list = byId("alerts");
    this.rows = new Map();
    empty(this.list, "No alerts. That may be good news.");
  }

  take(found, fresh) {
    if (fresh) this.rows.clear();
    if (!found && !fresh) return;
    const rows = found?.rows ?? [];
    byId("alerts-count").textContent = found?.kept ? plural(found.kept, "alert") : "";
    if (!rows.length) return empty(this.list, "No alerts. That may be good news.");
    const kept = new Map();
    for (const row of rows) {
      const before = this.rows.get(row.key);
      const same = before && before.offset === row.offset;
      const card = same ? before.card : alertCard(row, !fresh);
      if (!same && before) card.open = before.card.open;
      kept.set(row.key, { offset: row.offset, card });
    }
    this.rows = kept;
    place(this.list, [...kept.values()].map((each) => each.card));
    return undefined;
  }
}

// Puts `wanted` into the list without touching what is in its place already.
function place(list, wanted) {
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
}

function alertCard(row, isNew) {
  const { fields } = row;
  const level = String(fields.level ?? "").toLowerCase();
  const tone = ["informational", "low", "medium", "high", "critical"].includes(level) ? level : "medium";
  const ids = list(fields.record_ids);
  const times = [fields.first, fields.last].filter((each) => each !== undefined && each !== null).map(when);
  const total = fields.count ?? fields.events;
  const summary = element(
    "summary",
    {},
    element("span", { className: "headline" },
      element("span", { className: `severity ${tone}` }, hostile(level || "alert", 20)),
      element("strong", {}, hostile(fields.title ?? fields.rule_id ?? fields.rule ?? row.key, CELL))),
    element("span", { className: "facts" }, ...joined([
      total === undefined || total === null ? null : hostile(`${total} event${Number(total) === 1 ? "" : "s"}`, 40),
      group(fields.group),
      times.length ? hostile([...new Set(times)].join(" – "), 80) : null,
    ])),
  );
  const card = element("details", { className: `row card ${tone}${isNew ? " new" : ""}` }, summary);
  card.append(
    definitions([
      ["rule", fields.rule_id ?? fields.rule ?? "–"],
      ["tags", list(fields.tags).join(", ") || "–"],
      ["group", fields.group ?? "–"],
      ["first", fields.first ?? "–"],
      ["last", fields.last ?? "–"],
      ["detected", fields.detected_at ?? "–"],
      [`evidence (${plural(ids.length, "record")})`, ids.length ? ids.slice(0, 200).map(String).join(", ") : "–"],
      ...Object.entries(fields).filter(([name]) => !ALERT_FIELDS.has(name)).slice(0, 50),
    ]),
  );
  return card;
}

function group(value) {
  if (value === undefined || value === null || value === "") return null;
  const text = typeof value === "object" ? Object.entries(value).map(([name, each]) => `${name} ${typeof each === "object" ? JSON.stringify(each) : each}`).join(", ") : String(value);
  return text ? hostile(text, CELL) : null;
}

const list = (value) => (Array.isArray(value) ? value : value === undefined || value === null || value === "" ? [] : [value]);
const joined = (parts) => parts.filter(Boolean).flatMap((part, index) => (index ? [" · ", part] : [part]));

// A time as ISO text, as SQL writes it, or in milliseconds; anything else stays as it is.
function when(value) {
  if (typeof value === "number" && value > 1e11) return time(value / 1000);
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value)) return typeof value === "object" ? JSON.stringify(value) : String(value);
  const iso = value.replace(" ", "T");
  const moment = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(moment) ? value : time(moment / 1000);
}

// Result rows of one topic at a time, as a table of whatever columns they have.
export class ResultTables {
  constructor() {
    this.tabs = byId("tabs");
    this.panel = byId("results");
    this.found = new Map();
    this.chosen = null;
    this.tabs.addEventListener("keydown", (event) => this.key(event));
    this.show();
  }

  take(changed, fresh) {
    if (fresh) this.found.clear();
    for (const [topic, rows] of Object.entries(changed)) if (topic !== "alerts") this.found.set(topic, rows);
    if (fresh || Object.keys(changed).some((topic) => topic !== "alerts")) this.show();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const names = [...this.found.keys()];
    const next = names[(names.indexOf(this.chosen) + step + names.length) % names.length];
    this.choose(next);
    this.tabs.querySelector("[aria-selected=true]")?.focus();
  }

  choose(topic) {
    this.chosen = topic;
    this.show();
  }

  show() {
    const names = [...this.found.keys()];
    if (!this.found.has(this.chosen)) this.chosen = names[0] ?? null;
    if (this.tabs.childElementCount !== names.length || this.tabs.dataset.chosen !== this.chosen) this.drawTabs(names);
    const rows = this.found.get(this.chosen)?.rows ?? [];
    if (!rows.length) return empty(this.panel, "No results yet. The analytics write them.");
    this.panel.replaceChildren(table(rows));
    return undefined;
  }

  drawTabs(names) {
    this.tabs.dataset.chosen = this.chosen;
    this.tabs.replaceChildren(
      ...names.map((name) => {
        const tab = element("button", { type: "button", role: "tab", "aria-selected": String(name === this.chosen), "aria-controls": "results", tabindex: name === this.chosen ? "0" : "-1" }, name.replaceAll("_", " "));
        tab.addEventListener("click", () => this.choose(name));
        return tab;
      }),
    );
  }
}

function table(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.fields)))].slice(0, 8);
  const numeric = new Set(columns.filter((name) => rows.every((row) => row.fields[name] === undefined || typeof row.fields[name] === "number")));
  const highest = Math.max(1, ...rows.map((row) => Number(row.fields.events) || 0));
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col", className: numeric.has(name) ? "number" : "" }, hostile(name.replaceAll("_", " "), 60))));
  const body = rows.map((row) => element("tr", {}, ...columns.map((name) => cell(name, row.fields[name], numeric.has(name), highest))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

function cell(name, value, numeric, highest) {
  if (value === undefined || value === null) return element("td", {}, "–");
  if (!numeric) return element("td", {}, hostile(when(value), CELL));
  const made = element("td", { className: name === "events" ? "number share" : "number" }, value > 1e11 ? when(value) : count(value));
  if (name === "events") made.style.setProperty("--share", `${((100 * value) / highest).toFixed(1)}%`);
  return made;
}

export function showJobs(jobs) {
  const panel = byId("jobs");
  if (!jobs.length) return empty(panel, "No jobs.");
  const rows = jobs.slice(0, 20).map((job) => [
    hostile(job.name, CELL),
    element("span", { className: `state ${job.state.toLowerCase()}` }, hostile(job.state.toLowerCase(), 30)),
    duration(job.uptime),
    job.checkpoint_age === null ? "–" : `${duration(job.checkpoint_age)} ago`,
    count(job.restarts),
  ]);
  return panel.replaceChildren(plainTable(["job", "state", "for", "checkpoint", "restarts"], rows, 2));
}

export function showKafka(topics, groups) {
  const panel = byId("kafka");
  if (!topics.length && !groups.length) return empty(panel, "Nothing is known yet.");
  const topicRows = topics.slice(0, 100).map((topic) => [hostile(topic.name, CELL), `${rate(topic.rate)}/s`, count(topic.records), topic.newest_age === null ? "–" : duration(topic.newest_age)]);
  const tables = [plainTable(["topic", "rate", "kept", "newest"], topicRows, 1)];
  if (groups.length) {
    const groupRows = groups.slice(0, 100).map((each) => [hostile(each.name, CELL), hostile(each.state.toLowerCase(), 30), count(each.members), count(each.lag)]);
    tables.push(plainTable(["consumer group", "state", "members", "lag"], groupRows, 1));
  }
  return panel.replaceChildren(...tables);
}

function plainTable(names, rows, numbersFrom) {
  const kind = (index) => (index >= numbersFrom ? "number" : "");
  const head = element("tr", {}, ...names.map((name, index) => element("th", { scope: "col", className: kind(index) }, name)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((each, index) => element("td", { className: kind(index) }, each))))));
}
