"""Ctrl-C and SIGTERM noted, so that what is under way can be finished and kept first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from histvq.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Noted:
    """Whether somebody asked to stop, and how."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; a second one stops at once."""
        if self.signal is not None:
            raise Stopped("stopped at once", signal=number)
        self.signal = signal.Signals(number)


@contextmanager
def stops_noted() -> Iterator[Noted]:
    """While this lasts, the first Ctrl-C or SIGTERM is only noted.

    Signals reach the main thread alone; in any other nothing is ever noted. What is ignored stays so.
    """
    noted = Noted()
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, noted)
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
