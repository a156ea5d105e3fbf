"""What the description of a model may say of what was learned: of which sort, in which bounds."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AllowInfNan,
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from histvq.errors import FileFormatError

MOST = 10**6  # joints, actions, frames of a patch: more than any model has

_Count = Annotated[int, Field(ge=1, le=MOST)]
_Place = Annotated[int, Field(ge=0, le=MOST)]
_Positive = Annotated[PositiveFloat, AllowInfNan(False)]
_Names = Annotated[list[str], Field(min_length=1, max_length=MOST)]


class _Strict(BaseModel, frozen=True, extra="forbid", strict=True):
    """Values of exactly these sorts."""


class _Layout(_Strict, frozen=True):
    joint_names: _Names
    channel_names: _Names
    joint_persons: list[_Place] | None
    unit: str


class _Graph(_Strict, frozen=True):
    edges: list[Annotated[list[_Place], Field(min_length=2, max_length=2)]]
    centres: list[_Place]


class _Statistics(_Strict, frozen=True):
    kind: str
    patch_seconds: _Positive
    window_seconds: _Positive
    own_mean: Literal["person", "recording", "none"]
    persons: list[str]


_SORTS: dict[str, Any] = {
    "actions": _Names,
    "centred": bool,
    "fps": Annotated[float, Field(ge=1e-3, le=1e6)],
    "graph": _Graph,
    "held_out": list[str],
    "history": list[dict[str, float]],
    "imported": bool,
    "kept_epoch": NonNegativeInt,
    "layout": _Layout,
    "n_actions": _Count,
    "n_recordings": NonNegativeInt,
    "patch_frames": Annotated[PositiveInt, Field(le=MOST)],
    "persons": list[str],
    "seed": int,
    "statistics": _Statistics,
}


def check_described(description: Mapping[str, Any]) -> None:
    """See that what a description says of what was learned can be worked with.

    Raises:
        FileFormatError: If a value is of another sort, or out of all bounds; names it.
    """
    if not isinstance(description.get("params"), Mapping):
        raise FileFormatError("params: expected the method's settings by name")
    for name in _SORTS.keys() & description.keys():
        try:
            _sort(name).validate_python(description[name], strict=True)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, (name, *fault["loc"])))
            raise FileFormatError(
                f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
            ) from error


@cache
def _sort(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_SORTS[name])
