"""When in its recording a patch happened, guessed from the quantised patch."""

from jaxtyping import Float
from torch import Tensor, nn


class TemporalDecoder(nn.Module):
    """MLP with two hidden layers on the flattened patch: one relative time a patch (section 3.1)."""

    def __init__(self, n_in: int, *, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_in, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(
        self, patches: Float[Tensor, "patch patch_frame joint latent"]
    ) -> Float[Tensor, " patch"]:
        """Relative time of each patch, 0 at the recording's start and 1 at its end."""
        return self.layers(patches.flatten(1)).squeeze(1)
