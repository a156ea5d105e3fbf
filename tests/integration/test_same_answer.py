"""Same seed, same answer: in another process, on more threads, recordings one by one or together."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from histvq.methods import METHODS
from histvq.supervised import SUPERVISED
from oracles import every_fit
from oracles.every_fit import CASES, method_of

# Methods whose fit gives other last digits with another number of threads, and why; docs/robustness.md
# names the same. With as many threads they give the same bytes; a model, once there, the same answers.
SHARED = dict.fromkeys(
    SUPERVISED,
    "its layers see whole batches at once: their sums are shared among threads, which takes two thirds "
    "of the time on two threads",
)
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Run:
    """Where a process left what it made, and with how many threads."""

    folder: Path
    threads: int

    def bytes_of(self, case: str) -> list[bytes]:
        return [(self.folder / case / name).read_bytes() for name in ("model.json", TENSORS)]

    def answers(self, case: str, name: str = "answers") -> dict[str, np.ndarray]:
        return dict(np.load(self.folder / case / f"{name}.npz"))


TENSORS = "model.safetensors"


def run(data, folder, *, threads, hash_seed, models=None) -> Run:
    """Fit everything in a process of its own."""
    name, root = data
    given = [name, root, folder] if models is None else [name, root, folder, models]
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    environment |= {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, every_fit.__file__, *map(str, given)], env=environment, check=True
    )
    return Run(folder, threads)


def three_runs(data, folder) -> list[Run]:
    first = run(data, folder / "one", threads=1, hash_seed="1")
    others = [("again", 1, "2"), ("two", 2, "3")]
    return [
        first,
        *(
            run(data, folder / name, threads=threads, hash_seed=seed, models=first.folder)
            for name, threads, seed in others
        ),
    ]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    return three_runs(("synthetic", ""), tmp_path_factory.mktemp("fits"))


@pytest.fixture(scope="module", params=["hugadb", "cmu-exercises"])
def real_runs(request, shared_data, hugadb_sample, tmp_path_factory) -> list[Run]:
    roots = {"hugadb": hugadb_sample, "cmu-exercises": shared_data / "cmu_exercises"}
    return three_runs((request.param, roots[request.param]), tmp_path_factory.mktemp("fits"))


def assert_same_answers(one, other):
    assert one.keys() == other.keys()
    for level, values in one.items():
        np.testing.assert_array_equal(values, other[level], err_msg=level)


def check_fits(runs, case):
    first, *others = runs
    for other in others:
        if other.threads == first.threads or method_of(case) not in SHARED:
            assert other.bytes_of(case) == first.bytes_of(case), f"{other.threads} threads"
            assert_same_answers(other.answers(case), first.answers(case))


def check_answers(runs, case):
    first, *others = runs
    for each in runs:
        assert_same_answers(each.answers(case, "alone"), each.answers(case))
    for other in others:
        assert_same_answers(other.answers(case, "of_loaded"), first.answers(case))


def test_every_method_is_tried():
    assert {method_of(case) for case in CASES} == {*METHODS, *SUPERVISED}


@pytest.mark.parametrize("case", CASES)
def test_the_same_model_byte_for_byte(runs, case):
    check_fits(runs, case)


@pytest.mark.parametrize("case", CASES)
def test_an_answer_depends_on_its_recording_alone(runs, case):
    check_answers(runs, case)


def test_the_same_number_of_actions_is_chosen_for_the_same_reasons(runs):
    assert len({(each.folder / "choose-k.txt").read_bytes() for each in runs}) == 1


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("case", CASES)
def test_the_same_on_real_recordings(real_runs, case):
    check_fits(real_runs, case)
    check_answers(real_runs, case)
    assert len({(each.folder / "choose-k.txt").read_bytes() for each in real_runs}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("case", ["cte, markov", "hvq", "histvq, best", "ms-tcn"])
def test_several_processes_give_the_answers_of_one(runs, case):
    from histvq.parallel import predict_all

    recordings, _ = every_fit.data_of("synthetic", "")
    answers = predict_all(runs[0].folder / case, recordings, jobs=2)
    assert_same_answers(every_fit.as_arrays(answers), runs[0].answers(case))
