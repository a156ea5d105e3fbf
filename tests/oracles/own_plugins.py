"""Plug-ins of one's own, each with one fault, and what a check must say of it."""

from dataclasses import replace

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets import Dataset
from histvq.errors import FileFormatError
from histvq.export import Export
from histvq.methods.window_kmeans import WindowKMeans
from histvq.recording import Recording
from histvq.writing import write_text

HERE = "oracles.own_plugins"


class Misnamed(WindowKMeans):
    method_name = "window-kmeans"


class Peeking(WindowKMeans):
    """Changes what it is given."""

    method_name = f"{HERE}:Peeking"

    def fit(self, recordings, *, progress=None, checkpoint=None):
        for recording in recordings:
            recording.skeleton[:1] += 1
        return super().fit(recordings)


class Moody(WindowKMeans):
    """Another answer at each fit."""

    method_name = f"{HERE}:Moody"
    fits = 0

    def fit(self, recordings, *, progress=None, checkpoint=None):
        super().fit(recordings)
        Moody.fits += 1
        self.parents_ = (self.parents_ + Moody.fits) % 3
        return self


class Guessing(WindowKMeans):
    """Says something where nothing was measured."""

    method_name = f"{HERE}:Guessing"

    def _segment(self, recording):
        answer = super()._segment(recording)
        return replace(answer, actions=np.maximum(answer.actions, 0))


class Sociable(WindowKMeans):
    """An answer depends on the others."""

    method_name = f"{HERE}:Sociable"

    def _segment_all(self, recordings):
        answers = list(super()._segment_all(recordings))
        return [replace(a, actions=(a.actions + len(answers)) % 3) for a in answers]


class Short(WindowKMeans):
    """An answer lacks its last frame."""

    method_name = f"{HERE}:Short"

    def _segment(self, recording):
        answer = super()._segment(recording)
        return replace(answer, actions=answer.actions[:-1])


METHODS = {
    "Misnamed": "method_name is 'window-kmeans' and must be",
    "Peeking": "recordings must be left as they are",
    "Moody": "must give the same labels",
    "Guessing": "where nothing was measured the answer must be -1",
    "Sociable": "answered alone, and among others, must give the same labels",
    "Short": "must be one label a frame",
}


def upwards(pairs):
    return 101.0


def as_text(pairs):
    return "good"


def always_the_same(pairs):
    return 100.0


def of_the_first(pairs):
    n = pairs.bounds[1]
    return 100 * float(np.mean(pairs.matched[:n] == pairs.true[:n])) if n else 0.0


SCORES = {
    "upwards": "from 0 to 100, not 101",
    "as_text": "must be a float, not str",
    "always_the_same": "another score than a random one",
    "of_the_first": "the order of recordings must not matter|nobody labelled must not matter",
}


def _beside(place, answers, *, recordings=(), media=None):
    write_text(place.with_name("more.txt"), "x")
    return write_text(place, "x")


def _elsewhere(place, answers, *, recordings=(), media=None):
    write_text(place, "x")
    return place.parent


def _nothing(place, answers, *, recordings=(), media=None):
    return place


BESIDE = Export(description="d", place="p.txt", write=_beside)
ELSEWHERE = Export(description="d", place="p.txt", write=_elsewhere)
NOTHING = Export(description="d", place="p.txt", write=_nothing)
DEEP = Export(description="d", place="a/p.txt", write=_nothing)
EXPORTS = {
    "BESIDE": "beside its place, 'p.txt', lies something",
    "ELSEWHERE": r"write\(\) must return the place",
    "NOTHING": "nothing was written to its place",
    "DEEP": "the name of one file or folder",
}


def _recording(n, **more):
    return Recording(id=f"r{n}", skeleton=np.zeros((4, 1, 3)) + n, fps=10, **more)


def _dataset(recordings, *, actions=("walk", "run"), fps=10):
    labels = np.array([0, 0, 1, -1])
    annotations = [
        Annotation(recording_id=r.id, labels=labels, actions=actions, fps=fps) for r in recordings
    ]
    return Dataset(
        name="d", recordings=tuple(recordings), annotations=tuple(annotations), actions=actions
    )


def faultless():
    return _dataset([_recording(0), _recording(1)])


def with_an_action_that_never_occurs():
    return _dataset([_recording(0)], actions=("walk", "run", "fly"))


def telling():
    return _dataset([_recording(0, metadata={"script": "walk"})])


def twice():
    return _dataset([_recording(0), _recording(0)])


def drawn():
    return _dataset([_recording(np.random.default_rng().integers(1_000_000))])


def at_another_rate():
    return _dataset([_recording(0)], fps=5)


DATASETS = {
    "with_an_action_that_never_occurs": "occur nowhere: fly; .*narrowed",
    "telling": "r0: the recording itself tells an action: walk",
    "twice": "ids of recordings must differ",
    "drawn": "loaded twice, a dataset must be the same",
    "at_another_rate": "labels must have its frame rate",
}


def read_well(path):
    """Three numbers a line."""
    try:
        values = np.loadtxt(path, ndmin=2, encoding="utf-8")
        if not values.size:
            raise ValueError("no numbers")
    except (ValueError, UnicodeError, UserWarning) as error:
        raise FileFormatError(f"{path}: {error}") from error
    return Recording(id=path.stem, skeleton=values[:, None], fps=10), None


def read_trustingly(path):
    rows = [line.split(b" ") for line in path.read_bytes().split(b"\n")[:-1]]
    width = len(rows[0])
    skeleton = np.array([[float(cell) for cell in row[:width]] for row in rows])[:, None]
    return Recording(id=path.stem, skeleton=skeleton, fps=10), None


def read_namelessly(path):
    try:
        return read_well(path)
    except FileFormatError as error:
        raise FileFormatError("something is wrong") from error


def read_alone(path):
    return read_well(path)[0]


def read_at_random(path):
    recording, _ = read_well(path)
    noise = np.random.default_rng().normal(size=recording.skeleton.shape)
    return replace(recording, skeleton=noise), None


def read_and_write(path):
    found = read_well(path)
    path.write_text(path.read_text() + "1 2 3\n")
    return found


READERS = {
    "read_trustingly": "an empty file: must be refused with FileFormatError, and ended with IndexError",
    "read_namelessly": "does not name 'numbers.txt'",
    "read_alone": r"must give \(Recording, Annotation or None\), not Recording",
    "read_at_random": "read twice, must give the same",
    "read_and_write": "must give the same|must leave files as they are",
}
