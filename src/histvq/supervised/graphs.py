"""Who is joined to whom: the graphs the supervised references know by name, and any skeleton's own.

Source: MS-GCN (Filtjens et al. 2022) for all named graphs. In two of them one edge is surely a slip,
yet the published weights were trained with it: `hugadb-msgcn` and `lara-msgcn` keep it, `hugadb` and
`lara` have what was meant.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from histvq.errors import ConfigError, did_you_mean
from histvq.recording import Recording


@dataclass(frozen=True)
class Graph:
    """The joints of one or several skeletons and how they hang together.

    Attributes:
        joint_names: One name a joint; an index below is a place in here.
        edges: Pairs of joined joints, without direction.
        centres: One joint a connected skeleton.
    """

    joint_names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    centres: tuple[int, ...]


_HUGADB = ("rt", "rs", "rf", "lt", "ls", "lf")
_HUGADB_EDGES = ((1, 0), (2, 1), (3, 0), (4, 3))

_LARA = (
    "root", "right_femur", "right_tibia", "right_foot", "right_toe", "left_femur", "left_tibia",
    "left_foot", "left_toe", "lower_back", "head", "right_collar", "right_humerus", "right_elbow",
    "right_wrist", "left_collar", "left_humerus", "left_elbow", "left_wrist",
)  # fmt: skip
_LARA_EDGES = (
    (1, 0), (2, 1), (3, 2), (4, 3), (5, 0), (6, 5), (7, 6), (8, 7), (9, 0), (10, 9), (11, 9),
    (13, 12), (14, 13), (15, 9), (16, 15), (17, 16), (18, 17),
)  # fmt: skip

_PKU_MMD = (
    "spine_base", "spine_mid", "neck", "head", "left_shoulder", "left_elbow", "left_wrist",
    "left_hand", "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip",
    "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle", "right_foot",
    "spine_shoulder", "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
)  # fmt: skip
_PKU_MMD_EDGES = (
    (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17), (19, 18), (1, 0), (20, 1),
    (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (21, 7), (22, 6), (8, 20), (9, 8), (10, 9),
    (11, 10), (24, 10), (23, 11),
)  # fmt: skip

_TP_VICON = (
    "sacrum", "left_hip", "left_knee", "left_ankle", "left_toe", "right_hip", "right_knee",
    "right_ankle", "right_toe",
)  # fmt: skip
_TP_VICON_EDGES = ((1, 0), (2, 1), (3, 2), (4, 3), (5, 0), (6, 5), (7, 6), (8, 7))

# In the joint order of the published networks.
GRAPHS: dict[str, Graph] = {
    "hugadb": Graph(_HUGADB, (*_HUGADB_EDGES, (5, 4)), (0,)),
    "hugadb-msgcn": Graph(_HUGADB, (*_HUGADB_EDGES, (5, 0)), (0,)),  # left foot to right thigh
    "lara": Graph(_LARA, (*_LARA_EDGES, (12, 11)), (0,)),
    "lara-msgcn": Graph(_LARA, (*_LARA_EDGES, (12, 10)), (0,)),  # right humerus to head
    "pku-mmd": Graph(_PKU_MMD, _PKU_MMD_EDGES, (0,)),
    "tp-vicon": Graph(_TP_VICON, _TP_VICON_EDGES, (0,)),
}


def graph_named(name: str, joint_names: Sequence[str]) -> Graph:
    """One of the `GRAPHS`, its joints in the order of `joint_names`.

    Raises:
        ConfigError: If there is no such graph, or if `joint_names` are not its joints, each once.
    """
    if name not in GRAPHS:
        raise ConfigError(f"no graph is called {name!r}{did_you_mean(name, GRAPHS)}")
    graph = GRAPHS[name]
    faults = "; ".join(_differences(joint_names, graph.joint_names))
    if faults:
        raise ConfigError(
            f"graph {name!r} does not fit these joints: {faults}. Name the "
            f"{len(graph.joint_names)} joints as the graph does ({', '.join(graph.joint_names)}), "
            "or give the joints' parents and no graph's name"
        )
    place = {joint: index for index, joint in enumerate(joint_names)}
    moved = [place[joint] for joint in graph.joint_names]
    return Graph(
        joint_names=tuple(joint_names),
        edges=tuple((moved[one], moved[other]) for one, other in graph.edges),
        centres=tuple(moved[centre] for centre in graph.centres),
    )


def graph_of(recording: Recording) -> Graph:
    """The recording's own skeleton: each joint joined to its parent, every root a centre.

    Raises:
        ConfigError: If the recording does not know its joints' parents.
    """
    from histvq.nn.graph import edges_of_parents, roots_of_parents  # slow to import: brings torch

    if recording.parents is None:
        raise ConfigError(
            f"recording {recording.id!r}: a graph method needs the joints' parents, and there are "
            "none. Give them, as Recording(parents=(-1, 0, 1)); or name a known graph, as "
            f'graph="hugadb" (known are {", ".join(GRAPHS)}); or use ms-tcn, which needs no graph'
        )
    return Graph(
        joint_names=tuple(recording.joint_names),
        edges=tuple(edges_of_parents(recording.parents)),
        centres=tuple(roots_of_parents(recording.parents)),
    )


def _differences(found: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    """What keeps the two from being the same names in some order."""
    missing = [name for name in expected if name not in found]
    surplus = [name for name in dict.fromkeys(found) if name not in expected]
    twice = [name for name, count in Counter(found).items() if count > 1]
    for words, names in (("missing", missing), ("not expected", surplus), ("given twice", twice)):
        if names:
            yield f"{words}: {', '.join(names)}"
