"""What a small YAML beside a table says of its columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, PositiveInt, ValidationError

from histvq.errors import FileFormatError, did_you_mean
from histvq.reading import read_yaml

FOR_ALL = "table.yaml"
FOR_ONE = ".table.yaml"
MOST_ROWS = 1_000_000  # to pass over at the start
_SEPARATOR_WORDS = {"comma": ",", "semicolon": ";", "tab": "\t"}


class TimeNotes(BaseModel, frozen=True, extra="forbid", strict=True):
    """The column of times, and the unit it counts in."""

    column: str
    unit: Literal["s", "ms", "us", "ns"] | None = None


class TableNotes(BaseModel, frozen=True, extra="forbid", strict=True):
    """What is to know of a table beyond its column names; everything may be left out.

    Attributes:
        joints: Columns of a wide table: by joint, then by channel.
        channels: Columns by channel, of a long table or of one with a single joint.
        joint: Name of the single joint of a table without joints.
        joint_column: Column of a long table with the joint's name.
        person_column: Column with the person's name.
        frame: Column of frame numbers.
        time: Column of times, or that and its unit.
        label: Column of action names.
        ignore: Columns to leave out without a word.
        unit: Of the positions, or of whatever sensors measure.
        fps: Frames a second.
        parents: The joint each joint hangs on; joints not named are roots.
        skip_rows: How many lines to pass over at the start, or the numbers of the lines.
        separator: Between cells: comma, semicolon or tab, as a word or itself.
        decimal: Before the fraction of a number.
        missing: What stands for missing values, besides empty cells and the like.
    """

    joints: dict[str, dict[str, str]] = Field(default_factory=dict)
    channels: dict[str, str] = Field(default_factory=dict)
    joint: str | None = None
    joint_column: str | None = None
    person_column: str | None = None
    frame: str | None = None
    time: str | TimeNotes | None = None
    label: str | None = None
    ignore: list[str] = Field(default_factory=list)
    unit: str | None = None
    fps: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    parents: dict[str, str | None] = Field(default_factory=dict)
    skip_rows: Annotated[int, Field(ge=0, le=MOST_ROWS)] | list[PositiveInt] = 0
    separator: Literal[",", ";", "\t", "comma", "semicolon", "tab"] | None = None
    decimal: Literal[".", ","] | None = None
    missing: list[str | int | float] = Field(default_factory=list)

    @property
    def skipped(self) -> frozenset[int]:
        """Numbers of the lines to pass over."""
        lines = self.skip_rows
        return frozenset(lines) if isinstance(lines, list) else frozenset(range(1, lines + 1))

    @property
    def separator_itself(self) -> str | None:
        """The separator as it stands in the file."""
        return _SEPARATOR_WORDS.get(self.separator or "", self.separator)

    @property
    def time_column(self) -> str | None:
        """Name of the column of times."""
        return self.time.column if isinstance(self.time, TimeNotes) else self.time

    @property
    def time_unit(self) -> str | None:
        """What the column of times counts in."""
        return self.time.unit if isinstance(self.time, TimeNotes) else None


def find_notes(table: Path, stem: str) -> Path | None:
    """`<stem>.table.yaml`, else `table.yaml`, of the table's folder, if there is one."""
    own = table.with_name(stem + FOR_ONE)
    return next((file for file in (own, table.with_name(FOR_ALL)) if file.is_file()), None)


def read_notes(source: Path | Mapping[str, Any]) -> TableNotes:
    """Notes from a YAML file, or from the same keys and values as a mapping.

    Raises:
        FileFormatError: If it is no YAML, or a key is unknown or its value wrong; names the key.
    """
    where = "columns" if isinstance(source, Mapping) else str(source)
    content = source if isinstance(source, Mapping) else _loaded(source)
    if not isinstance(content, Mapping):
        raise FileFormatError(
            f"{where}: {type(content).__name__}, expected keys and values, as `unit: mm`; keys are "
            f"{', '.join(TableNotes.model_fields)}"
        )
    try:
        notes = TableNotes.model_validate(dict(content))
    except ValidationError as error:
        raise FileFormatError(f"{where}: {_faults(error)}") from error
    if notes.joints and (notes.channels or notes.joint_column):
        raise FileFormatError(
            f"{where}: joints beside {'channels' if notes.channels else 'joint_column'}; name the "
            "columns of a wide table under joints, those of a long one under channels"
        )
    return notes


def _loaded(path: Path) -> object:
    return read_yaml(path, _NoKeyTwice)


class _NoKeyTwice(yaml.SafeLoader):
    """Plain YAML, but a key that stands twice is an error: the second would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                line = node.value[place][0].start_mark.line + 1
                raise yaml.YAMLError(f"key {key!r} a second time in line {line}")
        return super().construct_mapping(node, deep=deep)


def _faults(error: ValidationError) -> str:
    """What is wrong, key by key."""
    faults = {}
    for fault in error.errors():
        places = [str(part) for part in fault["loc"] if part not in _KINDS]
        key = ".".join(places)
        if fault["type"] == "extra_forbidden":
            known = TableNotes if len(places) == 1 else TimeNotes
            faults[key] = f"no key {key!r}{did_you_mean(places[-1], known.model_fields)}"
        else:
            found = repr(fault["input"])[:40]
            faults.setdefault(key, f"{key}: {found}; {fault['msg']}")
    return "; ".join(faults.values())


# Parts of pydantic's places that are no keys of ours but name the kind that was tried.
_KINDS = {
    "str", "int", "float", "TimeNotes", "constrained-int", "list[constrained-int]", "[key]",
}  # fmt: skip
