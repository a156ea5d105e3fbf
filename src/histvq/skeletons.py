"""Skeletons by name: what the joints are called, what hangs on what, and which are left and right.

Sources, names as in the first, trees as in the second: HuGaDB's column names, joined at the thighs; the
documentation and drawing tool of LARa; SMPL, SMPL+H (Loper et al. 2015, Romero et al. 2017); Kinect v1
and v2; BABEL in NTU's order (Punnakkal et al. 2021); the CMU database's `.asf` files; COCO keypoints (Lin
et al. 2014); OpenPose (Cao et al. 2021); MediaPipe Pose (Bazarevsky et al. 2020); Human3.6M in the usual
17 joints (Martinez et al. 2017). COCO, OpenPose and MediaPipe define graphs with loops or no graph at
all: their trees are ours, along the limbs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.reading import read_yaml


@dataclass(frozen=True)
class Skeleton:
    """Joints and how they hang together; it has no lengths, so no unit.

    Attributes:
        name: What it is called.
        joint_names: One name a joint, each once.
        parents: Index of each joint's parent, -1 at a root.
        pairs: Indices of joints that mirror one another, the left one first; each joint at most
            once. Joints of the midline are in none.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if len(self.parents) != len(self.joint_names) or not self.joint_names:
            raise ConfigError(
                f"skeleton {self.name!r}: {len(self.joint_names)} joints and {len(self.parents)} "
                "parents; expected one parent a joint, and at least one joint"
            )
        self._once(self.joint_names, "joint")
        places = [place for pair in self.pairs for place in pair]
        for place in (*places, *(parent for parent in self.parents if parent != -1)):
            if not 0 <= place < len(self.joint_names):
                raise ConfigError(f"skeleton {self.name!r}: there is no joint {place}")
        self._once([self.joint_names[place] for place in places], "joint of the pairs")
        for joint, name in enumerate(self.joint_names):
            at, steps = joint, 0
            while at != -1:
                at, steps = self.parents[at], steps + 1
                if steps > len(self.parents):
                    raise ConfigError(
                        f"skeleton {self.name!r}: joint {name!r} hangs on itself, by way of its "
                        "parents; one of them must be a root"
                    )

    def _once(self, names: Sequence[str], what: str) -> None:
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ConfigError(f"skeleton {self.name!r}: {what} {twice[0]!r} stands there twice")

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Each joint with its parent."""
        return tuple((j, parent) for j, parent in enumerate(self.parents) if parent != -1)


def skeleton(name: str) -> Skeleton:
    """One of the `SKELETONS`.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in SKELETONS:
        raise ConfigError(f"no skeleton is called {name!r}{did_you_mean(name, SKELETONS)}")
    return SKELETONS[name]


def named_like(joint_names: Sequence[str]) -> Skeleton | None:
    """The preset with exactly these joints in this order; None where there is none."""
    return next((s for s in SKELETONS.values() if s.joint_names == tuple(joint_names)), None)


def mirrored_pairs(joint_names: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Left and right joints by their names.

    `left` stands for `right` anywhere in a name, in small letters, capitals or with a first one; else
    a first `l` for `r`, where both names are there.
    """
    place = {name: joint for joint, name in enumerate(joint_names)}
    pairs: dict[int, int] = {}  # right: left
    for joint, name in enumerate(joint_names):
        swaps = [name.replace(*words) for words in _SIDES if words[0] in name]
        swaps += ["r" + name[1:]] if name.startswith("l") else []
        swaps += ["R" + name[1:]] if name.startswith("L") else []
        right = next((place[swap] for swap in swaps if swap in place), None)
        if right is not None:
            pairs.setdefault(right, joint)
    return tuple((left, right) for right, left in pairs.items())


_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


# A user's own


def read_skeleton(path: str | Path) -> Skeleton:
    """Read a `skeleton.yaml`: everything in it by name, nothing by number.

        joints: [hip, left_knee, right_knee]
        parents: {left_knee: hip, right_knee: hip}     # who is not here is a root
        bones: [[hip, left_knee], [hip, right_knee]]   # instead of parents, in any direction
        root: hip                                      # with bones; else the first joint
        pairs: [[left_knee, right_knee]]               # else found by `left` and `right` in names
        name: legs                                     # else the name of the file

    Raises:
        FileFormatError: If it is no such file; says which name is at fault.
    """
    path = Path(path)
    said = read_yaml(path)
    try:
        return _from_words(said, path.stem)
    except ConfigError as error:
        raise FileFormatError(f"{path}: {error}") from error


_KEYS = ("joints", "parents", "bones", "root", "pairs", "name")


def _from_words(said: Any, stem: str) -> Skeleton:
    if not isinstance(said, Mapping):
        raise ConfigError("expected keys and values, `joints: [...]` first among them")
    for key in said:
        if key not in _KEYS:
            raise ConfigError(f"there is no key {key!r}{did_you_mean(str(key), _KEYS)}")
    joints = said.get("joints")
    if not isinstance(joints, list) or not joints:
        raise ConfigError("joints: expected a list of names")
    for joint in joints:
        if not isinstance(joint, str):
            raise ConfigError(f"joints: {joint!r} is no name; put it in quotes")
    if ("parents" in said) == ("bones" in said):
        raise ConfigError("expected either `parents` or `bones`")
    place = {joint: number for number, joint in enumerate(joints)}
    if "bones" in said:
        bones = _pairs_of(said["bones"], place, "bones")
        parents = _hung_up(bones, joints, _place(said.get("root", joints[0]), place, "root"))
    else:
        parents = _parents(said["parents"], joints, place)
    return Skeleton(
        name=str(said.get("name", stem)),
        joint_names=tuple(joints),
        parents=parents,
        pairs=tuple(_pairs_of(said["pairs"], place, "pairs"))
        if "pairs" in said
        else mirrored_pairs(joints),
    )


def _parents(said: Any, joints: Sequence[str], place: Mapping[str, int]) -> tuple[int, ...]:
    if not isinstance(said, Mapping):
        raise ConfigError("parents: expected `joint: its parent`, one a line")
    parents = [-1] * len(joints)
    for joint, parent in said.items():
        if parent is not None:
            parents[_place(joint, place, "parents")] = _place(parent, place, "parents")
    return tuple(parents)


def _pairs_of(said: Any, place: Mapping[str, int], key: str) -> list[tuple[int, int]]:
    pairs = []
    for pair in said if isinstance(said, list) else [said]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ConfigError(f"{key}: {str(pair)[:60]!r}; expected two names in brackets")
        pairs.append((_place(pair[0], place, key), _place(pair[1], place, key)))
    return pairs


def _place(name: Any, place: Mapping[str, int], key: str) -> int:
    if not isinstance(name, str) or name not in place:
        known = did_you_mean(str(name), place)
        raise ConfigError(f"{key}: there is no joint {name!r}{known}")
    return place[name]


def _hung_up(bones: Sequence[tuple[int, int]], joints: Sequence[str], root: int) -> tuple[int, ...]:
    """Parents of joints joined by these bones; what the root does not reach hangs on its first."""
    parents, bones_left = spanning_tree(bones, len(joints), root)
    if bones_left:
        names = " and ".join(repr(joints[joint]) for joint in bones_left[0])
        raise ConfigError(
            f"bones: {names} are joined twice, or in a loop; leave one of the loop's bones out"
        )
    return parents


def spanning_tree(
    edges: Sequence[tuple[int, int]], n_joints: int, root: int = 0
) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    """A tree on a graph: parents, nearest to the root first, and the edges that it does not use.

    Joints the root does not reach hang on the first among them, which is a root of its own.
    """
    beside: list[list[tuple[int, int]]] = [[] for _ in range(n_joints)]
    for number, (one, other) in enumerate(edges):
        beside[one].append((other, number))
        beside[other].append((one, number))
    parents, used, reached = [-1] * n_joints, set(), set()
    for start in (root, *range(n_joints)):
        queue = [] if start in reached else [start]
        reached |= set(queue)
        for joint in queue:  # grows while it is walked through
            for other, number in beside[joint]:
                if other not in reached:
                    reached.add(other)
                    used.add(number)
                    parents[other] = joint
                    queue.append(other)
    return tuple(parents), [edge for number, edge in enumerate(edges) if number not in used]


# Presets


def _preset(name: str, joints: str, parents: tuple[int, ...]) -> Skeleton:
    names = tuple(joints.split())
    return Skeleton(name, names, parents, mirrored_pairs(names))


_SMPL_22 = """
    pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3
    left_foot right_foot neck left_collar right_collar head left_shoulder right_shoulder left_elbow
    right_elbow left_wrist right_wrist
"""
_SMPL_22_PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_HANDS = " ".join(
    f"{side}_{f}{n}" for side in ("left", "right") for f in _FINGERS for n in (1, 2, 3)
)
# Each finger starts at the wrist, 20 or 21, and goes on from the joint before.
_HAND_PARENTS = tuple(
    wrist if n == 0 else first + 3 * finger + n - 1
    for wrist, first in ((20, 22), (21, 37))
    for finger in range(5)
    for n in range(3)
)
_KINECT_V2 = """
    spine_base spine_mid neck head left_shoulder left_elbow left_wrist left_hand right_shoulder
    right_elbow right_wrist right_hand left_hip left_knee left_ankle left_foot right_hip right_knee
    right_ankle right_foot spine_shoulder left_hand_tip left_thumb right_hand_tip right_thumb
"""
_KINECT_V2_PARENTS = (
    -1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10,
)  # fmt: skip

_PRESETS = (
    _preset("hugadb-6", "rf rs rt lf ls lt", (1, 2, -1, 4, 5, 2)),
    _preset(
        "lara-22",
        """
        head head_end left_collar left_elbow left_femur left_foot left_humerus left_tibia left_toe
        left_wrist left_wrist_end lower_back right_collar right_elbow right_femur right_foot
        right_humerus right_tibia right_toe right_wrist right_wrist_end root
        """,
        (2, 0, 11, 6, 21, 7, 2, 4, 5, 3, 9, 21, 11, 16, 21, 17, 12, 14, 15, 13, 19, -1),
    ),
    _preset("smpl-22", _SMPL_22, _SMPL_22_PARENTS),
    _preset("smpl-24", _SMPL_22 + "left_hand right_hand", (*_SMPL_22_PARENTS, 20, 21)),
    _preset("smplh-52", _SMPL_22 + _HANDS, (*_SMPL_22_PARENTS, *_HAND_PARENTS)),
    # One Kinect v2 skeleton under the names of both data sets. NTU's published graph hangs the thumbs
    # on the hand and the hand tips on the thumbs; this is anatomical.
    _preset("ntu-25", _KINECT_V2, _KINECT_V2_PARENTS),
    _preset("pku-25", _KINECT_V2, _KINECT_V2_PARENTS),
    _preset(
        "babel-25",
        """
        pelvis spine1 neck head left_shoulder left_elbow left_wrist left_index1 right_shoulder
        right_elbow right_wrist right_index1 left_hip left_knee left_ankle left_foot right_hip
        right_knee right_ankle right_foot spine3 left_thumb left_index right_thumb right_index
        """,
        (-1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 6, 7, 10, 11),
    ),
    _preset(
        "cmu-31",
        """
        root lhipjoint rhipjoint lowerback lfemur ltibia lfoot ltoes rfemur rtibia rfoot rtoes
        upperback thorax lowerneck lclavicle rclavicle upperneck head lhumerus lradius lwrist lhand
        lthumb lfingers rhumerus rradius rwrist rhand rthumb rfingers
        """,
        (
            -1, 0, 0, 0, 1, 4, 5, 6, 2, 8, 9, 10, 3, 12, 13, 13, 13, 14, 17, 15, 19, 20, 21, 21, 22,
            16, 25, 26, 27, 27, 28,
        ),
    ),
    _preset(
        "coco-17",
        """
        nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow
        right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle
        right_ankle
        """,
        (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    ),
    _preset(
        "coco-18",
        """
        nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist
        right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear
        left_ear
        """,
        (1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15),
    ),
    _preset(
        "body-25",
        """
        nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip
        right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear
        left_ear left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel
        """,
        (1, 8, 1, 2, 3, 1, 5, 6, -1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19, 14, 11, 22, 11),
    ),
    _preset(
        "mediapipe-33",
        """
        nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer
        left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow
        right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index left_thumb
        right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel
        right_heel left_foot_index right_foot_index
        """,
        (
            11, 0, 1, 2, 0, 4, 5, 3, 6, 0, 9, 23, 24, 11, 12, 13, 14, 15, 16, 15, 16, 15, 16, -1, 23,
            23, 24, 25, 26, 27, 28, 29, 30,
        ),
    ),
    _preset(
        "h36m-17",
        """
        pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax neck head
        left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist
        """,
        (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    ),
    _preset(
        "kinect-20",
        """
        HipCenter Spine ShoulderCenter Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight
        ElbowRight WristRight HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight
        AnkleRight FootRight
        """,
        (-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
    ),
)  # fmt: skip

SKELETONS = {preset.name: preset for preset in _PRESETS}
