// The lines between the nodes of the drawing. Their dots move while something flows.

const FLOWS = [
  ["producer", "bridge"],
  ["bridge", "processed"],
  ["bridge", "rejected"],
  ["processed", "analytics"],
  ["processed", "detection"],
  ["analytics", "results"],
  ["analytics", "alerts"],
  ["detection", "alerts"],
];
const SVG = "http://www.w3.org/2000/svg";
const svg = document.getElementById("flows");
const node = (name) => document.getElementById(`node-${name}`);
const paths = FLOWS.map(([from, to]) => {
  const track = document.createElementNS(SVG, "path");
  const dots = document.createElementNS(SVG, "path");
  track.setAttribute("class", "track");
  dots.setAttribute("class", `dots to-${to}`);
  svg.append(track, dots);
  return { from, to, track, dots };
});

// `perSecond` says what flows from one node to another.
export function showFlows(perSecond) {
  for (const { from, to, dots } of paths) setFlow(dots, perSecond(from, to));
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
    const a = node(from).getBoundingClientRect();
    const b = node(to).getBoundingClientRect();
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
