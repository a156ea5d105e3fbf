"""From a run of real recordings to the files of other tools, and back with corrections."""

import json
import lzma
import shutil
from pathlib import Path

import pandas as pd
import pympi
import pytest

from histvq.cli import Exit
from histvq.report import read_frames
from histvq.segments import to_segments
from oracles.commands import histvq
from oracles.exported import assert_same, recordings_of

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def cmu(shared_data, tmp_path_factory) -> Path:
    """A folder with the five recordings of exercises."""
    folder = tmp_path_factory.mktemp("cmu")
    source = shared_data / "cmu_exercises"
    for file in source.iterdir():
        if file.suffix == ".xz":
            (folder / file.stem).write_bytes(lzma.decompress(file.read_bytes()))
        elif file.suffix in (".asf", ".txt"):
            shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def run(cmu, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "cmu"
    status, said = histvq("run", cmu, "--fps", 120, "-k", 9, "--method", "window-kmeans", "-o", out)
    assert status == Exit.ALL, said
    return out


@pytest.fixture
def exported(run, tmp_path) -> Path:
    """Everything there is to export, with a video of one recording."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "13_29.mp4").touch()
    status, said = histvq(
        "export", run, "--to", "csv,csv-each,parquet,elan,boris,audacity,nwb",
        "-o", tmp_path / "out", "--media", videos,
    )  # fmt: skip
    assert status == Exit.ALL, said
    assert "next: correct" in said
    return tmp_path / "out"


def test_everything_of_the_run_is_in_every_format(run, exported):
    answers = read_frames(run / "frames.csv")
    for answer in answers:
        document = pympi.Eaf(exported / "elan" / f"{answer.recording_id}.eaf")
        for level in ("action", "subaction"):
            expected = [
                (round(start / 0.12), round(stop / 0.12), f"{level} {code}")
                for start, stop, code in to_segments(answer.labels(level))
                if code >= 0
            ]
            assert sorted(document.get_annotation_data_for_tier(f"{level}s")) == expected
    # Confidences are of frames.csv, where they are rounded.
    tables = [pd.read_csv(folder / "segments.csv") for folder in (exported, run)]
    pd.testing.assert_frame_equal(*tables, rtol=0, atol=2e-4)
    project = json.loads((exported / "run.boris").read_text())
    assert project["observations"]["13_29"]["file"] == {"1": ["../videos/13_29.mp4"]}
    assert len(project["observations"]) == 5


@pytest.mark.parametrize("place", ["elan", "run.boris", "segments.csv"])
def test_uncorrected_files_agree_with_the_run_in_every_frame(run, exported, place):
    from histvq.io.labels.reading import read_any_labels

    answers = read_frames(run / "frames.csv")
    assert_same(answers, read_any_labels(exported / place, recordings_of(answers)))
    status, said = histvq("evaluate", run, exported / place)
    assert status == Exit.ALL
    assert "MoF 100.0" in said


def test_one_corrected_file_is_enough_to_evaluate(run, exported):
    eaf = exported / "elan" / "13_29.eaf"
    text = eaf.read_text(encoding="utf-8")
    assert text.count('TIME_VALUE="10000"') == 4  # a border of both levels
    eaf.write_text(text.replace('TIME_VALUE="10000"', 'TIME_VALUE="11000"'), encoding="utf-8")
    status, said = histvq("evaluate", run, eaf)
    assert status == Exit.ALL
    assert "1 of 5 recordings have labels; scored are those" in said
    # One second of it is now something else.
    n_frames = {a.recording_id: a.n_frames for a in read_frames(run / "frames.csv")}["13_29"]
    assert f"MoF {100 * (1 - 120 / n_frames):.1f}" in said


def test_corrected_files_teach_a_supervised_method(cmu, exported, tmp_path):
    status, said = histvq(
        "fit", cmu, "--fps", 120, "--method", "ms-tcn", "--labels", exported / "elan",
        "-o", tmp_path / "model", "--set", "epochs=1", "--set", "n_maps=4",
        "--transform", "resample=4",
    )  # fmt: skip
    assert status == Exit.ALL, said
    assert "actions: action 0" in said


def test_a_faulty_file_is_told_in_words(run, exported):
    eaf = exported / "elan" / "13_29.eaf"
    eaf.write_text(eaf.read_text(encoding="utf-8").replace("VALUE>action 2<", "VALUE>acton 2<"))
    status, said = histvq("evaluate", run, eaf)
    assert status == Exit.NOTHING_DONE
    assert "annotation a2: 'acton 2' is not in the tier's vocabulary" in said
    assert "did you mean 'action 2'" in said


def test_exports_are_not_replaced_unasked(run, exported):
    status, said = histvq("export", run, "--to", "elan", "-o", exported)
    assert status == Exit.USAGE
    assert "corrections made by hand" in said


@pytest.mark.parametrize(
    ("to", "words"), [("elam", "did you mean 'elan'"), (",", "--to names no format; known are csv")]
)
def test_no_such_format(run, tmp_path, to, words):
    status, said = histvq("export", run, "--to", to, "-o", tmp_path / "x")
    assert status == Exit.USAGE
    assert words in said
    assert not (tmp_path / "x").exists()
