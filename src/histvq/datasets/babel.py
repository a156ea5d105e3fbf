"""BABEL, subsets 1 to 3: motion of AMASS in 25 joints, four actions each and `none`.

Source: A. Punnakkal et al., "BABEL: Bodies, Action and Behavior with English Labels", CVPR 2021; N.
Mahmood et al., "AMASS", ICCV 2019; the subsets of Q. Yu and K. Fujiwara, "Frame-Level Label Refinement
for Skeleton-Based Weakly-Supervised Action Recognition", AAAI 2023, with the choice of SMQ and HiST-VQ.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from histvq.datasets import Dataset, DatasetInfo, Prepared, narrowed
from histvq.datasets import _babel_prepared as prepared
from histvq.datasets._babel_checks import (
    check_preparation,
    in_one,
    leave_out_idle,
    stop_at_faults,
)
from histvq.datasets._babel_labels import CLASSES, FPS, actions_of
from histvq.datasets._babel_motion import JOINTS
from histvq.datasets._babel_prepared import CLOSED, GAPS, Found, read_pickles
from histvq.datasets._babel_raw import find_annotations, read_raw
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import ReadProgress
from histvq.io.layout import write_layout
from histvq.io.npz import write_npz
from histvq.io.parts.file_names import check_file_names
from histvq.recording import Recording

PATCH_SECONDS = 1.0
SOURCE = (
    "labels: https://babel.is.tue.mpg.de (BABEL 1.0); motion: https://amass.is.tue.mpg.de (SMPL+H); "
    "body model: https://mano.is.tue.mpg.de (SMPL+H for AMASS); each after registration"
)


@dataclass(frozen=True)
class Subset:
    """One of the three subsets: call it to load, `prepare` to convert once.

    Attributes:
        number: 1, 2 or 3.
    """

    number: int

    @property
    def INFO(self) -> DatasetInfo:
        """What there is to know of it."""
        return DatasetInfo(
            name=f"babel-{self.number}",
            title=f"Everyday motion of many people, optical motion capture: "
            f"{', '.join(CLASSES[self.number])}, or none of these",
            fps=FPS,
            joint_names=JOINTS,
            actions=actions_of(self.number),
            patch_seconds=PATCH_SECONDS,
            terms="non-commercial scientific research; neither the files nor arrays made of them may "
            "be published again",
            source=SOURCE,
            citation="A. Punnakkal, A. Chandrasekaran, N. Athanasiou, A. Quiros-Ramirez, M. Black, "
            "BABEL: Bodies, Action and Behavior with English Labels, CVPR 2021; N. Mahmood, N. "
            "Ghorbani, N. Troje, G. Pons-Moll, M. Black, AMASS: Archive of Motion Capture as Surface "
            "Shapes, ICCV 2019",
        )

    def __call__(
        self,
        root: str | Path,
        *,
        annotations: str | Path | None = None,
        body_model: str | Path | None = None,
        allow_pickle: bool = False,
        benchmark: bool = False,
        strict: bool = False,
        progress: ReadProgress | None = None,
    ) -> Dataset:
        """Load the subset's sequences, training and validation together.

        Everybody has the body of the mean man, standing in place; the first frame of each sequence
        looks the same way. Sequences are left out that have no labels of single frames, more than 1000
        labelled ones, none of the four actions, or `none` in more than half of their frames. `none` is
        an action like any other.

        Units: millimetres.

        Args:
            root: The first of these there is: the pickles `train_split1.pkl`, `val_split1.pkl` (or
                2, 3) that line/Skeleton-Temporal-Action-Localization makes; the folder of AMASS; what
                `prepare` or SMQ's preparation wrote.
            annotations: Folder of BABEL's `train.json` and `val.json`, where not in `root`; pickles are
                not looked for then.
            body_model: The male SMPL+H model, where not in `root`; as with `annotations`.
            allow_pickle: Read pickles, by a reader that admits numbers alone.
            benchmark: Do as the published preparation does where that is not what one would want:
                after frames nobody annotated labels come too early, and the body model's mean pose of
                the hands is added to theirs. Stop where anything is missing.
            strict: Stop at what cannot be read or had to be changed.
            progress: As in `histvq.io.read_many`.

        Raises:
            FileFormatError: If nothing can be read, files are damaged or of another preparation, or, by
                `benchmark` or `strict`, anything is missing.
            ConfigError: If there are pickles, and `allow_pickle` was not given; or `benchmark` is asked
                of files that were prepared without.
        """
        found = _find(
            Path(root),
            self.number,
            annotations=annotations,
            body_model=body_model,
            allow_pickle=allow_pickle,
            benchmark=benchmark,
            strict=strict,
            progress=progress,
        )
        for message in (*found.warnings, *in_one(found.skipped)):
            warnings.warn(message, DataWarning, stacklevel=2)
        actions, narrow = narrowed(found.annotations)
        return Dataset(
            name=self.INFO.name,
            recordings=tuple(found.recordings),
            annotations=tuple(narrow),
            actions=actions,
            skipped=tuple(found.skipped),
            warnings=tuple(found.warnings),
            notes=(*found.notes, *_size(found, self.number)),
        )

    def prepare(
        self,
        raw: str | Path,
        out: str | Path,
        *,
        layout: Literal["npz", "smq"] = "npz",
        **options: Any,
    ) -> Prepared:
        """Do all that loading does once, and write what comes of it.

        Args:
            raw: As `root` when loading.
            out: Folder to write to; files of the same name are replaced.
            layout: `npz` keeps everything; `smq` is the folder layout that other tools read.
                Loading reads either.
            **options: As when loading.

        Raises:
            FileFormatError: As when loading.
            ConfigError: As when loading; also if the layout is neither.
        """
        if layout not in ("npz", "smq"):
            raise ConfigError(f"layout={layout!r}: must be 'npz' or 'smq'")
        out = Path(out)
        found = _find(Path(raw), self.number, **options)
        if layout == "smq":
            write_layout(out, found.recordings, found.annotations)
        else:
            check_file_names(recording.id for recording in found.recordings)
            for recording, annotation in zip(found.recordings, found.annotations, strict=True):
                write_npz(out / f"{recording.id}.npz", recording, annotation)
        return Prepared(
            folder=out,
            n_recordings=len(found.recordings),
            n_frames=sum(recording.n_frames for recording in found.recordings),
            skipped=tuple(found.skipped),
            warnings=tuple(found.warnings),
            notes=(*found.notes, *_size(found, self.number)),
        )


SUBSET_1, SUBSET_2, SUBSET_3 = (Subset(number) for number in CLASSES)


def _find(
    root: Path,
    subset: int,
    *,
    annotations: str | Path | None = None,
    body_model: str | Path | None = None,
    allow_pickle: bool = False,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Found:
    """The subset's recordings, chosen and checked, in order of their ids."""
    if not root.is_dir():
        raise FileFormatError(f"{root}: not a folder. Give the folder of the BABEL files")
    from_raw = annotations is not None or body_model is not None
    pickles = [] if from_raw else prepared.find_pickles(root, subset)
    labels = find_annotations(Path(annotations) if annotations else root)
    format, files = prepared.find_prepared(root)
    if pickles:
        found = read_pickles(pickles, subset, allow_pickle=allow_pickle, progress=progress)
    elif labels:
        model = Path(body_model) if body_model else root
        found = read_raw(
            root, labels, subset, body_model=model, benchmark=benchmark, progress=progress
        )
    elif files:
        found = prepared.read_prepared(format, files, subset, strict=strict, progress=progress)
        _check_gaps(found.recordings, benchmark=benchmark)
    else:
        raise FileFormatError(
            f"{root}: neither train_split{subset}.pkl, nor BABEL's train.json (with AMASS beside it; "
            "annotations= if it is elsewhere), nor what `histvq data prepare` or SMQ made of them. Get "
            f"them: {SOURCE}"
        )
    _check_splits(pickles or labels, found, benchmark=benchmark)
    stop_at_faults(found, root, everything=benchmark or strict, strict=strict)
    leave_out_idle(found)
    check_preparation(found, root)
    return found


def _check_splits(files: list[Path], found: Found, *, benchmark: bool) -> None:
    """Say that there is only training or only validation; raise where the benchmark was asked for."""
    if len(files) != 1:
        return
    if benchmark:
        raise FileFormatError(
            f"{files[0]}: the benchmark is training and validation together, and this is one of "
            "them. Add the other, or leave out benchmark=True"
        )
    found.notes.append(f"{files[0].name} only, not training and validation together")


def _check_gaps(recordings: Iterable[Recording], *, benchmark: bool) -> None:
    """Raise where prepared files have gaps in place, and the benchmark's way was asked for."""
    kept = [r for r in recordings if r.metadata.get(GAPS, CLOSED) != CLOSED]
    if kept and benchmark:
        raise ConfigError(
            f"{kept[0].source}: prepared with benchmark=False, asked for benchmark=True. Leave it out, "
            "or prepare the raw files again"
        )


def _size(found: Found, subset: int) -> list[str]:
    """What nobody has published: how much there is."""
    frames = sum(recording.n_frames for recording in found.recordings)
    notes = [f"subset {subset}: {len(found.recordings)} sequences, {frames} frames"]
    if n := sum(recording.duration_s < PATCH_SECONDS for recording in found.recordings):
        notes.append(f"{n} sequences shorter than a patch of {PATCH_SECONDS:g} s")
    return notes
