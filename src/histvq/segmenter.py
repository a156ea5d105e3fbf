"""What every method is: the protocol, and scikit-learn's contract for its parameters."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    Self,
    overload,
    runtime_checkable,
)

from pydantic import (
    AllowInfNan,
    BaseModel,
    NonNegativeFloat,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    WrapValidator,
)

from histvq.errors import ConfigError, NotFittedError, did_you_mean
from histvq.recording import Recording
from histvq.segments import Segmentation


@dataclass(frozen=True)
class Progress:
    """How far a fit has come; handed to a method's `progress` callback.

    Attributes:
        epoch: Epoch, from 0.
        epochs: How many at most.
        batch: Batches done in this epoch.
        batches: Batches in an epoch.
        losses: Mean of each loss term since the epoch began.
        scores: What was measured at the end of the epoch, else empty; only supervised methods use labels.
        epoch_over: Whether this is the last word on its epoch.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    losses: dict[str, float]
    scores: dict[str, float] = field(default_factory=dict)
    epoch_over: bool = False


ProgressCallback = Callable[[Progress], None]

AUTO = "auto"
if TYPE_CHECKING:
    # Whoever asks a fitted method's settings gets a number: see `saving.LabelFreeEstimator.config`.
    ActionCount = int
    Seconds = float | Literal["auto"]
    NonNegative = float | Literal["auto"]
else:
    # Not a union: of a wrong value, pydantic would complain twice.
    _OR_AUTO = (
        WrapValidator(lambda value, check: AUTO if value == AUTO else check(value)),
        PlainSerializer(lambda value: value),
    )
    ActionCount = Annotated[(PositiveInt, *_OR_AUTO)]
    # Nothing infinite: JSON has no word for it, and models are saved as JSON.
    Seconds = Annotated[(PositiveFloat, AllowInfNan(False), *_OR_AUTO)]
    NonNegative = Annotated[(NonNegativeFloat, AllowInfNan(False), *_OR_AUTO)]


@runtime_checkable
class Segmenter(Protocol):
    """A method that finds the actions in recordings nobody has labelled."""

    def fit(
        self, recordings: Sequence[Recording], *, progress: ProgressCallback | None = None
    ) -> Self:
        """Learn the actions of these recordings."""
        ...

    @overload
    def predict(self, recordings: Recording) -> Segmentation: ...
    @overload
    def predict(self, recordings: Sequence[Recording]) -> list[Segmentation]: ...
    def predict(
        self, recordings: Recording | Sequence[Recording]
    ) -> Segmentation | list[Segmentation]:
        """One action (and subaction) per original frame, for one recording or several."""
        ...

    def fit_predict(self, recordings: Sequence[Recording]) -> list[Segmentation]:
        """`fit`, then `predict` on the same recordings."""
        ...

    def save(self, path: str | Path) -> None:
        """Write the fitted method to a folder: JSON and safetensors, no pickle."""
        ...

    @classmethod
    def load(cls, path: str | Path, *, device: str | None = None) -> Self:
        """The fitted method that `save` wrote, on another device if one is named."""
        ...


class Estimator:
    """scikit-learn's contract without scikit-learn: the constructor only stores and checks.

    A subclass names its settings once, in a frozen pydantic model `Config`; names, defaults, bounds,
    signature and documentation all come from there. Learned state ends in `_`.
    """

    Config: ClassVar[type[BaseModel]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if config := cls.__dict__.get("Config"):
            cls.__signature__ = _plain_signature(config)  # type: ignore[attr-defined]
            cls.__doc__ = f"{inspect.getdoc(cls)}\n\nParameters:{_settings_doc(config)}"

    def __init__(self, **params: Any) -> None:
        for name, field_info in self.Config.model_fields.items():
            if not field_info.is_required():
                params.setdefault(name, field_info.get_default(call_default_factory=True))
        self.__dict__.update(params)
        self._check(params)

    def _check(self, params: dict[str, Any]) -> BaseModel:
        owner = type(self).__name__
        try:
            return self.Config(**params)
        except ValidationError as error:
            faults = [_fault(e, self.Config.model_fields) for e in error.errors()]
            raise ConfigError(f"{owner}: " + "; ".join(faults)) from None

    @property
    def config(self) -> Any:
        """The parameters as the checked, frozen settings object."""
        return self._check(self.get_params())

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, as given."""
        return {name: self.__dict__[name] for name in self.Config.model_fields}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; all are checked before any is changed."""
        self._check({**self.get_params(), **params})
        self.__dict__.update(params)
        return self

    def __repr__(self) -> str:
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if self.Config.model_fields[name].is_required()
            or value != self.Config.model_fields[name].default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _require_fitted(self, attribute: str) -> None:
        if not hasattr(self, attribute):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet: call fit(recordings) first, or "
                "load a saved one with histvq.load_model(path)"
            )


def _settings_doc(config: type[BaseModel]) -> str:
    """What the settings mean: those a config inherits first, as in its signature."""
    documented = [base for base in reversed(config.__mro__) if issubclass(base, BaseModel)]
    parts = [(inspect.getdoc(base) or "").partition("Attributes:")[2] for base in documented[1:]]
    return "".join(part.rstrip() for part in parts)


def _plain_signature(config: type[BaseModel]) -> inspect.Signature:
    """The settings as keyword arguments, without the bounds that stand in their types."""
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if info.is_required() else info.get_default(),
        )
        for name, info in config.model_fields.items()
    ]
    return inspect.Signature(parameters)


def _fault(error: Any, fields: dict[str, Any]) -> str:
    """One pydantic complaint in plain words."""
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no parameter {name!r}{did_you_mean(name, fields)}"
    if error["type"] == "missing":
        return f"{name} is required, as {name}=10"
    if not name:
        return error["msg"].removeprefix("Value error, ")
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}={error['input']!r}: {message[0].lower()}{message[1:]}"
