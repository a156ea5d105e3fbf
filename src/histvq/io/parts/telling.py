"""What is said of many files at once: faults, and what sets recordings apart."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from histvq.blocks import all_missing
from histvq.recording import Recording


def listed(faults: Sequence[str], *, shown: int = 10) -> str:
    """Several faults in one message, at most ten of them; what is wrong with many files stands once."""
    faults = _gathered(faults)
    if len(faults) == 1:
        return faults[0]
    more = f"\n... and {len(faults) - shown} more" if len(faults) > shown else ""
    return f"{len(faults)} faults:\n" + "\n".join(faults[:shown]) + more


def unreadable(file: Path, error: Exception) -> str:
    """Why a file gave nothing, where its reader did not say so itself."""
    if isinstance(error, MemoryError):
        return (
            f"{file}: takes more memory than there is. Cut it into several, or use a larger machine"
        )
    if isinstance(error, OSError):
        return (
            f"{file}: cannot be read ({error.strerror or error}). Check that it is there and that you "
            "may read it"
        )
    return (
        f"{file}: not to be read ({type(error).__name__}: {error}). It is most likely damaged: write it "
        "again, or take it out"
    )


def _gathered(faults: Sequence[str]) -> list[str]:
    """The faults; those that differ in the file they begin with alone as one."""
    files: dict[str, list[str]] = {}
    for fault in faults:
        file, colon, words = fault.partition(": ")
        files.setdefault(words if colon else "", []).append(file if colon else fault)
    return [
        fault
        for words, found in files.items()
        for fault in (
            found
            if not words
            else [f"{found[0]}: {words}"]
            if len(found) == 1
            else [f"{len(found)} files: {words} ({_some(found)})"]
        )
    ]


def _some(files: Sequence[str], *, shown: int = 10) -> str:
    more = f" and {len(files) - shown} more" if len(files) > shown else ""
    return ", ".join(files[:shown]) + more


def empty(recordings: Iterable[Recording]) -> list[str]:
    """Of which nothing can be said."""
    return [without_values(r.id) for r in recordings if all_missing(r.skeleton)]


def without_values(id: str) -> str:
    """What is said of a recording in which every value is missing."""
    return f"{id}: every value is missing: nothing can be said of it"


class Laid(Protocol):
    """What `differences` must know of a recording: who has no motion at hand can say it too."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def joint_names(self) -> Sequence[str]:
        """One name a joint."""

    @property
    def channel_names(self) -> Sequence[str]:
        """One name a channel."""


def differences(recordings: Sequence[Laid]) -> list[str]:
    """What sets recordings apart that are read together."""
    messages = []
    rates = Counter(recording.fps for recording in recordings)
    if len(rates) > 1:
        counts = ", ".join(f"{n} at {fps:.10g}" for fps, n in sorted(rates.items()))
        messages.append(
            f"recordings differ in frames a second: {counts}; they will be brought to the lowest"
        )
    for kind in ("joint", "channel"):
        first = recordings[0]
        names = {recording.id: getattr(recording, f"{kind}_names") for recording in recordings}
        for other in recordings[1:]:
            if names[other.id] != names[first.id]:
                messages.append(
                    f"recordings differ in {kind}s: {first.id} has {_named(names[first.id])}, "
                    f"{other.id} has {_named(names[other.id])}"
                )
                break
    return messages


def _named(names: Sequence[str], *, shown: int = 6) -> str:
    return f"{len(names)} ({', '.join(names[:shown])}{' ...' if len(names) > shown else ''})"
