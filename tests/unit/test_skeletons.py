"""Skeleton presets, and a user's own."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import ConfigError, FileFormatError
from histvq.io import hugadb, precog
from histvq.io.parts.asf_skeleton import read_skeleton as read_asf
from histvq.skeletons import (
    SKELETONS,
    Skeleton,
    mirrored_pairs,
    named_like,
    read_skeleton,
    skeleton,
    spanning_tree,
)
from histvq.supervised.graphs import GRAPHS

SHARED = Path(os.environ.get("HISTVQ_SHARED", Path(__file__).parents[3] / "shared"))

every_preset = pytest.mark.parametrize("name", SKELETONS)


def bones(preset):
    """Who hangs on whom, by name."""
    names = preset.joint_names
    return {(names[joint], names[parent]) for joint, parent in preset.edges}


@every_preset
def test_a_preset_is_one_tree_with_the_number_of_joints_in_its_name(name):
    preset = SKELETONS[name]
    assert len(preset.joint_names) == int(name.rpartition("-")[2]) == len(preset.parents)
    assert len(set(preset.joint_names)) == len(preset.joint_names)
    assert preset.parents.count(-1) == 1
    for joint in range(len(preset.parents)):
        path = [joint]
        while path[-1] != -1:
            path.append(preset.parents[path[-1]])
            assert len(path) <= len(preset.parents) + 1


@every_preset
def test_left_and_right_are_hung_up_alike(name):
    preset = SKELETONS[name]
    mirror = dict(preset.pairs)
    mirror |= {right: left for left, right in preset.pairs}
    assert len(mirror) == 2 * len(preset.pairs)
    for joint, parent in preset.edges:
        other = mirror.get(joint, joint)
        crosses = mirror.get(joint) == parent or preset.parents[other] in (-1, joint)
        leans = joint == other and parent in mirror  # on the midline, hung up at one side
        if not crosses and not leans:
            assert preset.parents[other] == mirror.get(parent, parent), preset.joint_names[joint]


# Joints of the midline, counted by hand.
MIDLINE = {
    "hugadb-6": 0, "lara-22": 4, "smpl-22": 6, "smpl-24": 6, "smplh-52": 6, "ntu-25": 5, "pku-25": 5,
    "babel-25": 5, "cmu-31": 7, "coco-17": 1, "coco-18": 2, "body-25": 3, "mediapipe-33": 1,
    "h36m-17": 5, "kinect-20": 4,
}  # fmt: skip


@every_preset
def test_every_joint_off_the_midline_has_its_mirror(name):
    preset = SKELETONS[name]
    assert len(preset.joint_names) - 2 * len(preset.pairs) == MIDLINE[name]
    for left, right in preset.pairs:
        one, other = (preset.joint_names[place].lower() for place in (left, right))
        assert one.replace("left", "right") == other or "r" + one[1:] == other


def test_presets_are_what_readers_call_their_joints():
    assert SKELETONS["hugadb-6"].joint_names == hugadb.JOINTS
    assert SKELETONS["hugadb-6"].parents == hugadb.PARENTS
    assert SKELETONS["kinect-20"].joint_names == precog.JOINTS
    assert SKELETONS["kinect-20"].parents == precog.PARENTS


def test_presets_are_the_graphs_of_the_supervised_methods():
    def edges(graph):
        names = graph.joint_names
        return {frozenset((names[one], names[other])) for one, other in graph.edges}

    def edges_of(name):
        return {frozenset(bone) for bone in bones(SKELETONS[name])}

    assert edges(GRAPHS["pku-mmd"]) == edges_of("pku-25") == edges_of("ntu-25")
    assert GRAPHS["pku-mmd"].joint_names == SKELETONS["pku-25"].joint_names
    assert edges(GRAPHS["hugadb"]) == edges_of("hugadb-6")
    # LARa's authors hang the head on the left collar; MS-GCN, which has neither ends, on the back.
    left_out = {"head_end", "left_wrist_end", "right_wrist_end"}
    assert set(SKELETONS["lara-22"].joint_names) - set(GRAPHS["lara"].joint_names) == left_out
    theirs, ours = edges(GRAPHS["lara"]), edges_of("lara-22")
    assert theirs - ours == {frozenset(("head", "lower_back"))}
    assert {e for e in ours - theirs if not e & left_out} == {frozenset(("head", "left_collar"))}


@pytest.mark.real_data
def test_cmu_is_what_the_files_of_the_database_say():
    file = SHARED / "data" / "cmu_exercises" / "86.asf"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    said = read_asf(file).bones
    preset = SKELETONS["cmu-31"]
    assert preset.joint_names == tuple(bone.name for bone in said)
    assert preset.parents == tuple(bone.parent for bone in said)


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("smpl-24", "left_hand-left_wrist right_foot-right_ankle spine2-spine1 neck-spine3"),
        ("smplh-52", "left_index1-left_wrist left_index3-left_index2 right_thumb1-right_wrist"),
        ("smplh-52", "right_ring3-right_ring2 right_pinky2-right_pinky1 right_index1-right_wrist"),
        ("babel-25", "left_thumb-left_wrist left_index-left_index1 right_index1-right_wrist"),
        (
            "body-25",
            "left_heel-left_ankle right_big_toe-right_ankle left_ear-left_eye neck-mid_hip",
        ),
        ("body-25", "left_small_toe-left_big_toe right_small_toe-right_big_toe nose-neck"),
        ("coco-17", "left_hip-left_shoulder right_ankle-right_knee left_ear-left_eye"),
        ("coco-18", "left_ear-left_eye right_wrist-right_elbow left_hip-neck right_eye-nose"),
        (
            "mediapipe-33",
            "left_thumb-left_wrist right_foot_index-right_heel left_ear-left_eye_outer",
        ),
        ("mediapipe-33", "right_hip-left_hip left_shoulder-left_hip mouth_right-mouth_left"),
        ("h36m-17", "left_shoulder-thorax head-neck right_wrist-right_elbow spine-pelvis"),
        ("lara-22", "left_toe-left_foot right_humerus-right_collar lower_back-root"),
    ],
)
def test_bones_as_in_the_drawings(name, some):
    assert {tuple(bone.split("-")) for bone in some.split()} <= bones(SKELETONS[name])


def test_asked_for_by_name():
    assert skeleton("coco-17").joint_names[0] == "nose"
    with pytest.raises(ConfigError, match="no skeleton is called 'coco17'; did you mean 'coco-17'"):
        skeleton("coco17")


def test_known_by_its_joints():
    assert named_like(list(precog.JOINTS)) is SKELETONS["kinect-20"]
    assert named_like(precog.JOINTS[:-1]) is None
    assert named_like(()) is None
    for preset in SKELETONS.values():  # two data sets share one skeleton, joint for joint
        assert named_like(preset.joint_names).parents == preset.parents


def test_pairs_by_name():
    assert mirrored_pairs(["KneeRight", "hip", "KneeLeft"]) == ((2, 0),)
    assert mirrored_pairs(["LHIP", "RHIP", "LEFTEYE", "RIGHTEYE"]) == ((0, 1), (2, 3))
    assert mirrored_pairs(["lower", "light", "left"]) == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((("a", "b"), (-1,)), "2 joints and 1 parents"),
        (((), ()), "at least one joint"),
        ((("a", "a"), (-1, 0)), "joint 'a' stands there twice"),
        ((("a", "b"), (-1, 2)), "there is no joint 2"),
        ((("a", "b"), (-1, -2)), "there is no joint -2"),
        ((("a", "b"), (1, 0)), "joint 'a' hangs on itself"),
        ((("a", "b", "c"), (-1, 0, 0), ((1, 2), (2, 0))), "joint of the pairs 'c' stands there"),
        ((("a", "b"), (-1, 0), ((1, 1),)), "joint of the pairs 'b' stands there twice"),
    ],
)
def test_what_is_no_skeleton(arguments, words):
    with pytest.raises(ConfigError, match=words):
        Skeleton("x", *arguments)


# A user's own


@pytest.fixture
def write(tmp_path):
    def write_(content):
        file = tmp_path / "mouse.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write_


BY_PARENTS = """
joints: [hip, left_knee, right_knee, tail]
parents: {left_knee: hip, right_knee: hip, tail: hip}
"""
BY_BONES = """
joints: [hip, left_knee, right_knee, tail]
bones:
- [left_knee, hip]
- [hip, tail]
- [right_knee, hip]
"""


@pytest.mark.parametrize("content", [BY_PARENTS, BY_BONES])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_of_parents_and_one_of_bones_say_the_same(write, content, line_end):
    found = read_skeleton(write("\ufeff" + content.replace("\n", line_end)))
    expected = ("hip", "left_knee", "right_knee", "tail")
    assert found == Skeleton("mouse", expected, (-1, 0, 0, 0), ((1, 2),))


def test_its_own_name_root_and_pairs(write):
    found = read_skeleton(write(BY_BONES + "root: tail\npairs: [[right_knee, tail]]\nname: rat"))
    assert found == Skeleton("rat", found.joint_names, (3, 0, 0, -1), ((2, 3),))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected keys and values"),
        ("[1, 2]", "expected keys and values"),
        ("joints: [a", "not a YAML file"),
        ("joints: [a]\nparents: {}\nbone: []", "no key 'bone'; did you mean 'bones'"),
        ("joints: a\nparents: {}", "joints: expected a list of names"),
        ("joints: [a, 1]\nparents: {}", "joints: 1 is no name"),
        ("joints: [a, no]\nparents: {}", "joints: False is no name; put it in quotes"),
        ("joints: [a]", "either `parents` or `bones`"),
        ("joints: [a]\nbones: []\nparents: {}", "either `parents` or `bones`"),
        ("joints: [tail, b]\nparents: {b: tali}", "no joint 'tali'; did you mean 'tail'"),
        ("joints: [tail, b]\nparents: {1: b}", "parents: there is no joint 1"),
        ("joints: [a, b]\nparents: [a, b]", "parents: expected `joint: its parent`"),
        ("joints: [a, b]\nparents: {a: b, b: a}", "joint 'a' hangs on itself"),
        ("joints: [a, b, a]\nparents: {}", "joint 'a' stands there twice"),
        ("joints: [a, b]\nbones: [[a, b, a]]", "expected two names in brackets"),
        ("joints: [a, b]\nbones: a", "bones: 'a'; expected two names"),
        ("joints: [a, b]\nbones: [[a, x]]", "bones: there is no joint 'x'"),
        ("joints: [a, b, c]\nbones: [[a, b], [b, c], [a, c]]", "'[abc]' and '[abc]' are joined"),
        ("joints: [a, b]\nbones: [[a, b], [b, a]]", "'b' and 'a' are joined twice"),
        ("joints: [a, b]\nbones: [[a, b]]\nroot: c", "root: there is no joint 'c'"),
        ("joints: [a, b]\nparents: {}\npairs: [[a, c]]", "pairs: there is no joint 'c'"),
        ("joints: [a, b]\nparents: {}\npairs: [[a, a]]", "joint of the pairs 'a' stands there"),
        ("joints: [a]\nparents: {}".encode("utf-16"), "not a YAML file"),
        ("joints: [Hüfte]\nparents: {}".encode("latin-1"), "not a YAML file"),
        ("[" * 100_000, "not a YAML file"),
        ("joints: !!python/object/apply:os.system [ls]", "not a YAML file"),
    ],
)
def test_what_is_wrong_with_a_file_and_where(write, content, words):
    with pytest.raises(FileFormatError, match=words) as caught:
        read_skeleton(write(content))
    assert "mouse.yaml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match=r"no\.yaml: cannot be read"):
        read_skeleton(tmp_path / "no.yaml")


@given(st.text(max_size=80))
def test_any_text_is_a_skeleton_or_an_error(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(FileFormatError):
        read_skeleton(file)


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_a_tree_on_any_graph_reaches_what_the_graph_reaches(n, edges):
    edges = [(one, other) for one, other in edges if one < n and other < n]
    parents, left = spanning_tree(edges, n)
    kept = {frozenset((joint, parent)) for joint, parent in enumerate(parents) if parent != -1}
    assert kept <= {frozenset(edge) for edge in edges}
    assert len(kept) + len(left) == len(edges)

    def groups(pairs):  # connected components, by joining until nothing moves
        of = list(range(n))
        for _ in range(n):
            for one, other in pairs:
                of[one] = of[other] = min(of[one], of[other])
        return of

    assert groups(edges) == groups([tuple(sorted(edge)) for edge in kept])
