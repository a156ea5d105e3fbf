"""The losses of HiST-VQ, eqs. (5)-(8), over real values only.

Where processes share a batch out (see `nn.peers`), a mean is over the whole batch: each gives its own
values' share of it, and the loss is the sum of what they give.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from histvq.nn.peers import peers

REDUCTIONS = ("mean", "sum")
JOINT_DISTANCES = ("plain", "squared")


def commitment_loss(
    values: Float[Tensor, "patch patch_frame joint latent"],
    quantised: Float[Tensor, "patch patch_frame joint latent"],
    real: Bool[Tensor, "patch patch_frame joint"],
    *,
    reduction: str = "mean",
) -> Float[Tensor, ""]:
    """Hold the values near the prototypes they were given.

    Source: HiST-VQ eqs. (5)-(6), which print a sum over patches; only the mean over elements fits the
    weights the paper gives, so it is the default.
    Units: latent squared.
    Gradient: reaches `values` alone.

    Raises:
        ValueError: If nothing is real, for then the mean is undefined.
    """
    error = (values - quantised.detach()).square() * real.unsqueeze(-1)
    if reduction == "sum":
        return error.sum()
    return error.sum() / (_count(real) * values.shape[-1])


def joint_distance_sum(
    predicted: Float[Tensor, "joint frame channel"],
    target: Float[Tensor, "joint frame channel"],
    real: Bool[Tensor, "joint frame"],
    *,
    persons: tuple[int, ...] | None = None,
    kind: str = "plain",
) -> Float[Tensor, ""]:
    """Penalise errors in the distances between joints rather than in their positions.

    Moving or turning a whole skeleton leaves the loss as it was.

    Source: HiST-VQ eq. (7) times the number of pairs (`joint_pairs`), over which the loss is the mean:
    real frames and ordered pairs of joints of one person, a joint with itself included as printed.
    `plain` takes Euclidean distances, as the published code of SMQ with which the paper shares its
    weight; `squared` squares them, as printed.
    Units: the channel unit squared (`plain`) or to the fourth power (`squared`), so a loss weight found
        on one dataset means something else on data in another unit.
    Gradient: reaches `predicted` alone; 0 where two joints coincide, where a plain distance has none.

    Args:
        predicted: Decoder output.
        target: Input skeletons, in the unit of `predicted`.
        real: False where a value is padding or missing; a pair counts where both joints are real.
        persons: Person of each joint; only pairs of one person count. None: all are one person's.
        kind: `plain` or `squared`.

    Returns:
        Sum over frames and ordered pairs of real joints, which any stretches of time add up to.
    """
    first, second = _pairs(len(real), persons, device=real.device)
    both = real[first] & real[second]
    # (pair, joint): a joint less another. Differences, and their gradients, are products with it.
    joints = torch.eye(len(real), dtype=predicted.dtype, device=real.device)
    less = joints[first] - joints[second]
    error = _distances(less, predicted, kind) - _distances(less, target.detach(), kind)
    # A pair stands for both of its orders; a joint with itself adds nothing.
    return 2 * (error.square() * both).sum()


def joint_pairs(
    real: Bool[Tensor, "joint frame"], *, persons: tuple[int, ...] | None
) -> Float[Tensor, ""]:
    """How many ordered pairs of real joints of one person there are, a joint with itself included.

    Of the whole batch, where processes share it out.

    Raises:
        ValueError: If nothing is real, for then a mean over them is undefined.
    """
    _count(real)
    whose = _members(len(real), persons, device=real.device)
    pairs = (whose @ real.to(whose.dtype)).double().square().sum()
    return peers().summed(pairs).float()


def _distances(
    less: Float[Tensor, "pair joint"], series: Float[Tensor, "joint frame channel"], kind: str
) -> Float[Tensor, "pair frame"]:
    squares = (less @ series.permute(2, 0, 1)).square().sum(dim=0)
    if kind == "squared":
        return squares
    # The gradient of a root at 0 is infinite, and times the 0 before it not a number.
    apart = squares > 0
    return torch.where(apart, squares, 1).sqrt() * apart


def _pairs(
    n_joints: int, persons: tuple[int, ...] | None, *, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Unordered pairs of different joints of the same person."""
    first, second = torch.triu_indices(n_joints, n_joints, offset=1, device=device)
    if persons is None:
        return first, second
    person = torch.tensor(persons, device=device)
    same = person[first] == person[second]
    return first[same], second[same]


def _members(
    n_joints: int, persons: tuple[int, ...] | None, *, device: torch.device
) -> Float[Tensor, "person joint"]:
    """Which joints each person has."""
    whose = torch.zeros(n_joints, dtype=torch.int64) if persons is None else torch.tensor(persons)
    return torch.nn.functional.one_hot(whose.unique(return_inverse=True)[1]).T.float().to(device)


def timestamp_loss(
    predicted: Float[Tensor, " patch"], target: Float[Tensor, " patch"]
) -> Float[Tensor, ""]:
    """Mean squared error of the patches' relative times (HiST-VQ eq. 8); real patches only."""
    return (predicted - target).square().sum() / _counted(target.new_tensor(len(target)))


def _count(real: Tensor) -> Tensor:
    return _counted(real.sum())


def _counted(count: Tensor) -> Tensor:
    """So many, of all processes together."""
    count = peers().summed(count)
    if not count:
        raise ValueError(
            "all values of the batch are padding or missing; drop empty recordings before batching"
        )
    return count
