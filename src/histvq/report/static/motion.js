// Motion: decoded when it is first looked at, drawn as a body or as lines.

const piecesOf = new Map();
report.pieces.forEach((piece, number) => {
  piece.number = number;
  piece.shape = report.shapes[piece.shape];
  if (!piecesOf.has(piece.recording)) piecesOf.set(piece.recording, []);
  piecesOf.get(piece.recording).push(piece);
});

/** The piece of motion that holds this frame of a recording, if the page has one. */
function pieceAt(recording, frame) {
  const pieces = piecesOf.get(recording) || [];
  return pieces.find((p) => frame >= p.start && frame < p.start + p.frames * p.stride);
}

/** Its numbers; undefined as long as the browser has not read that far into the file. */
function numbersOf(piece) {
  if (piece.numbers) return piece.numbers;
  const block = document.getElementById(`motion-${piece.number}`);
  if (!block || (!block.nextElementSibling && document.readyState === "loading")) return undefined;
  const text = atob(block.textContent);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  piece.numbers = new Int16Array(bytes.buffer);
  block.textContent = "";
  return piece.numbers;
}

const MISSING = -32768;

/** One value, in the recording's unit; NaN where nothing was measured. */
function valueAt(piece, place, joint, channel) {
  const { joints } = piece.shape;
  const channels = piece.offset.length;
  const number = piece.numbers[(place * joints.length + joint) * channels + channel];
  return number === MISSING ? NaN : piece.offset[channel] + piece.scale[channel] * number;
}

/** All joints at a moment between two frames, as (right, up, towards the viewer). */
function bodyAt(piece, frame) {
  const at = Math.min(Math.max((frame - piece.start) / piece.stride, 0), piece.frames - 1);
  const before = Math.floor(at);
  const after = Math.min(before + 1, piece.frames - 1);
  const part = at - before;
  return piece.shape.joints.map((_, joint) =>
    upright(piece, (channel) => {
      const value = valueAt(piece, before, joint, channel);
      const next = valueAt(piece, after, joint, channel);
      return Number.isNaN(next) ? value : value + part * (next - value);
    }),
  );
}

/** Turn a position so that up is up; both ways keep left and right of a body as they are. */
function upright(piece, coordinate) {
  const [axis, sign] = piece.up || piece.shape.up;
  if (piece.offset.length < 3) return [coordinate(0), sign * coordinate(1), 0];
  return [sign * coordinate((axis + 2) % 3), sign * coordinate(axis), coordinate((axis + 1) % 3)];
}

/** How large a body is, where its floor is, and whether to follow it. */
function frameOf(piece) {
  if (piece.frame) return piece.frame;
  const step = Math.max(1, Math.floor(piece.frames / 150));
  const bodies = [];
  for (let k = 0; k < piece.frames; k += step) bodies.push(bodyAt(piece, piece.start + k * piece.stride));
  const reach = bodies.flatMap((body) => distancesFrom(body, middleOf(body))).sort((a, b) => a - b);
  const everything = bodies.flat().filter((joint) => !Number.isNaN(joint[0]));
  const heights = everything.map((joint) => joint[1]).sort((a, b) => a - b);
  const middle = middleOf(everything);
  const size = reach[Math.floor(reach.length * 0.98)] || 0;
  const wander = Math.max(...spans(everything));
  const follow = size > wander * 0.02;
  piece.frame = {
    follow,
    middle,
    radius: (follow ? size : wander / 2) || 1,
    floor: heights[Math.floor(heights.length * 0.01)] || 0,
  };
  return piece.frame;
}

function middleOf(joints) {
  const known = joints.filter((joint) => !Number.isNaN(joint[0]));
  return [0, 1, 2].map((axis) => known.reduce((sum, j) => sum + j[axis], 0) / (known.length || 1));
}

function distancesFrom(joints, middle) {
  return joints
    .filter((joint) => !Number.isNaN(joint[0]))
    .map((joint) => Math.hypot(...joint.map((value, axis) => value - middle[axis])));
}

function spans(joints) {
  return [0, 1, 2].map((axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (const joint of joints) {
      low = Math.min(low, joint[axis]);
      high = Math.max(high, joint[axis]);
    }
    return high > low ? high - low : 0;
  });
}

/** A function from (right, up, towards) to a place on the canvas and a nearness around 1. */
function projection(piece, middle, { width, height, yaw, pitch, zoom = 1 }) {
  const { radius } = frameOf(piece);
  const flat = piece.offset.length < 3;
  const [a, b] = flat ? [0, 0] : [yaw, pitch];
  const scale = (zoom * Math.min(width, height) * 0.42) / radius;
  return (joint) => {
    const [x, y, z] = joint.map((value, axis) => value - middle[axis]);
    const across = Math.cos(a) * x + Math.sin(a) * z;
    const deep = -Math.sin(a) * x + Math.cos(a) * z;
    const high = Math.cos(b) * y - Math.sin(b) * deep;
    const near = flat ? 1 : 6 / (6 - (Math.sin(b) * y + Math.cos(b) * deep) / radius);
    return [width / 2 + across * scale * near, height / 2 - high * scale * near, near];
  };
}

const CAMERA = { yaw: -0.6, pitch: 0.2, zoom: 1 };
const SIDES = { "-1": "--left", 0: "--middle", 1: "--right" };

/** The body at a frame: floor, bones, joints, and, if asked for, their names. */
function drawBody(canvas, piece, frame, { camera = CAMERA, floor = true, names = false } = {}) {
  const { context, width, height } = cleared(canvas);
  if (!width) return;
  const body = bodyAt(piece, frame);
  const whole = frameOf(piece);
  const middle = whole.follow ? middleOf(body) : whole.middle;
  const project = projection(piece, middle, { width, height, ...camera });
  if (floor && piece.offset.length === 3) drawFloor(context, project, middle, whole);
  const colours = Object.fromEntries(Object.entries(SIDES).map(([k, v]) => [k, style(v)]));
  const places = body.map((joint) => (Number.isNaN(joint[0]) ? null : project(joint)));
  const thick = Math.max(1.2, Math.min(width, height) / 90);
  if (body.length === 1) drawTrail(context, piece, frame, project, colours[0]);
  drawBones(context, piece.shape, places, colours, thick);
  drawJoints(context, piece.shape, places, colours, thick);
  if (names) nameJoints(context, piece.shape, places);
}

function drawBones(context, shape, places, colours, thick) {
  context.lineCap = "round";
  const order = shape.parents.map((_, joint) => joint).filter((joint) => places[joint]);
  order.sort((a, b) => places[a][2] - places[b][2]); // what is near is drawn over what is far
  for (const joint of order) {
    const parent = places[shape.parents[joint]];
    if (!parent) continue;
    context.strokeStyle = colours[shape.sides[joint]];
    context.lineWidth = thick * places[joint][2] ** 2;
    context.beginPath();
    context.moveTo(parent[0], parent[1]);
    context.lineTo(places[joint][0], places[joint][1]);
    context.stroke();
  }
}

/** Joints of the right side are rings, so that the sides differ without colour. */
function drawJoints(context, shape, places, colours, thick) {
  const radius = shape.joints.length === 1 ? thick * 2 : thick * 0.95;
  places.forEach((place, joint) => {
    if (!place) return;
    const right = shape.sides[joint] === 1;
    context.beginPath();
    context.arc(place[0], place[1], radius * place[2], 0, 2 * Math.PI);
    context.fillStyle = right ? style("--page") : colours[shape.sides[joint]];
    context.fill();
    if (right) {
      context.lineWidth = thick * 0.45;
      context.strokeStyle = colours[1];
      context.stroke();
    }
  });
}

function drawFloor(context, project, middle, { radius, floor, follow }) {
  const step = radius / 2;
  const lines = 6;
  context.strokeStyle = style("--faint");
  context.lineWidth = 1;
  context.beginPath();
  const [x0, z0] = [0, 2].map((axis) => (follow ? Math.round(middle[axis] / step) * step : middle[axis]));
  for (let k = -lines; k <= lines; k++) {
    for (const [from, to] of [
      [[x0 + k * step, floor, z0 - lines * step], [x0 + k * step, floor, z0 + lines * step]],
      [[x0 - lines * step, floor, z0 + k * step], [x0 + lines * step, floor, z0 + k * step]],
    ]) {
      context.moveTo(...project(from).slice(0, 2));
      context.lineTo(...project(to).slice(0, 2));
    }
  }
  context.stroke();
}

/** Where a single point came from in the last two seconds. */
function drawTrail(context, piece, frame, project, colour) {
  const fps = report.recordings[piece.recording].fps;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.globalAlpha = 0.5;
  context.beginPath();
  let down = false;
  for (let at = Math.max(piece.start, frame - 2 * fps); at <= frame; at += piece.stride) {
    const [joint] = bodyAt(piece, at);
    const place = Number.isNaN(joint[0]) ? null : project(joint);
    if (place) context[down ? "lineTo" : "moveTo"](place[0], place[1]);
    down = Boolean(place);
  }
  context.stroke();
  context.globalAlpha = 1;
}

function nameJoints(context, shape, places) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillStyle = style("--ink");
  places.forEach((place, joint) => {
    if (place) context.fillText(shape.joints[joint], place[0] + 5, place[1] - 4);
  });
}

const DASHES = [[], [5, 3], [1.5, 2.5]];

/** Signals between two frames as lines, a lane a sensor; `now` is marked. */
function drawSignals(canvas, piece, { from, to, now, quantity, names = true }) {
  const { context, width, height } = cleared(canvas);
  if (!width) return;
  const { joints, quantities } = piece.shape;
  const wanted = quantity === undefined ? quantities[0] : quantity;
  const channels = quantities.flatMap((q, channel) => (q === wanted ? [channel] : []));
  const lane = height / joints.length;
  const [low, high] = rangeOf(piece, channels);
  const inner = Math.max(lane - 4, 1);
  joints.forEach((name, joint) => {
    const top = joint * lane;
    context.strokeStyle = style("--faint");
    context.lineWidth = 1;
    context.strokeRect(0.5, top + 0.5, width - 1, lane - 1);
    channels.forEach((channel, rank) => {
      context.strokeStyle = style(`--line${rank % 3}`);
      context.setLineDash(names ? DASHES[rank % 3] : []);
      context.lineWidth = 1.2;
      const y = (value) => top + 2 + (1 - (value - low) / (high - low)) * inner;
      drawLine(context, piece, joint, channel, { from, to, width, y, top, bottom: top + lane });
    });
    context.setLineDash([]);
    if (names && lane > 14) writeLane(context, name, top);
  });
  if (now !== undefined) {
    context.fillStyle = style("--now");
    context.fillRect(((now - from) / (to - from)) * width - 0.75, 0, 1.5, height);
  }
}

function writeLane(context, name, top) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = style("--page");
  context.fillRect(2, top + 2, context.measureText(name).width + 6, 14);
  context.fillStyle = style("--ink");
  context.fillText(name, 5, top + 3);
}

function drawLine(context, piece, joint, channel, { from, to, width, y, top, bottom }) {
  const first = Math.max(0, Math.floor((from - piece.start) / piece.stride));
  const last = Math.min(piece.frames - 1, Math.ceil((to - piece.start) / piece.stride));
  const step = Math.max(1, Math.floor((last - first) / (2 * width)));
  context.beginPath();
  let down = false;
  for (let k = first; k <= last; k += step) {
    const value = valueAt(piece, k, joint, channel);
    const x = ((piece.start + k * piece.stride - from) / (to - from)) * width;
    const place = Math.min(Math.max(y(value), top + 1), bottom - 1);
    if (!Number.isNaN(value)) context[down ? "lineTo" : "moveTo"](x, place);
    down = !Number.isNaN(value);
  }
  context.stroke();
}

/** Between which values nearly all of a quantity lies, so that one spike does not flatten the rest. */
function rangeOf(piece, channels) {
  piece.ranges = piece.ranges || new Map();
  const key = channels.join();
  if (!piece.ranges.has(key)) {
    const values = [];
    const step = Math.max(1, Math.floor(piece.frames / 2000));
    for (let k = 0; k < piece.frames; k += step) {
      for (let joint = 0; joint < piece.shape.joints.length; joint++) {
        for (const channel of channels) values.push(valueAt(piece, k, joint, channel));
      }
    }
    const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    const low = known[Math.floor(known.length * 0.002)] ?? 0;
    const high = known[Math.floor(known.length * 0.998)] ?? 1;
    piece.ranges.set(key, high > low ? [low, high] : [low - 1, low + 1]);
  }
  return piece.ranges.get(key);
}
