import os
from pathlib import Path

import numpy as np
import pytest
import torch

from histvq.errors import ConfigError
from histvq.io import hugadb
from histvq.nn.graph import adjacency, permuted
from histvq.recording import Recording
from histvq.supervised.graphs import GRAPHS, Graph, graph_named, graph_of

PUBLISHED = {"hugadb-msgcn": "hugadb", "lara-msgcn": "lara", "pku-mmd": "pku-mmd"}
PLACE = os.environ.get("HISTVQ_MSGCN_WEIGHTS", "")

# The trees that datasets.md gives; joints of LARa in file order, those of MS-GCN named.
LARA_PARENTS = (2, 0, 11, 6, 21, 7, 2, 4, 5, 3, 9, 21, 11, 16, 21, 17, 12, 14, 15, 13, 19, -1)
LARA_FILE_INDEX = (21, 14, 17, 15, 18, 4, 7, 5, 8, 11, 0, 12, 16, 13, 19, 2, 6, 3, 9)
PKU_MMD_PARENTS = (
    -1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10,
)  # fmt: skip


def matrices(graph):
    return adjacency(graph.edges, n_joints=len(graph.joint_names), centres=graph.centres)


def recording_of(joint_names, parents):
    skeleton = np.zeros((4, len(joint_names), 3))
    return Recording(
        id="walk", skeleton=skeleton, fps=30, joint_names=tuple(joint_names), parents=parents
    )


def undirected(graph):
    """Joined joints by name, so that graphs of different joint orders compare."""
    return {frozenset(graph.joint_names[joint] for joint in edge) for edge in graph.edges}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_graph_is_a_tree(graph):
    n_joints = len(graph.joint_names)
    assert len(set(graph.joint_names)) == n_joints
    assert len(graph.edges) == n_joints - 1
    reached = {graph.centres[0]}
    for _ in range(n_joints):
        reached |= {joint for edge in graph.edges if reached & set(edge) for joint in edge}
    assert reached == set(range(n_joints))


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_joint_hears_a_whole(graph):
    torch.testing.assert_close(matrices(graph).sum(dim=(0, 1)), torch.ones(len(graph.joint_names)))


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        # The three of the published networks are read from their weights. Without the slip, edge 5-4
        # of HuGaDB lies beyond the centre's neighbours and counts twice in the second partition.
        ("hugadb-msgcn", [6, 5, 5]),
        ("hugadb", [6, 6, 4]),
        ("lara-msgcn", [19, 28, 8]),
        ("lara", [19, 28, 8]),
        ("pku-mmd", [25, 42, 6]),
        # By hand: edges 1-0, 5-0, 2-1, 6-5 are split, the other four are not.
        ("tp-vicon", [9, 12, 4]),
    ],
)
def test_entries_a_partition(name, counts):
    assert (matrices(GRAPHS[name]) != 0).sum(dim=(1, 2)).tolist() == counts


@pytest.mark.skipif(
    not PLACE,
    reason="$HISTVQ_MSGCN_WEIGHTS names no folder with hugadb.model, lara.model and pku-mmd.model: "
    "pre-trained-models/*/split_1/epoch-100.model of BenjaminFiltjens/MS-GCN",
)
@pytest.mark.parametrize(("name", "file"), PUBLISHED.items())
def test_the_published_networks_hold_these_matrices(name, file):
    path = Path(PLACE) / f"{file}.model"
    buffer = torch.load(path, map_location="cpu", weights_only=True)["stream.A"]
    assert torch.equal(matrices(GRAPHS[name]), buffer)


def test_slips_are_one_edge_each():
    for data, slip, meant in (
        ("hugadb", {"lf", "rt"}, {"lf", "ls"}),
        ("lara", {"right_humerus", "head"}, {"right_humerus", "right_collar"}),
    ):
        ours, theirs = undirected(GRAPHS[data]), undirected(GRAPHS[f"{data}-msgcn"])
        assert theirs - ours == {frozenset(slip)}
        assert ours - theirs == {frozenset(meant)}


def test_hugadb_is_the_tree_of_its_files():
    assert set(GRAPHS["hugadb"].joint_names) == set(hugadb.JOINTS)
    assert hugadb.JOINTS == ("rf", "rs", "rt", "lf", "ls", "lt")
    own = graph_of(recording_of(hugadb.JOINTS, (1, 2, -1, 4, 5, 2)))
    named = graph_named("hugadb", hugadb.JOINTS)
    assert own.joint_names == named.joint_names == hugadb.JOINTS
    assert set(own.edges) == set(named.edges)
    assert own.centres == named.centres == (2,)
    assert torch.equal(matrices(own), matrices(named))


def test_lara_is_the_tree_of_its_files_but_for_the_head():
    # The file's tree hangs the head on the left collar, MS-GCN's on the lower back.
    place = {file: here for here, file in enumerate(LARA_FILE_INDEX)}
    tree = {(place[j], place[LARA_PARENTS[j]]) for j in LARA_FILE_INDEX if LARA_PARENTS[j] != -1}
    edges = set(GRAPHS["lara"].edges)
    names = GRAPHS["lara"].joint_names
    assert [[names[j] for j in edge] for edge in edges - tree] == [["head", "lower_back"]]
    assert [[names[j] for j in edge] for edge in tree - edges] == [["head", "left_collar"]]


def test_pku_mmd_is_the_tree_of_its_files():
    graph = GRAPHS["pku-mmd"]
    own = graph_of(recording_of(graph.joint_names, PKU_MMD_PARENTS))
    assert (set(own.edges), own.centres) == (set(graph.edges), graph.centres)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_named_graph_comes_in_the_order_asked_for(name):
    graph = GRAPHS[name]
    order = np.random.default_rng(0).permutation(len(graph.joint_names)).tolist()
    found = graph_named(name, [graph.joint_names[joint] for joint in order])
    assert undirected(found) == undirected(graph)
    assert found.joint_names[found.centres[0]] == graph.joint_names[0]
    assert torch.equal(matrices(found), permuted(matrices(graph), order))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_named_graph_in_its_own_order_is_itself(name):
    assert graph_named(name, GRAPHS[name].joint_names) == GRAPHS[name]


def test_several_persons_have_a_centre_each():
    graph = graph_of(recording_of("abcde", (1, -1, -1, 2, 3)))
    assert graph == Graph(tuple("abcde"), ((0, 1), (3, 2), (4, 3)), (1, 2))


def test_unknown_names():
    with pytest.raises(
        ConfigError, match=r"no graph is called 'hugadb-mscgn'; did you mean 'hugadb-m"
    ):
        graph_named("hugadb-mscgn", hugadb.JOINTS)
    with pytest.raises(
        ConfigError, match=r"no graph is called 'x'; known are hugadb, hugadb-msgcn, lara"
    ):
        graph_named("x", hugadb.JOINTS)


@pytest.mark.parametrize(
    ("joint_names", "words"),
    [
        (("rf", "rs", "rt", "lf", "ls"), r"these joints: missing: lt\. Name the 6 joints as"),
        (("rf", "rs", "rt", "lf", "ls", "lt", "hip"), r"these joints: not expected: hip\. Name"),
        (
            ("RF", "rs", "rt", "lf", "RS", "lt"),
            r"'hugadb' .* these joints: missing: rf, ls; not expected: RF, RS\. .*\(rt, rs, rf",
        ),
        (("rf", "rs", "rt", "lf", "ls", "lt", "lt"), r"these joints: given twice: lt\. "),
        (("rf", "rs", "rt", "lf", "ls", "ls"), r"these joints: missing: lt; given twice: ls\. "),
    ],
)
def test_joints_that_are_not_the_graphs(joint_names, words):
    with pytest.raises(ConfigError, match=words):
        graph_named("hugadb", joint_names)


def test_a_recording_without_parents():
    with pytest.raises(
        ConfigError, match=r"recording 'walk': .* needs the joints' parents"
    ) as caught:
        graph_of(recording_of("abc", None))
    for words in ("Recording(parents=(-1, 0, 1))", 'graph="hugadb"', "use ms-tcn", *GRAPHS):
        assert words in str(caught.value)
