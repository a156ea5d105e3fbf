"""Find the actions in motion recordings nobody has labelled.

The public names below are imported when first used, so `import histvq` costs nothing and everything
but fitting and predicting runs without importing torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from histvq.annotation import Annotation
    from histvq.checkpoints import import_checkpoint
    from histvq.datasets import Dataset, load_dataset
    from histvq.evaluation import Scores, evaluate
    from histvq.io import read
    from histvq.methods.histvq import HiSTVQ
    from histvq.methods.smq import SMQ
    from histvq.methods.window_kmeans import WindowKMeans
    from histvq.models import load_model, make_method
    from histvq.onnx_model import export_onnx
    from histvq.recording import Recording
    from histvq.segments import Segmentation

__version__ = "0.1.0"

_HOME = {
    "Annotation": "histvq.annotation",
    "Dataset": "histvq.datasets",
    "HiSTVQ": "histvq.methods.histvq",
    "Recording": "histvq.recording",
    "SMQ": "histvq.methods.smq",
    "Scores": "histvq.evaluation",
    "Segmentation": "histvq.segments",
    "WindowKMeans": "histvq.methods.window_kmeans",
    "evaluate": "histvq.evaluation",
    "export_onnx": "histvq.onnx_model",
    "import_checkpoint": "histvq.checkpoints",
    "load_dataset": "histvq.datasets",
    "load_model": "histvq.models",
    "make_method": "histvq.models",
    "read": "histvq.io",
}

__all__ = [
    "SMQ",
    "Annotation",
    "Dataset",
    "HiSTVQ",
    "Recording",
    "Scores",
    "Segmentation",
    "WindowKMeans",
    "evaluate",
    "export_onnx",
    "import_checkpoint",
    "load_dataset",
    "load_model",
    "make_method",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'histvq' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
