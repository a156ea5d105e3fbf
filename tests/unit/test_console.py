import pytest

from histvq import console
from histvq.segmenter import Progress


@pytest.fixture
def clock(monkeypatch):
    """Time that goes by as told."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def told(clock, capsys, *, n_epochs, seconds_per_epoch):
    lines = console._Lines()
    for epoch in range(n_epochs):
        lines(Progress(epoch, n_epochs, 1, 2, {"total": 1.0}))
        clock[0] += seconds_per_epoch
        lines(Progress(epoch, n_epochs, 2, 2, {"total": 1.0}, epoch_over=True))
    return capsys.readouterr().err.splitlines()


def test_a_line_an_epoch(clock, capsys):
    lines = told(clock, capsys, n_epochs=3, seconds_per_epoch=60)
    assert lines[0] == "epoch 1 of at most 3: loss 1, 60 s, 120 s left at most"
    assert len(lines) == 3


def test_thousands_of_short_epochs_are_few_lines(clock, capsys):
    lines = told(clock, capsys, n_epochs=3000, seconds_per_epoch=0.01)
    assert 10 < len(lines) < 20
    assert lines[-1].startswith("epoch 3000 of at most 3000")


def test_of_several_processes_the_first_is_heard_and_what_others_complain_of(monkeypatch, capfd):
    before = console.OUT.quiet, console.ERR.quiet, console._joined
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    try:
        console.prepare()
        console.say("said")
        console.warn(["warned"])
        console.complain("before")  # as wrong usage, which the first complains of too
        console.joined()
        console.complain("its own")
        with console.fitting_progress() as progress:
            progress(Progress(0, 1, 1, 1, {"total": 1.0}, epoch_over=True))
    finally:
        console.OUT.quiet, console.ERR.quiet, console._joined = before
    assert capfd.readouterr() == ("", "process 1 of 3: its own\n")
