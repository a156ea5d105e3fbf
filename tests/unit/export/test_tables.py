"""Audacity, NWB, Parquet and CSV."""

import numpy as np
import pandas as pd
import pytest

from histvq.export import export
from histvq.io.labels.reading import read_any_labels
from oracles.exported import answer, assert_same, recordings_of

NAMES = {0: "walk\tslowly", 1: "run"}
RUN = [
    answer(
        [0, 0, 1, -1, 0],
        subactions=[2, 2, 2, 3, 3],
        confidence=[1, 0.5, 0.25, 0, 0],
        person="Ada",
        names=NAMES,
    ),
    answer([1] * 7, id="b", subactions=[4] * 7, confidence=[1] * 7, fps=29.97, names=NAMES),
]


def test_audacity_worked_out_by_hand(tmp_path):
    place = export(["audacity"], tmp_path, RUN)["audacity"]
    assert (place / "walk1.actions.txt").read_text() == (
        "0.000000\t0.200000\twalk slowly\n0.200000\t0.300000\trun\n0.400000\t0.500000\twalk slowly\n"
    )
    assert (place / "b.subactions.txt").read_text() == "0.000000\t0.233567\tsubaction 4\n"
    assert len((place / "recordings.csv").read_text().splitlines()) == 5


def test_parquet_holds_what_the_csv_table_does(tmp_path):
    places = export(["csv", "parquet"], tmp_path, RUN)
    one = pd.read_csv(
        places["csv"], keep_default_na=False, na_values={"parent": "", "confidence": ""}
    )
    other = pd.read_parquet(places["parquet"])
    assert list(one.columns) == list(other.columns)
    assert other["parent"].dtype == "Int64"
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_parquet_where_nothing_is_known_has_the_same_types(tmp_path):
    full = export(["parquet"], tmp_path / "full", RUN)["parquet"]
    empty = export(["parquet"], tmp_path / "empty", [answer([-1])])["parquet"]
    assert (pd.read_parquet(full).dtypes == pd.read_parquet(empty).dtypes).all()


def test_nwb_is_read_by_pynwb_with_the_same_times(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    place = export(["nwb"], tmp_path, RUN)["nwb"]
    with pynwb.NWBHDF5IO(str(place / "walk1.nwb"), "r") as io:
        session = io.read()
        table = session.intervals["actions"].to_dataframe()
        assert session.subject.subject_id == "Ada"
        assert session.session_id == "walk1"
        assert list(session.intervals) == ["actions", "subactions"]
    assert table["label"].tolist() == ["walk slowly", "run", "walk slowly"]
    assert table["code"].tolist() == [0, 1, 0]
    np.testing.assert_allclose(table["start_time"], [0, 0.2, 0.4])
    np.testing.assert_allclose(table["stop_time"], [0.2, 0.3, 0.5])
    np.testing.assert_allclose(table["confidence"], [0.75, 0.25, 0])


def test_csv_tables_of_each_recording_come_back_together(tmp_path):
    place = export(["csv-each"], tmp_path, RUN)["csv-each"]
    assert_same(RUN, read_any_labels([place / "walk1.csv", place / "b.csv"], recordings_of(RUN)))
