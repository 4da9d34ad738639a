// Hostile text becomes text nodes, never markup. Characters that nobody can see, or that turn the reading
// direction around, are shown by their code point; each piece is isolated from the text around it.

const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SIGNS = { "\n": "⏎", "\r": "␍", "\t": "⇥" };

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "className") made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// A <bdi> that shows `text` as it is, at most `limit` characters of it.
export function hostile(text, limit = 4000) {
  const whole = typeof text === "string" ? text : JSON.stringify(text) ?? String(text);
  const shown = whole.length > limit ? whole.slice(0, limit) : whole;
  const holder = document.createElement("bdi");
  let from = 0;
  for (const match of shown.matchAll(INVISIBLE)) {
    if (match.index > from) holder.append(shown.slice(from, match.index));
    holder.append(element("span", { className: "sign" }, sign(match[0])));
    from = match.index + match[0].length;
  }
  holder.append(shown.slice(from));
  if (whole.length > limit) holder.append(element("span", { className: "sign" }, `… ${whole.length - limit} more`));
  return holder;
}

function sign(character) {
  return SIGNS[character] ?? `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

export const CELL = 200; // characters of a value in a row

export function definitions(pairs) {
  const list = element("dl", {});
  for (const [name, value] of pairs) list.append(element("dt", {}, hostile(name, CELL)), element("dd", {}, hostile(value)));
  return list;
}

export function empty(list, text) {
  list.replaceChildren(element("p", { className: "empty" }, text));
}

// The first line of a text, for a row.
export function firstLine(text) {
  const end = text.search(/[\r\n]/);
  return end < 0 ? text : text.slice(0, end);
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value) => (value >= 1e6 ? compact.format(value) : whole.format(value));
export const rate = (value) => (value >= 1e5 ? compact.format(value) : value >= 10 ? whole.format(value) : short.format(value));

export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

export function bytes(value) {
  if (value < 1000) return `${whole.format(value)} B`;
  if (value < 1e6) return `${short.format(value / 1e3)} kB`;
  if (value < 1e9) return `${short.format(value / 1e6)} MB`;
  return `${short.format(value / 1e9)} GB`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${short.format(seconds)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

// Seconds since the epoch as local time; with the day when it is not today's.
export function time(seconds) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime())) return "–";
  const today = day.format(new Date());
  return day.format(moment) === today ? clock.format(moment) : `${day.format(moment)} ${clock.format(moment)}`;
}

// A time as ISO text, as SQL writes it, or in milliseconds; anything else stays as it is.
export function when(value) {
  if (typeof value === "number" && value > 1e11) return time(value / 1000);
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value)) return typeof value === "object" ? JSON.stringify(value) : String(value);
  const iso = value.replace(" ", "T");
  const moment = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(moment) ? value : time(moment / 1000);
}

// An event's own time: 2026-11-21T09:28:24.1778590Z as 09:28:24.177 of this place; else the text.
export function eventTime(text) {
  const moment = Date.parse(text);
  if (Number.isNaN(moment)) return text;
  const part = String(new Date(moment).getMilliseconds()).padStart(3, "0");
  return `${time(moment / 1000)}.${part}`;
}
