// The list of recordings: a page of them at a time, each with its timeline, drawn when it is seen.

const PAGE = 20;
const list = part("recordings");
const listed = { page: 0, found: [] };
const rows = new Map(); // recording -> its row, of this page
const STRIPS = { truth: truthLooks, actions: actionLooks, subactions: fineLooks };
const SMALL = { truth: 15, actions: 17, subactions: 6, axis: 0 };
const LARGE = { truth: 24, actions: 30, subactions: 16, axis: 18 };

for (const recording of report.recordings) {
  for (const level of Object.keys(STRIPS)) {
    if (recording[level]) recording[level] = unpacked(recording[level]);
  }
}

/** Recordings with this text in what is said of them, and with the action looked for. */
function find() {
  const text = part("find").value.trim().toLowerCase();
  const said = (r) => [r.id, r.person, ...Object.values(r.extras)].join("\n").toLowerCase();
  const has = (r) => shown.only === null || r.actions.labels.includes(shown.only);
  listed.found = report.recordings.flatMap((r, k) => (said(r).includes(text) && has(r) ? [k] : []));
}

/** Fill the list with a page of what was found. */
function showPage(page = listed.page) {
  const pages = Math.max(1, Math.ceil(listed.found.length / PAGE));
  listed.page = Math.min(Math.max(page, 0), pages - 1);
  const here = listed.found.slice(listed.page * PAGE, (listed.page + 1) * PAGE);
  part("player-home").append(box); // so that it survives the rows
  seen.disconnect();
  rows.clear();
  for (const number of here) rows.set(number, rowOf(number));
  list.replaceChildren(...rows.values());
  for (const row of rows.values()) seen.observe(row);
  part("page-now").textContent =
    `${listed.found.length} of ${report.recordings.length} recordings` +
    (pages > 1 ? `, page ${listed.page + 1} of ${pages}` : "");
  part("page-before").disabled = listed.page === 0;
  part("page-after").disabled = listed.page === pages - 1;
  part("pager").hidden = report.recordings.length <= 1;
  placePlayer();
}

function rowOf(number) {
  const recording = report.recordings[number];
  const about = [recording.person && `person ${recording.person}`, ...Object.entries(recording.extras)
    .map(([key, value]) => `${key} ${value}`), clock(recording.frames / recording.fps)].filter(Boolean);
  const canvas = element("canvas", {
    class: "strips", tabindex: "0", role: "slider", "aria-label": `Timeline of ${recording.id}`,
    "aria-valuemin": "0", "aria-valuemax": String(recording.frames - 1), "aria-valuenow": "0",
  });
  const line = element("div", { class: "playhead" });
  const row = element(
    "li", { class: "row", "data-recording": String(number) },
    element("div", { class: "row-head" }, element("strong", { text: recording.id }),
      element("span", { class: "quiet", text: about.join(" · ") })),
    element("div", { class: "strip-box" }, canvas, line),
  );
  wireTimeline(canvas, number);
  return row;
}

function wireTimeline(canvas, number) {
  let dragging = false;
  const choose = () => number === player.recording || keepingStill(canvas, () => lookAt(number));
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    choose();
    dragging = true;
    canvas.setPointerCapture(event.pointerId);
    seekIn(canvas, event);
  });
  canvas.addEventListener("pointermove", (event) => dragging && seekIn(canvas, event));
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (dragging = false));
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter") return choose();
    if (number !== player.recording && /^(Arrow(Left|Right)|Page|Home|End)/.test(event.key)) choose();
    if (number === player.recording) timelineKey(event);
  });
}

/** Do something that moves the page about, and leave this element where it was on the screen. */
function keepingStill(thing, does) {
  const before = thing.getBoundingClientRect().top;
  does();
  window.scrollBy({ top: thing.getBoundingClientRect().top - before, behavior: "instant" });
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      entry.target.dataset.seen = String(entry.isIntersecting);
      if (entry.isIntersecting) drawRow(Number(entry.target.dataset.recording));
    }
  },
  { rootMargin: "200px" },
);

function heightsOf(number) {
  return number === player.recording ? LARGE : SMALL;
}

/** Draw the strips of one row: what people did, what was found, and its finer parts. */
function drawRow(number) {
  const row = rows.get(number);
  if (!row) return;
  const canvas = row.querySelector(".strips");
  const recording = report.recordings[number];
  const heights = heightsOf(number);
  const levels = Object.keys(STRIPS).filter((level) => recording[level]);
  const high = levels.reduce((sum, level) => sum + heights[level] + 2, heights.axis);
  canvas.style.height = `${high}px`;
  const { context, width } = cleared(canvas);
  if (!width) return;
  const chosen = number === player.recording;
  const { from, to } = chosen ? player : { from: 0, to: recording.frames };
  let y = 0;
  for (const level of levels) {
    const options = { from, to, y, width, height: heights[level], dims: level === "actions" };
    drawStrip(context, recording[level], STRIPS[level], options);
    y += heights[level] + 2;
  }
  if (heights.axis) drawAxis(context, y, width, from / recording.fps, to / recording.fps);
  drawPlayhead();
}

function drawAxis(context, y, width, from, to) {
  const room = ((to - from) / width) * 80;
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((s) => s >= room)
    || 3600 * Math.ceil(room / 3600);
  context.fillStyle = style("--quiet");
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "top";
  for (let t = Math.ceil(from / step - 1e-9) * step; t <= to; t += step) {
    const x = ((t - from) / (to - from)) * width;
    context.fillRect(x, y, 1, 4);
    const text = clock(t);
    if (x + context.measureText(text).width + 4 < width) context.fillText(text, x + 3, y + 3);
  }
}

function drawPlayhead() {
  const row = rows.get(player.recording);
  if (!row) return;
  const share = (player.frame - player.from) / (player.to - player.from);
  row.querySelector(".playhead").style.left = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  const slider = row.querySelector(".strips");
  slider.setAttribute("aria-valuenow", String(Math.floor(player.frame)));
  slider.setAttribute("aria-valuetext", spokenNow());
}

/** Put the player under the row it belongs to; where that is on another page, above the list. */
function placePlayer() {
  for (const [number, row] of rows) row.classList.toggle("chosen", number === player.recording);
  const row = rows.get(player.recording);
  (row || part("player-home")).append(box);
  part("player-of").textContent = row ? "" : report.recordings[player.recording]?.id || "";
  box.hidden = player.recording < 0;
  drawSeen();
}

function drawSeen() {
  for (const [number, row] of rows) {
    if (row.dataset.seen === "true" || number === player.recording) drawRow(number);
  }
}

/** See one action only, or all again: others pale, recordings without it not listed. */
function showOnly(code) {
  shown.only = code;
  part("only").value = code === null ? "" : String(code);
  for (const button of document.querySelectorAll("#legend button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.code) === code));
  }
  find();
  showPage(0);
}

function buildLegend() {
  for (const look of report.actions) {
    const button = element(
      "button",
      { type: "button", "data-code": String(look.code), "aria-pressed": "false" },
      chip(look), ` ${look.name}`,
    );
    button.addEventListener("click", () => showOnly(shown.only === look.code ? null : look.code));
    part("legend").append(button);
    part("only").append(element("option", { value: String(look.code), text: `${look.tag} ${look.name}` }));
  }
  for (const look of report.truth) {
    part("truth-legend").append(element("span", { class: "key" }, chip(look), ` ${look.name}`));
  }
  part("truth-legend").hidden = !report.truth.length;
}

function wireList() {
  part("page-before").addEventListener("click", () => showPage(listed.page - 1));
  part("page-after").addEventListener("click", () => showPage(listed.page + 1));
  part("find").addEventListener("input", () => (find(), showPage(0)));
  part("only").addEventListener("change", (event) =>
    showOnly(event.target.value === "" ? null : Number(event.target.value)));
  let before = -1;
  document.addEventListener("recording-chosen", () => {
    const last = before;
    before = player.recording;
    placePlayer();
    drawRow(last);
  });
  document.addEventListener("view-chosen", () => drawRow(player.recording));
  document.addEventListener("frame-chosen", drawPlayhead);
}

/** Show a recording at a frame, on whichever page of the list it is. */
function goTo(number, frame) {
  if (!listed.found.includes(number)) {
    part("find").value = "";
    showOnly(null);
  }
  const page = Math.floor(listed.found.indexOf(number) / PAGE);
  if (page !== listed.page) showPage(page);
  lookAt(number, frame);
  rows.get(number).scrollIntoView({ block: "start" });
  rows.get(number).querySelector(".strips").focus({ preventScroll: true });
}
