// The player: which recording is looked at, at which frame, and what is said of it.

const player = {
  recording: -1,
  frame: 0,
  playing: false,
  from: 0, // the frames that the timeline shows
  to: 1,
  camera: { ...CAMERA },
};
const part = (name) => document.getElementById(name);
const box = part("player");

/** Look at a frame of a recording; told to the list, which moves the player there. */
function lookAt(number, frame = 0) {
  const recording = report.recordings[number];
  if (number !== player.recording) {
    player.recording = number;
    Object.assign(player, { from: 0, to: Math.max(recording.frames, 1) });
    offerChoices();
    describe(recording);
    document.dispatchEvent(new CustomEvent("recording-chosen"));
  }
  moveTo(frame);
}

/** Go to a frame of this recording. */
function moveTo(frame) {
  const { frames } = report.recordings[player.recording];
  player.frame = Math.min(Math.max(frame, 0), Math.max(frames - 1, 0));
  keepInSight();
  document.dispatchEvent(new CustomEvent("frame-chosen"));
  showNow();
  drawView();
}

function keepInSight() {
  const width = player.to - player.from;
  const { frames } = report.recordings[player.recording];
  if (player.frame >= player.from && player.frame < player.to) return;
  player.from = Math.min(Math.max(player.frame - width * 0.1, 0), Math.max(frames - width, 0));
  player.to = player.from + width;
  document.dispatchEvent(new CustomEvent("view-chosen"));
}

/** Show a part of the timeline, `times` narrower (or wider, below 1) than now. */
function zoomBy(times) {
  const frames = Math.max(report.recordings[player.recording].frames, 1);
  const width = Math.min(Math.max((player.to - player.from) / times, Math.min(20, frames)), frames);
  const share = (player.frame - player.from) / (player.to - player.from);
  player.from = Math.min(Math.max(player.frame - share * width, 0), frames - width);
  player.to = player.from + width;
  document.dispatchEvent(new CustomEvent("view-chosen"));
  drawView();
}

/** The action, subaction and true action at a frame. */
function labelsAt(recording, frame) {
  const at = (runs) => (runs ? runs.labels[runAt(runs, Math.floor(frame))] : undefined);
  return [at(recording.actions), at(recording.subactions), at(recording.truth)];
}

function showNow() {
  const recording = report.recordings[player.recording];
  const [action, fine, truth] = labelsAt(recording, player.frame);
  const look = actionLooks.get(action) || NO_DATA;
  part("now-action").replaceChildren(chip(look), ` ${look.name}`);
  part("now-fine").textContent = (fineLooks.get(fine) || NO_DATA).name;
  part("now-fine-row").hidden = fine === undefined;
  part("now-truth-row").hidden = truth === undefined;
  if (truth !== undefined) {
    const true_ = truthLooks.get(truth) || { ...NO_DATA, name: "not labelled" };
    part("now-truth").replaceChildren(chip(true_), ` ${true_.name}`);
  }
  const frame = Math.floor(player.frame);
  part("now-time").textContent =
    `${clock(player.frame / recording.fps)} of ${clock(recording.frames / recording.fps)}, frame ${frame}`;
}

/** What the slider says to those who cannot see it. */
function spokenNow() {
  const recording = report.recordings[player.recording];
  const [action] = labelsAt(recording, player.frame);
  return `${clock(player.frame / recording.fps)}, ${(actionLooks.get(action) || NO_DATA).name}`;
}

/** Draw the body or the signals at this frame, or say why there are none. */
function drawView() {
  const piece = pieceAt(player.recording, Math.floor(player.frame));
  const ready = piece && numbersOf(piece);
  part("view").hidden = !ready;
  part("view-none").hidden = Boolean(ready);
  part("view-none").textContent = piece ? "loading ..." : whyNoMotion();
  if (!ready) return;
  if (piece.shape.kind === "signals") {
    const quantity = part("quantity").value || undefined;
    drawSignals(part("view"), piece, { ...player, now: player.frame, quantity });
  } else {
    drawBody(part("view"), piece, player.frame, {
      camera: player.camera,
      names: part("joint-names").checked,
    });
  }
}

function whyNoMotion() {
  if (!report.pieces.length) return report.no_motion;
  if (!(piecesOf.get(player.recording) || []).length) {
    return "The motion of this recording is not in the page: there was no room for all of them.";
  }
  return "Of this recording the page holds the clips on the cards only: go to one of those by its card.";
}

/** Controls that this sort of motion has, and the names of its joints. */
function offerChoices() {
  const piece = (piecesOf.get(player.recording) || [])[0];
  const kind = piece ? piece.shape.kind : "none";
  box.dataset.kind = kind;
  box.dataset.deep = String(Boolean(piece) && kind === "positions" && piece.offset.length === 3);
  const joints = piece ? piece.shape.joints : [];
  part("joints").replaceChildren(...joints.map((name) => element("li", { text: name })));
  part("joints-title").textContent = kind === "signals" ? "Sensors" : "Joints";
  const quantities = piece && kind === "signals" ? [...new Set(piece.shape.quantities)] : [];
  const before = part("quantity").value;
  part("quantity").replaceChildren(
    ...quantities.map((name) => element("option", { text: name, value: name })),
  );
  if (quantities.includes(before)) part("quantity").value = before;
  if (piece && kind === "positions") part("up").value = String(piece.up || piece.shape.up);
  part("view").setAttribute(
    "aria-label",
    kind === "signals"
      ? `Signals of ${joints.length} sensors around the current time`
      : `Skeleton of ${joints.length} joints at the current time; drag or use the arrow keys to turn it`,
  );
}

/** What is in this recording: how long and how often each action, and what follows what. */
function describe(recording) {
  const totals = new Map();
  const following = new Map();
  let last = -1;
  const { actions, fps } = recording;
  actions.labels.forEach((label, k) => {
    if (label < 0) return;
    const seconds = (runEnd(actions, k) - actions.starts[k]) / fps;
    totals.set(label, [...(totals.get(label) || []), seconds]);
    if (last >= 0) following.set(`${last} ${label}`, (following.get(`${last} ${label}`) || 0) + 1);
    last = label;
  });
  const all = [...totals.values()].flat().reduce((a, b) => a + b, 0);
  const sum = (lengths) => lengths.reduce((a, b) => a + b, 0);
  const rows = [...totals].sort((a, b) => sum(b[1]) - sum(a[1]));
  part("here-usage").replaceChildren(
    ...rows.map(([code, lengths]) => usageRow(code, lengths, sum(lengths), all)),
  );
  const steps = [...following].sort((a, b) => b[1] - a[1]).slice(0, 10);
  part("here-steps").replaceChildren(
    ...steps.map(([pair, count]) => {
      const [from, to] = pair.split(" ").map((code) => actionLooks.get(Number(code)) || NO_DATA);
      return element("li", {}, chip(from), ` ${from.name} → `, chip(to), ` ${to.name}: ${count}`);
    }),
  );
  part("here-more").hidden = following.size <= 10;
  part("here-more").textContent = `and ${following.size - 10} rarer ones`;
}

function usageRow(code, lengths, seconds, all) {
  const look = actionLooks.get(code) || NO_DATA;
  const sorted = [...lengths].sort((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return element(
    "tr",
    {},
    element("td", {}, chip(look), ` ${look.name}`),
    element("td", { text: `${seconds.toFixed(1)} s` }),
    element("td", { text: `${((100 * seconds) / all).toFixed(1)} %` }),
    element("td", { text: String(lengths.length) }),
    element("td", { text: `${median.toFixed(2)} s` }),
  );
}

let lastTick = 0;

function play(on = !player.playing) {
  if (player.recording < 0) return;
  const { frames } = report.recordings[player.recording];
  player.playing = on;
  part("play").textContent = on ? "Pause" : "Play";
  part("play").setAttribute("aria-pressed", String(on));
  if (!on) return;
  if (player.frame >= frames - 1.001) moveTo(0);
  lastTick = performance.now();
  requestAnimationFrame(tick);
}

function tick(now) {
  if (!player.playing) return;
  const { fps, frames } = report.recordings[player.recording];
  moveTo(player.frame + ((now - lastTick) / 1000) * fps * Number(part("speed").value));
  lastTick = now;
  if (player.frame >= frames - 1) play(false);
  else requestAnimationFrame(tick);
}

/** To the beginning of the next segment (1), or of this one and then the one before (-1). */
function toSegment(direction) {
  const { actions, fps } = report.recordings[player.recording];
  if (!actions.starts.length) return;
  let place = runAt(actions, player.frame);
  if (direction > 0) place += 1;
  else if (player.frame - actions.starts[place] < fps * 0.3) place -= 1;
  place = Math.min(Math.max(place, 0), actions.starts.length - 1);
  moveTo(actions.starts[place]);
}

/** Keys of the timeline; true where the key meant something. */
function timelineKey(event) {
  const { fps, frames } = report.recordings[player.recording];
  const step = event.shiftKey ? fps : 1;
  const steps = {
    ArrowLeft: () => moveTo(Math.ceil(player.frame) - step),
    ArrowRight: () => moveTo(Math.floor(player.frame) + step),
    PageUp: () => toSegment(-1),
    PageDown: () => toSegment(1),
    Home: () => moveTo(0),
    End: () => moveTo(frames - 1),
    "+": () => zoomBy(2),
    "-": () => zoomBy(0.5),
  };
  if (!steps[event.key] || event.ctrlKey || event.metaKey || event.altKey) return false;
  steps[event.key]();
  event.preventDefault();
  return true;
}

function turn(across, upwards) {
  player.camera.yaw += across;
  player.camera.pitch = Math.min(Math.max(player.camera.pitch + upwards, -1.5), 1.5);
  drawView();
}

/** Drag, wheel and keys turn the body; over signals a click goes to that time. */
function wireView() {
  const view = part("view");
  let last = null;
  view.addEventListener("pointerdown", (event) => {
    last = event;
    view.setPointerCapture(event.pointerId);
    if (box.dataset.kind === "signals") seekIn(view, event);
  });
  view.addEventListener("pointermove", (event) => {
    if (!last) return;
    if (box.dataset.kind === "signals") seekIn(view, event);
    else turn((event.clientX - last.clientX) / 120, (event.clientY - last.clientY) / 120);
    last = event;
  });
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => (last = null));
  view.addEventListener("keydown", (event) => {
    const turns = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] };
    if (box.dataset.kind === "signals") timelineKey(event);
    else if (turns[event.key]) turn(...turns[event.key]);
    else if (event.key === "+" || event.key === "-") scaleBy(event.key === "+" ? 1.2 : 1 / 1.2);
    else return;
    event.preventDefault();
  });
}

function scaleBy(times) {
  player.camera.zoom = Math.min(Math.max(player.camera.zoom * times, 0.2), 8);
  drawView();
}

/** Go to the time under the pointer. */
function seekIn(canvas, event) {
  const { left, width } = canvas.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - left) / width, 0), 1);
  moveTo(player.from + share * (player.to - player.from));
}

function wirePlayer() {
  const click = (name, does) => part(name).addEventListener("click", does);
  click("play", () => play());
  click("previous", () => toSegment(-1));
  click("next", () => toSegment(1));
  click("zoom-in", () => zoomBy(2));
  click("zoom-out", () => zoomBy(0.5));
  click("larger", () => scaleBy(1.2));
  click("smaller", () => scaleBy(1 / 1.2));
  click("straight", () => {
    player.camera = { ...CAMERA };
    drawView();
  });
  for (const name of ["joint-names", "quantity"]) part(name).addEventListener("change", drawView);
  part("up").addEventListener("change", () => {
    for (const piece of report.pieces) {
      piece.up = part("up").value.split(",").map(Number);
      piece.frame = undefined;
    }
    document.dispatchEvent(new CustomEvent("look-chosen"));
  });
  wireView();
}
