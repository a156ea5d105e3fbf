"""The checks for plug-ins of one's own: histvq's own pass them, and each fault is found."""

import numpy as np
import pytest

from histvq.export import EXPORTS
from histvq.io import READERS
from histvq.metrics import METRICS
from histvq.testing import (
    check_dataset,
    check_export,
    check_method,
    check_reader,
    check_score,
)
from histvq.testing.holding import refused
from oracles import own_plugins
from oracles.example_files import EXAMPLES

pytestmark = pytest.mark.usefixtures("one_thread")

# Trained for a moment: whether an answer is good is not asked.
BRIEF = {
    "window-kmeans": {},
    "histvq": {"n_maps": 4, "n_latent": 4, "temporal_hidden": 8, "epochs": 1, "min_steps": 0},
    "cte": {"epochs": 1, "min_steps": 0},
}


@pytest.mark.parametrize("method", BRIEF)
def test_methods_pass(method):
    check_method(method, **BRIEF[method])


@pytest.mark.parametrize(("fault", "words"), own_plugins.METHODS.items())
def test_a_fault_of_a_method_is_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_method(f"{own_plugins.HERE}:{fault}")


@pytest.mark.parametrize("score", METRICS)
def test_scores_pass(score):
    check_score(score)


@pytest.mark.parametrize(("fault", "words"), own_plugins.SCORES.items())
def test_a_fault_of_a_score_is_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_score(f"{own_plugins.HERE}:{fault}")


@pytest.mark.parametrize("export", [name for name in EXPORTS if name not in ("nwb", "parquet")])
def test_exports_pass(export):
    check_export(export)


@pytest.mark.parametrize(("fault", "words"), own_plugins.EXPORTS.items())
def test_a_fault_of_an_export_is_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_export(f"{own_plugins.HERE}:{fault}")


def test_datasets_pass():
    check_dataset(f"{own_plugins.HERE}:faultless")
    check_dataset("synthetic", n_people=2, recordings_per_person=2, seconds=60.0)


@pytest.mark.parametrize(("fault", "words"), own_plugins.DATASETS.items())
def test_a_fault_of_a_dataset_is_found(fault, words):
    with pytest.raises(AssertionError, match=words):
        check_dataset(f"{own_plugins.HERE}:{fault}")


@pytest.mark.parametrize("name", READERS)
def test_readers_pass(name, tmp_path):
    make, options = EXAMPLES[name]
    check_reader(name, make(tmp_path), **options)


@pytest.fixture
def numbers(tmp_path):
    path = tmp_path / "numbers.txt"
    np.savetxt(path, np.arange(60).reshape(20, 3), fmt="%d")
    return path


@pytest.mark.filterwarnings("ignore:loadtxt")
def test_a_plain_function_passes(numbers):
    check_reader(f"{own_plugins.HERE}:read_well", numbers)


@pytest.mark.filterwarnings("ignore:loadtxt")
@pytest.mark.parametrize(("fault", "words"), own_plugins.READERS.items())
def test_a_fault_of_a_reader_is_found(fault, words, numbers):
    with pytest.raises(AssertionError, match=words):
        check_reader(f"{own_plugins.HERE}:{fault}", numbers)


def test_what_should_be_refused_and_is_not():
    with (
        pytest.raises(AssertionError, match="soup: must be refused with OSError, and was not"),
        refused(OSError, "soup"),
    ):
        pass
