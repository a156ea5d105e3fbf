"""Published weights of others -> one of our methods, fitted."""

from pathlib import Path

from histvq.recording import Recording
from histvq.registry import resolve
from histvq.segmenter import Segmenter

CHECKPOINTS = {
    "ms-gcn": "histvq.checkpoints.msgcn:import_msgcn",
    "smq": "histvq.checkpoints.smq:import_smq",
}


def import_checkpoint(kind: str, path: str | Path, *, like: Recording | None = None) -> Segmenter:
    """Published weights as one of our methods, fitted.

    Args:
        kind: Whose weights: a name of `CHECKPOINTS`.
        path: The file.
        like: A recording of the sort the weights are for: its joints, channels, unit and rate. Not
            needed for datasets that the weights' shapes give away.

    Raises:
        ConfigError: If nobody knows the kind, or the recording does not fit the weights.
        FileFormatError: If the file holds no such weights.
    """
    found: Segmenter = resolve(kind, CHECKPOINTS, kind="sort of checkpoint")(path, like=like)
    return found
