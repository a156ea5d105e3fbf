from collections import deque

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from histvq.nn.graph import adjacency, edges_of_parents, permuted, roots_of_parents

PARTITIONS = ("spatial", "uniform", "distance")

# Worked by hand. A column holds what one joint hears: 1 / (1 + its neighbours), from itself and each.
h, t, q = 1 / 2, 1 / 3, 1 / 4
PATH = [[h, t, 0], [h, t, h], [0, t, h]]
PATH_ITSELF = [[h, 0, 0], [0, t, 0], [0, 0, h]]
PATH_NEIGHBOURS = [[0, t, 0], [h, 0, h], [0, t, 0]]
STAR = [[q, h, h, h], [q, h, 0, 0], [q, 0, h, 0], [q, 0, 0, h]]
STAR_ITSELF = [[q, 0, 0, 0], [0, h, 0, 0], [0, 0, h, 0], [0, 0, 0, h]]
STAR_LEAVES = [[0, 0, 0, 0], [q, 0, 0, 0], [q, 0, 0, 0], [q, 0, 0, 0]]
STAR_HUB = [[0, h, h, h], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]

PATH_EDGES = [(0, 1), (1, 2)]
STAR_EDGES = [(1, 0), (0, 2), (3, 0)]


def made(edges, n_joints, centres, partition="spatial"):
    return adjacency(edges, n_joints=n_joints, centres=centres, partition=partition)


def assert_parts(found, *expected):
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32), rtol=0, atol=0)


@pytest.mark.parametrize("centres", [[0], [1], [2], []])
def test_without_space_the_centre_of_a_path_does_not_matter(centres):
    assert_parts(made(PATH_EDGES, 3, centres, "uniform"), PATH)
    assert_parts(made(PATH_EDGES, 3, centres, "distance"), PATH_ITSELF, PATH_NEIGHBOURS)


def test_a_path_with_its_centre_at_the_end():
    # Distances 0, 1, infinite. Joint 0 hears joint 1 and joint 1 hears joint 2 from farther out.
    farther = [[0, 0, 0], [h, 0, 0], [0, t, 0]]
    nearer = [[0, t, 0], [0, 0, h], [0, 0, 0]]
    assert_parts(made(PATH_EDGES, 3, [0]), PATH_ITSELF, farther, nearer)


def test_a_path_with_its_centre_in_the_middle():
    farther = [[0, t, 0], [0, 0, 0], [0, t, 0]]
    nearer = [[0, 0, 0], [h, 0, h], [0, 0, 0]]
    assert_parts(made(PATH_EDGES, 3, [1]), PATH_ITSELF, farther, nearer)


def test_beyond_the_centres_neighbours_both_ways_are_one_partition():
    # A path of four, distances 0, 1, infinite, infinite: true ones, 0 1 2 3, would move the last h.
    itself = [[h, 0, 0, 0], [0, t, 0, 0], [0, 0, t, 0], [0, 0, 0, h]]
    farther = [[0, 0, 0, 0], [h, 0, 0, 0], [0, t, 0, h], [0, 0, t, 0]]
    nearer = [[0, t, 0, 0], [0, 0, t, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert_parts(made([(0, 1), (1, 2), (2, 3)], 4, [0]), itself, farther, nearer)


def test_a_star_with_its_centre_at_the_hub():
    assert_parts(made(STAR_EDGES, 4, [0]), STAR_ITSELF, STAR_LEAVES, STAR_HUB)
    assert_parts(made(STAR_EDGES, 4, [0], "uniform"), STAR)
    neighbours = (torch.tensor(STAR_LEAVES) + torch.tensor(STAR_HUB)).tolist()
    assert_parts(made(STAR_EDGES, 4, [0], "distance"), STAR_ITSELF, neighbours)


def test_a_star_with_its_centre_at_a_leaf():
    # Distances 1, 0, infinite, infinite.
    farther = [[0, h, 0, 0], [0, 0, 0, 0], [q, 0, 0, 0], [q, 0, 0, 0]]
    nearer = [[0, 0, h, h], [q, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert_parts(made(STAR_EDGES, 4, [1]), STAR_ITSELF, farther, nearer)


def test_two_persons_have_a_centre_each():
    # Joints 0-1 with centre 1, joints 2-3-4 with centre 2.
    both = made([(0, 1), (2, 3), (3, 4)], 5, [1, 2])
    itself = [[h, 0], [0, h]], PATH_ITSELF
    farther = [[0, h], [0, 0]], [[0, 0, 0], [h, 0, 0], [0, t, 0]]
    nearer = [[0, 0], [h, 0]], [[0, t, 0], [0, 0, h], [0, 0, 0]]
    blocks = [
        torch.block_diag(*(torch.tensor(block, dtype=torch.float32) for block in part)).tolist()
        for part in (itself, farther, nearer)
    ]
    assert_parts(both, *blocks)


def test_two_persons_side_by_side_are_each_as_if_alone():
    for partition in PARTITIONS:
        one = made(PATH_EDGES, 3, [2], partition)
        other = made(STAR_EDGES, 4, [1], partition)
        edges = PATH_EDGES + [(a + 3, b + 3) for a, b in STAR_EDGES]
        both = made(edges, 7, [2, 4], partition)
        for found, *alone in zip(both, one, other, strict=True):
            assert torch.equal(found, torch.block_diag(*alone))


def test_two_centres_joined_to_each_other_are_equally_near():
    _, farther, nearer = made([(0, 1)], 2, [0, 1])
    assert farther.tolist() == [[0, h], [h, 0]]
    assert not nearer.any()


def hops_from(start, edges, n_joints):
    """Edges on the way to every joint, breadth first; infinite where there is no way."""
    hops = [float("inf")] * n_joints
    hops[start] = 0
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        for edge in edges:
            if at in edge:
                neighbour = edge[0] + edge[1] - at
                if hops[neighbour] == float("inf"):
                    hops[neighbour] = hops[at] + 1
                    waiting.append(neighbour)
    return hops


def by_loop(edges, n_joints, centres, partition):
    """The formulas once more, pair by pair, from distances by breadth-first search."""

    def cut(hops):
        return hops if hops <= 1 else float("inf")

    d = [[cut(hops) for hops in hops_from(v, edges, n_joints)] for v in range(n_joints)]
    to_centre = [min((d[v][c] for c in centres), default=float("inf")) for v in range(n_joints)]
    out = torch.zeros({"spatial": 3, "uniform": 1, "distance": 2}[partition], n_joints, n_joints)
    for v in range(n_joints):
        for w in range(n_joints):
            if d[v][w] > 1:
                continue
            if partition == "uniform" or v == w:
                part = 0
            elif partition == "distance" or to_centre[v] >= to_centre[w]:
                part = 1
            else:
                part = 2
            out[part, v, w] = 1 / sum(d[u][w] <= 1 for u in range(n_joints))
    return out


@st.composite
def graphs(draw):
    """Any edges and centres, loops and lone joints too, and another order of the joints."""
    n_joints = draw(st.integers(1, 7))
    joints = st.integers(0, n_joints - 1)
    pairs = [(v, w) for v in range(n_joints) for w in range(v)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    flipped = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    edges = [edge[::-1] if flip else edge for edge, flip in zip(edges, flipped, strict=True)]
    centres = draw(st.lists(joints, max_size=3, unique=True))
    return edges, n_joints, centres, draw(st.permutations(range(n_joints)))


@given(graphs(), st.sampled_from(PARTITIONS))
def test_the_matrices_are_what_the_formulas_say(graph, partition):
    edges, n_joints, centres, _ = graph
    found = made(edges, n_joints, centres, partition)
    torch.testing.assert_close(found, by_loop(edges, n_joints, centres, partition))
    torch.testing.assert_close(found.sum(dim=(0, 1)), torch.ones(n_joints))


@given(graphs(), st.sampled_from(PARTITIONS))
def test_joints_may_be_renamed(graph, partition):
    edges, n_joints, centres, order = graph
    place = {old: new for new, old in enumerate(order)}
    renamed = [(place[v], place[w]) for v, w in edges]
    found = made(renamed, n_joints, [place[c] for c in centres], partition)
    assert torch.equal(found, permuted(made(edges, n_joints, centres, partition), order))


def test_a_permutation_names_for_each_place_the_joint_that_comes_there():
    # Not its inverse: (1, 2, 0) turns the other way round.
    numbered = torch.arange(18.0).reshape(2, 3, 3)
    found = permuted(numbered, (1, 2, 0))
    assert found[0].tolist() == [[4, 5, 3], [7, 8, 6], [1, 2, 0]]
    assert found[1].tolist() == [[13, 14, 12], [16, 17, 15], [10, 11, 9]]


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (0, 1, 3), (0, 1, -1)])
def test_an_order_names_every_joint_once(order):
    with pytest.raises(
        ValueError, match=r"does not put 3 joints in order; name each of 0 to 2 once"
    ):
        permuted(torch.zeros(3, 3, 3), order)


def test_parents_make_edges_and_roots():
    parents = (1, -1, 1, -1, 3)
    assert edges_of_parents(parents) == [(0, 1), (2, 1), (4, 3)]
    assert roots_of_parents(parents) == [1, 3]


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([(0, 1), (1, 3)], r"edge 1, 1-3, leads out of the 3 joints; count them from 0 to 2"),
        ([(-1, 1), (1, 2)], r"edge 0, -1-1, leads out of the 3 joints"),
        ([(0, 1), (2, 2)], r"edge 1, 2-2, joins a joint to itself; leave it out, self links are"),
        ([(0, 1), (1, 2), (0, 1)], r"edge 2, 0-1, is given twice; leave one out"),
        ([(0, 1), (1, 2), (2, 1)], r"edge 2, 2-1, is given twice; .* edges have no direction"),
    ],
)
def test_wrong_edges(edges, words):
    with pytest.raises(ValueError, match=words) as caught:
        made(edges, 3, [0])
    assert str(caught.value).count("edge ") == 1  # the others are right


@pytest.mark.parametrize("centre", [-1, 3])
def test_wrong_centres(centre):
    with pytest.raises(
        ValueError, match=rf"^centre {centre} is none of the 3 joints; count .* 0 to 2"
    ):
        made(PATH_EDGES, 3, [0, centre])


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match=r"edge 0, 1-1,.*edge 1, 0-7,.*centre 9 is none"):
        made([(1, 1), (0, 7)], 3, [9])
