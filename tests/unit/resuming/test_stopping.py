import signal
import threading

import pytest

from histvq.errors import Stopped
from histvq.resuming.stopping import stops_noted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_noted_and_the_second_stops(number):
    before = signal.getsignal(number)
    with stops_noted() as noted:
        assert noted.signal is None
        signal.raise_signal(number)
        assert noted.signal == number
        with pytest.raises(Stopped) as stopped:
            signal.raise_signal(number)
        assert stopped.value.signal == number
        assert isinstance(stopped.value, KeyboardInterrupt)
    assert signal.getsignal(number) == before


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stops_noted() as noted:
            signal.raise_signal(signal.SIGINT)
            assert noted.signal is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_is_touched():
    before, seen = signal.getsignal(signal.SIGINT), []

    def elsewhere():
        with stops_noted() as noted:
            seen.extend([noted.signal, signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [None, before]
