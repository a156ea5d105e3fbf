"""Models whose answers differ from patch to patch, without the training that would take."""

from typing import Any

import torch

from histvq.recording import Recording


def spread(model: Any, recording: Recording) -> Any:
    """The model with its prototypes put on patches of a recording, evenly spaced.

    Trained for an epoch or two, most models give every patch one code, which no test could tell from
    another model's.
    """
    prepared = model._prepare(recording)
    batch = model._pack([(prepared, (0, prepared.n_frames))])
    with torch.no_grad():
        patches = model.network_.encode(batch.skeleton, batch.real).patches
    for codebook in model.network_.quantiser.codebooks:
        chosen = torch.linspace(0, len(patches) - 1, len(codebook.usage)).long()
        codebook.prototypes = patches[chosen]
        codebook.seen[:] = True
    return model
