"""What a study is: a base and rows that change its settings, from a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from benchmarks.accuracy.data import Data
from histvq.errors import ConfigError

# TOML has no word for None: a setting that a row sets to this is left at the method's default.
UNSET = "unset"


class Start(BaseModel, frozen=True, extra="forbid"):
    """A method with its settings.

    Attributes:
        name: What the row is called.
        method: The method.
        preset: Its preset, by name or as a TOML file; none: the method's own defaults.
        settings: Win over the preset's.
    """

    name: str
    method: str
    preset: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class Change(BaseModel, frozen=True, extra="forbid"):
    """A row that differs from another in some settings."""

    name: str
    settings: dict[str, Any]


class Study(BaseModel, frozen=True, extra="forbid"):
    """Rows to compare.

    Attributes:
        title: What is asked.
        dataset: Name of the dataset.
        kind: `one at a time`, each row the base but for its settings; `ladder`, each row the one above
            but for its settings.
        base: What all rows begin with.
        rows: A method of its own (`method`) stands beside the others and is compared with the base.
        ends_at: Of a ladder: the preset that its last step must arrive at, setting by setting.
    """

    title: str
    dataset: str
    kind: Literal["one at a time", "ladder"]
    base: Start
    rows: tuple[Start | Change, ...]
    ends_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row with every setting spelled out, and the row it is compared with."""

    name: str
    method: str
    params: dict[str, Any]
    changes: dict[str, Any]
    against: str | None


def read_study(place: Path) -> Study:
    """A study from its file.

    Raises:
        ConfigError: If there is none, or it does not say what a study must.
    """
    try:
        study = Study.model_validate(tomllib.loads(place.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"study {place}: {error}") from error
    names = [study.base.name, *(row.name for row in study.rows)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"study {place}: several rows are called {twice[0]!r}; name them apart")
    return study


def rows_of(study: Study, data: Data) -> list[Row]:
    """The rows with their settings, base first.

    Raises:
        ConfigError: If a row's settings are not those of its method, or a ladder does not end where it
            says; names the row.
    """
    rows = [_own(study.base, data, against=None)]
    above = rows[0]
    for given in study.rows:
        if isinstance(given, Start):
            rows.append(_own(given, data, against=study.base.name))
            continue
        before = above if study.kind == "ladder" else rows[0]
        try:
            changed = {**before.params, **given.settings}
            kept = {name: value for name, value in changed.items() if value != UNSET}
            params = data.params(before.method, **kept)
        except ConfigError as error:
            raise ConfigError(f"row {given.name!r}: {error}") from error
        rows.append(
            Row(
                name=given.name,
                method=before.method,
                params=params,
                changes=given.settings,
                against=before.name,
            )
        )
        above = rows[-1]
    if study.ends_at is not None:
        _check_end(above, data.params(above.method, study.ends_at), study.ends_at)
    return rows


def _own(start: Start, data: Data, *, against: str | None) -> Row:
    try:
        params = data.params(start.method, start.preset, **start.settings)
    except ConfigError as error:
        raise ConfigError(f"row {start.name!r}: {error}") from error
    preset = {} if start.preset is None else {"preset": start.preset}
    return Row(
        name=start.name,
        method=start.method,
        params=params,
        changes={**preset, **start.settings},
        against=against,
    )


def _check_end(last: Row, wanted: dict[str, Any], preset: str) -> None:
    # How many actions there are is a matter of the data, and not every preset says it.
    differ = [n for n, value in wanted.items() if n != "n_actions" and last.params[n] != value]
    if differ:
        words = ", ".join(f"{n} = {last.params[n]!r}, not {wanted[n]!r}" for n in differ)
        raise ConfigError(
            f"the ladder should end at the preset {preset!r}, but in its last row {last.name!r} {words}"
        )
