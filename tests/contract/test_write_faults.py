"""Whatever goes wrong while a file is written, the old one is whole or the new one is.

The disk fails at every single thing that is asked of it, one after the other; or the program ends there.
"""

import ast
import errno
import shutil
from pathlib import Path

import pytest

import histvq
from histvq import writing
from histvq.errors import NotWrittenError
from histvq.writing import sweep
from oracles.failing_disk import FAULTS, Disk, Killed
from oracles.writers import WRITERS

pytestmark = pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
every_writer = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if writer.few else [])
        for name, writer in WRITERS.items()
    ],
)
FEW = 7


def files_in(folder, same):
    return {
        file.relative_to(folder).as_posix(): same(file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.match(writing.UNFINISHED) and not unfinished(file.parent)
    }


def unfinished(folder):
    return any(part.match(writing.UNFINISHED) for part in (folder, *folder.parents))


class Trial:
    """The old files of a writer, the new ones, and what it asks of the disk to write these."""

    def __init__(self, name, folder, monkeypatch):
        self.writer, self.folder, self.patch = WRITERS[name], folder, monkeypatch
        self.count = 0
        self.first = folder / "first"
        self.first.mkdir()
        self.writer.write(self.first, 0)
        self.old = files_in(self.first, self.writer.same)
        fresh = self.begun()
        with Disk().in_place(monkeypatch) as disk:
            self.writer.write(fresh, 1)
        self.asked = disk.asked
        self.new = files_in(fresh, self.writer.same)
        assert self.old != self.new

    def begun(self):
        """A folder with the old files."""
        self.count += 1
        return shutil.copytree(self.first, self.folder / str(self.count))

    def points(self):
        """Where to fail: everywhere, or spread over a writer that takes long."""
        n = len(self.asked)
        return range(n) if not self.writer.few or n <= FEW else range(0, n, -(-n // FEW))

    def check(self, folder, *, all_old=False):
        found = files_in(folder, self.writer.same)
        for file in {*self.old, *self.new}:
            allowed = [self.old.get(file)] + ([] if all_old else [self.new.get(file)])
            assert found.get(file) in allowed, file
        assert not {*found} - {*self.old, *self.new}


@every_writer
def test_where_the_disk_fails_old_or_new_files_are_whole(name, tmp_path, monkeypatch):
    trial = Trial(name, tmp_path, monkeypatch)
    for at in trial.points():
        if at and trial.asked[at - 1 : at + 1] == ["rename", "fsync"]:
            continue  # the folder's names: the file is there already, and not every system can
        for variant in range(len(FAULTS[trial.asked[at]])):
            folder = trial.begun()
            with (
                Disk(at, variant=variant, part=variant * 7).in_place(monkeypatch),
                pytest.raises(OSError) as caught,
            ):
                trial.writer.write(folder, 1)
            before_renames = trial.writer.together and "rename" not in trial.asked[: at + 1]
            trial.check(folder, all_old=before_renames)
            assert not [*folder.rglob(writing.UNFINISHED)]
            told = caught.value
            assert isinstance(told, NotWrittenError)
            assert Path(told.filename).is_relative_to(folder)
            assert not unfinished(Path(told.filename)), told
            assert "cannot be written: " in str(told)
            if trial.writer.few:
                break


@every_writer
def test_where_the_program_is_killed_old_or_new_files_are_whole(name, tmp_path, monkeypatch):
    trial = Trial(name, tmp_path, monkeypatch)
    for at in trial.points():
        for part in (0, 3):
            folder = trial.begun()
            with Disk(at, kill=True, part=part).in_place(monkeypatch), pytest.raises(Killed):
                trial.writer.write(folder, 1)
            trial.check(folder)
            with monkeypatch.context() as patch:  # whoever wrote it is no more
                patch.setattr(writing, "_lives", lambda process: False)
                sweep(folder)
            assert not [*folder.rglob(writing.UNFINISHED)]
            if trial.writer.repeats:
                trial.writer.write(folder, 1)  # the same command again
                assert files_in(folder, trial.writer.same) == trial.new
            if trial.asked[at] != "write" or trial.writer.few:
                break


# Modules that write otherwise, and why.
ON_PURPOSE = {
    ("download.fetch", "open"): "a download that broke off goes on where it stopped",
    ("download.fetch", "write_text"): "the server's mark of it",
    ("writing", "open"): "here it is done",
    ("testing.reader", "write_bytes"): "a copy, spoilt on purpose",
    ("report.figures", "savefig"): "to memory",
    ("report.timeline", "savefig"): "to memory",
    ("report.svg", "savefig"): "to memory",
    ("clips.arrays", "savez_compressed"): "to memory",
    ("clips.arrays", "save"): "to memory",
    ("io.npz", "savez_compressed"): "to a file of histvq.writing",
    ("io.layout", "save"): "to a file of histvq.writing",
    ("export.parquet", "to_parquet"): "to a file of histvq.writing",
    ("remote.putting", "copyfile"): "to a file of histvq.writing",
}  # fmt: skip
OURS = {"beside", "written_whole", "atomically", "write_text", "write_bytes", "together", "growing"}
# What goes through `histvq.writing`, but has tests of its own.
TESTED_ELSEWHERE = {
    "claiming": "tests/unit/test_claiming.py",
    "experiment": "versions and losses, as the others; tests/unit/test_experiment.py",
    "resuming.checkpoint": "tests/unit/resuming/test_checkpoint.py",
    "cli.streaming": "tests/unit/test_cli_write_faults.py",
    "cli.clipping": "Rerun writes",
    "corpus.fitting": "what a worker sent, once more; tests/integration/test_corpus.py",
    "corpus.store": "tests/unit/corpus/test_store.py",
    "corpus.working": "the model, in a folder of its own; tests/integration/test_corpus.py",
    "clips.filming": "ffmpeg writes",
    "remote.putting": "tests/unit/remote/test_putting.py",
    "writing": "itself",
}
NUMPY = {"save", "savez", "savez_compressed", "savetxt", "tofile"}
OTHERS = {
    "savefig", "to_parquet", "to_hdf", "to_excel", "to_pickle", "to_json", "copyfile", "copy2",
    "copytree", "write_image", "save_file",
}  # fmt: skip


def calls():
    """Every call in the sources: module, name of what is called, the call."""
    root = Path(histvq.__file__).parent
    for file in sorted(root.rglob("*.py")):
        module = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield module, node


def writes_its_own_way(call):
    """Name of a call that writes a file without `histvq.writing`; empty if it does not."""
    function = call.func
    if isinstance(function, ast.Name):
        return "open" if function.id == "open" and writes(call.args[1:2], call) else ""
    if not isinstance(function, ast.Attribute):
        return ""
    name, owner = function.attr, function.value
    owner = owner.id if isinstance(owner, ast.Name) else ""
    if name == "open":
        # Of `path.open(mode)` the first argument is the mode, of `tarfile.open(path, mode)` the second.
        return name if writes(call.args[:2], call) else ""
    if name in ("write_text", "write_bytes") or (name in NUMPY and owner == "np"):
        return name
    if name == "to_csv":
        return name if call.args else ""
    return name if name in OTHERS else ""


def writes(args, call):
    """Whether one of these is a mode, of writing or worked out."""
    given = [*args, *(word.value for word in call.keywords if word.arg == "mode")]
    said = [str(mode.value) for mode in given if isinstance(mode, ast.Constant)]
    worked_out = any(isinstance(mode, ast.IfExp) for mode in given)
    return worked_out or any(len(mode) <= 3 and set(mode) & set("wax+") for mode in said)


def test_nothing_is_written_any_other_way():
    found = {(module, name) for module, call in calls() if (name := writes_its_own_way(call))}
    assert found == set(ON_PURPOSE)


def test_every_module_that_writes_is_in_the_table():
    found = {
        module
        for module, call in calls()
        if isinstance(call.func, ast.Name) and call.func.id in OURS
    }
    listed = {module for writer in WRITERS.values() for module in writer.modules}
    assert found == listed | set(TESTED_ELSEWHERE)
    assert not listed & set(TESTED_ELSEWHERE)


def test_the_table_says_truly_which_modules_write(tmp_path, monkeypatch):
    import inspect

    for name, writer in WRITERS.items():
        seen = set()
        real = writing._unfinished

        def spy(folder, seen=seen, real=real):
            seen.update(
                frame.frame.f_globals["__name__"].removeprefix("histvq.")
                for frame in inspect.stack(0)[1:12]
            )
            return real(folder)

        with monkeypatch.context() as patch:
            patch.setattr(writing, "_unfinished", spy)
            (tmp_path / name / "made").mkdir(parents=True)
            writer.write(tmp_path / name / "made", 0)
        assert set(writer.modules) <= {m.removeprefix("histvq") or "." for m in seen} | seen, name


def test_errors_are_told_in_words():
    for codes in FAULTS.values():
        for code in codes:
            words = str(NotWrittenError(code, "Odd", "runs/a.csv"))
            assert words.startswith("runs/a.csv cannot be written: ")
            assert "Odd" not in words
    full = str(NotWrittenError(errno.ENOSPC, "Odd", "a.csv"))
    assert full == (
        "a.csv cannot be written: the disk is full; make room, or choose another place (-o), then give "
        "the command again"
    )
    assert "Odd" in str(NotWrittenError(errno.EMFILE, "Odd", "a.csv"))
