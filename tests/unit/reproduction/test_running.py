import json
import time

import numpy as np
import pandas as pd
import pytest

from histvq.reproduction import reproduce
from histvq.reproduction.spent import Spent


def test_a_run_keeps_scores_by_recording_and_what_it_cost(tmp_path):
    made = reproduce(
        "table1", dataset="oracles.little_people:load", data=None, out=tmp_path, seeds=1,
        only=["window-kmeans"],
    )  # fmt: skip
    (run,) = made.results[0].runs
    folder = tmp_path / run["folder"]
    each = pd.read_csv(folder / "recordings.csv", index_col="recording")
    assert list(each) == ["n_frames", *run["scores"]]
    # Frames count alike in MoF, so that of all is the mean of each by its frames.
    assert np.average(each["mof"], weights=each["n_frames"]) == pytest.approx(
        run["scores"]["mof"], abs=0.01
    )
    times = json.loads((folder / "times.json").read_text())
    assert times["from_the_start"] is True
    assert min(times[part][clock] for part in ("fit", "predict") for clock in times[part]) >= 0
    assert times["peak_mb"] > 50


def test_waiting_takes_time_but_no_processor():
    spent = Spent()
    with spent.on("waiting"):
        time.sleep(0.2)
    said = spent.record()["waiting"]
    assert said["wall_s"] >= 0.2
    assert said["cpu_s"] < said["wall_s"]


def test_a_row_of_other_datasets_is_left_out(tmp_path):
    made = reproduce(
        "table1", dataset="oracles.little_people:load", data=None, out=tmp_path, seeds=1,
        only=["window-kmeans", "window-kmeans-by-score"],
    )  # fmt: skip
    assert [result.row.name for result in made.results] == ["window-kmeans"]
