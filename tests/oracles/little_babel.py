"""A little BABEL made of random numbers, and its preparation by plain loops."""

import itertools
import json
import pickle

import numpy as np

from oracles.body import PARENTS, body_by_loop

CLASSES = {
    1: ["walk", "stand", "turn", "jump"],
    2: ["sit", "run", "stand up", "kick"],
    3: ["jog", "wave", "dance", "gesture"],
}
TIPS = [2746, 2319, 6191, 5782]
PICKED = [0, 3, 12, 15, 16, 18, 20, 22, 17, 19, 21, 37, 1, 4, 7, 10, 2, 5, 8, 11, 9]


def model_arrays():
    """A body about as large as people are, upright along y; its first 52 vertices are its joints."""
    rng = np.random.default_rng(0)
    n_vertices = max(TIPS) + 1
    along = {3: 0.1, 6: 0.24, 9: 0.3, 12: 0.5, 15: 0.6}
    places = rng.normal(scale=0.3, size=(52, 3))
    places[0] = 0
    for joint, height in along.items():
        places[joint] = 0, height, 0
    places[16], places[17] = (0.2, 0.45, 0), (-0.2, 0.45, 0)
    template = np.zeros((n_vertices, 3), np.float32)
    template[:52], template[TIPS] = places, rng.normal(scale=0.5, size=(4, 3))
    weights = np.zeros((n_vertices, 52), np.float32)
    weights[TIPS] = rng.dirichlet(np.ones(52), size=4)
    bend = np.zeros((n_vertices, 3, 459), np.float32)
    bend[TIPS] = rng.normal(scale=0.01, size=(4, 3, 459))
    return {
        "v_template": template,
        "shapedirs": np.zeros((n_vertices, 3, 2), np.float32),
        "J_regressor": np.eye(52, n_vertices, dtype=np.float32),
        "weights": weights,
        "posedirs": bend,
        "kintree_table": np.array([PARENTS, range(52)]),
    }


def write_model(path, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **model_arrays(), **more)
    return path


def write_motion(path, *, seconds, fps=120.0, seed=0):
    """One AMASS file; returns its rotations (frame, joint, 3)."""
    rng = np.random.default_rng(seed)
    poses = rng.normal(scale=0.3, size=(int(seconds * fps), 156))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path, poses=poses, trans=poses[:, :3], betas=np.ones(16), gender="female",
        mocap_framerate=fps,
    )  # fmt: skip
    return poses.reshape(len(poses), 52, 3)


def entry(sid, segments, *, seconds, motion=None):
    """A sequence of BABEL; segments as (categories or None, start, stop)."""
    return {
        "babel_sid": sid,
        "feat_p": motion or f"KIT/KIT/{sid % 3}/walk{sid}_poses.npz",
        "dur": seconds,
        "seq_ann": {"labels": [{"act_cat": ["walk"]}]},
        "frame_ann": None
        if segments is None
        else {
            "labels": [
                {"act_cat": names, "start_t": start, "end_t": stop, "raw_label": "x"}
                for names, start, stop in segments
            ]
        },
    }


def write_json(path, entries):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({str(one["babel_sid"]): one for one in entries}))


def points(n_frames, seed=0):
    """25 joints in metres, relative to the second; pelvis to head is 0.6."""
    found = np.random.default_rng(seed).normal(scale=0.3, size=(n_frames, 25, 3))
    found[:, 0], found[:, 1], found[:, 3] = (0, 0, -0.1), 0, (0, 0, 0.5)
    return found


def write_pickle(path, sequences):
    """Sequences as (number, positions (frame, 25, 3), labels)."""
    data = {"sid": [], "X": [], "Y": [], "L": []}
    for sid, positions, labels in sequences:
        data["sid"].append(sid)
        data["X"].append(positions.transpose(2, 0, 1)[..., None])
        data["Y"].append(sorted(set(labels) - {4}))
        data["L"].append(np.array(labels))
    path.write_bytes(pickle.dumps(data, protocol=3))


def write_pickles(folder, subset):
    """A small training and a small validation file."""
    labels = [0] * 20 + [4] * 10 + [1, 2, 3] * 10
    write_pickle(folder / f"train_split{subset}.pkl", [(7, points(60), labels)])
    write_pickle(folder / f"val_split{subset}.pkl", [(12, points(60, seed=1), labels[::-1])])


def frames_by_loop(n_frames, fps):
    second = int(fps)
    if second % 30 == 0:
        every = (int(k * fps / 30) for k in itertools.count())
        return list(itertools.takewhile(lambda frame: frame < n_frames, every))
    found = []
    for start in range(0, n_frames, second):
        for k in range(30):
            frame = start + int(fps / 30 * k)
            if frame < n_frames:
                found.append(frame)
    return found


def labels_by_loop(one, subset, *, close_gaps):
    """Labels of a sequence, and whether it has a gap, frame by frame."""
    frames = {}
    for n in range(int(30 * one["dur"])):
        said = None
        for segment in one["frame_ann"]["labels"]:
            if segment["act_cat"] is None:
                continue
            if segment["start_t"] <= n / 30 < segment["end_t"]:
                said = (said or set()) | set(segment["act_cat"])
        if said is not None:
            frames[n] = next((c for c, name in enumerate(CLASSES[subset]) if name in said), 4)
    in_place = [frames.get(n, 4) for n in range(max(frames) + 1)] if frames else []
    closed = [frames[n] for n in sorted(frames)]
    return (closed if close_gaps else in_place), len(closed) < len(in_place)


def taking(a, b):
    """The smallest rotation that takes one direction to another, without an angle."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    x, y, z = np.cross(a, b)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + a @ b)


def prepared_by_loop(rotations, some, fps, hands=0):
    """The 25 points of some frames at 30 a second, the first of them among these, in millimetres."""
    model = model_arrays()
    few = [*range(52), *TIPS]
    model = {n: a[few] if len(a) > 52 else a for n, a in model.items()}
    model["J_regressor"] = np.eye(52, 56)
    found = []
    at_30 = frames_by_loop(len(rotations), fps)
    for frame in (at_30[k] for k in some):
        pose = rotations[frame].copy()
        pose[22:] += hands
        joints, vertices = body_by_loop(model, pose)
        found.append([*(joints[j] for j in PICKED), *vertices[52:]])
    found = np.array(found)
    found = np.array([[place - frame[1] for place in frame] for frame in found])
    for start, stop, onto in ((0, 1, [0, 0, 1]), (4, 8, [1, 0, 0])):
        turn = taking(found[0, stop] - found[0, start], np.array(onto))
        found = np.array([[turn @ place for place in frame] for frame in found])
    return 1000 * found
