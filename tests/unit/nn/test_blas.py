"""Products of numpy's arrays do not depend on how many threads its library has."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from histvq.choosing.criteria import without_structure
from histvq.nn.blas import one_blas_thread

POINTS = np.random.default_rng(0).normal(size=(1161, 66))


def shared_among(n_threads, task):
    with threadpool_limits(n_threads, user_api="blas"):
        return task()


def numbers_of_threads():
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


def test_one_thread_while_it_lasts_and_as_many_as_before_afterwards():
    with threadpool_limits(3, user_api="blas"):
        with one_blas_thread():
            assert set(numbers_of_threads()) == {1}
        assert set(numbers_of_threads()) == {3}
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            _ = 1 / 0
        assert set(numbers_of_threads()) == {3}


def test_points_without_structure_are_the_same_to_the_last_bit():
    def made():
        return without_structure(POINTS, np.random.default_rng(1))

    one, *others = (shared_among(n_threads, made) for n_threads in (1, 2, 3))
    for other in others:
        np.testing.assert_array_equal(one, other)
