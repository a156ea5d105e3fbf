"""Five exercise recordings of the CMU motion capture database with frame labels.

Source: CMU Graphics Lab Motion Capture Database (mocap.cs.cmu.edu); labels of E. Fox, M. Hughes, E.
Sudderth and M. Jordan, "Joint modeling of multiple time series via the beta process with application to
motion capture segmentation", Annals of Applied Statistics 2014.
"""

from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets import Dataset, DatasetInfo, Source, narrowed
from histvq.errors import FileFormatError
from histvq.io import ReadProgress, read_many
from histvq.recording import Recording
from histvq.transforms import centre_on_root, frames_before_resampling, resample

RECORDINGS = ("13_29", "13_30", "13_31", "14_14", "14_20")
SKELETON = "86.asf"
FILE_FPS = 120.0
LABEL_FPS = 10.0
BLOCK_FRAMES = round(FILE_FPS / LABEL_FPS)
ACTIONS = (
    "JumpJack", "Jog", "Squat", "KneeRaise", "ArmCircle", "Twist", "SideReach", "Box", "UpDown",
    "ToeTouchOneHand", "SideBend", "ToeTouchTwoHands",
)  # fmt: skip

_FILES = (
    "https://raw.githubusercontent.com/michaelchughes/mocap6dataset/"
    "0fbfc4d2e13c55e30970aaebc73c90092679f4e1"
)
# Bytes and SHA-256 of motion and labels.
_KNOWN = {
    "13_29": (
        (3_677_769, "b8ffec0ea28ea24acc46ac6f4775604378ab1120388c45477c7b436ded00c42c"),
        (832, "4a2a8eaf422207acedc9b1efc9883b1770e6746a9c93fe77714fd2c0212c0291"),
    ),
    "13_30": (
        (1_979_049, "dba9d6ebb34619a34d718a805d9f666e3a54ec397effc367a3f6f0cfbe75962a"),
        (413, "c015588d9ae7fcbd2be190832644443dd19c345cc9fd1d35a8864fcd191c30bc"),
    ),
    "13_31": (
        (2_422_079, "4653045d26fc2dda48113a2930c7d1ed1753da98d5fe114e3a6a79f65c6a0aaf"),
        (539, "8a6f947b5ab6c3620d290aba37a9b5fd0405b3f234aba3c6c26560bf297d058a"),
    ),
    "14_14": (
        (3_719_141, "cf353aa8a7ca94714aaf3b2ebaed303e4e9556fc6981b1c4563a62988b8246bc"),
        (777, "517ce84c0eae5579d241ac7b307ceb8babbe038560c0fd3c4c29026a96969fbd"),
    ),
    "14_20": (
        (3_715_002, "77eefe68dda88fd356db77d1382cc0ea1e0499054258fe58fe464cdd84d119f8"),
        (866, "7d2552ff261d9f11fdfed62aefec2b30390192b8e79ecf7736aba6f3c5720973"),
    ),
}


def _sources() -> tuple[Source, ...]:
    """Motion and labels from the labels' repository, where their sizes and contents are known."""
    files = [
        Source(url=f"{_FILES}/{url}", path=path, size=size, sha256=sha256)
        for name, ((n_motion, motion), (n_labels, labels)) in _KNOWN.items()
        for url, path, size, sha256 in (
            (f"amc/{name}.amc", f"{name}.amc", n_motion, motion),
            (f"truelabels/{name}.txt", f"{name}.labels.txt", n_labels, labels),
        )
    ]
    skeleton = Source(url=f"http://mocap.cs.cmu.edu/subjects/86/{SKELETON}", path=SKELETON)
    return (*files, skeleton)


INFO = DatasetInfo(
    name="cmu-exercises",
    title="Gymnastics of two people, optical motion capture; both on the skeleton of subject 86",
    n_recordings=len(RECORDINGS),
    n_persons=2,
    n_frames=4_845,
    fps=30.0,
    unit="m",
    joint_names=(
        "root", "lhipjoint", "rhipjoint", "lowerback", "lfemur", "ltibia", "lfoot", "ltoes",
        "rfemur", "rtibia", "rfoot", "rtoes", "upperback", "thorax", "lowerneck", "lclavicle",
        "rclavicle", "upperneck", "head", "lhumerus", "lradius", "lwrist", "lhand", "lthumb",
        "lfingers", "rhumerus", "rradius", "rwrist", "rhand", "rthumb", "rfingers",
    ),
    actions=ACTIONS,
    patch_seconds=1.0,
    terms="motion: free to use, not to sell, credit mocap.cs.cmu.edu (NSF EIA-0196217); labels: BSD",
    source="http://mocap.cs.cmu.edu; labels: https://github.com/michaelchughes/mocap6dataset",
    citation="E. Fox, M. Hughes, E. Sudderth, M. Jordan, Annals of Applied Statistics 2014",
    sources=_sources(),
)  # fmt: skip


def load(
    root: str | Path,
    *,
    fps: float = 30.0,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load the recordings, centred on the root, at 30 frames a second.

    The angles of both people are put on the bones of subject 86: the joint axes are the same for all
    subjects, so the movements are theirs, but lengths and distances are not. A label stands for a
    block of 12 frames at 120 a second, 0.1 s.

    Units: metres.

    Args:
        root: Folder with `13_29.amc` (or `.amc.xz`), `13_29.labels.txt` and so on, and `86.asf`.
        fps: Frames a second to bring motion and labels to; the files have 120.
        strict: Stop instead of skipping files.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If no recording is there, or one has no labels that fit.
    """
    root = Path(root)
    files = _files(root)
    readings = read_many(
        files,
        format="acclaim",
        strict=strict,
        progress=progress,
        fps=FILE_FPS,
        skeleton=root / SKELETON,
    )
    notes = [f"both people on the skeleton of subject 86 ({SKELETON}), not on their own"]
    missing = [n for n in RECORDINGS if n not in {r.id for r in readings.recordings}]
    if missing:
        notes.append(f"not there: {', '.join(missing)}")
    recordings, annotations = [], []
    for original in readings.recordings:
        labels, note = _labels(root / f"{original.id}.labels.txt", original.n_frames)
        notes += [note] if note else []
        recording = centre_on_root(resample(original, fps))
        recordings.append(_of_person(recording))
        annotations.append(_annotation(recording, original, labels))
    actions, annotations = narrowed(annotations)
    return Dataset(
        name=INFO.name,
        recordings=tuple(recordings),
        annotations=tuple(annotations),
        actions=actions,
        skipped=readings.skipped,
        warnings=readings.warnings,
        notes=tuple(notes),
    )


def _files(root: Path) -> list[Path]:
    found = [
        root / f"{name}{ending}"
        for name in RECORDINGS
        for ending in (".amc", ".amc.xz")
        if (root / f"{name}{ending}").is_file()
    ]
    if not found or not (root / SKELETON).is_file():
        what = f"no {SKELETON}" if found else f"none of {', '.join(RECORDINGS)} (.amc)"
        raise FileFormatError(
            f"{root}: {what} in it. Motion and skeleton are at mocap.cs.cmu.edu, the labels at "
            "github.com/michaelchughes/mocap6dataset"
        )
    return found


def _labels(path: Path, n_frames: int) -> tuple[np.ndarray, str]:
    """Label of each frame at 120 a second, from 0, and what had to be left out."""
    try:
        given = [int(word) for word in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{path}: no labels to be read ({error}). They are at "
            "github.com/michaelchughes/mocap6dataset"
        ) from error
    wrong = [label for label in given if not 1 <= label <= len(ACTIONS)]
    if wrong:
        raise FileFormatError(f"{path}: label {wrong[0]}, expected 1 to {len(ACTIONS)}")
    n_blocks = -(-n_frames // BLOCK_FRAMES)
    if not n_blocks <= len(given) <= n_blocks + 1:
        raise FileFormatError(
            f"{path}: {len(given)} labels for {n_blocks} blocks of {BLOCK_FRAMES} frames "
            f"({n_frames} frames). Do motion and labels belong together?"
        )
    surplus = len(given) > n_blocks
    labels = np.repeat(np.array(given[:n_blocks]) - 1, BLOCK_FRAMES)[:n_frames]
    return labels.astype(np.int32), f"{path.name}: the last label is left out" if surplus else ""


def _annotation(recording: Recording, original: Recording, labels: np.ndarray) -> Annotation:
    """The label in force at the time of each resampled frame."""
    times = frames_before_resampling(
        recording.n_frames, original.n_frames, ratio=recording.fps / original.fps
    )
    return Annotation(
        recording_id=recording.id, labels=labels[times], actions=ACTIONS, fps=recording.fps
    )


def _of_person(recording: Recording) -> Recording:
    return recording.noted("person from the file's name", person=recording.id.split("_")[0])
