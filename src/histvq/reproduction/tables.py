"""The tables of the paper: which rows, what sets each apart, and what the paper printed."""

import tomllib
from importlib import resources
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from histvq.errors import ConfigError, did_you_mean


class Row(BaseModel, frozen=True, extra="forbid"):
    """One row of a table.

    Attributes:
        name: What `--only` calls it.
        label: What the paper calls it.
        method: Name of the method; empty where only the paper's number is shown.
        variant: Which variant of the method's preset, see `Preset.variant`.
        changes: Parameters that differ from the preset's.
        on: Names of the datasets it has a place on; all if empty.
        paper: Dataset -> the paper's numbers, in the order of the table's scores; None where it has none.
    """

    name: str
    label: str
    method: str = ""
    variant: str = ""
    changes: dict[str, Any] = Field(default_factory=dict)
    on: tuple[str, ...] = ()
    paper: dict[str, tuple[float | str, ...]] = Field(default_factory=dict)

    def printed(self, dataset: str, n_scores: int) -> list[float | None]:
        """The paper's numbers for a dataset, None for each it does not have (`-` in the file)."""
        numbers = self.paper.get(dataset, ("-",) * n_scores)
        return [None if isinstance(number, str) else number for number in numbers]


class Table(BaseModel, frozen=True, extra="forbid"):
    """What a TOML file in `presets/tables/` says.

    Attributes:
        title: What the table is about.
        source: Where it stands.
        scores: Names of the scores, a column each.
        remark: What a reader of the outcome should know.
        budget: Scale -> parameters that all rows share at that scale, over those of the preset.
        budget_on: Dataset -> scale -> the same, for that dataset alone, over those of `budget`.
        multiples_of: Parameter -> the paper's value of it, where the rows vary a weight that holds for
            raw numbers: elsewhere its rows become multiples of the preset's own, see `plan.row_on`.
        rows: In the paper's order.
    """

    title: str
    source: str
    scores: tuple[str, ...] = ("mof", "edit", "f1@10", "f1@25", "f1@50")
    remark: str = ""
    budget: dict[str, dict[str, Any]] = Field(default_factory=dict)
    budget_on: dict[str, dict[str, dict[str, Any]]] = Field(default_factory=dict)
    multiples_of: dict[str, float] = Field(default_factory=dict)
    rows: tuple[Row, ...]

    def shared(self, scale: str, dataset: str) -> dict[str, Any]:
        """Parameters that all rows share at a scale on a dataset, over those of the preset."""
        return {
            **self.budget.get(scale, {}),
            **self.budget_on.get(dataset, {}).get(scale, {}),
        }

    def chosen(self, only: tuple[str, ...]) -> tuple[Row, ...]:
        """The rows of these names, in the table's order; all if none is named.

        Raises:
            ConfigError: If there is no such row.
        """
        known = [row.name for row in self.rows]
        for name in only:
            if name not in known:
                raise ConfigError(f"the table has no row {name!r}{did_you_mean(name, known)}")
        return tuple(row for row in self.rows if not only or row.name in only)


def table_names() -> list[str]:
    """Names of the tables that can be reproduced, `table1` first."""
    names = [
        file.name.removesuffix(".toml")
        for file in _folder().iterdir()
        if file.name.endswith(".toml")
    ]
    return sorted(names, key=lambda name: (len(name), name))


def load_table(name: str) -> Table:
    """A table by its name, as `table4`.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in (known := table_names()):
        raise ConfigError(f"no table is called {name!r}{did_you_mean(name, known)}")
    text = (_folder() / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return Table.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"table {name}: {error}") from error


def _folder() -> Any:
    return resources.files("histvq.presets") / "tables"
