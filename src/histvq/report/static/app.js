// The page as a whole: theme, keys, printing, and the start.

const THEMES = ["auto", "light", "dark"];

function remembered(key) {
  try {
    return localStorage.getItem(`histvq-${key}`);
  } catch {
    return null; // a browser that keeps nothing for files
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`histvq-${key}`, value);
  } catch {
    // then it is asked again next time
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  part("theme").textContent = `Theme: ${theme}`;
  lookChanged();
}

/** Draw everything again in other colours or sizes. */
function lookChanged() {
  styles.clear();
  document.dispatchEvent(new CustomEvent("look-chosen"));
}

function redraw() {
  drawSeen();
  drawView();
  document.querySelectorAll(".compare").forEach(drawCompared);
}

/** True and found of one recording, one above the other (as in the paper's Fig. 4). */
function drawCompared(canvas) {
  const recording = report.recordings[Number(canvas.dataset.recording)];
  const { context, width } = cleared(canvas);
  if (!width) return;
  const options = { from: 0, to: recording.frames, width, height: 20, dims: false };
  drawStrip(context, recording.truth, truthLooks, { ...options, y: 0 });
  drawStrip(context, recording.actions, actionLooks, { ...options, y: 22 });
}

function wireKeys() {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const own = target.closest("input, select, textarea, button, summary, a");
    if (event.key === " " && !own && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      play();
    } else if (target === document.body && player.recording >= 0) {
      if (event.key.startsWith("Arrow")) timelineKey(event);
    }
  });
}

/** On paper: everything open, dark on white, hatched, nothing moving. */
function wirePrinting() {
  let before = null;
  window.addEventListener("beforeprint", () => {
    const closed = [...document.querySelectorAll("details:not([open])")];
    before = { closed, theme: document.documentElement.dataset.theme, patterns: shown.patterns };
    for (const details of closed) details.open = true;
    play(false);
    shown.patterns = true;
    setTheme("light");
    redraw();
    for (const number of rows.keys()) drawRow(number);
    document.querySelectorAll(".clip").forEach((button) => drawClip(button, 0.5));
  });
  window.addEventListener("afterprint", () => {
    if (!before) return;
    for (const details of before.closed) details.open = false;
    shown.patterns = before.patterns;
    setTheme(before.theme);
  });
}

function start() {
  buildLegend();
  wirePlayer();
  wireList();
  wireCards();
  wireKeys();
  wirePrinting();
  document.addEventListener("look-chosen", redraw);
  part("patterns").addEventListener("change", (event) => {
    shown.patterns = event.target.checked;
    lookChanged();
  });
  part("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    remember("theme", next);
    setTheme(next);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", lookChanged);
  window.addEventListener("resize", redraw);
  document.querySelectorAll("details").forEach((d) => d.addEventListener("toggle", redraw));
  // Numbers that stand further down in the file are read when the browser has got there.
  document.addEventListener("DOMContentLoaded", () => (redraw(), wake()));
  if (window.matchMedia("(prefers-contrast: more)").matches) part("patterns").checked = shown.patterns = true;
  find();
  showPage(0);
  const theme = remembered("theme");
  setTheme(THEMES.includes(theme) ? theme : "auto");
  if (report.recordings.length) {
    const first = report.recordings.findIndex((_, number) => pieceAt(number, 0));
    lookAt(Math.max(first, 0), 0);
  }
  document.documentElement.dataset.ready = "true";
}

start();
