// How actions look: colours, hatches, letters. Everything else on the page draws with these.

const report = JSON.parse(document.getElementById("report-data").textContent);

const HATCHES = ["", "/", ".", "x", "\\", "-", "|", "+"];
const NO_DATA = { name: "no data", tag: "", colour: "#d9d9d9", ink: "#555555", hatch: "" };

// Patterns for those who ask for them, one for what has one colour; subactions have none.
const patterns = new Map();
for (const look of [...report.truth, ...report.actions]) {
  const key = look.colour + look.hatch;
  if (!patterns.has(key)) patterns.set(key, patterns.size % HATCHES.length);
  look.pattern = patterns.get(key);
}

const byCode = (looks) => new Map(looks.map((look) => [look.code, look]));
const actionLooks = byCode(report.actions);
const truthLooks = byCode(report.truth);
const fineLooks = byCode(report.subactions);

const shown = { patterns: false, only: null }; // what the reader chose to see

const styles = new Map(); // emptied when the theme changes

/** A colour of the style sheet, as it is in this theme. */
function style(name) {
  if (!styles.has(name)) {
    styles.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return styles.get(name);
}

/** A canvas made as sharp as the screen, emptied, with its drawing context in CSS pixels. */
function cleared(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const tiles = new Map();

/** What to fill an action's blocks with: its colour, hatched where it has a hatch. */
function fillOf(look) {
  const hatch = shown.patterns && look.pattern !== undefined ? HATCHES[look.pattern] : look.hatch;
  if (!hatch) return look.colour;
  const key = look.colour + hatch;
  if (!tiles.has(key)) tiles.set(key, hatchTile(look, hatch));
  return tiles.get(key);
}

function hatchTile(look, hatch) {
  const size = 8;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const context = tile.getContext("2d");
  context.fillStyle = look.colour;
  context.fillRect(0, 0, size, size);
  context.strokeStyle = context.fillStyle = look.ink;
  context.globalAlpha = 0.55;
  context.beginPath();
  const line = (x0, y0, x1, y1) => (context.moveTo(x0, y0), context.lineTo(x1, y1));
  if (hatch === "/" || hatch === "x") line(-1, size + 1, size + 1, -1);
  if (hatch === "\\" || hatch === "x") line(-1, -1, size + 1, size + 1);
  if (hatch === "-" || hatch === "+") line(0, size / 2, size, size / 2);
  if (hatch === "|" || hatch === "+") line(size / 2, 0, size / 2, size);
  if (hatch === ".") context.fillRect(3, 3, 2, 2);
  context.stroke();
  return context.createPattern(tile, "repeat");
}

/** `[length, label, ...]` as the frame at which each run starts, its label, and the last one's end. */
function unpacked(runs) {
  const starts = new Int32Array(runs.length / 2);
  const labels = new Int32Array(runs.length / 2);
  let at = 0;
  for (let k = 0; k < starts.length; k++) {
    starts[k] = at;
    labels[k] = runs[2 * k + 1];
    at += runs[2 * k];
  }
  return { starts, labels, end: at };
}

/** The number of the run that a frame lies in. */
function runAt(runs, frame) {
  let low = 0;
  let high = runs.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (runs.starts[middle] <= frame) low = middle;
    else high = middle - 1;
  }
  return low;
}

function runEnd(runs, place) {
  return place + 1 < runs.starts.length ? runs.starts[place + 1] : runs.end;
}

/** Draw the runs between two frames as blocks with their names, or their tags, where these fit. */
function drawStrip(context, runs, looks, { from, to, y, width, height, text = true, dims = true }) {
  const scale = width / Math.max(to - from, 1e-9);
  context.font = `${Math.min(12, height - 5)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  let drawn = -1;
  for (let k = runAt(runs, Math.max(from, 0)); k < runs.starts.length; k++) {
    if (runs.starts[k] >= to) break;
    const left = Math.max(0, (runs.starts[k] - from) * scale);
    const right = Math.min(width, (runEnd(runs, k) - from) * scale);
    if (right - drawn < 0.3) continue; // a thousand runs in one pixel show as one
    drawn = right;
    const label = runs.labels[k];
    const look = looks.get(label) || NO_DATA;
    context.globalAlpha = dims && shown.only !== null && label !== shown.only ? 0.15 : 1;
    context.fillStyle = fillOf(look);
    context.fillRect(left, y, right - left, height);
    if (right - left > 3) {
      context.fillStyle = style("--page");
      context.fillRect(right - 0.5, y, 0.5, height);
    }
    if (text && height >= 12) writeOn(context, look, left, right - left, y, height);
  }
  context.globalAlpha = 1;
}

function writeOn(context, look, left, room, y, height) {
  if (room < 9 || !look.tag) return;
  const text = [look.name, look.tag].find((t) => context.measureText(t).width + 6 <= room);
  if (text === undefined) return;
  const [x, middle] = [left + room / 2, y + height / 2 + 0.5];
  context.fillStyle = look.colour; // a plain ground, so that hatches do not cross the writing
  const wide = context.measureText(text).width + 4;
  if (fillOf(look) !== look.colour) context.fillRect(x - wide / 2, y + 2, wide, height - 4);
  context.fillStyle = look.ink;
  context.fillText(text, x, middle);
}

/** Seconds as people read them. */
function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = ((tenths % 600) / 10).toFixed(1);
  return minutes ? `${minutes}:${rest.padStart(4, "0")}` : `${rest} s`;
}

/** A new element with text in it: text, never HTML. */
function element(name, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** A small square in an action's look, with its tag. */
function chip(look) {
  const made = element("span", { class: "chip", text: look.tag, "data-hatch": look.hatch || "" });
  made.style.setProperty("--look", look.colour);
  made.style.color = look.ink;
  return made;
}
