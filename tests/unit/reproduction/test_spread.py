from histvq.reproduction import spread
from histvq.reproduction.plan import Job
from histvq.reproduction.running import DONE

JOB = Job(
    row="r", dataset="d", data=None, digest="0", method="window-kmeans", params={}, seed=0, threads=1
)  # fmt: skip


def test_an_outcome_that_takes_a_while_to_be_seen_is_waited_for(tmp_path, monkeypatch):
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        JOB.folder(tmp_path).mkdir(parents=True)
        (JOB.folder(tmp_path) / DONE).write_text("{}")

    monkeypatch.setattr(spread.time, "sleep", sleep)
    assert spread._not_seen([JOB], tmp_path) == {}
    assert len(slept) == 1


def test_an_outcome_that_is_nowhere_to_be_seen_is_a_run_that_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(spread, "SEEN_S", -1)
    (why,) = spread._not_seen([JOB], tmp_path).values()
    assert "its worker has another folder of that name" in why


def test_how_long_the_rest_may_take(monkeypatch):
    monkeypatch.setattr(spread.time, "monotonic", lambda: 600.0)
    assert spread._left(0.0, 2, 4) == " (2 left, about 10 min)"
    assert spread._left(0.0, 1, 31) == " (30 left, about 5.0 h)"
    assert spread._left(590.0, 2, 4) == " (2 left)"
    assert spread._left(0.0, 4, 4) == ""
