"""What the workers of a test's cluster do; each task says in a folder that it was begun."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from histvq.cluster import shared, wanted
from histvq.errors import ConfigError


@dataclass(frozen=True)
class Task:
    """A number to square, and what happens on the way: '', raise, refuse, die, die always, wait."""

    number: int
    folder: str = ""
    fate: str = ""
    times: int = 0


class Counted:
    """A value that says in a folder which process has unpacked it."""

    def __init__(self, folder, value):
        self.folder = folder
        self.value = value

    def __setstate__(self, state):
        self.__dict__.update(state)
        with open(Path(self.folder) / "unpacked", "a") as file:
            file.write(f"{os.getpid()}\n")


def begun(folder):
    """Number of each task that was begun, in order, repeats included."""
    place = Path(folder) / "begun"
    return [int(line) for line in place.read_text().splitlines()] if place.exists() else []


def square(task):
    if task.folder:
        with open(Path(task.folder) / "begun", "a") as file:
            file.write(f"{task.number}\n")
    n_before = begun(task.folder).count(task.number) - 1 if task.folder else 0
    if task.fate == "raise" and n_before < task.times:
        raise OSError(f"the disk of {task.number} is away")
    if task.fate == "refuse":
        raise ConfigError(f"{task.number} is no good")
    if task.fate == "die" and n_before < task.times:
        os.kill(os.getpid(), signal.SIGKILL)
    if task.fate == "wait":
        time.sleep(task.times / 1000)
    if task.fate == "stay":
        while wanted():
            time.sleep(0.05)
        (Path(task.folder) / "left").touch()
    return task.number**2


def plus_shared(number):
    return number + shared("offset").value


def shared_and_process(number):
    return shared("offset").value, os.getpid()


def square_plus_shared(task):
    return square(task) + shared("offset").value
