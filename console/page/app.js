// Wires the stream to what is shown.

import { AlertList } from "./alerts.js";
import { LatencyChart, LevelChart, Series } from "./charts.js";
import { connectControl, send, showControl } from "./control.js";
import { EventList, RejectedList } from "./events.js";
import { drawPipeline } from "./pipeline.js";
import { ResultTables, showJobs, showKafka } from "./results.js";
import { Stream } from "./stream.js";
import { count, duration, element, hostile, time } from "./text.js";

const LEVELS = ["Critical", "Error", "Warning", "Information", "Verbose", "Other"];
const STATES = { waiting: "Connecting", live: "Live", away: "Reconnecting", asleep: "Resting" };
const SERVICES = { kafka: "Kafka", flink: "Flink", producer: "Producer", cache: "Cache" };
const byId = (id) => document.getElementById(id);

const series = new Series();
const levels = new LevelChart("levels", "levels-legend");
const latency = new LatencyChart("latency", "latency-legend");
const events = new EventList();
const rejected = new RejectedList();
const alerts = new AlertList();
const results = new ResultTables();
const kept = new Map(); // result topic → its newest rows, for the drawing
let pending = [];

const stream = new Stream(take, showState);

// Frames are drawn when the browser paints; those that came meanwhile are drawn together.
function take(frame, fresh) {
  pending = fresh ? [{ frame, fresh }] : [...pending, { frame, fresh }];
  if (pending.length === 1) requestAnimationFrame(paint);
}

function paint() {
  const frames = pending;
  pending = [];
  if (!frames.length) return;
  for (const { frame, fresh } of frames) {
    series.take(frame.series, frame.names);
    if (fresh) kept.clear();
    for (const [topic, rows] of Object.entries(frame.rows)) kept.set(topic, rows);
    events.take(frame.events, fresh, stream.query !== "");
    rejected.take(frame.rejected, fresh);
    const { [frame.status.names.alerts]: alertRows, ...resultRows } = frame.rows;
    alerts.take(alertRows, fresh);
    results.take(resultRows, fresh);
  }
  show(frames.at(-1).frame);
}

function show({ at, status }) {
  const now = Math.floor(at) - 1;
  const rows = series.last(now);
  levels.update(rows, now);
  latency.update(rows, now);
  drawPipeline(status, kept);
  showControl(status.producer, status.services.find((each) => each.name === "producer"));
  showJobs(status.jobs);
  showKafka(status.topics, status.groups);
  showNotices(status);
  showReading(status.reading);
  const newest = rows.at(-1);
  byId("events-count").textContent = newest ? `${count(newest.total)}/s` : "";
  const rejectedTopic = status.topics.find((topic) => topic.name === status.names.rejected);
  byId("rejected-count").textContent = rejectedTopic?.records ? `${count(rejectedTopic.records)} kept` : "";
  document.documentElement.dataset.at = String(at);
  document.documentElement.dataset.behind = (Date.now() / 1000 - at).toFixed(3);
}

function showNotices({ services, reading }) {
  const problems = services.filter((each) => each.state === "away").map((each) => ({ ...each, name: SERVICES[each.name] ?? each.name }));
  const kafka = services.find((each) => each.name === "kafka");
  if (reading.problem && kafka.state === "up") problems.push({ name: "Reading", problem: reading.problem, as_of: null });
  const text = problems.map((each) => each.problem).join("\n");
  const notices = byId("notices");
  if (notices.dataset.text === text) return;
  notices.dataset.text = text;
  notices.replaceChildren(
    ...problems.map((each) =>
      element("p", { className: "notice" },
        element("strong", {}, each.name), " ",
        hostile(each.problem, 300), each.as_of === null ? "" : ` Its last figures are from ${time(each.as_of)}.`),
    ),
  );
}

function showReading(reading) {
  const parts = [`${count(reading.events)} events read in ${duration(Date.now() / 1000 - reading.since)}`];
  if (reading.skipped) parts.push(`${count(reading.skipped)} left out: more than ${count(reading.max_rate)}/s`);
  byId("reading").textContent = parts.join(" · ");
}

function showState(state) {
  const live = byId("live");
  if (live.dataset.state !== state) {
    live.dataset.state = state;
    live.textContent = STATES[state];
  }
  if (state === "away") askForToken();
}

// The filter works in the server, on every event that comes: a rare one is found among 10,000 a second.
let typing = 0;
const chosen = new Set();

function openFiltered() {
  const query = new URLSearchParams();
  const text = byId("filter").value.trim();
  if (text) query.set("filter", text);
  for (const level of chosen) query.append("level", level);
  const asked = query.toString();
  events.release();
  events.clear(asked ? "Looking…" : "No events yet.");
  stream.open(asked ? `?${asked}` : "");
}

byId("filter").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(openFiltered, 300);
});

byId("level-filter").append(
  ...LEVELS.map((level) => {
    const chip = element("button", { type: "button", className: `chip ${level.toLowerCase()}`, "aria-pressed": "false" }, level);
    chip.addEventListener("click", () => {
      if (!chosen.delete(level)) chosen.add(level);
      chip.setAttribute("aria-pressed", String(chosen.has(level)));
      openFiltered();
    });
    return chip;
  }),
);

document.addEventListener("keydown", (event) => {
  const writing = event.target.matches("input, select, textarea");
  if (event.key === "Escape" && event.target === byId("filter")) {
    event.target.value = "";
    openFiltered();
    event.target.blur();
  }
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("filter").focus();
  }
  if (event.key === "h") byId("hold").click();
  if (event.key === "t") window.switchTheme();
});
byId("theme").addEventListener("click", () => window.switchTheme());
byId("events").addEventListener("toggle", () => events.flush(), true);

// A console with a token is opened once; a cookie that no script can read remembers it.
async function askForToken() {
  const dialog = byId("login");
  if (dialog.open) return;
  try {
    const answer = await fetch("/api/v1/counts");
    if (answer.status === 401) dialog.showModal();
  } catch { /* the console itself is away: the stream tries again */ }
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await send("POST", "session", { token: byId("token").value });
    byId("login").close();
    stream.open();
  } catch (error) {
    byId("login-told").replaceChildren(hostile(error.message, 300));
  }
});

connectControl();
showState("waiting");
stream.open();
