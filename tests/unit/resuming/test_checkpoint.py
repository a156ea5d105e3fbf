import errno
import json
import warnings
from hashlib import blake2b
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from histvq.errors import CheckpointMismatch, DamagedCheckpoint, DataWarning, FileFormatError
from histvq.resuming import Checkpoint
from histvq.resuming import checkpoint as checkpoints
from histvq.resuming.belonging import Belonging

OURS = Belonging("histvq", {"epochs": 3}, [("a", "0"), ("b", "1")], versions={"torch": "1"})
STATE = {"weights": torch.arange(3.0), "epoch": 2}


def kept(place: Path, belongs=OURS) -> Path:
    assert Checkpoint(place, belongs, seed=7).keep(STATE)
    return place


def altered(place: Path, **changes) -> Path:
    """A checkpoint whose head says something else."""
    head = {
        "format": checkpoints.FORMAT,
        "belongs": OURS.plain,
        "seed": 7,
        "state": {"tensor": "0"},
        **changes,
    }
    digest = blake2b(json.dumps(head["state"]).encode() + bytes(8), digest_size=16)
    head["digest"] = digest.hexdigest()
    save_file({"0": torch.zeros(2)}, place, {"histvq": json.dumps(head)})
    return place


def test_state_and_seed_come_back(tmp_path):
    found = Checkpoint(kept(tmp_path / "c"), OURS, seed=99)
    assert torch.equal(found.state["weights"], STATE["weights"])
    assert (found.state["epoch"], found.seed) == (2, 7)


def test_where_there_is_none_nothing_comes_back(tmp_path):
    first = Checkpoint(tmp_path / "c", OURS, seed=99)
    assert (first.state, first.seed) == (None, 99)


def test_of_other_settings_it_is_refused_with_the_difference(tmp_path):
    other = Belonging("histvq", {"epochs": 4}, OURS.recordings)
    words = (
        r"c: a training that was stopped, of other settings or data: epochs was 3 and is 4\. Give"
    )
    with pytest.raises(CheckpointMismatch, match=words):
        Checkpoint(kept(tmp_path / "c"), other, seed=0)


def test_of_other_versions_it_is_taken_with_a_warning(tmp_path):
    other = Belonging("histvq", {"epochs": 3}, OURS.recordings, versions={"torch": "2"})
    with pytest.warns(
        DataWarning, match="kept by other versions .torch 1, now 2.: the last digits"
    ):
        assert Checkpoint(kept(tmp_path / "c"), other, seed=0).state["epoch"] == 2


def test_of_an_older_format_it_says_begin_anew(tmp_path):
    with pytest.raises(CheckpointMismatch, match=r"of an earlier histvq .* Begin anew"):
        Checkpoint(altered(tmp_path / "c", format=1), OURS, seed=0)


def test_of_a_newer_format_it_says_upgrade(tmp_path):
    with pytest.raises(FileFormatError, match=r"by a newer histvq .format 3, .*; upgrade with pip"):
        Checkpoint(altered(tmp_path / "c", format=3), OURS, seed=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"belongs": 3}, {"belongs": {}}, {"seed": "x"}, {"format": "new"}, {"format": None},
        {"state": {"tensor": "5"}}, {"state": [1]}, {"state": {"what": 1}},
        {"belongs": {**OURS.plain, "recordings": [1]}}, {"belongs": {**OURS.plain, "settings": 1}},
        {"belongs": {**OURS.plain, "versions": [1]}},
    ],
)  # fmt: skip
def test_a_head_that_says_nonsense_is_damage(changes, tmp_path):
    with pytest.raises(
        DamagedCheckpoint, match=r"a damaged checkpoint .*; delete it to begin anew"
    ):
        Checkpoint(altered(tmp_path / "c", **changes), OURS, seed=0)


def test_what_was_altered_for_the_test_is_whole_otherwise(tmp_path):
    assert Checkpoint(altered(tmp_path / "c"), OURS, seed=0).state.tolist() == [0, 0]


def test_any_other_byte_is_told_or_changes_nothing(tmp_path):
    whole = kept(tmp_path / "c").read_bytes()
    told = 0
    for place in range(0, len(whole), 3):
        (tmp_path / "c").write_bytes(
            whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :]
        )
        try:
            found = Checkpoint(tmp_path / "c", OURS, seed=0)
        except (FileFormatError, CheckpointMismatch, DataWarning):
            told += 1
            continue
        assert torch.equal(found.state["weights"], STATE["weights"])
        assert found.state["epoch"] == 2
    assert told > 100


def test_any_cut_is_damage(tmp_path):
    whole = kept(tmp_path / "c").read_bytes()
    for length in range(0, len(whole), 13):
        (tmp_path / "c").write_bytes(whole[:length])
        with pytest.raises(DamagedCheckpoint):
            Checkpoint(tmp_path / "c", OURS, seed=0)


def test_a_full_disk_is_said_once_and_keeps_the_one_before(tmp_path, monkeypatch):
    checkpoint = Checkpoint(kept(tmp_path / "c"), OURS, seed=7)
    before = (tmp_path / "c").read_bytes()

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "written_whole", full)
        with pytest.warns(
            DataWarning, match=r"could not be kept \(No space left on device\) and goes on"
        ):
            assert not checkpoint.keep({"epoch": 3})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert not checkpoint.keep({"epoch": 4})
    assert (tmp_path / "c").read_bytes() == before
    assert checkpoint.keep({"epoch": 5})  # there is room again
    assert Checkpoint(tmp_path / "c", OURS, seed=7).state == {"epoch": 5}


def test_it_is_due_by_the_clock_and_takes_no_great_share_of_the_time(tmp_path, monkeypatch):
    now, costs = 0.0, iter([1.0, 30.0])
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now)
    checkpoint = Checkpoint(tmp_path / "c", OURS, seed=7)
    now = checkpoints.EVERY_S - 1
    assert not checkpoint.is_due
    now = checkpoints.EVERY_S
    assert checkpoint.is_due

    def save(*given):  # takes so long
        nonlocal now
        now += next(costs)
        return b""

    monkeypatch.setattr(checkpoints, "save", save)
    for wait in (checkpoints.EVERY_S, 30 / checkpoints.MOST_TIME):
        checkpoint.keep(STATE)
        now += wait - 1
        assert not checkpoint.is_due
        now += 1
        assert checkpoint.is_due
