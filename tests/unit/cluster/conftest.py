import signal

import pytest

LONGEST_S = 100


@pytest.fixture
def bounded():
    """No test waits for ever for a cluster."""

    def stop(number, frame):
        raise TimeoutError(f"took longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
