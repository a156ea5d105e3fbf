"""Are the segments as long as true ones are? What the histogram of their lengths is drawn from."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError
from histvq.metrics.jsd import BIN_FRAMES
from histvq.metrics.pairs import LabelPairs
from histvq.report.analysis.spans import segments_of
from histvq.report.frames import check_in_step, truth_by_recording
from histvq.segments import Segmentation

if TYPE_CHECKING:
    import pandas as pd


def segment_lengths(
    answers: Sequence[Segmentation],
    annotations: Iterable[Annotation] | None = None,
    *,
    bin_frames: int = BIN_FRAMES,
) -> "pd.DataFrame":
    """One row a bin of lengths: `start_frame`, `stop_frame` and how many segments are `found`.

    With annotations there is a column `true` besides, and recordings and frames without a true label
    are left out, as they are of the scores; a run of frames without an answer then counts as a segment.
    Which action a segment has does not matter. Bins are half-open, from 0 to the longest segment.

    Source: HiST-VQ, Fig. 3 (20 frames a bin), over all recordings together.
    Units: frames, of whatever rate each recording has.

    Raises:
        ConfigError: If `bin_frames` is below 1.
        ValueError: If an annotation has not as many frames as its answer.
    """
    import pandas as pd

    if bin_frames < 1:
        raise ConfigError(f"bin_frames {bin_frames}: expected 1 or more")
    lengths = _lengths(answers, truth_by_recording(annotations or ()))
    bins = {name: np.bincount(values // bin_frames) for name, values in lengths.items()}
    n_bins = max(map(len, bins.values()))
    starts = np.arange(n_bins) * bin_frames
    counts = {name: np.pad(count, (0, n_bins - len(count))) for name, count in bins.items()}
    return pd.DataFrame({"start_frame": starts, "stop_frame": starts + bin_frames, **counts})


def _lengths(
    answers: Sequence[Segmentation], known: dict[str, Annotation]
) -> dict[str, np.ndarray]:
    """Frames of each segment found, and of each true one where there is a truth."""
    if not known:
        segments = segments_of(answers)
        return {"found": segments.stop - segments.start}
    both = [(a, known[a.recording_id]) for a in answers if a.recording_id in known]
    for answer, truth in both:
        check_in_step(answer, truth)
    if not both:
        return {"found": np.empty(0, dtype=int), "true": np.empty(0, dtype=int)}
    pairs = LabelPairs.build([a.actions for a, _ in both], [t.labels for _, t in both])
    return {"found": pairs.matched_runs.length, "true": pairs.true_runs.length}
