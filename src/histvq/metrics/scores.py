"""The scores of one evaluation, and how it was done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from histvq.errors import ConfigError
from histvq.metrics import METRICS
from histvq.metrics.matching import contingency, translate
from histvq.metrics.mof import mean_over_frames_apart
from histvq.metrics.pairs import LabelPairs
from histvq.registry import resolve

if TYPE_CHECKING:
    import pandas as pd

MATCHING_IN_WORDS = {
    "global": "one Hungarian matching of codes to actions over all recordings",
    "recording": "one Hungarian matching for each recording by itself; flatters, compare with care",
    None: "none: codes stand for the actions of their names, or are indices of them",
}
TITLES = {"mof": "MoF", "edit": "Edit", "jsd": "JSD"}


@dataclass(frozen=True, eq=False)
class Scores:
    """Every score of one evaluation, in percent, and how it was done.

    Attributes:
        values: Name of the score -> percent. JSD: lower is better.
        protocol: What was compared and how, in plain words and counts.
        actions: Names of the true actions.
        matches: Recording -> code -> label, as `match_codes` gives it; the same for every
            recording unless each was matched by itself.
        pairs: The labels that were scored.
    """

    values: Mapping[str, float]
    protocol: Mapping[str, object]
    actions: tuple[str, ...]
    matches: Mapping[str, Mapping[int, int]] = field(repr=False)
    pairs: LabelPairs = field(repr=False)

    @property
    def mof(self) -> float:
        """Frames given the right action."""
        return self._value("mof")

    @property
    def edit(self) -> float:
        """Likeness of the order of segments."""
        return self._value("edit")

    @property
    def f1(self) -> dict[int, float]:
        """Segmental F1 by IoU threshold in percent."""
        return {int(name[3:]): value for name, value in self.values.items() if name[:3] == "f1@"}

    @property
    def jsd(self) -> float:
        """Distance between predicted and true segment lengths; lower is better."""
        return self._value("jsd")

    @property
    def matched_apart(self) -> bool:
        """Whether each recording was matched by itself."""
        return self.protocol["matching"] == MATCHING_IN_WORDS["recording"]

    @property
    def matched(self) -> dict[int, str]:
        """Code -> name of its action; surplus codes are missing.

        Empty where each recording was matched by itself: see `matches`.
        """
        if self.matched_apart:
            return {}
        matches = next(iter(self.matches.values()))
        n_actions = len(self.actions)
        return {code: self.actions[i] for code, i in sorted(matches.items()) if i < n_actions}

    def per_recording(self, names: Iterable[str] | None = None) -> "pd.DataFrame":
        """The same scores, or these of them, for each recording by itself, under the same matching."""
        import pandas as pd

        wanted = list(self.values if names is None else names)
        columns = {name: self._apart(name) for name in wanted if name in self.values}
        index = pd.Index(self.pairs.recordings, name="recording")
        return pd.DataFrame({"n_frames": np.diff(self.pairs.bounds), **columns}, index=index)

    def _apart(self, name: str) -> Sequence[float] | np.ndarray:
        """One score of each recording; NaN where none of its frames is scored."""
        if name == "mof":  # what a report asks of thousands
            return mean_over_frames_apart(self.pairs)
        function = resolve(name, METRICS, kind="metric")
        each = (self.pairs.only(number) for number in range(self.pairs.n_recordings))
        return [float(function(one)) if one.n_frames else np.nan for one in each]

    def confusion(self) -> "pd.DataFrame":
        """Frames by true action (row) and matched action (column).

        Surplus codes have a column each, or one together where each recording was matched by itself;
        frames without an answer have the last.
        """
        import pandas as pd

        n_actions, labels = len(self.actions), self.pairs.matched
        surplus = {
            label: "surplus codes" if self.matched_apart else f"cluster {code}"
            for matches in self.matches.values()
            for code, label in matches.items()
            if label >= n_actions
        }
        if self.matched_apart and surplus:  # each recording numbers its own: as one label
            labels, surplus = np.minimum(labels, n_actions), {n_actions: "surplus codes"}
        names = [*self.actions, *(surplus[label] for label in sorted(surplus)), "no answer"]
        place = {label: i for i, label in enumerate([*range(n_actions), *sorted(surplus)])}
        columns = np.where(labels < 0, len(names) - 1, translate(labels, place))
        return pd.DataFrame(
            contingency(self.pairs.true, columns, n_codes=n_actions, n_actions=len(names)),
            index=pd.Index(self.actions, name="true"),
            columns=pd.Index(names, name="matched"),
        )

    def to_dict(self) -> dict[str, object]:
        """Scores, protocol and matching as JSON can hold them."""
        return {
            "scores": dict(self.values),
            "protocol": dict(self.protocol),
            "actions": list(self.actions),
            "matched": {str(code): name for code, name in self.matched.items()},
        }

    def __str__(self) -> str:
        return "  ".join(
            f"{TITLES.get(name, name.replace('f1@', 'F1@'))} {value:.1f}"
            for name, value in self.values.items()
        )

    def _value(self, name: str) -> float:
        if name not in self.values:
            raise ConfigError(f"{name!r} was not computed: add it to evaluate(..., metrics=[...])")
        return self.values[name]
