// Alerts: the newest on top; one that grows stays in its place. Sigma alerts of the detection and rows of the
// analytics name the same things differently; both are read here.

import { CELL, definitions, element, empty, hostile, plural, when } from "./text.js";

const SEVERITIES = ["informational", "low", "medium", "high", "critical"];
const NONE = "No alerts. That may be good news.";
const EVIDENCE = 200; // records that are named

const given = (value) => value !== undefined && value !== null && value !== "";
const list = (value) => (Array.isArray(value) ? value : given(value) ? [value] : []);
const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1).replaceAll("_", " ");

export class AlertList {
  constructor() {
    this.list = document.getElementById("alerts");
    this.count = document.getElementById("alerts-count");
    this.rows = new Map();
    empty(this.list, NONE);
  }

  take(found, fresh) {
    if (!found && !fresh) return;
    const rows = (found?.rows ?? []).sort((a, b) => (b.since ?? 0) - (a.since ?? 0));
    this.count.textContent = found?.kept ? plural(found.kept, "alert") : "";
    if (!rows.length) {
      this.rows.clear();
      empty(this.list, NONE);
      return;
    }
    const kept = new Map();
    for (const row of rows) {
      const before = this.rows.get(row.key);
      const same = before && before.offset === row.offset;
      const card = same ? before.card : alertCard(row, !fresh && !before);
      if (!same && before) card.open = before.card.open;
      kept.set(row.key, { offset: row.offset, card });
    }
    this.rows = kept;
    place(this.list, [...kept.values()].map((each) => each.card));
  }
}

// Puts `wanted` into the list without touching what is in its place already.
function place(holder, wanted) {
  const keep = new Set(wanted);
  for (const child of [...holder.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (holder.children[index] !== child) holder.insertBefore(child, holder.children[index] ?? null);
  });
}

function alertCard(row, isNew) {
  const { alert, rest } = readAlert(row);
  const tone = SEVERITIES.includes(alert.level) ? alert.level : "medium";
  const times = [...new Set([alert.first, alert.last].filter(given).map(when))].join(" – ");
  const facts = [given(alert.count) ? `${plain(alert.count)} event${Number(alert.count) === 1 ? "" : "s"}` : "", alert.about, times];
  const summary = element(
    "summary",
    {},
    element("span", { className: "headline" },
      element("span", { className: `severity ${tone}` }, hostile(alert.level || "alert", 20)),
      element("strong", {}, hostile(alert.title, CELL))),
    element("span", { className: "facts" }, ...facts.filter(Boolean).flatMap((fact, index) => [index ? " · " : "", hostile(fact, CELL)])),
  );
  const card = element("details", { className: `row card ${tone}${isNew ? " new" : ""}` }, summary);
  const pairs = [
    ["rule", alert.rule], ["tags", alert.tags.map(plain).join(", ")], ["group", alert.group],
    ["events", alert.count], ["first", alert.first], ["last", alert.last], ["detected", alert.detected],
  ];
  card.append(definitions([...pairs.filter(([, value]) => given(value)), ...rest]));
  if (alert.evidence.length) card.lastElementChild.append(...evidenceOf(alert.evidence));
  return card;
}

// The records that an alert rests on, a line each.
function evidenceOf(records) {
  const lines = records.slice(0, EVIDENCE).map((record) => element("p", {}, hostile(plain(record))));
  return [element("dt", {}, `evidence (${plural(records.length, "record")})`), element("dd", {}, ...lines)];
}

// What an alert says under one set of names, and the rest of its fields as they are.
function readAlert({ key, fields }) {
  const {
    id: _id, rule_id: ruleId, rule = ruleId, title, level, tags, group, subject, first, last,
    events, count = events, record_ids: ids, detected_at: detected, ...others
  } = fields;
  const alert = {
    rule, group: group ?? subject, first, last, count, detected,
    title: given(title) ? plain(title) : given(rule) ? sentence(plain(rule)) : key,
    level: given(level) ? plain(level).toLowerCase() : "",
    about: given(group) ? groupText(group) : subject === "*" ? "all computers" : given(subject) ? plain(subject) : "",
    tags: list(tags),
    evidence: list(ids),
  };
  return { alert, rest: Object.entries(others).filter(([, value]) => given(value)).slice(0, 50) };
}

function groupText(group) {
  if (typeof group !== "object") return String(group);
  return Object.entries(group).map(([name, value]) => (Array.isArray(group) ? plain(value) : `${name} ${plain(value)}`)).join(", ");
}
