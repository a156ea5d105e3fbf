"""Which column of a table means what: from its name, or from notes that say it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from histvq.errors import FileFormatError, did_you_mean
from histvq.io.tables.notes import TableNotes

# Words for what is measured along x, y and z, by the name its channels get: `acc_x`.
QUANTITIES = {
    "": ("position", "pos"),
    "acc": ("acceleration", "accelerometer", "accel", "acc"),
    "gyro": (
        "gyroscope", "gyro", "gyr", "angular_velocity", "angular_rate", "angvel", "rotation_rate",
    ),
    "mag": ("magnetometer", "magnetic_field", "magn", "mag"),
    "linacc": (
        "linear_acceleration", "linear_acc", "lin_acc", "free_acceleration", "free_acc",
        "user_acceleration", "user_acc",
    ),
    "gravity": ("gravity", "grav"),
    "vel": ("velocity", "vel"),
    "euler": ("euler_angle", "euler"),
}  # fmt: skip
_SHORT = {"ax": "acc_x", "ay": "acc_y", "az": "acc_z", "gx": "gyro_x", "gy": "gyro_y"}
_SHORT |= {"gz": "gyro_z", "mx": "mag_x", "my": "mag_y", "mz": "mag_z"}
_ANGLES = ("roll", "pitch", "yaw")
_LABELS = {"label", "activity", "action", "behavior", "behaviour", "activitylabel", "actionlabel"}
_LABELS |= {f"{word}s" for word in _LABELS} | {"activities"}
_JOINTS = {"joint", "keypoint", "marker", "bodypart", "sensor", "landmark"}
_PERSONS = {"person", "individual", "subject"}
_JOINTS, _PERSONS = (
    {f"{word}{end}" for word in words for end in ("", "name", "id")}
    for words in (_JOINTS, _PERSONS)
)
_FRAMES = {"frame", "frames", "framenumber", "frameno", "frameid", "frameindex", "framenum"}
_FRAMES |= {"frame#", "#frame", "frameidx"}
# Counters of no use beside frames and times, and the nameless index that pandas writes.
_COUNTERS = {"", "packetcounter", "counter", "index", "unnamed:0", "samplecounter"}

_SAID = re.compile(r"\s*[\[(](?P<unit>[^\])]*)[\])]\s*$")  # as `acc_x [m/s2]`, `time (ms)`
_GAP = r"[_.:\s-]"


def _words(words: Iterable[str]) -> str:
    """A pattern for any of these words, `_` standing for a gap or nothing."""
    return "|".join(word.replace("_", f"{_GAP}?") for word in words)


_QUANTITY = "|".join(
    f"(?P<{quantity or 'position'}>{_words(words)})" for quantity, words in QUANTITIES.items()
)
_CHANNEL = (
    rf"(?i:(?:(?:{_QUANTITY}){_GAP}?)?(?P<axis>[xyz])"
    rf"|(?:quaternion|quat|orientation|q){_GAP}?(?P<quaternion>[wxyz])"
    rf"|(?:(?:attitude|euler){_GAP})?(?P<angle>{'|'.join(_ANGLES)})"
    rf"|(?P<short>{'|'.join(_SHORT)}))"
)
# A joint ends at a gap, or where a capital follows: `LeftWrist_x`, `wrist.acc_x`, `LeftWristX`.
_ONE_COLUMN = re.compile(
    rf"(?:(?P<joint>.+?)(?:{_GAP}+|(?<=[a-z0-9])(?=[A-Z])))??{_CHANNEL}", flags=re.DOTALL
)
_TURNED = re.compile(rf"(?i:(?:{_QUANTITY}){_GAP}(?P<joint>.+?){_GAP}(?P<axis>[xyz]))")
_TIME = re.compile(
    r"(?:time|t|timestamps?|date_?time|epoch|unix_?(?:time|timestamp)|elapsed_?time)"
    rf"(?:{_GAP}+(?P<unit>\S+))?",
    flags=re.IGNORECASE,
)
_TIME_UNITS = {
    word: unit
    for unit, words in {
        "s": "s sec secs second seconds",
        "ms": "ms msec msecs millis millisecond milliseconds",
        "us": "us µs μs usec usecs microsecond microseconds",
        "ns": "ns nsec nanos nanosecond nanoseconds",
    }.items()
    for word in words.split()
}

ACCEPTED = (
    "a wide table has <joint>_<channel>, as LeftWrist_x or wrist.acc_x; a table of one sensor "
    "acc_x, acc_y, ...; a long one frame, joint, x, y. Channels are x, y, z, acc_x, gyro_x, mag_x, "
    "qw and their like"
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which column means what; columns by place.

    Attributes:
        joints: Names, of a wide table; empty for a long one.
        channels: Names, the same for every joint.
        motion: Columns of the motion, joint by joint and in it channel by channel.
        frame: Column of frame numbers.
        time: Column of times.
        time_unit: What that counts in, where its name says it.
        label: Column of action names.
        joint: Column of the joint's name, of a long table.
        person: Column of the person's name.
        unit: Of the motion, where the columns' names say it.
        unused: Names of columns without a meaning here.
        chosen: Whether notes chose the columns of the motion, so that unused ones are no surprise.
    """

    joints: tuple[str, ...]
    channels: tuple[str, ...]
    motion: tuple[int, ...]
    frame: int | None = None
    time: int | None = None
    time_unit: str | None = None
    label: int | None = None
    joint: int | None = None
    person: int | None = None
    unit: str | None = None
    unused: tuple[str, ...] = ()
    chosen: bool = False


class _Meaning(NamedTuple):
    joint: str
    channel: str


def meaning(name: str) -> _Meaning | None:
    """The joint (empty where none is named) and channel that a column's name speaks of."""
    name = _SAID.sub("", name).strip()
    # `acc_wrist_x` first: else that were the position of a joint `acc_wrist`.
    match = _TURNED.fullmatch(name) or _ONE_COLUMN.fullmatch(name)
    if match is None:
        return None
    found = {key: text for key, text in match.groupdict().items() if text}
    if quaternion := found.get("quaternion"):
        channel = f"q{quaternion.lower()}"
    elif short := found.get("short"):
        channel = _SHORT[short.lower()]
    elif angle := found.get("angle"):
        channel = angle.lower()
    else:
        quantity = next((word for word in QUANTITIES if word in found), "")
        channel = f"{quantity}_{found['axis'].lower()}".lstrip("_")
    return _Meaning(found.get("joint", ""), channel)


def time_unit(name: str) -> str | None:
    """What a column of times counts in, empty where its name does not say; None for other columns.

    `SampleTimeFine` of Xsens DOT sensors counts microseconds.
    """
    if name.lower() == "sampletimefine":
        return "us"
    bare = _SAID.sub(r"_\g<unit>", name)
    if (unit := _TIME_UNITS.get(bare.lower())) is not None and len(bare) > 2:
        return unit
    match = _TIME.fullmatch(bare)
    if match is None or (match["unit"] and match["unit"].lower() not in _TIME_UNITS):
        return None
    return _TIME_UNITS[match["unit"].lower()] if match["unit"] else ""


def plausible(names: Sequence[str]) -> bool:
    """Whether these may be the column names of motion: some joint has two channels.

    Where a bare `x` stands twice, joints are named in another line, as in files of DeepLabCut.
    """
    found = [what for name in names if (what := meaning(name))]
    bare = [what for what in found if not what.joint]
    counts = Counter(what.joint for what in found)
    return max(counts.values(), default=0) >= 2 and len(set(bare)) == len(bare)


def understand(names: Sequence[str], notes: TableNotes, *, where: str) -> Plan:
    """What the columns of these names mean.

    Args:
        names: Of all columns, in order.
        notes: What a YAML says of them; goes before what the names say.
        where: File and line of the names, for errors.

    Raises:
        FileFormatError: If notes name a column that is not there, no column holds motion, two
            columns have one name or mean the same, or a joint lacks channels others have.
    """
    _check_twice([name for name in names if name not in notes.ignore], where)
    places = {name: place for place, name in enumerate(names)}
    roles = _roles(names, notes, places, where)
    taken = {place for place in roles.values() if place is not None}
    if notes.joints:
        found = {
            (joint, channel): _place(column, places, f"joints.{joint}.{channel}", where)
            for joint, channels in notes.joints.items()
            for channel, column in channels.items()
        }
    elif notes.channels:
        found = {
            ("", channel): _place(column, places, f"channels.{channel}", where)
            for channel, column in notes.channels.items()
        }
    else:
        found = _found(names, taken | {places[n] for n in notes.ignore if n in places}, where)
    if not found:
        raise FileFormatError(
            f"{where}: no column recognised among {', '.join(map(repr, names[:5]))}"
            f"{' ...' if len(names) > 5 else ''}: {ACCEPTED}. A YAML beside the file can name them"
        )
    joints, channels = _checked(found, where)
    if joints != ("",):
        roles["joint"] = None
    elif roles["joint"] is not None:
        joints = ()
        if roles["frame"] is None and roles["time"] is None:
            raise FileFormatError(
                f"{where}: a long table (column {names[roles['joint']]!r} names the joint) without "
                "a column `frame` or `time`. Add one"
            )
    motion = tuple(found[joint, channel] for joint in joints or ("",) for channel in channels)
    used = {*motion, *(place for place in roles.values() if place is not None)}
    return Plan(
        joints=joints,
        channels=channels,
        motion=motion,
        **roles,
        time_unit=_unit_of_time(names, roles["time"], notes),
        unit=_unit([names[place] for place in motion]),
        unused=tuple(
            name
            for place, name in enumerate(names)
            if place not in used and _noteworthy(name, notes)
        ),
        chosen=bool(notes.joints or notes.channels),
    )


def _noteworthy(name: str, notes: TableNotes) -> bool:
    """Whether it should be told that a column is not used: a second clock or counter is no loss."""
    return not (name in notes.ignore or _plain(name) in _COUNTERS or time_unit(name) is not None)


def _check_twice(names: Sequence[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise FileFormatError(
            f"{where}: two columns named {', '.join(map(repr, twice[:5]))}. Names must differ: "
            "rename them (<joint>_<channel>, if joints stand in a line of their own), or list them "
            "under `ignore:` in table.yaml"
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name).lower()


def _place(column: str, places: Mapping[str, int], key: str, where: str) -> int:
    if column not in places:
        raise FileFormatError(
            f"{where}: no column {column!r}, which `{key}` of the YAML names"
            f"{did_you_mean(column, places)}"
        )
    return places[column]


def _roles(
    names: Sequence[str], notes: TableNotes, places: Mapping[str, int], where: str
) -> dict[str, int | None]:
    """The columns that are no motion: frame, time, label, joint, person."""
    said = {
        "frame": notes.frame, "time": notes.time_column, "label": notes.label,
        "joint": notes.joint_column, "person": notes.person_column,
    }  # fmt: skip
    words = {"frame": _FRAMES, "label": _LABELS, "joint": _JOINTS, "person": _PERSONS}
    roles: dict[str, int | None] = {}
    for role, column in said.items():
        if column is not None:
            key = f"{role}_column" if role in ("joint", "person") else role
            roles[role] = _place(column, places, key, where)
            continue
        open_names = [name for name in names if name not in notes.ignore]
        if role == "time":
            known = [name for name in open_names if time_unit(name) is not None]
            known.sort(key=lambda name: not time_unit(name))  # one that says its unit is better
        else:
            known = [name for name in open_names if _plain(name) in words[role]]
        roles[role] = places[known[0]] if known else None
    return roles


def _found(names: Sequence[str], taken: set[int], where: str) -> dict[tuple[str, str], int]:
    """Columns by joint and channel, from their names."""
    found: dict[tuple[str, str], int] = {}
    for place, name in enumerate(names):
        what = None if place in taken else meaning(name)
        if what is None:
            continue
        if what in found:
            raise FileFormatError(
                f"{where}: {names[found[what]]!r} and {name!r} both read as channel "
                f"{what.channel} of {what.joint or 'the sensor'}. Rename one"
            )
        found[what] = place
    return found


def _checked(
    found: Mapping[tuple[str, str], int], where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Joints and channels in order; raise where a joint lacks a channel another has."""
    joints = tuple(dict.fromkeys(joint for joint, _ in found))
    channels = tuple(dict.fromkeys(channel for _, channel in found))
    lacking = [
        f"{joint or 'columns without a joint'} without {', '.join(missing)}"
        for joint in joints
        if (missing := [channel for channel in channels if (joint, channel) not in found])
    ]
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise FileFormatError(
            f"{where}: joints with missing channels: {'; '.join(lacking[:5])}{more}. All need the "
            f"same ({', '.join(channels[:12])}): add columns, or choose some by a YAML beside the "
            "file (`joints:`, or `ignore:` with the columns to leave out)"
        )
    return joints, channels


def _unit_of_time(names: Sequence[str], place: int | None, notes: TableNotes) -> str | None:
    if place is None:
        return None
    return notes.time_unit or time_unit(names[place]) or None


def _unit(names: Sequence[str]) -> str | None:
    """The units in brackets behind the names, if every one has some."""
    said = [match["unit"].strip() for name in names if (match := _SAID.search(name))]
    return ", ".join(dict.fromkeys(said)) if len(said) == len(names) and all(said) else None
