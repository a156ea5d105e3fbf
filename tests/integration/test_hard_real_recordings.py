"""The corrupted recording of HuGaDB, and worse ones, go through `run` with the others."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from histvq.cli import Exit
from histvq.methods import METHODS
from oracles.commands import histvq

pytestmark = [pytest.mark.slow, pytest.mark.real_data, pytest.mark.usefixtures("one_thread")]

CORRUPTED = "HuGaDB_v1_various_10_08"
QUICK = {
    "histvq": "n_maps=4 n_latent=4 temporal_hidden=8 epochs=1 min_steps=0",
    "smq": "n_maps=4 n_latent=4 epochs=1 min_steps=0",
    "cte": "epochs=1 min_steps=0",
    "tot": "steps=4 sample_frames=64",
    "asot": "epochs=1 min_steps=0 sample_frames=64",
    "hvq": "n_maps=4 n_layers=2 epochs=1 min_steps=0",
    "best": "n_maps=4 n_latent=4 temporal_hidden=8 epochs=1 min_steps=0 n_starts=2",
}


@pytest.fixture(scope="module")
def folder(hugadb_sample, tmp_path_factory):
    """Three real recordings, the corrupted one, one of the same name, and three that were spoilt."""
    place = tmp_path_factory.mktemp("hugadb")
    others = sorted(f for f in hugadb_sample.glob("*.txt") if f.stem != CORRUPTED)
    others.sort(key=lambda file: file.stat().st_size)
    for file in (*others[:3], hugadb_sample / f"{CORRUPTED}.txt"):
        shutil.copy(file, place)
    (place / "again").mkdir()
    shutil.copy(others[0], place / "again")
    lines = others[1].read_text().splitlines(keepends=True)
    cells = lines[4].split("\t")
    spoilt = {
        "20_00": [*lines[:4], "\t".join(["1e9995", *cells[1:]]), *lines[5:]],
        "20_01": [*lines[:90], lines[90][: len(lines[90]) // 2]],
        "20_02": lines[:4],
        "20_03": lines[:5],
    }
    for name, kept in spoilt.items():
        (place / f"HuGaDB_v1_various_{name}.txt").write_text("".join(kept))
    return place


@pytest.mark.parametrize("name", [*METHODS, "best"])
def test_every_method_answers_every_frame_that_can_be_read(name, folder, tmp_path):
    asked = ["--preset", "best"] if name == "best" else ["--method", name]
    settings = [part for one in QUICK.get(name, "").split() for part in ("--set", one)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        status, said = histvq("run", folder, "-k", 4, "-o", tmp_path / "r", *asked, *settings)
    assert (status, [str(w.message) for w in caught]) == (Exit.SOME_SKIPPED, []), said
    assert "line 26, column 25 acc_ls_x: 1306072 is outside the sensor's 16-bit range" in said
    assert "skipped 3 files" in said
    for spoilt in ("20_00", "20_01", "20_02"):
        assert f"HuGaDB_v1_various_{spoilt}.txt" in said.partition("skipped 3 files")[2]
    frames = pd.read_csv(tmp_path / "r" / "frames.csv")
    assert frames.recording.nunique() == 6
    assert frames[frames.recording == CORRUPTED].shape[0] == 3823
    assert frames[frames.recording == "HuGaDB_v1_various_20_03"].shape[0] == 1
    assert frames.action.between(0, 3).all()
    numbers = frames.select_dtypes("number").dropna(axis=1, how="all")
    assert np.isfinite(numbers.to_numpy()).all()
