// Two charts of the last five minutes, drawn on canvases: events by level, and latency.

import { count, duration, element, rate, time } from "./text.js";

const SPAN = 300; // seconds
const PADDING = { left: 46, right: 8, top: 8, bottom: 20 };
// Drawn from the bottom: what matters most stays on the ground line, where it is seen.
const STACK = ["Critical", "Error", "Warning", "Other", "Verbose", "Information"];
const LINES = ["p50", "p95", "p99"];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

class Chart {
  constructor(id, legend) {
    this.canvas = document.getElementById(id);
    this.legend = document.getElementById(legend);
    this.pointed = null; // a second, or null: the newest
    this.rows = [];
    this.now = 0;
    this.canvas.addEventListener("pointermove", (event) => this.pointAt(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    document.documentElement.addEventListener("theme", () => this.draw());
  }

  update(rows, now) {
    this.rows = rows;
    this.now = now;
    this.draw();
  }

  pointAt(x) {
    const width = this.canvas.clientWidth - PADDING.left - PADDING.right;
    const share = Math.min(1, Math.max(0, (x - PADDING.left) / width));
    this.point(Math.round(this.now - SPAN + share * SPAN));
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (event.key === "Escape") this.point(null);
    if (!step) return;
    event.preventDefault();
    this.point(Math.min(this.now, Math.max(this.now - SPAN, (this.pointed ?? this.now) + step)));
  }

  point(second) {
    this.pointed = second;
    this.draw();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const scale = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    const area = { x: PADDING.left, y: PADDING.top, w: width - PADDING.left - PADDING.right, h: height - PADDING.top - PADDING.bottom };
    this.plot(pen, area);
    this.times(pen, area);
    if (this.pointed !== null) this.marker(pen, area);
    this.showLegend(this.at(this.pointed));
  }

  x(second, area) {
    return area.x + ((second - (this.now - SPAN)) / SPAN) * area.w;
  }

  at(second) {
    if (second === null) return this.rows.at(-1);
    return this.rows.find((row) => row.second === second);
  }

  times(pen, area) {
    pen.fillStyle = color("muted");
    pen.textBaseline = "top";
    for (let back = 0; back <= 4; back += 1) {
      pen.textAlign = back === 0 ? "right" : "center";
      pen.fillText(back === 0 ? "now" : `−${back} min`, this.x(this.now - back * 60, area), area.y + area.h + 6);
    }
  }

  gridLine(pen, area, y, label) {
    pen.strokeStyle = color("line");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(area.x, Math.round(y) + 0.5);
    pen.lineTo(area.x + area.w, Math.round(y) + 0.5);
    pen.stroke();
    pen.fillStyle = color("muted");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(label, area.x - 8, y);
  }

  marker(pen, area) {
    pen.strokeStyle = color("muted");
    pen.setLineDash([3, 3]);
    pen.beginPath();
    const x = Math.round(this.x(this.pointed, area)) + 0.5;
    pen.moveTo(x, area.y);
    pen.lineTo(x, area.y + area.h);
    pen.stroke();
    pen.setLineDash([]);
  }

  entry(name, text, tone) {
    return element("span", { className: "entry" }, element("i", { className: `tone ${tone}` }), `${name} `, element("b", {}, text));
  }
}

export class LevelChart extends Chart {
  plot(pen, area) {
    const highest = niceCeiling(Math.max(1, ...this.rows.map((row) => row.total)));
    for (const share of [0, 0.5, 1]) this.gridLine(pen, area, area.y + area.h * (1 - share), rate(highest * share));
    const step = area.w / SPAN;
    for (const row of this.rows) {
      let top = area.y + area.h;
      for (const name of STACK) {
        const height = ((row.levels[name] ?? 0) / highest) * area.h;
        if (!height) continue;
        pen.fillStyle = color(`level-${name.toLowerCase()}`);
        const tall = name === "Information" || name === "Verbose" ? height : Math.max(height, 1.5);
        pen.fillRect(this.x(row.second, area) - step, top - tall, Math.max(step * 0.86, 1), tall);
        top -= tall;
      }
    }
  }

  showLegend(row) {
    const entries = STACK.toReversed().filter((name) => this.rows.some((each) => each.levels[name]));
    const when = this.pointed === null ? [] : [element("span", { className: "when" }, time(this.pointed))];
    this.legend.replaceChildren(...when, ...entries.map((name) => this.entry(name, `${count(row?.levels[name] ?? 0)}/s`, name.toLowerCase())));
  }
}

export class LatencyChart extends Chart {
  plot(pen, area) {
    const values = this.rows.flatMap((row) => [row.p50, row.p99]).filter((value) => value !== null && value > 0);
    const low = Math.floor(Math.log10(Math.max(0.001, Math.min(0.01, ...values))));
    const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(0.1, ...values))));
    const y = (seconds) => area.y + area.h * (1 - (Math.log10(Math.max(seconds, 10 ** low)) - low) / (high - low));
    const every = Math.ceil((high - low) / 4);
    for (let power = low; power <= high; power += every) this.gridLine(pen, area, y(10 ** power), duration(10 ** power));
    for (const name of LINES) this.line(pen, area, y, name);
  }

  line(pen, area, y, name) {
    pen.strokeStyle = color(`line-${name}`);
    pen.lineWidth = name === "p50" ? 2 : 1.5;
    pen.lineJoin = "round";
    pen.beginPath();
    let before = null;
    for (const row of this.rows) {
      if (row[name] === null) continue;
      const [x, top] = [this.x(row.second, area), y(row[name])];
      if (before !== null && row.second - before <= 3) pen.lineTo(x, top);
      else pen.moveTo(x, top);
      before = row.second;
    }
    pen.stroke();
  }

  showLegend(row) {
    const when = this.pointed === null ? [] : [element("span", { className: "when" }, time(this.pointed))];
    this.legend.replaceChildren(...when, ...LINES.map((name) => this.entry(name, duration(row?.[name] ?? null), name)));
  }
}

function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map((step) => step * power).find((step) => step >= value);
}

// The series as the server sends it, kept for as long as the charts are wide.
export class Series {
  constructor() {
    this.rows = new Map();
  }

  take(rows, names) {
    for (const row of rows) {
      const levels = Object.fromEntries(names.map((name, index) => [name, row[1 + index]]));
      const [rejected, alerts, p50, p95, p99] = row.slice(1 + names.length);
      const total = names.reduce((sum, name) => sum + levels[name], 0);
      this.rows.set(row[0], { second: row[0], levels, total, rejected, alerts, p50, p95, p99 });
    }
  }

  last(now) {
    for (const second of this.rows.keys()) if (second < now - SPAN) this.rows.delete(second);
    return [...this.rows.values()].sort((a, b) => a.second - b.second);
  }
}
