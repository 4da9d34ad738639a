// The drawing: eight nodes with live figures, and the flows between them.

import { bytes, count, duration, element, rate } from "./text.js";

const FLOWS = [
  ["producer", "bridge"],
  ["bridge", "processed"],
  ["bridge", "rejected"],
  ["processed", "analytics"],
  ["processed", "detection"],
  ["analytics", "results"],
  ["detection", "alerts"],
];
const SVG = "http://www.w3.org/2000/svg";
const svg = document.getElementById("flows");
const nodes = Object.fromEntries(
  ["producer", "bridge", "processed", "rejected", "analytics", "detection", "results", "alerts"].map((name) => [
    name,
    document.getElementById(`node-${name}`),
  ]),
);
const paths = FLOWS.map(([from, to]) => {
  const track = document.createElementNS(SVG, "path");
  const dots = document.createElementNS(SVG, "path");
  track.setAttribute("class", "track");
  dots.setAttribute("class", `dots to-${to}`);
  svg.append(track, dots);
  return { from, to, track, dots };
});

export function drawPipeline(status, rows) {
  const { names } = status;
  const topics = Object.fromEntries(status.topics.map((topic) => [topic.name, topic]));
  const [processed, rejected] = [topics[names.events], topics[names.rejected]];
  const service = Object.fromEntries(status.services.map((each) => [each.name, each]));
  const jobs = sortJobs(status.jobs);
  const flows = {};
  drawProducer(status.producer, service.producer, flows);
  drawBridge(jobs.bridge, service.flink, [processed, rejected], status.producer, flows);
  drawTopic("processed", processed, service.kafka);
  drawTopic("rejected", rejected, service.kafka);
  drawJobs("analytics", jobs.analytics, service.flink, lagOf(status.groups, "analytics"));
  drawJobs("detection", jobs.detection, service.flink, lagOf(status.groups, "detect"));
  drawResults(topics, names, rows, service.kafka, flows);
  flows.analytics = isRunning(jobs.analytics) ? processed?.rate ?? 0 : 0;
  flows.detection = isRunning(jobs.detection) ? processed?.rate ?? 0 : 0;
  for (const path of paths) setFlow(path.dots, flows[path.to] ?? 0);
}

function sortJobs(jobs) {
  const kind = (job) =>
    job.name.startsWith("win-event-bridge") ? "bridge" : /detect/i.test(job.name) ? "detection" : "analytics";
  const sorted = { bridge: [], analytics: [], detection: [] };
  for (const job of jobs) if (!["CANCELED", "FAILED", "FINISHED"].includes(job.state)) sorted[kind(job)].push(job);
  return sorted;
}

const unanswered = (service, name) => (service.state === "off" ? "not asked" : `${name} does not answer`);
const isRunning = (jobs) => jobs.some((job) => job.state === "RUNNING");
const lagOf = (groups, word) => groups.filter((group) => group.name.includes(word)).reduce((sum, group) => sum + group.lag, 0);

// A node: its state for the colour, a figure with its unit, and a note of several facts.
function draw(name, state, figure, unit, facts) {
  const node = nodes[name];
  node.dataset.state = state;
  const [, large, note] = node.children;
  setText(large, unit ? `${figure}\u00a0${unit}` : figure, unit);
  const text = facts.filter(Boolean).join(" · ");
  if (note.textContent !== text) note.textContent = text;
}

function setText(holder, text, unit) {
  if (holder.dataset.text === text) return;
  holder.dataset.text = text;
  holder.replaceChildren(unit ? text.slice(0, -unit.length - 1) : text);
  if (unit) holder.append(element("small", {}, ` ${unit}`));
}

function drawProducer(producer, service, flows) {
  if (service.state !== "up" || !producer) {
    draw("producer", service.state === "off" ? "none" : "away", "–", "", [unanswered(service, "the producer")]);
    return;
  }
  flows.bridge = producer.running ? producer.rate ?? 0 : 0;
  const load = producer.over ? "all made" : !producer.running ? "stopped"
    : producer.rate_asked === null ? "as fast as it goes" : `asked ${rate(producer.rate_asked)}/s`;
  draw("producer", producer.problem ? "warn" : producer.running ? "good" : "idle", rate(producer.rate ?? 0), "/s", [
    producer.problem,
    load,
    `${count(producer.clients)} client${producer.clients === 1 ? "" : "s"}`,
    `lag ${bytes(producer.lag)}`,
  ]);
}

function drawBridge(jobs, service, [processed, rejected], producer, flows) {
  flows.processed = processed?.rate ?? 0;
  flows.rejected = rejected?.rate ?? 0;
  const written = flows.processed + flows.rejected;
  if (!producer) flows.bridge = written;
  if (service.state !== "up") return draw("bridge", service.state === "off" ? "none" : "away", rate(written), "/s", [unanswered(service, "Flink")]);
  if (!jobs.length) return draw("bridge", "idle", rate(written), "/s", ["no job runs"]);
  const ages = jobs.map((job) => job.checkpoint_age).filter((age) => age !== null);
  const restarts = jobs.reduce((sum, job) => sum + job.restarts, 0);
  const state = isRunning(jobs) ? "good" : "warn";
  return draw("bridge", state, rate(written), "/s", [
    isRunning(jobs) ? "" : jobs[0].state.toLowerCase(),
    ages.length ? `checkpoint ${duration(Math.max(...ages))} ago` : "no checkpoint yet",
    `${count(restarts)} restart${restarts === 1 ? "" : "s"}`,
  ]);
}

function drawTopic(name, topic, service) {
  if (!topic) return draw(name, service.state === "up" ? "idle" : "away", "–", "", [service.state === "up" ? "no such topic" : "Kafka does not answer"]);
  const state = service.state !== "up" ? "away" : name === "rejected" && topic.rate > 0 ? "warn" : "good";
  return draw(name, state, rate(topic.rate), "/s", [`${count(topic.records)} kept`, topic.newest_age === null ? "" : `newest ${duration(topic.newest_age)} ago`]);
}

function drawJobs(name, jobs, service, lag) {
  if (service.state !== "up") return draw(name, service.state === "off" ? "none" : "away", "–", "", [unanswered(service, "Flink")]);
  if (!jobs.length) return draw(name, "none", "–", "", ["no job runs"]);
  const ages = jobs.map((job) => job.checkpoint_age).filter((age) => age !== null);
  return draw(name, isRunning(jobs) ? "good" : "warn", count(jobs.length), jobs.length === 1 ? "job" : "jobs", [
    isRunning(jobs) ? "" : jobs[0].state.toLowerCase(),
    ages.length ? `checkpoint ${duration(Math.max(...ages))} ago` : "no checkpoint yet",
    `lag ${count(lag)}`,
  ]);
}

function drawResults(topics, names, rows, service, flows) {
  const state = (found) => (service.state === "up" ? found : "away");
  const windows = [...rows.keys()].filter((name) => name !== names.alerts);
  const kept = windows.reduce((sum, name) => sum + rows.get(name).kept, 0);
  flows.results = windows.reduce((sum, name) => sum + (topics[name]?.rate ?? 0), 0);
  draw("results", state(windows.length ? "good" : "none"), count(kept), kept === 1 ? "row" : "rows", [
    windows.length ? `${windows.length} result topic${windows.length === 1 ? "" : "s"}` : "none yet",
    topics[names.late]?.written ? `${count(topics[names.late].written)} late` : "",
  ]);
  const alerts = rows.get(names.alerts);
  const { rate: perSecond = 0, newest_age: newest = null } = topics[names.alerts] ?? {};
  flows.alerts = perSecond;
  draw("alerts", alerts?.kept ? "alert" : state("none"), count(alerts?.kept ?? 0), "", [newest === null ? "none yet" : `newest ${duration(newest)} ago`]);
}

// The more flows, the faster the dots: one step for each power of ten.
function setFlow(dots, perSecond) {
  const flowing = perSecond >= 0.05;
  dots.classList.toggle("flowing", flowing);
  if (!flowing) return;
  const seconds = (2.4 / (1 + Math.log10(1 + perSecond))).toFixed(1);
  if (dots.dataset.seconds !== seconds) {
    dots.dataset.seconds = seconds;
    dots.style.animationDuration = `${seconds}s`;
  }
}

// Flows run from side to side where the target is to the right, else from bottom to top.
function layOut() {
  const frame = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  for (const { from, to, track, dots } of paths) {
    const a = nodes[from].getBoundingClientRect();
    const b = nodes[to].getBoundingClientRect();
    const line = b.left >= a.right ? across(a, b, frame) : downwards(a, b, frame);
    track.setAttribute("d", line);
    dots.setAttribute("d", line);
  }
}

function across(a, b, frame) {
  const [x1, x2] = [a.right - frame.left, b.left - frame.left];
  const [y1, y2] = [a.top + a.height / 2 - frame.top, b.top + b.height / 2 - frame.top];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function downwards(a, b, frame) {
  const [x1, x2] = [a.left + a.width / 2 - frame.left, b.left + b.width / 2 - frame.left];
  const [y1, y2] = [a.bottom - frame.top, b.top - frame.top];
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

new ResizeObserver(layOut).observe(svg.parentElement);
layOut();
