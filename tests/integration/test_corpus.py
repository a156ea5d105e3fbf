"""Many files answered for by workers of a cluster: the same run folder as from the plain command."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dask
import pytest

from histvq.cli import Exit
from histvq.cluster import connected
from histvq.corpus.store import Store
from histvq.methods.window_kmeans import WindowKMeans
from oracles.commands import histvq
from oracles.corpora import motion, run_folder, skipped, write_good, write_mixed
from oracles.mortal import Mortal

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = ["--method", "window-kmeans", "--set", "n_init=2"]


@pytest.fixture(scope="module")
def cluster():
    """The address of a scheduler with two workers."""
    few = dask.config.set({"distributed.scheduler.allowed-failures": 1})
    with few, connected("local", n_workers=2) as found:
        yield found


@pytest.fixture(scope="module")
def address(cluster):
    return cluster.client.scheduler.address


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "m"
    _fitted(WindowKMeans).save(folder)
    return folder


def _fitted(kind):
    given = [motion(f"g{seed}", seed)[0] for seed in range(4)]
    return kind(n_actions=2, patch_seconds=1.0, random_state=0, n_init=2).fit(given)


@pytest.fixture
def mixed(tmp_path):
    write_mixed(tmp_path / "mixed")
    return tmp_path / "mixed"


def both(command, *, out, address, cwd_files=()):
    """What the plain command says and leaves, and the same on a cluster."""
    plain = histvq(*command, "-o", out / "plain")
    there = histvq(*command, "-o", out / "there", "--cluster", address)
    return (plain, run_folder(out / "plain")), (there, run_folder(out / "there"))


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_predict_of_good_and_bad_files(mixed, model, address, tmp_path):
    plain, there = both(["predict", model, mixed], out=tmp_path, address=address)
    assert plain[0][0] == there[0][0] == Exit.SOME_SKIPPED
    assert there[1] == plain[1]
    assert len(skipped(tmp_path / "there")) == 6
    assert "2 other files ignored" in there[0][1]
    frames = there[1]["frames.csv"].decode()
    assert "mixed_good000,0,0.0," in frames
    assert "morning_good000,0,0.0," in frames


@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_run_of_good_and_bad_files(mixed, address, tmp_path):
    plain, there = both(["run", mixed, "-k", 2, *QUICK], out=tmp_path, address=address)
    assert plain[0][0] == there[0][0] == Exit.SOME_SKIPPED, there[0][1]
    assert there[1] == plain[1]
    assert any("other_joints" in name for name, _ in skipped(tmp_path / "there"))


def test_relative_paths_options_and_files_named_twice(mixed, model, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = ["mixed/good001.npz", "mixed/monday", "mixed/../mixed/good001.npz", "mixed/good002.npz"]
    plain, there = both(["predict", model, *named], out=tmp_path, address=address)
    assert plain[0][0] == there[0][0] == Exit.ALL
    assert there[1] == plain[1]
    assert not (tmp_path / "there" / "pieces").exists()
    for wrong, status in (
        ([mixed / "README.txt", "mixed/cut.npz"], Exit.NOTHING_DONE),
        (["mixed/good001.npz", "--option", "nope=1"], Exit.USAGE),
        (["mixed/good001.npz", "--people", "all"], Exit.USAGE),
        (["mixed/other_unit.npz"], Exit.NOTHING_DONE),
        (["mixed", "--strict"], Exit.NOTHING_DONE),
        (["mixed/good001.npz", "mixed/other_unit.npz", "--strict"], Exit.USAGE),
        (["mixed/nothing.npz"], Exit.NOTHING_DONE),
    ):
        command = ["predict", model, *wrong, "--overwrite"]
        (plain, _), (there, _) = both(command, out=tmp_path / "wrong", address=address)
        assert plain[0] == there[0] == status, wrong
        assert there[1].endswith(plain[1]), wrong


def test_nothing_is_done_twice(model, address, tmp_path):
    files = tmp_path / "files"
    write_good(files, 12)
    (files / "bad.npz").touch()
    command = ["predict", model, files, "-o", tmp_path / "out", "--cluster", address, "--overwrite"]
    status, said = histvq(*command)
    assert status == Exit.SOME_SKIPPED
    assert "done before" not in said
    assert "keeps what was answered" in said
    shutil.copy(files / "good003.npz", files / "bad.npz")
    os.utime(files / "good005.npz", ns=(0, 0))
    write_good(files, 1, start=50)
    status, said = histvq(*command)
    assert status == Exit.ALL
    assert "11 of 14 files were done before" in said  # not the mended, the touched, the new one
    histvq("predict", model, files, "-o", tmp_path / "plain")
    assert run_folder(tmp_path / "out") == run_folder(tmp_path / "plain")


def test_another_model_does_all_anew(model, address, tmp_path):
    write_good(tmp_path / "files", 3)
    (tmp_path / "files" / "bad.npz").touch()
    out = ["-o", tmp_path / "out", "--cluster", address, "--overwrite"]
    histvq("predict", model, tmp_path / "files", *out)
    other = tmp_path / "other"
    given = [motion(f"g{seed}", seed)[0] for seed in range(9)]
    WindowKMeans(n_actions=3, patch_seconds=1.0, random_state=1, n_init=2).fit(given).save(other)
    assert "done before" not in histvq("predict", other, tmp_path / "files", *out)[1]


@pytest.mark.slow
def test_a_file_on_which_workers_end_costs_only_itself(address, tmp_path):
    _fitted(Mortal).save(tmp_path / "mortal")
    files = write_good(tmp_path / "files", 5)
    write_recording(tmp_path / "files" / "deadly.npz", "deadly")
    mine = ["--method", "oracles.mortal:Mortal"]
    status, said = histvq(
        "predict", tmp_path / "mortal", tmp_path / "files", *mine, "-o", tmp_path / "out",
        "--cluster", address,
    )  # fmt: skip
    assert status == Exit.SOME_SKIPPED, said
    ((name, why),) = skipped(tmp_path / "out")
    assert name == "deadly.npz"
    assert "ended, each time it was tried" in why
    histvq("predict", tmp_path / "mortal", *files, *mine, "-o", tmp_path / "plain")
    plain, there = (run_folder(tmp_path / name) for name in ("plain", "out"))
    assert plain["frames.csv"] == there["frames.csv"]


def write_recording(file, id):
    from histvq.io.npz import write_npz

    write_npz(file, *motion(id, 99))


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_no_result(cluster, model, address, tmp_path):
    write_good(tmp_path / "files", 60)
    pieces = tmp_path / "there" / "pieces"
    killed = []

    def kill_one():
        until = time.monotonic() + 60
        while time.monotonic() < until and len(list(pieces.glob("*.safetensors"))) < 5:
            time.sleep(0.01)
        victim = next(iter(cluster.client.run(os.getpid).values()))
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    thread = threading.Thread(target=kill_one)
    thread.start()
    plain, there = both(["predict", model, tmp_path / "files"], out=tmp_path, address=address)
    thread.join(timeout=300)
    assert killed
    assert plain[0][0] == there[0][0] == Exit.ALL
    assert there[1] == plain[1]


@pytest.mark.slow
def test_a_command_killed_and_given_again_goes_on(model, address, tmp_path):
    write_good(tmp_path / "files", 80)
    out = tmp_path / "out"
    command = ["predict", model, tmp_path / "files", "-o", out, "--cluster", address]
    process = subprocess.Popen(
        [sys.executable, "-m", "histvq", *map(str, command)], stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and n_pieces(out) < 5:
        time.sleep(0.01)
    process.kill()
    process.wait(timeout=300)
    done = n_pieces(out)
    assert done >= 5
    assert not (out / "frames.csv").exists()
    status, said = histvq(*command)
    assert status == Exit.ALL
    n_before = int(said.split(" of 80 files were done before")[0].split()[-1])
    assert n_before >= done  # those in flight when it was killed may have ended since
    histvq("predict", model, tmp_path / "files", "-o", tmp_path / "plain")
    there, plain = run_folder(out), run_folder(tmp_path / "plain")
    assert "64 of 80 recordings are played" in " ".join(there.pop("report.html"))
    assert "recordings are played" not in " ".join(plain.pop("report.html"))
    assert there == plain


def n_pieces(out):
    return len(list((Path(out) / "pieces").glob("*.safetensors")))


def test_workers_that_do_not_see_the_folder_say_so(model, address, tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "write", lambda store, name, content: None)
    write_good(tmp_path / "files", 1)
    status, said = histvq(
        "predict", model, tmp_path / "files", "-o", tmp_path / "out", "--cluster", address
    )
    assert status == Exit.USAGE
    assert "does not see" in said
    assert "same path" in said


def test_recordings_model_and_results_at_addresses(model, address, tmp_path):
    from histvq.io.layout import write_layout

    write_good(tmp_path / "files", 3)
    (tmp_path / "files" / "bad.npz").touch()
    pairs = [motion(f"g{seed}", seed) for seed in range(3)]
    write_layout(tmp_path / "smq", *zip(*pairs, strict=True))  # labels in folders beside
    for name, more in (("files", []), ("smq", ["--fps", 10, "--unit", "mm"])):
        at = f"file://{tmp_path}"
        there = [f"{at}/{name}", *more, "--cluster", address]
        plain = [tmp_path / name, *more]
        commands = {"run": ["run", "-k", 2, *QUICK], "predict": ["predict", model]}
        for kind, command in list(commands.items())[: 2 if name == "files" else 1]:
            ours, theirs = tmp_path / f"{name}-{kind}", tmp_path / f"{name}-{kind}-there"
            status, said = histvq(*command, *there, "-o", f"{at}/{theirs.name}")
            expected, _ = histvq(*command, *plain, "-o", ours)
            assert status == expected, said
            for table in ("frames.csv", "segments.csv", "usage.csv"):
                assert (theirs / table).read_bytes() == (ours / table).read_bytes()
            assert (theirs / "report.html").exists()
            assert (theirs / "scores.json").exists() == (ours / "scores.json").exists()
            assert bool(n_pieces(theirs)) == (name == "files")  # kept for what was skipped
            assert all(f"{at}/files/bad.npz" in why for _, why in skipped(theirs))


@pytest.mark.slow
@pytest.mark.real_data
def test_all_of_hugadb_by_two_workers(shared_data, address, tmp_path):
    """The labels of the plain command, to the byte."""
    folder = tmp_path / "hugadb"
    unpack = [sys.executable, shared_data / "hugadb" / "unpack.py", folder]
    subprocess.run(unpack, check=True, stdout=subprocess.DEVNULL)
    few = sorted(folder.glob("*.txt"))[::40]
    command = ["fit", *few, "-k", 12, "--preset", "hugadb-fast", "--set", "epochs=2"]
    assert histvq(*command, "-o", tmp_path / "model")[0] == Exit.ALL
    plain = histvq("predict", tmp_path / "model", folder, "-o", tmp_path / "plain")
    there = histvq(
        "predict", tmp_path / "model", folder, "-o", tmp_path / "there", "--cluster", address
    )
    assert plain[0] == there[0]
    plain, there = (run_folder(tmp_path / name) for name in ("plain", "there"))
    for one in (plain, there):  # the one plays all recordings, the other some
        del one["report.html"]
    assert there == plain
    assert len({line.split(b",")[0] for line in plain["frames.csv"].splitlines()[1:]}) == 364


PEAK = """
import sys
from pathlib import Path
from histvq.corpus import Reading, claimed, saved_model, working
from histvq.corpus.asked import Asked
from histvq.corpus.pieces import cut
from histvq.io import readers_for
from histvq.io.parts.finding import places

files, model, out = map(Path, sys.argv[1:])
asked = Asked(claim=claimed(out), reading=Reading(), model=saved_model(model))
working.shared = lambda name: asked
entries = [entry for place in places(files, readers_for()) for entry in place.entries]
for piece in cut(entries, size=8, about=""):
    assert working.answered(piece).n_recordings == len(piece.entries)
status = Path("/proc/self/status").read_text().splitlines()
print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_a_worker_needs_no_more_memory_for_four_times_the_files(model, tmp_path):
    (one,) = write_good(tmp_path / "one", 1, n_frames=100_000)  # 4 MB of motion
    peaks = []
    for n in (30, 120):
        files = tmp_path / str(n)
        files.mkdir()
        for number in range(n):
            os.link(one, files / f"{number:03}.npz")
        given = [files, model, tmp_path / f"out{n}"]
        said = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, given)],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(said.stdout))
    assert peaks[1] < 1.15 * peaks[0], peaks
