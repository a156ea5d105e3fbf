"""What must be known to use an exported model, beside its graph."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from histvq.nn.tcn import reach_frames
from histvq.patchwise import PatchwiseEstimator
from histvq.report.naming import Named, Names


def described(
    method: PatchwiseEstimator,
    *,
    roots: Sequence[str],
    steps: Sequence[str],
    names: Names | None,
) -> dict[str, Any]:
    """What an ONNX file says of itself in its metadata, as JSON under the key `histvq`.

    What the input must be: `fps`, `joint_names`, `joint_persons`, `channel_names`, `unit`. What is to be
    done before: `transforms`, steps in order; `anti_alias`, whether recordings of a higher rate are
    low-passed when they are brought to `fps`. What is done inside: `roots`, joints the graph centres on;
    `patch_frames`; `reach_frames`, how many frames to either side of a patch its answer depends on.
    What comes out: `method`, `n_actions`, `n_subactions` (null with one level), `names` and
    `subaction_names` (code -> name, of those that have one). `version` is that of histvq.
    """
    names = names or Names()
    quantiser = method.network_.quantiser
    return {
        "version": metadata.version("histvq"),
        "method": method.method_name,
        "fps": method.fps_,
        "anti_alias": method.config.fps is None,
        "patch_frames": method.patch_frames_,
        "reach_frames": reach_frames(
            method.config.n_layers, n_stages=len(method.network_.encoder.stages)
        ),
        **method.layout_,
        "roots": list(roots),
        "transforms": list(steps),
        "n_actions": method.config.n_actions,
        "n_subactions": len(quantiser.actions()) if len(quantiser.codebooks) > 1 else None,
        "names": _plain(names.actions),
        "subaction_names": _plain(names.subactions),
    }


def _plain(names: Mapping[int, Named]) -> dict[str, str]:
    return {str(code): named.name for code, named in sorted(names.items()) if named.name}
