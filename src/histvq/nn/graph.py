"""Adjacency matrices of skeletons, cut into the partitions that a graph convolution weighs apart.

Source: Yan, Xiong and Lin, AAAI 2018 (ST-GCN), section 3.3, as the published networks of MS-GCN
(Filtjens et al. 2022) have it: hop distances are cut at 1.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Partition = Literal["spatial", "uniform", "distance"]


def adjacency(
    edges: Sequence[tuple[int, int]],
    *,
    n_joints: int,
    centres: Sequence[int],
    partition: Partition = "spatial",
) -> Float[Tensor, "part joint joint"]:
    """Draw up who hears whom, and in which partition: `[p, v, w]` weighs what w hears from v.

    Every joint hears itself and its neighbours, all with the same weight, so that over partitions
    and sources each joint's weights sum to 1.

    Source: Yan et al. 2018, section 3.3. Not their text but their code, and MS-GCN's, cuts the
        distance to the centre at 1 as well: a joint that is neither a centre nor joined to one is
        infinitely far, and an edge between two such joints lies in the second spatial partition
        both ways. The published networks are built so; true hop distances do not match them.

    Args:
        edges: Pairs of joined joints, without direction. Self links are added.
        n_joints: Joints of all persons together.
        centres: One joint a connected skeleton; what counts is the distance to the nearest one.
            Only `spatial` looks at them.
        partition: `spatial`, three: the joint itself; sources as far from the centre as the joint,
            or farther; sources nearer the centre. `uniform`, one. `distance`, two: the joint itself;
            its neighbours.

    Raises:
        ValueError: If an edge or a centre is out of range, or an edge joins a joint to itself or is
            given twice; the message names all such edges.
    """
    faults = list(_faults(edges, n_joints=n_joints, centres=centres))
    if faults:
        raise ValueError("; ".join(faults))
    itself = torch.eye(n_joints, dtype=torch.bool)
    joined = torch.zeros(n_joints, n_joints, dtype=torch.bool)
    for one, other in edges:
        joined[one, other] = joined[other, one] = True
    if partition == "uniform":
        parts = [itself | joined]
    elif partition == "distance":
        parts = [itself, joined]
    else:
        to_centre = _distance_to_centre(joined, centres)
        nearer = to_centre.unsqueeze(1) < to_centre.unsqueeze(0)
        parts = [itself, joined & ~nearer, joined & nearer]
    return torch.stack(parts).float() / (joined.sum(dim=0) + 1)


def edges_of_parents(parents: Sequence[int]) -> list[tuple[int, int]]:
    """Every joint that has a parent, with its parent; a root's parent is -1."""
    return [(joint, parent) for joint, parent in enumerate(parents) if parent != -1]


def roots_of_parents(parents: Sequence[int]) -> list[int]:
    """The joints without a parent: one a connected skeleton, fit to be its centre."""
    return [joint for joint, parent in enumerate(parents) if parent == -1]


def permuted(
    adjacency: Float[Tensor, "part joint joint"], order: Sequence[int]
) -> Float[Tensor, "part joint joint"]:
    """The same adjacency, its joints in another order, as `skeleton[:, order]` has them.

    Args:
        adjacency: What `adjacency` made, or a network's buffer or edge weights.
        order: For each joint of the result, its index in `adjacency`.

    Raises:
        ValueError: If `order` does not name every joint once.
    """
    n_joints = adjacency.shape[-1]
    if sorted(order) != list(range(n_joints)):
        raise ValueError(
            f"order {list(order)} does not put {n_joints} joints in order; name each of 0 to "
            f"{n_joints - 1} once"
        )
    index = torch.tensor(order, dtype=torch.long, device=adjacency.device)
    return adjacency[:, index][:, :, index]


def _distance_to_centre(joined: Tensor, centres: Sequence[int]) -> Float[Tensor, " joint"]:
    """0 at a centre, 1 where joined to one, infinite elsewhere."""
    distance = torch.full((len(joined),), torch.inf)
    for centre in centres:
        distance[joined[centre]] = 1.0
    for centre in centres:  # only now: a centre may be joined to another
        distance[centre] = 0.0
    return distance


def _faults(
    edges: Sequence[tuple[int, int]], *, n_joints: int, centres: Sequence[int]
) -> Iterator[str]:
    """What is wrong, where, and how to mend it."""
    joints = range(n_joints)
    seen: set[frozenset[int]] = set()
    for number, edge in enumerate(edges):
        place = f"edge {number}, {edge[0]}-{edge[1]},"
        if edge[0] not in joints or edge[1] not in joints:
            yield f"{place} leads out of the {n_joints} joints; count them from 0 to {n_joints - 1}"
        elif edge[0] == edge[1]:
            yield f"{place} joins a joint to itself; leave it out, self links are added anyway"
        elif frozenset(edge) in seen:
            yield f"{place} is given twice; leave one out, edges have no direction"
        seen.add(frozenset(edge))
    for centre in centres:
        if centre not in joints:
            yield (
                f"centre {centre} is none of the {n_joints} joints; count them from 0 to "
                f"{n_joints - 1}"
            )
