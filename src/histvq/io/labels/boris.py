"""Labels from BORIS projects that a person made or corrected."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from histvq.annotation import Annotation
from histvq.io.labels.marks import Mark, Owner, annotations, owned
from histvq.io.parts.boris_project import CATEGORY, ethogram_of, names_of, read_project, states
from histvq.recording import Recording

SUFFIXES = (".boris", ".boris.gz")
EXAMPLE = "Call an observation as its recording, or its video as the recording"


def read_boris(
    paths: str | Path | Iterable[str | Path], recordings: Sequence[Recording]
) -> list[Annotation | None]:
    """Read the labels of these recordings from BORIS projects, an observation a recording.

    An observation is of the recording `histvq export` noted in its description, or of the one it is
    called after, or else of the one its first video is. State
    events are read, those of category `subaction` only where there are no others. Who does it is not told
    apart. A time offset is taken off.

    Units: seconds become frames with each recording's own frame rate, the nearest.

    Args:
        paths: One project or several (`.boris`, `.boris.gz`).
        recordings: Those the labels are wanted for.

    Returns:
        In step with the recordings; None where no event labels a frame. Frames no state covers are -1.
        All share `actions`: the names as they first occur.

    Raises:
        FileFormatError: If a file is no project; events are wrong (a start that nothing stops, a point
            event, an unknown behaviour, times beyond the recording, two at once; at most ten are told, by
            observation and event); or no observation is of these recordings.

    Warns:
        DataWarning: If some are of none; they are left out.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    found = [
        (f"{file}, observation {id!r}", id, observation, ethogram_of(project))
        for file in files
        for project in [read_project(file)]
        for id, observation in project["observations"].items()
    ]
    owners = [
        Owner(where=where, names=names_of(id, observation)) for where, id, observation, _ in found
    ]
    marks: dict[str, dict[str, list[Mark]]] = {level: {} for level in CATEGORY}
    faults: list[str] = []
    for (where, _, observation, ethogram), recording in zip(
        found, owned(owners, recordings, example=EXAMPLE), strict=True
    ):
        if recording is None:
            continue
        coded, wrong = states(observation, ethogram)
        faults += [f"{where}, {fault}" for fault in wrong]
        for state in coded:
            mark = Mark(
                state.start_s,
                state.stop_s,
                state.behaviour,
                f"{where}, events {state.events[0]} and {state.events[1]}",
            )
            marks[level_of(state.category)].setdefault(recording.id, []).append(mark)
    source = str(files[0]) if len(files) == 1 else f"{len(files)} BORIS projects"
    chosen = marks["action"] or marks["subaction"]
    return annotations(chosen, recordings, source=source, faults=faults)


def level_of(category: str) -> str:
    """What behaviours of a category are."""
    return "subaction" if category == CATEGORY["subaction"] else "action"
