"""Products of numpy's arrays on one thread."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Every product and decomposition of numpy and scipy on one thread while this lasts.

    A library that shares a product among threads cuts it into other blocks for another number of them,
    and rounds otherwise: with OpenBLAS most products of a thousand rows and more have other last digits
    on two threads than on one.

    The number is the whole process's, so no two threads may say it at a time. Takes 3 ms.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
