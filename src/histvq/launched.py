"""Which of the processes that `torchrun` has started this one is."""

import os


def launched() -> tuple[int, int]:
    """The number of this process, from 0, and how many there are; 0 and 1 without `torchrun`."""
    try:
        return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    except ValueError:  # somebody else's variables
        return 0, 1
