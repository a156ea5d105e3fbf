"""Edit score: are the actions there, in the right order?"""

import numpy as np
from rapidfuzz.distance import Levenshtein

from histvq.metrics.pairs import LabelPairs


def edit_score(pairs: LabelPairs) -> float:
    """Likeness of the order of segments, in percent, averaged over recordings.

    How long a segment is does not count; a segment too many or too few does.

    Source: HiST-VQ section 4, evaluation metrics (Edit); as in its baselines, the distance is
        divided by the length of the longer sequence. Recordings without a scored frame are left
        out of the mean.
    """
    # Labels are shifted by one: Python hashes -1 and -2 alike, and rapidfuzz compares hashes.
    matched, true = (
        runs.per_recording(runs.label + 1, pairs.n_recordings)
        for runs in (pairs.matched_runs, pairs.true_runs)
    )
    return 100 * float(
        np.mean(
            [
                Levenshtein.normalized_similarity(m.tolist(), t.tolist())
                for m, t in zip(matched, true, strict=True)
                if len(t)
            ]
        )
    )
