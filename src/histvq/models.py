"""Methods by their names, and the fitted ones that they saved."""

from pathlib import Path
from typing import Any

from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.methods import METHODS
from histvq.modelfile import read_description
from histvq.prepared import Prepared, inner, read_chain
from histvq.presets import load_preset
from histvq.registry import resolve
from histvq.remote import copies, is_remote
from histvq.segmenter import Segmenter
from histvq.supervised import SUPERVISED

# Every method by its name, with labels or without.
ALL_METHODS = {**METHODS, **SUPERVISED}
# Of a method's class, what must be there to choose, fit, save and load it.
METHOD_PARTS = ("method_name", "fit", "predict", "save", "load")


def make_method(name: str, *, preset: str | Path | None = None, **params: Any) -> Segmenter:
    """A method by its name in the table.

    Args:
        name: As `histvq`, or `ms-gcn`, whose `fit` takes annotations too; or `module:Class` of your own.
        preset: Settings to begin with.
        **params: The method's parameters; these win over the preset's.

    Raises:
        ConfigError: If there is no such method, preset or parameter, or one is out of bounds.
    """
    if preset is not None:
        chosen = load_preset(preset).method
        if chosen.name != name:
            raise ConfigError(
                f"preset {str(preset)!r} is for the method {chosen.name!r}, not {name!r}"
            )
        params = {**(chosen.model_extra or {}), **params}
    method: Segmenter = _class_of(name)(**params)
    return method


def load_model(
    path: str | Path, *, device: str | None = None, method: str | None = None
) -> Segmenter:
    """The fitted method that a method's `save` wrote, with the transforms it was fitted behind.

    Args:
        path: The folder; its address, as `s3://bucket/run/model`, will do.
        device: Where to run it; None: where it was fitted, or the CPU if that is not to be had here.
        method: The class that saved it, as `module:Class`, where that is one of your own: a file does
            not say what code runs.

    Raises:
        FileFormatError: If the folder holds no model, or a damaged one, or one of another method.
    """
    if is_remote(path):
        with copies() as made, made.errors_in_words():
            return load_model(made.bring(str(path)), device=device, method=method)
    name = read_description(path).get("method", "")
    if not isinstance(name, str) or name not in (ALL_METHODS if method is None else (method,)):
        raise FileFormatError(
            f"{path}: a model of no method that is known here: {str(name)[:60]!r}"
            f"{did_you_mean(str(name), ALL_METHODS)}. One of a class of your own needs its name, as "
            "load_model(path, method='module:Class') or --method module:Class"
        )
    loaded = _class_of(name).load(path, device=device)
    chain = read_chain(path)
    return Prepared(loaded, chain) if chain.steps else loaded


def _class_of(name: str) -> Any:
    """The class of a method by its name in the table, or written out.

    Raises:
        ConfigError: If there is none, or one of your own cannot be a method.
    """
    found = resolve(name, ALL_METHODS, kind="method")
    if not isinstance(found, type):
        raise ConfigError(f"method {name!r} is of the type {type(found).__name__}; name a class")
    if lacking := [part for part in METHOD_PARTS if not hasattr(found, part)]:
        raise ConfigError(
            f"method {name!r} lacks {', '.join(lacking)}; a class that goes on from "
            "histvq.saving.LabelFreeEstimator has all of it"
        )
    return found


def name_of(model: Any) -> str | None:
    """What `load_model` must be told of a fitted model: its class, if that is not one of ours."""
    name = inner(model).method_name
    return None if name in ALL_METHODS else str(name)


def codes_of(method: Any) -> dict[str, range]:
    """By level, the codes a fitted method can give, as far as it says."""
    n_actions = len(method.actions_) if hasattr(method, "actions_") else method.config.n_actions
    alpha = getattr(method, "alpha", None)
    fine = {} if alpha is None else {"subaction": range(n_actions * alpha)}
    return {"action": range(n_actions), **fine}
