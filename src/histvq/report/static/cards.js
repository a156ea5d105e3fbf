// The cards: small clips that play while they are seen.

const clips = new Set(); // those on the screen
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
let clipsPlay = !still.matches;

/** A clip at a part (0 to 1) of its time: the body, the signals, or, without motion, its place in time. */
function drawClip(button, share) {
  const canvas = button.querySelector("canvas");
  const [number, start, stop] = ["recording", "start", "stop"].map((key) => Number(button.dataset[key]));
  const frame = start + share * Math.max(stop - 1 - start, 0);
  const piece = pieceAt(number, start);
  if (!piece) return drawPlaceOf(canvas, number, start, stop);
  if (!numbersOf(piece)) return undefined;
  if (piece.shape.kind === "signals") {
    return drawSignals(canvas, piece, { from: start, to: stop, now: frame, names: false });
  }
  return drawBody(canvas, piece, frame, { floor: false });
}

function drawPlaceOf(canvas, number, start, stop) {
  const { context, width, height } = cleared(canvas);
  const around = stop - start;
  const options = { from: start - around, to: stop + around, width, text: false, dims: false };
  drawStrip(context, report.recordings[number].actions, actionLooks, {
    ...options, y: height * 0.4, height: height * 0.2,
  });
  context.strokeStyle = style("--now");
  context.lineWidth = 2;
  context.strokeRect(width / 3, height * 0.35, width / 3, height * 0.3);
}

function drawClips(now) {
  for (const button of clips) {
    const { fps } = report.recordings[Number(button.dataset.recording)];
    const seconds = Math.max((button.dataset.stop - button.dataset.start) / fps, 0.2);
    drawClip(button, clipsPlay ? ((now / 1000) % seconds) / seconds : 0.5);
  }
}

let running = false;

function runClips(now) {
  drawClips(now);
  running = clipsPlay && clips.size > 0;
  if (running) requestAnimationFrame(runClips);
}

function wake() {
  if (running) return;
  running = true;
  requestAnimationFrame(runClips);
}

function wireCards() {
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) clips[isIntersecting ? "add" : "delete"](target);
    wake();
  });
  for (const button of document.querySelectorAll(".clip")) {
    watch.observe(button);
    button.addEventListener("click", () =>
      goTo(Number(button.dataset.recording), Number(button.dataset.start)));
  }
  for (const button of document.querySelectorAll(".find-action")) {
    button.addEventListener("click", () => {
      showOnly(Number(button.dataset.code));
      part("section-recordings").scrollIntoView();
    });
  }
  const toggle = part("clips-play");
  if (!toggle) return; // nothing was found, so there are no cards
  const tell = () => (toggle.textContent = clipsPlay ? "Pause the clips" : "Play the clips");
  toggle.addEventListener("click", () => {
    clipsPlay = !clipsPlay;
    tell();
    wake();
  });
  tell();
  document.addEventListener("look-chosen", wake);
}
