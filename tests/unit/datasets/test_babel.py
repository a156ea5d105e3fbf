import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest

from histvq.datasets import dataset_info, load_dataset, prepare_dataset
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.layout import write_layout
from histvq.io.npz import read_npz, write_npz
from histvq.recording import Recording
from oracles.little_babel import (
    entry,
    points,
    prepared_by_loop,
    write_json,
    write_model,
    write_motion,
    write_pickle,
    write_pickles,
)

HANDS = {"hands_meanl": np.full(45, 0.2), "hands_meanr": np.full(45, -0.1)}
WALKING = [(["walk"], 0, 0.5), (["turn"], 0.5, 1)]
GAP = [(["walk"], 0, 0.4), (["jump"], 0.6, 1)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("smplh") / "male" / "model.npz", **HANDS)


@pytest.fixture
def raw(tmp_path):
    """A folder of AMASS with BABEL's labels, and the rotations of the sequences by number."""
    root = tmp_path / "raw"
    write_json(
        root / "train.json",
        [
            entry(7, WALKING, seconds=1.0, motion="BMLrub/BioMotionLab_NTroje/rub055/a_poses.npz"),
            entry(10, GAP, seconds=1.0),
            entry(11, None, seconds=1.0),
        ],
    )
    write_json(root / "val.json", [entry(12, WALKING, seconds=1.0), entry(13, [], seconds=1.0)])
    rotations = {
        7: write_motion(root / "BioMotionLab_NTroje/rub055/a_poses.npz", seconds=1.2, seed=7),
        10: write_motion(root / "KIT/1/walk10_poses.npz", seconds=1, fps=100.0, seed=10),
        12: write_motion(root / "KIT/0/walk12_poses.npz", seconds=1, fps=59.99999, seed=12),
    }
    return root, rotations


def load_quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return load_dataset(*args, **options)


def labels_of(data):
    return {
        a.recording_id: [data.actions[label] for label in a.labels.tolist()]
        for a in data.annotations
    }


@pytest.mark.parametrize("published", [False, True])
def test_from_amass_and_babel_as_by_plain_loops(published, raw, model):
    root, rotations = raw
    data = load_quietly("babel-1", root, body_model=model, benchmark=published)
    assert [recording.id for recording in data.recordings] == ["10", "12", "7"]
    hands = np.concatenate(list(HANDS.values())).reshape(30, 3) if published else 0
    for recording in data.recordings:
        fps = {"10": 100.0, "12": 59.99999, "7": 120.0}[recording.id]
        some = [0, 1, 11, recording.n_frames - 1]
        expected = prepared_by_loop(rotations[int(recording.id)], some, fps, hands)
        np.testing.assert_allclose(recording.skeleton[some], expected, atol=1e-3)
        assert (recording.fps, recording.unit) == (30, "mm")
    assert data.recordings[2].person == "BioMotionLab_NTroje/rub055"
    assert [r.metadata["split"] for r in data.recordings] == ["train", "val", "train"]
    labels = labels_of(data)
    assert labels["7"] == ["walk"] * 15 + ["turn"] * 15
    walking, jumping = ["walk"] * 12, ["jump"] * 12
    assert labels["10"] == walking + ([] if published else ["none"] * 6) + jumping
    told = "\n".join(data.notes)
    assert "1 sequences left out: without labels of single frames" in told
    assert "1 sequences left out: no frame of the subset's four classes" in told
    assert "1 sequences with frames nobody annotated between others" in told
    assert ("labels after them come too early" in told) == published
    assert f"subset 1: 3 sequences, {data.n_frames} frames" in told


def test_none_is_an_action_like_any_other(raw, model):
    data = load_quietly("babel-1", raw[0], body_model=model)
    assert data.actions == ("walk", "turn", "jump", "none")
    assert dataset_info("babel-1").actions == ("walk", "stand", "turn", "jump", "none")
    assert dataset_info("babel-2").name == "babel-2"


def test_a_model_without_mean_hands_is_said(raw, tmp_path):
    path = write_model(tmp_path / "SMPLH_MALE.npz")
    data = load_quietly("babel-1", raw[0], body_model=path, benchmark=True)
    assert any("no mean pose of the hands" in note for note in data.notes)
    plain = load_quietly("babel-1", raw[0], body_model=path)
    np.testing.assert_array_equal(data.recordings[2].skeleton, plain.recordings[2].skeleton)
    assert not any("hands" in note for note in plain.notes)


def test_everything_in_one_folder(raw, model):
    root, _ = raw
    (root / "smplh" / "male").mkdir(parents=True)
    os.link(model, root / "smplh" / "male" / "model.npz")
    (root / "babel_v1.0_release").mkdir()
    for name in ("train.json", "val.json"):
        (root / name).rename(root / "babel_v1.0_release" / name)
    (root / "amass").mkdir()
    for name in ("KIT", "BioMotionLab_NTroje"):
        (root / name).rename(root / "amass" / name)
    assert len(load_quietly("babel-1", root).recordings) == 3


@pytest.mark.parametrize(
    ("folder", "motion"),
    [
        ("BMLrub/rub1", "BMLrub/BioMotionLab_NTroje/rub1"),
        ("BMLrub/BioMotionLab_NTroje/rub1", "BMLrub/BioMotionLab_NTroje/rub1"),
        ("BioMotionLab_NTroje/rub1", "BMLrub/BMLrub/rub1"),
        ("DFaust_67/50002", "DFaust67/DFaust/50002"),
        ("MPImosh/50002", "MPImosh/MPI_mosh/50002"),
    ],
)
def test_names_a_folder_of_amass_may_have(folder, motion, tmp_path, model):
    write_motion(tmp_path / folder / "a_poses.npz", seconds=1)
    sequence = entry(7, WALKING, seconds=1.0, motion=f"{motion}/a_poses.npz")
    write_json(tmp_path / "train.json", [sequence])
    data = load_dataset("babel-1", tmp_path, body_model=model)
    assert data.recordings[0].source == str(tmp_path / folder / "a_poses.npz")
    assert "train.json only, not training and validation together" in data.notes
    with pytest.raises(
        FileFormatError, match=r"train\.json: the benchmark is training and validat"
    ):
        load_dataset("babel-1", tmp_path, body_model=model, benchmark=True)


def test_raw_files_are_meant_where_their_places_are_given(raw, model):
    write_pickles(raw[0], 1)
    assert len(load_quietly("babel-1", raw[0], body_model=model).recordings) == 3
    assert len(load_quietly("babel-1", raw[0], allow_pickle=True).recordings) == 2


def test_motions_that_are_missing_or_damaged(raw, model):
    root, _ = raw
    (root / "KIT/1/walk10_poses.npz").unlink()
    path = root / "KIT/0/walk12_poses.npz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.warns(DataWarning, match="2 sequences could not be read") as caught:
        data = load_dataset("babel-1", root, body_model=model)
    assert len(caught) == 1
    assert [recording.id for recording in data.recordings] == ["7"]
    assert [file.name for file, _ in data.skipped] == ["walk10_poses.npz", "walk12_poses.npz"]
    for option in ("benchmark", "strict"):
        with pytest.raises(FileFormatError, match="sequence 10: no such motion"):
            load_dataset("babel-1", root, body_model=model, **{option: True})
    (root / "BioMotionLab_NTroje/rub055/a_poses.npz").unlink()
    with pytest.raises(FileFormatError, match="3 sequences could not be read"):
        load_dataset("babel-1", root, body_model=model)


def test_motions_that_end_before_their_labels(tmp_path, model):
    write_motion(tmp_path / "KIT/1/walk7_poses.npz", seconds=0.9)
    write_json(tmp_path / "train.json", [entry(7, WALKING, seconds=1.0)])
    with pytest.warns(DataWarning, match="1 motions end before their labels.*: 7 3$"):
        data = load_dataset("babel-1", tmp_path, body_model=model)
    assert data.recordings[0].n_frames == data.annotations[0].n_frames == 27
    with pytest.raises(FileFormatError, match="1 motions end before their labels"):
        load_dataset("babel-1", tmp_path, body_model=model, strict=True)


def test_motions_of_another_model_or_with_gaps(tmp_path, model):
    path = tmp_path / "KIT/1/walk7_poses.npz"
    write_json(tmp_path / "train.json", [entry(7, WALKING, seconds=1.0)])
    for arrays, words in (
        ({"poses": np.zeros((9, 165))}, "rotations of 55 joints; BABEL needs the SMPL\\+H release"),
        ({"poses": np.full((9, 156), np.nan)}, "missing values in it"),
        ({"poses": np.zeros((0, 156))}, "no frame in it"),
        (
            {"poses": np.zeros((9, 156)), "mocap_framerate": 1e-9},
            "1e-09 frames a second; expected 30",
        ),
        ({"poses": np.zeros((9, 156)), "mocap_framerate": 1e300}, "1e\\+300 frames a second"),
    ):
        trans = np.zeros((len(arrays["poses"]), 3))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **({"trans": trans, "mocap_framerate": 120.0} | arrays))
        with pytest.raises(FileFormatError, match=words):
            load_dataset("babel-1", tmp_path, body_model=model)


def test_no_body_model_or_another(raw, tmp_path):
    with pytest.raises(FileFormatError, match=r"raw: no body model in it.*body_model="):
        load_dataset("babel-1", raw[0])
    tree = np.array([[0, *range(23)], range(24)])
    np.savez(
        tmp_path / "SMPL.npz", kintree_table=tree, v_template=np.zeros((6192, 3)),
        J_regressor=np.zeros((24, 6192)), shapedirs=np.zeros((6192, 3, 1)),
        posedirs=np.zeros((6192, 3, 207), np.float32), weights=np.zeros((6192, 24)),
    )  # fmt: skip
    with pytest.raises(FileFormatError, match=r"24 joints \(SMPL\); BABEL needs SMPL\+H's 52"):
        load_dataset("babel-1", raw[0], body_model=tmp_path / "SMPL.npz")


# Pickles


@pytest.mark.parametrize("subset", [1, 2, 3])
def test_from_pickles(subset, tmp_path):
    write_pickles(tmp_path, subset)
    data = load_dataset(f"babel-{subset}", tmp_path, allow_pickle=True)
    assert data.name == f"babel-{subset}"
    assert [recording.id for recording in data.recordings] == ["12", "7"]
    assert data.actions == dataset_info(data.name).actions
    np.testing.assert_allclose(data.recordings[1].skeleton, 1000 * points(60), rtol=1e-6)
    assert data.annotations[1].labels.tolist() == [0] * 20 + [4] * 10 + [1, 2, 3] * 10


def test_pickles_are_read_by_those_alone_who_say_so(tmp_path):
    write_pickles(tmp_path, 1)
    words = r"load_dataset\('babel-1', '.*', allow_pickle=True\), or once for all prepare_dataset"
    with pytest.raises(ConfigError, match=words):
        load_dataset("babel-1", tmp_path)


class Runs:
    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_a_pickle_that_would_run_something_does_not(tmp_path):
    evil = Runs()
    evil.folder = str(tmp_path / "ran")
    path = tmp_path / "train_split1.pkl"
    path.write_bytes(pickle.dumps({"sid": [7], "X": [evil], "L": [0]}))
    with pytest.raises(
        FileFormatError, match=r"train_split1\.pkl: .*it asks for (posix|nt)\.mkdir"
    ):
        load_dataset("babel-1", tmp_path, allow_pickle=True)
    assert not Path(evil.folder).exists()


def test_exactly_half_none_stays_and_more_does_not(tmp_path):
    half = [0] * 20 + [4] * 20
    sequences = [(1, points(40), half), (2, points(41), [*half, 4]), (3, points(40), [0] * 40)]
    write_pickle(tmp_path / "train_split1.pkl", sequences)
    data = load_dataset("babel-1", tmp_path, allow_pickle=True)
    assert [recording.id for recording in data.recordings] == ["1", "3"]
    assert "1 sequences left out: 'none' in more than half of their frames" in data.notes


def test_all_of_them_none(tmp_path):
    write_pickle(tmp_path / "train_split1.pkl", [(1, points(9), [4] * 9)])
    with pytest.raises(FileFormatError, match="every sequence is 'none' in more than half"):
        load_dataset("babel-1", tmp_path, allow_pickle=True)


def beside_zero():
    return points(9) + np.array([0, 0, 0.001])


@pytest.mark.parametrize(
    ("sequences", "words"),
    [
        ([(7, points(9), [0] * 8)], r"sid 7: 9 frames but L of shape \(8,\)"),
        ([(7, points(9), [5] * 9)], "sid 7: labels from 5 to 5, expected 0 to 4"),
        ([(7, points(9), [0.0] * 9)], "sid 7: L is no array of whole numbers"),
        ([("7", points(9), [0] * 9)], "entry 0: sid '7', expected a number"),
        ([(7, points(9)[:, :24], [0] * 9)], r"sid 7: X of shape \(3, 9, 24, 1\), expected \(3, frames"),
        ([(7, points(9) * np.nan, [0] * 9)], "sid 7: 675 numbers of X are not finite"),
        ([(7, points(9).astype(int), [0] * 9)], "sid 7: X is no array of fractions"),
        ([(7, points(0), np.zeros(0, int).tolist())], "sid 7: L is no array|sid 7: no frame"),
        ([(7, points(9), [0] * 9)] * 2, "1 sequences stand in training and validation both, as 7"),
        ([(7, beside_zero(), [0] * 9)], "spine1 is not at 0 throughout in 1 sequences, as 7"),
        ([(7, points(9) / 1000, [0] * 9)], "0.6 mm from pelvis to head; expected 400 to 900"),
        ([(7, points(9) * 1000, [0] * 9)], r"6e\+05 mm from pelvis to head"),
        ([], "no sequence of this subset in it"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pickle(sequences, words, tmp_path):
    write_pickle(tmp_path / "train_split1.pkl", sequences)
    with pytest.raises(FileFormatError, match=words):
        load_dataset("babel-1", tmp_path, allow_pickle=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "no dictionary of lists sid, X, L"),
        ({"sid": [1], "X": []}, "no dictionary of lists sid, X, L"),
        ({"sid": [1], "X": [], "L": [1, 2]}, "lists sid, X, L of 1, 0, 2 sequences"),
        ({"sid": [1], "X": [None], "L": [None]}, "sid 1: X is no array of fractions"),
    ],
)
def test_pickles_of_something_else(content, words, tmp_path):
    (tmp_path / "val_split1.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(FileFormatError, match=rf"val_split1\.pkl.*{words}"):
        load_dataset("babel-1", tmp_path, allow_pickle=True)


# Prepared once


@pytest.mark.parametrize("layout", ["npz", "smq"])
@pytest.mark.parametrize("published", [False, True])
def test_what_was_prepared_loads_as_the_raw_files_do(layout, published, raw, model, tmp_path):
    options = {"body_model": model, "benchmark": published}
    made = prepare_dataset("babel-1", raw[0], tmp_path / "out", layout=layout, **options)
    direct = load_quietly("babel-1", raw[0], **options)
    data = load_dataset("babel-1", tmp_path / "out")
    assert made.n_recordings == len(data.recordings) == 3
    assert made.n_frames == data.n_frames
    assert "1 sequences left out: without labels of single frames" in made.notes
    for one, other in zip(data.recordings, direct.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        assert (one.id, one.joint_names, one.parents) == (
            other.id,
            other.joint_names,
            other.parents,
        )
        assert (one.fps, one.unit) == (other.fps, other.unit)
    assert labels_of(data) == labels_of(direct)


def test_prepared_says_how_and_refuses_to_be_something_else(raw, model, tmp_path):
    out = tmp_path / "out"
    prepare_dataset("babel-1", raw[0], out, body_model=model)
    assert any("frames nobody annotated, before others, are 'none'" in note
               for note in load_dataset("babel-1", out).notes)  # fmt: skip
    with pytest.raises(
        ConfigError, match="prepared with benchmark=False, asked for benchmark=True"
    ):
        load_dataset("babel-1", out, benchmark=True)
    with pytest.raises(FileFormatError, match=r"labelled walk, .* which this subset does not have"):
        load_dataset("babel-2", out)
    prepare_dataset("babel-1", raw[0], out, body_model=model, benchmark=True)
    assert any("come too early" in note for note in load_dataset("babel-1", out).notes)
    load_dataset("babel-1", out, benchmark=True)


def test_a_folder_as_smq_prepares_it(tmp_path):
    write_pickles(tmp_path, 2)
    data = load_dataset("babel-2", tmp_path, allow_pickle=True)
    write_layout(tmp_path / "smq", data.recordings, data.annotations)
    names = [*data.actions[:2], "stand_up", *data.actions[3:]]
    mapping = "\n".join(f"{number} {name}" for number, name in enumerate(names))
    (tmp_path / "smq" / "mapping" / "mapping.txt").write_text(mapping)
    for file in (tmp_path / "smq" / "groundTruth").iterdir():
        file.write_text(file.read_text().replace("stand up", "stand_up"))
    again = load_dataset("babel-2", tmp_path / "smq")
    assert labels_of(again) == labels_of(data)
    assert again.actions == ("sit", "run", "stand up", "kick", "none")


def test_prepared_files_without_labels_or_of_other_skeletons(tmp_path):
    write_pickles(tmp_path, 1)
    out = tmp_path / "out"
    prepare_dataset("babel-1", tmp_path, out, allow_pickle=True)
    recording, annotation = read_npz(out / "7.npz")
    write_npz(out / "7.npz", recording)
    with pytest.raises(FileFormatError, match=r"7\.npz: no labels in it"):
        load_dataset("babel-1", out)
    strange = Recording(id="7", skeleton=np.zeros((60, 2, 3)), fps=30)
    write_npz(out / "7.npz", strange, annotation)
    with pytest.raises(FileFormatError, match="1 recordings, as 7, have other joints"):
        load_dataset("babel-1", out)


def test_nothing_to_be_found(tmp_path):
    with pytest.raises(
        FileFormatError, match=r"neither train_split3\.pkl, nor BABEL's train\.json"
    ):
        load_dataset("babel-3", tmp_path)
    with pytest.raises(FileFormatError, match="none: not a folder"):
        load_dataset("babel-3", tmp_path / "none")
    with pytest.raises(ConfigError, match="layout='zip': must be 'npz' or 'smq'"):
        prepare_dataset("babel-3", tmp_path, tmp_path / "out", layout="zip")


def test_progress_is_told(raw, model):
    told = []
    load_quietly("babel-1", raw[0], body_model=model, progress=lambda *seen: told.append(seen))
    assert [(done, total) for done, total, _ in told] == [(1, 3), (2, 3), (3, 3)]
