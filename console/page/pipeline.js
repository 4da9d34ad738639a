// The drawing: eight nodes with live figures.

import { showFlows } from "./flows.js";
import { bytes, count, duration, element, rate } from "./text.js";

const nodes = Object.fromEntries(
  ["producer", "bridge", "processed", "rejected", "analytics", "detection", "results", "alerts"].map((name) => [
    name,
    document.getElementById(`node-${name}`),
  ]),
);
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
  const works = {};
  for (const [name, word] of [["analytics", "analytics"], ["detection", "detect"]]) {
    const groups = status.groups.filter((group) => group.name.includes(word));
    works[name] = drawWork(name, jobs[name], service.flink, groups);
    flows[name] = works[name] ? processed?.rate ?? 0 : 0;
  }
  drawResults(topics, names, rows, service.kafka, flows);
  showFlows((from, to) => (works[from] === false ? 0 : flows[to] ?? 0));
}

function sortJobs(jobs) {
  const sorted = { bridge: [], analytics: [], detection: [] };
  for (const job of jobs) if (!["CANCELED", "FAILED", "FINISHED"].includes(job.state)) sorted[job.kind].push(job);
  return sorted;
}

const unanswered = (service, name) => (service.state === "off" ? "not asked" : `${name} does not answer`);
const isRunning = (jobs) => jobs.some((job) => job.state === "RUNNING");

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

// Jobs on the Flink cluster, or processes outside of it, which show as members of a consumer group. Says
// whether any of them works.
function drawWork(name, jobs, service, groups) {
  const lag = groups.length ? `lag ${count(groups.reduce((sum, group) => sum + group.lag, 0))}` : "";
  const members = groups.reduce((sum, group) => sum + group.members, 0);
  if (!jobs.length && members) {
    draw(name, "good", count(members), members === 1 ? "process" : "processes", [lag]);
    return true;
  }
  // A process may commit to its group without joining it: then there is a lag without a job.
  if (service.state !== "up") draw(name, service.state === "off" ? "none" : "away", "–", "", [unanswered(service, "Flink"), lag]);
  else if (!jobs.length) draw(name, "none", "–", "", [lag ? "no Flink job" : "no job runs", lag]);
  else {
    const ages = jobs.map((job) => job.checkpoint_age).filter((age) => age !== null);
    draw(name, isRunning(jobs) ? "good" : "warn", count(jobs.length), jobs.length === 1 ? "job" : "jobs", [
      isRunning(jobs) ? "" : jobs[0].state.toLowerCase(),
      ages.length ? `checkpoint ${duration(Math.max(...ages))} ago` : "no checkpoint yet",
      lag,
    ]);
  }
  return isRunning(jobs);
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
