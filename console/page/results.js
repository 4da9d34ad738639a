// Tables: results of the analytics, Flink jobs, topics and consumer groups.

import { CELL, count, duration, element, empty, hostile, rate, when } from "./text.js";

const byId = (id) => document.getElementById(id);

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
    for (const [topic, rows] of Object.entries(changed)) this.found.set(topic, rows);
    if (fresh || Object.keys(changed).length) this.show();
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
    if (!rows.length) return empty(this.panel, "No results yet. Analytics writes them.");
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
  if (!topics.length && !groups.length) return empty(panel, "No data yet.");
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
