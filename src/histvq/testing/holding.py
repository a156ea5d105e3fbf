"""How a check says that something does not hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from histvq.errors import HistvqError


def hold(truth: object, words: str) -> None:
    """Raise AssertionError with these words unless something is true.

    Not `assert`, which Python leaves out when told to be quick.
    """
    if not truth:
        raise AssertionError(words)


@contextmanager
def refused(
    by: type[HistvqError] | tuple[type[HistvqError], ...], what: str, *, naming: str = ""
) -> Iterator[None]:
    """See that what is done inside ends with an error of this sort that names something.

    Raises:
        AssertionError: If it ends well, or with another error.
    """
    kinds = by if isinstance(by, tuple) else (by,)
    wanted = " or ".join(kind.__name__ for kind in kinds)
    try:
        yield
    except by as error:
        hold(naming in str(error), f"{what}: the error does not name {naming!r}: {error}")
        return
    except Exception as error:
        raise AssertionError(
            f"{what}: must be refused with {wanted}, and ended with {type(error).__name__}: {error}"
        ) from error
    raise AssertionError(f"{what}: must be refused with {wanted}, and was not")
