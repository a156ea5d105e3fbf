"""What is published: built, installed into an empty environment, and used there as a person would.

Most of the time goes into installing PyTorch, then into the two demos and the extras.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from email import message_from_string
from pathlib import Path

import pytest

import histvq
from histvq.doctor import FOR_DEVELOPERS
from oracles.example_files import EXAMPLES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SURROUNDINGS = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
SURROUNDINGS["PYTHONNOUSERSITE"] = "1"
WITHIN_S = 1200  # for any one step, on a slow machine
# What `histvq` says it needs where an extra is missing, and what brings it to say so.
MISSING = {
    "cluster": "predict demo/model demo/recordings -o there --cluster slurm --jobs 1",
    "gcs": "inspect gs://bucket/walk.npz",
    "nwb": "export demo --to nwb",
    "onnx": "export-model small.histvq --to onnx -o small.onnx",
    "parquet": "export demo --to parquet",
    "poses": "inspect poses.analysis.h5 --fps 30",
    "rerun": "view demo person1-1",
    "s3": "inspect s3://bucket/walk.npz",
    "video": "clips demo --video .",
    "xarray": "inspect poses.nc",
}
SMALL = "--set epochs=1 --set n_maps=4 --set n_latent=4 --set min_steps=0"


def run(*command, folder, **options):
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=SURROUNDINGS,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        **options,
    )


def well(*command, folder):
    """What a command says, that has to end well."""
    ended = run(*command, folder=folder)
    assert ended.returncode == 0, f"{command}\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
    return ended.stdout


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Skip where pip reaches no index at all; what fails after that is a failure."""
    place = tmp_path_factory.mktemp("probe")
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir")
    ended = run(*pip, "-c", ROOT / "constraints.txt", "einops", folder=place)
    if ended.returncode:
        pytest.skip(f"pip reaches no index: {ended.stderr.strip().splitlines()[-1]}")


@pytest.fixture(scope="module")
def built(index, tmp_path_factory):
    """The sdist, the wheel made from it, and the wheel made from the tree."""
    place = tmp_path_factory.mktemp("built")
    well(sys.executable, "-m", "build", "-o", place, ROOT, folder=place)
    well(sys.executable, "-m", "build", "--wheel", "-o", place / "tree", ROOT, folder=place)
    (sdist,), (wheel,) = place.glob("*.tar.gz"), place.glob("*.whl")
    (from_tree,) = (place / "tree").glob("*.whl")
    return sdist, wheel, from_tree


@pytest.fixture(scope="module")
def programs(built, tmp_path_factory):
    """The folder of programs of an environment that holds the wheel, what it needs, and no extra."""
    place = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(place, with_pip=True)
    found = place / ("Scripts" if os.name == "nt" else "bin")
    pip = (found / "python", "-m", "pip", "install", "--quiet", "--no-compile")  # half the time
    well(*pip, "-c", ROOT / "constraints.txt", built[1], folder=place)
    return found


@pytest.fixture(scope="module")
def demos(programs, tmp_path_factory):
    """A folder with the demo as the wheel makes it, and the demo as the repository makes it."""
    here, there = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("repository")
    well(programs / "histvq", "demo", "-o", "demo", folder=here)
    path = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "histvq", "demo", "-o", str(there / "demo")]
    subprocess.run(command, env=path, cwd=there, check=True, timeout=WITHIN_S, capture_output=True)
    return here / "demo", there / "demo"


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_tree(built):
    _, wheel, from_tree = map(contents, (built[1], built[1], built[2]))
    assert sorted(wheel) == sorted(from_tree)
    assert wheel == from_tree


def test_the_wheel_holds_the_package_whole_and_nothing_else(built):
    package = ROOT / "src" / "histvq"
    files = {
        f"histvq/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in contents(built[1]) if ".dist-info/" not in name}
    assert held == files
    for needed in ("py.typed", "presets/best.toml", "presets/tables/table1.toml"):
        assert f"histvq/{needed}" in held
    assert any(name.startswith("histvq/report/templates/") for name in held)
    assert any(name.startswith("histvq/report/static/") for name in held)
    assert built[1].stat().st_size < 2_000_000  # bytes; 0.9 million as this is written


def test_what_the_wheel_says_of_itself(built):
    (said,) = (b for name, b in contents(built[1]).items() if name.endswith("dist-info/METADATA"))
    about = message_from_string(said.decode())
    assert (about["Name"], about["Version"]) == ("histvq", histvq.__version__)
    assert about["License-Expression"] == "BSD-3-Clause"
    assert built[1].name == f"histvq-{histvq.__version__}-py3-none-any.whl"
    assert {*about.get_all("Provides-Extra")} >= {*MISSING, "remote", *FOR_DEVELOPERS} - {"docs"}
    assert not about.get_all("Project-URL")  # none of them would be real


def test_the_sdist_holds_what_is_tracked_and_can_be_tested(built, tmp_path):
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (place,) = tmp_path.iterdir()
    held = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
    if shutil.which("git") and (ROOT / ".git").exists():
        tracked = {*well("git", "ls-files", folder=ROOT).splitlines()}
        new = {*well("git", "ls-files", "--others", "--exclude-standard", folder=ROOT).splitlines()}
        assert held - new - {"PKG-INFO"} == {n for n in tracked if not n.startswith(".ci/")}
    # A test of the files about the package, one of the documentation, one of the benchmarks.
    benchmarks = "unit/test_accuracy_benchmark.py::test_shares_do_not_depend_on_the_order_of_frames"
    some = ["packaging/test_metadata.py", "unit/io/test_own_files_page.py", benchmarks]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    ended = subprocess.run(
        [*command, *(f"tests/{name}" for name in some)],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place / "src")},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]


def test_the_installed_program_says_its_version_and_is_in_order(programs, tmp_path):
    assert (
        well(programs / "histvq", "--version", folder=tmp_path) == f"histvq {histvq.__version__}\n"
    )
    assert "No broken requirements" in well(
        programs / "python", "-m", "pip", "check", folder=tmp_path
    )
    code = "import sys, histvq; print('torch' in sys.modules, histvq.__file__)"
    imported, file = well(programs / "python", "-c", code, folder=tmp_path).split(maxsplit=1)
    assert imported == "False"
    assert not Path(file.strip()).is_relative_to(ROOT)


def test_the_demo_of_the_wheel_is_that_of_the_repository(demos):
    here, there = demos
    assert "<html" in (here / "report.html").read_text(encoding="utf-8")[:2000]
    scores = [json.loads((demo / "scores.json").read_text()) for demo in demos]
    values = [found["scores"] for found in scores]
    versions = [json.loads((demo / "versions.json").read_text()) for demo in demos]
    for found in versions:
        found.pop("threads")  # labels are the same with any number of them
    if versions[0] == versions[1]:
        assert (here / "segments.csv").read_bytes() == (there / "segments.csv").read_bytes()
        assert values[0] == values[1]
    else:  # last digits may differ, and a few labels with them
        assert values[0]["mof"] == pytest.approx(values[1]["mof"], abs=10)


def test_the_installed_doctor_finds_it_works(programs, tmp_path):
    found = json.loads(well(programs / "histvq", "doctor", "--json", folder=tmp_path))
    assert found["faults"] == []
    assert not found["extras"]["parquet"]["there"]


def extras():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # Those of developers are installed whole wherever these tests run.
    return sorted({*project["optional-dependencies"]} - {*FOR_DEVELOPERS})


def test_every_extra_resolves(built, programs, tmp_path):
    def resolved(extra):
        wanted = f"histvq[{extra}] @ {built[1].as_uri()}"
        pip = (programs / "python", "-m", "pip", "install", "--dry-run", "--quiet")
        return run(*pip, wanted, folder=tmp_path)

    with ThreadPoolExecutor(4) as pool:
        ended = dict(zip(extras(), pool.map(resolved, extras()), strict=True))
    assert {extra: end.stderr[-500:] for extra, end in ended.items() if end.returncode} == {}


def test_a_missing_extra_is_told_with_the_line_that_installs_it(programs, demos):
    folder = demos[0].parent
    fit = f"fit demo/recordings/person1-1.npz -k 3 --method histvq {SMALL} -o small.histvq"
    well(programs / "histvq", *fit.split(), folder=folder)
    for name, ending in (("sleap", "analysis.h5"), ("movement", "nc")):
        (made := folder / name).mkdir()
        EXAMPLES[name][0](made).rename(folder / f"poses.{ending}")
    assert sorted([*MISSING, "remote"]) == extras()  # `remote` comes along with PyTorch

    def told(command):
        return run(programs / "histvq", *command.split(), folder=folder)

    with ThreadPoolExecutor(2) as pool:
        ended = dict(zip(MISSING, pool.map(told, MISSING.values()), strict=True))
    for extra, end in ended.items():
        assert end.returncode in (2, 3), (extra, end.stdout)
        assert f'pip install "histvq[{extra}]"' in end.stderr, (extra, end.stderr)
        assert "Traceback" not in end.stderr
