"""What cuts takes out of a file."""

from collections.abc import Callable

# From first frame and the one after the last to ending -> content of each file of the clip, the one
# with the motion first.
Cutter = Callable[[int, int], dict[str, bytes]]


class CannotCutError(ValueError):
    """A file of this kind cannot be cut; the message says why, to stand after "not cut:"."""
