"""A method that ends or fails at recordings of certain names, as if memory ran out."""

import os
import signal
from multiprocessing import parent_process
from pathlib import Path

from histvq.methods.window_kmeans import WindowKMeans


class Mortal(WindowKMeans):
    """`once-PATH` is fatal until that file is there, `deadly` always; `vast` is too large."""

    method_name = "oracles.mortal:Mortal"

    @classmethod
    def load(cls, path, **options):
        if parent_process() and "NO_PROCESS_BEGINS" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().load(path, **options)

    def _segment(self, recording):
        kind, _, place = recording.id.partition("-")
        if kind == "vast":
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:118] can't allocate memory")
        if kind == "deadly" or (kind == "once" and not Path(place).exists()):
            if place:
                Path(place).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._segment(recording)
