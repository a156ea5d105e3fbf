"""What a method keeps to."""

import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import ConfigError, DataWarning, NotFittedError
from histvq.models import load_model, make_method
from histvq.recording import Recording
from histvq.segmenter import Segmenter
from histvq.segments import Segmentation
from histvq.testing.holding import hold, refused
from histvq.testing.made_up import easy, hard, nothing_measured

K = 3


def check_method(method: str, **params: Any) -> None:
    """Try a method on made-up recordings: fitting, answers, saving, and what real files bring.

    Args:
        method: `module:Class`, or a name of the table.
        **params: Settings that make it quick, beside `n_actions` and `random_state`.

    Raises:
        AssertionError: At the first thing that is not as it must be; the words say which.
    """

    def make(n_actions: int = K) -> Any:
        return make_method(method, n_actions=n_actions, random_state=0, **params)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        _check_settings(method, make, params)
        _check_before_fitting(make)
        fitted = _check_fit(make)
        _check_answers(make, fitted)
        _check_saved(method, fitted)
        _check_hard(make, fitted)


Make = Callable[..., Any]


def _check_settings(method: str, make: Make, params: dict[str, Any]) -> None:
    made = make()
    hold(isinstance(made, Segmenter), f"{method} has not every part of histvq.segmenter.Segmenter")
    called = made.method_name
    hold(called == method, f"method_name is {called!r} and must be {method!r}, or no model loads")
    hold(made.get_params()["n_actions"] == K, "get_params() must give settings as they were given")
    with refused(ConfigError, "a misspelt setting", naming="n_action"):
        make_method(method, n_actions=K, n_action=K, random_state=0, **params)
    with refused(ConfigError, "n_actions=0", naming="n_actions"):
        make(0)


def _check_before_fitting(make: Make) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with refused(NotFittedError, "predict before fit"):
            make().predict(easy())
        with refused(NotFittedError, "save before fit"):
            make().save(Path(folder) / "model")
    with refused(ConfigError, "fit([])"):
        make().fit([])
    with refused(ConfigError, "fit where nothing was measured anywhere"):
        make().fit([nothing_measured()])


def _check_fit(make: Make) -> Any:
    recordings = easy()
    before = [recording.skeleton.copy() for recording in recordings]
    method = make()
    hold(method.fit(recordings) is method, "fit() must return the method itself")
    answers = method.predict(recordings)
    for recording, kept in zip(recordings, before, strict=True):
        hold(np.array_equal(recording.skeleton, kept), "recordings must be left as they are")
    _same(make().fit_predict(recordings), answers, "fit_predict(X), and fit(X) then predict(X)")
    _same(make().fit(recordings).predict(recordings), answers, "two fits with one random_state")
    return method


def _check_answers(make: Make, fitted: Any) -> None:
    recordings = easy()
    answers = fitted.predict(recordings)
    hold(isinstance(answers, list), "predict() of several recordings must give a list")
    apart = [fitted.predict(recording) for recording in recordings]
    hold(
        all(isinstance(one, Segmentation) for one in apart),
        "predict() of one recording must give one Segmentation",
    )
    _same(apart, answers, "a recording answered alone, and among others")
    for recording, answer in zip(recordings, answers, strict=True):
        _check_answer(answer, recording, "an easy recording")
        hold((answer.actions >= 0).all(), "what was measured must get an action, not -1")
    only = recordings[:1]
    _check_answer(make().fit_predict(only)[0], only[0], "one recording alone")


def _check_saved(method: str, fitted: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        fitted.save(place)
        loaded: Any = load_model(place, method=method)
        hold(
            loaded.get_params() == fitted.get_params(),
            "a loaded method must have the settings of the saved one",
        )
        _same(loaded.predict(easy()), fitted.predict(easy()), "a method, and what it was saved as")


def _check_hard(make: Make, fitted: Any) -> None:
    for what, recording in hard().items():
        _check_answer(fitted.predict(recording), recording, what)
        _check_answer(make().fit_predict([*easy(), recording])[-1], recording, what)
    empty = nothing_measured()
    for answer in (fitted.predict(empty), make().fit_predict([*easy(), empty])[-1]):
        _check_answer(answer, empty, "nothing measured")
        hold((answer.actions == -1).all(), "where nothing was measured the answer must be -1")
    none = Recording(id="none", skeleton=np.zeros((0, 3, 3)), fps=10)
    with refused(ConfigError, "a recording without frames", naming="none"):
        fitted.predict(none)


def _check_answer(answer: Segmentation, recording: Recording, what: str) -> None:
    """See that an answer has a label a frame, and says whose it is."""
    hold(answer.recording_id == recording.id, f"{what}: the answer must have the recording's id")
    hold(answer.fps == recording.fps, f"{what}: the answer must have the recording's fps")
    for level, labels in (("actions", answer.actions), ("subactions", answer.subactions)):
        if labels is None:
            continue
        hold(labels.shape == (recording.n_frames,), f"{what}: {level} must be one label a frame")
        hold(np.issubdtype(labels.dtype, np.integer), f"{what}: {level} must be integers")
    hold(
        ((answer.actions >= -1) & (answer.actions < K)).all(),
        f"{what}: actions must be 0 to n_actions - 1, or -1 where nothing can be said",
    )
    if answer.confidence is not None:
        said = answer.confidence
        hold(said.shape == (recording.n_frames,), f"{what}: confidence must be one number a frame")
        hold(
            ((said >= 0) & (said <= 1)).all(), f"{what}: confidence must be from 0 to 1, never NaN"
        )


def _same(one: Sequence[Segmentation], other: Sequence[Segmentation], what: str) -> None:
    for a, b in zip(one, other, strict=True):
        alike = np.array_equal(a.actions, b.actions) and (
            np.array_equal(a.subactions, b.subactions)
            if a.subactions is not None and b.subactions is not None
            else a.subactions is b.subactions
        )
        hold(alike, f"{what}, must give the same labels; recording {a.recording_id!r} differs")
