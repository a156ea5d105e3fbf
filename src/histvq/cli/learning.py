"""What `run` and `fit` share: which method is meant, and what it learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from histvq import console
from histvq.errors import ConfigError
from histvq.methods import METHODS
from histvq.supervised import SUPERVISED

if TYPE_CHECKING:
    from histvq.annotation import Annotation
    from histvq.io import Readings

VALIDATED = {"mof": "MoF", "edit": "Edit", "f1@50": "F1@50"}


def method_of(
    name: str | None,
    preset: str | None,
    actions: int | None,
    patch_seconds: float | None,
    seed: int,
    settings: list[str] | None,
    transforms: list[str] | None,
) -> Any:
    """The method named on the command line, with its settings and the transforms before it.

    Raises:
        ConfigError: If there is no such method or setting, or nobody says how many actions to find.
    """
    from histvq.experiment import load_preset, make_method
    from histvq.prepared import prepared

    name = name or (load_preset(preset).method.name if preset else "histvq")
    if name in SUPERVISED and actions is not None:
        raise ConfigError(
            f"-k {actions}: {name} learns the actions that are labelled; leave -k out"
        )
    if name in METHODS and actions is None and preset is None:
        raise ConfigError("say how many actions to find, as -k 8")
    given = {"n_actions": actions, "patch_seconds": patch_seconds, "random_state": seed}
    params = {key: value for key, value in given.items() if value is not None}
    made = make_method(name, preset=preset, **{**params, **_parsed(settings or [])})
    return prepared(made, transforms or [])


def is_supervised(method: Any) -> bool:
    """Whether a method learns from labels."""
    from histvq.prepared import inner
    from histvq.supervised.learning import SupervisedEstimator

    return isinstance(inner(method), SupervisedEstimator)


def labels_for(readings: "Readings", labels: Path | None) -> "Sequence[Annotation | None]":
    """The labels of a table, or those the files brought along.

    Raises:
        ConfigError: If there is no table, and the files have none.
        FileFormatError: If the table is at fault.
    """
    from histvq.io.segment_table import read_labels

    if labels is not None:
        return read_labels(labels, readings.recordings)
    if not any(a is not None for a in readings.annotations):
        raise ConfigError(
            "the files hold no labels to learn from; give a table of them, as --labels segments.csv"
        )
    return readings.annotations


def tell_learned(model: Any, n_recordings: int) -> None:
    """What was learned, and by whom it was checked."""
    n_used, n_held = model.n_recordings_, len(model.held_out_)
    if n_used < n_recordings:
        console.say(f"{n_recordings - n_used} recordings have no labels and were left aside")
    console.say(f"{len(model.actions_)} actions: {', '.join(model.actions_)}")
    kept = f"kept epoch {model.kept_epoch_} of {model.n_iter_}"
    if not n_held:
        console.say(f"learned from {n_used} recordings, nobody held out; {kept}")
        return
    scores = model.history_[model.kept_epoch_ - 1]
    said = ", ".join(f"{name} {scores[key]:.1f}" for key, name in VALIDATED.items())
    console.say(f"learned from {n_used - n_held} recordings, {n_held} held out: {said}; {kept}")


def _parsed(settings: list[str]) -> dict[str, Any]:
    """`["alpha=3", "keep=last"]` as parameters; values are read as YAML."""
    import yaml

    parsed = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}: write it as --set name=value, as --set alpha=3")
        try:
            parsed[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting}: the value cannot be read ({error})") from error
    return parsed
