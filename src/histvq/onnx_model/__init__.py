"""A fitted method -> a file that onnxruntime answers with, where there is neither histvq nor PyTorch.

The file holds the encoder and the codebooks; decoders are for learning. Its input is one recording as
the method takes it; what must be done before is told in the file's metadata.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from warnings import warn

from histvq.errors import ConfigError, DataWarning
from histvq.methods import METHODS
from histvq.patchwise import PatchwiseEstimator
from histvq.prepared import Prepared, inner
from histvq.registry import resolve
from histvq.report.naming import Names
from histvq.writing import write_bytes


def export_onnx(
    model: Any,
    path: str | Path,
    *,
    roots: Sequence[str] = (),
    names: Names | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a fitted method's encoder and codebooks as an ONNX file.

    Input `skeleton`: float32 (frame, joint, channel), one recording of one frame or more at the
    method's rate and in its unit, NaN where nothing was measured. Outputs, a value a patch: `actions`
    and, with more than one level, `subactions` (int64, -1 where nothing was measured), `confidence`
    (float32). Metadata: see `histvq.onnx_model.about.described`.

    Args:
        model: A fitted method that answers patch by patch.
        path: The file; its folder is made.
        roots: Each person's root joint by name, where the method centres on it.
        names: What a person calls the actions, to be written into the metadata.
        overwrite: Replace the file should it exist.

    Returns:
        The file.

    Raises:
        ConfigError: If onnx is not installed, the method has no patches, the roots are not what it
            needs, or the file exists and is not to be overwritten.
        NotFittedError: If the method is not fitted.

    Warns:
        DataWarning: If the method stands behind transforms: they are not in the file.
    """
    path, method = Path(path), inner(model)
    if not isinstance(method, PatchwiseEstimator):
        raise ConfigError(
            f"{getattr(method, 'method_name', type(method).__name__)} does not answer patch by patch, so "
            f"it cannot be exported; methods that can: {', '.join(_patchwise())}"
        )
    method._require_fitted("network_")
    if method.front_end_ is not None or method.decision_ is not None:
        raise ConfigError(
            "what this model does before and after its network (window statistics, answers that last) "
            "does not fit an ONNX file; export one that takes motion and answers patch by patch, as "
            "HiSTVQ does without a preset (histvq fit --method histvq)"
        )
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ConfigError('ONNX files need onnx: pip install "histvq[onnx]"') from error
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name a file, as {path / 'model.onnx'}")
    if path.exists() and not overwrite:
        raise ConfigError(
            f"{path} is there already; choose another file with -o, or replace it with --overwrite"
        )
    from histvq.onnx_model.about import described
    from histvq.onnx_model.writing import model_of

    steps = model.chain.steps if isinstance(model, Prepared) else ()
    made = model_of(
        method, roots=roots, metadata=described(method, roots=roots, steps=steps, names=names)
    )
    if steps:
        warn(
            "not in the file: what is done to recordings before the method sees them. Do it before "
            f"onnxruntime does the rest, in this order: {', '.join(steps)}",
            DataWarning,
            stacklevel=2,
        )
    return write_bytes(path, made.SerializeToString())


def _patchwise() -> list[str]:
    """Names of the methods that can be exported."""
    classes = {name: resolve(name, METHODS, kind="method") for name in METHODS}
    return [name for name, kind in classes.items() if issubclass(kind, PatchwiseEstimator)]
