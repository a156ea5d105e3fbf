import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.report import figures
from histvq.report.figures import durations_table, write_figures
from histvq.segments import Segmentation

SVG = "{http://www.w3.org/2000/svg}"


def answer(name="a", actions=(0,) * 40 + (1,) * 30 + (-1,) * 30, **more):
    return Segmentation(recording_id=name, fps=10.0, actions=np.array(actions), **more)


def truth(name="a", labels=(1,) * 40 + (0,) * 60, actions=("walk", "sit")):
    return Annotation(recording_id=name, labels=np.array(labels), actions=actions, fps=10.0)


def table(folder, name):
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False)


def rows(folder, name, *columns):
    return [tuple(row) for row in table(folder, name)[list(columns)].itertuples(index=False)]


ANSWERS = [answer(), answer("b", [1] * 5 + [0] * 20 + [2] * 5 + [0] * 20)]
TRUTH = [truth(), truth("b", [0] * 10 + [1] * 30 + [-1] * 10)]
MATCHED = {0: "sit", 1: "walk"}


@pytest.fixture(scope="module", autouse=True)
def _coarse_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DPI", 30)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return folder, write_figures(folder, ANSWERS, TRUTH, matched=MATCHED)


def test_each_figure_comes_as_svg_png_and_csv(written):
    folder, paths = written
    names = ["confusion", "durations", "lengths", "strips", "transitions", "usage"]
    assert [path.name for path in paths] == [
        f"{n}.{e}" for n in names for e in ("csv", "png", "svg")
    ]
    assert sorted(folder.iterdir()) == paths
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_svgs_are_whole_and_run_nothing(written):
    for path in written[0].glob("*.svg"):
        tree = ET.parse(path).getroot()
        assert tree.tag == f"{SVG}svg"
        assert not list(tree.iter(f"{SVG}script"))
        assert len(list(tree.iter(f"{SVG}text"))) > 3


# Numbers worked by hand. a: 4 s of 0, 3 s of 1, 3 s of nothing. b: 0.5 s of 1, 2 s of 0, 0.5 s of 2,
# 2 s of 0.


def test_usage_in_numbers(written):
    assert rows(written[0], "usage", "action", "name", "total_s", "share", "n_segments") == [
        (0, "sit (action 0)", 8.0, pytest.approx(8 / 12, abs=1e-6), 3),
        (1, "walk (action 1)", 3.5, pytest.approx(3.5 / 12, abs=1e-6), 2),
        (2, "action 2 (no counterpart)", 0.5, pytest.approx(0.5 / 12, abs=1e-6), 1),
    ]


def test_durations_in_numbers(written):
    found = rows(written[0], "durations", "action", "from_s", "to_s", "segments")
    assert [row for row in found if row[3]] == [
        (0, 2.0, 5.0, 3), (1, 0.5, 1.0, 1), (1, 2.0, 5.0, 1), (2, 0.5, 1.0, 1),
    ]  # fmt: skip
    assert {row[1:3] for row in found} == {(0.5, 1.0), (1.0, 2.0), (2.0, 5.0)}


def test_transitions_in_numbers(written):
    assert rows(written[0], "transitions", "action", "next", "count", "share") == [
        (0, 1, 1, 0.5), (0, 2, 1, 0.5), (1, 0, 1, 1.0), (2, 0, 1, 1.0),
    ]  # fmt: skip
    assert table(written[0], "transitions").next_name[0] == "walk (action 1)"


def test_lengths_in_numbers(written):
    # True: 40 and 60 frames of a, 10 and 30 of b. Found: 40, 30, 30 of a; of b, cut at frame 40 where
    # nobody labelled, 5, 20, 5, 10.
    assert rows(written[0], "lengths", "start_frame", "stop_frame", "true", "found") == [
        (0, 20, 1, 3), (20, 40, 1, 3), (40, 60, 1, 1), (60, 80, 1, 0),
    ]  # fmt: skip


def test_confusion_in_numbers(written):
    # walk: 30 of 1 and 30 of nothing in a, 5 of 1 and 5 of 0 in b. sit: 40 of 0 in a; in b 15 of 0, 5
    # of 2, 10 of 0.
    found = rows(written[0], "confusion", "true", "action", "matched", "frames")
    assert found == [
        ("walk", 1, "walk", 35), ("walk", 0, "sit", 5), ("walk", 2, "", 0), ("walk", -1, "", 30),
        ("sit", 1, "walk", 0), ("sit", 0, "sit", 65), ("sit", 2, "", 5), ("sit", -1, "", 0),
    ]  # fmt: skip
    assert table(written[0], "confusion").share[0] == 0.5


def test_strips_in_numbers(written):
    found = rows(written[0], "strips", "recording", "strip", "start_s", "stop_s", "label", "name")
    assert found[:5] == [
        ("a", "true", 0.0, 4.0, 1, "sit"), ("a", "true", 4.0, 10.0, 0, "walk"),
        ("a", "action", 0.0, 4.0, 0, "action 0"), ("a", "action", 4.0, 7.0, 1, "action 1"),
        ("b", "true", 0.0, 1.0, 0, "walk"),
    ]  # fmt: skip


def test_without_a_truth_there_is_nothing_to_compare(tmp_path):
    write_figures(tmp_path, ANSWERS, TRUTH)
    paths = write_figures(tmp_path, ANSWERS)
    assert sorted(tmp_path.iterdir()) == paths
    assert {path.stem for path in paths} == {"durations", "strips", "transitions", "usage"}
    unlabelled = [truth(labels=[-1] * 100)]
    assert write_figures(tmp_path, ANSWERS, unlabelled) == paths


def test_the_recordings_named_are_drawn_over_pages_and_earlier_pages_go(tmp_path):
    answers = [answer(f"r{n}") for n in range(20)]
    write_figures(tmp_path, answers, recordings=[f"r{n}" for n in range(14, 0, -1)])
    assert table(tmp_path, "strips-2").recording.unique().tolist() == ["r2", "r1"]
    write_figures(tmp_path, answers)
    assert table(tmp_path, "strips").recording.unique().tolist() == [f"r{n}" for n in range(6)]
    assert not list(tmp_path.glob("strips-2*"))
    with pytest.raises(ConfigError, match="no recording 'r21' in this run; did you mean 'r2"):
        write_figures(tmp_path, answers, recordings=["r21"])
    with pytest.raises(ConfigError, match="25 recordings to draw as strips; name 24 at most"):
        write_figures(tmp_path, answers, recordings=["r1"] * 25)


def test_whatever_things_are_called_is_written_as_text(tmp_path):
    nasty = '<script>alert("1")</script> & $x_1$\x01\n</svg>'
    names = {0: nasty, 1: "_walk 🕺"}
    answers = [answer(nasty, names=names)]
    write_figures(tmp_path, answers, [truth(nasty, actions=(nasty, "'"))], matched={0: nasty})
    for path in tmp_path.glob("*.svg"):
        tree = ET.parse(path).getroot()
        assert not list(tree.iter(f"{SVG}script"))
    text = " ".join(ET.parse(tmp_path / "usage.svg").getroot().itertext())
    assert '<script>alert("1")</script> & $x_1$' in text
    assert table(tmp_path, "usage").name.tolist() == [nasty, "_walk 🕺"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_actions", [1, 60])
def test_one_action_or_sixty(tmp_path, n_actions):
    labels = np.repeat(np.arange(n_actions), 5)
    write_figures(
        tmp_path,
        [answer(actions=labels)],
        [truth(labels=labels, actions=tuple(map(str, range(n_actions))))],
        matched={code: str(code) for code in range(n_actions)},
    )
    assert len(table(tmp_path, "usage")) == n_actions
    assert len(table(tmp_path, "confusion")) == n_actions * (n_actions + 1)


def test_answers_that_say_nothing_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no frame of these answers has an action"):
        write_figures(tmp_path, [answer(actions=[-1] * 5)])


def test_labels_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'a': the answer has 100 frames, its annotation 7"):
        write_figures(tmp_path, [answer()], [truth(labels=[0] * 7)])


@pytest.mark.parametrize("fps", [10.0, 29.97, 58.8, 120.0])
def test_every_segment_is_in_the_bin_of_its_length(fps):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 2000, size=200)
    labels = np.repeat(np.arange(200) % 2, lengths)
    found = durations_table(
        [Segmentation(recording_id="a", fps=fps, actions=labels)], {0: "x", 1: "y"}
    )
    for code in (0, 1):
        part = found[found.action == code]
        seconds = lengths[code::2] / fps
        for low, high, count in zip(part.from_s, part.to_s, part.segments, strict=True):
            assert count == ((seconds >= low - 1e-9) & (seconds < high - 1e-9)).sum()
        assert part.segments.sum() == 100
