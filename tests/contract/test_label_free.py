"""No label has a say in what a method finds: seen from files, from datasets, and from the imports."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from contract.test_methods import CASES, QUICK, wandering
from histvq.annotation import Annotation
from histvq.datasets import load_dataset
from histvq.io.hugadb import COLUMNS
from histvq.io.npz import write_npz
from histvq.methods import METHODS
from histvq.registry import resolve
from oracles.commands import histvq

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).resolve().parents[2]
SECRET = ("annotation", "io", "datasets", "metrics", "evaluation")
LENGTHS = (120, 100, 87)
HEADER = "#Activity\tx \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"
# What becomes of the labels: nothing that a method finds may change by it.
KINDS = ("as they are", "shuffled", "of another recording", "all the same", "none")


def labels_of(kind):
    """Labels of each recording, or None where nobody said."""
    true = [np.arange(n) // 20 % 3 for n in LENGTHS]
    match kind:
        case "as they are":
            return true
        case "shuffled":
            return [np.random.default_rng(len(labels)).permutation(labels) for labels in true]
        case "of another recording":
            return [np.resize(true[place - 1][::-1], n) for place, n in enumerate(LENGTHS)]
        case "all the same":
            return [np.zeros(n, int) for n in LENGTHS]
    return [None] * len(LENGTHS)


@pytest.fixture(scope="module", params=("shuffled", "none"))
def folders(request, tmp_path_factory):
    """The same recordings twice: with the true labels, and with false ones or none."""
    both = tmp_path_factory.mktemp("labelled")
    for name, kind in (("true", KINDS[0]), ("false", request.param)):
        for number, labels in enumerate(labels_of(kind)):
            recording = wandering(LENGTHS[number], id=f"r{number}", seed=number)
            truth = None if labels is None else annotation_of(recording, labels)
            write_npz(both / name / f"r{number}.npz", recording, truth)
    return both / "true", both / "false"


def annotation_of(recording, labels):
    return Annotation(
        recording_id=recording.id, labels=labels, actions=("a", "b", "c"), fps=recording.fps
    )


def predicted(run):
    """What a run's frames say, its true labels left out, and what its model learned."""
    import pandas as pd

    frames = pd.read_csv(run / "frames.csv", comment="#")
    names = [name for name in frames.columns if "true" not in name and "matched" not in name]
    return frames[names], learned(run / "model")


def learned(model):
    """What a saved model holds, byte by byte."""
    (place,) = model.glob("*.safetensors")
    return place.read_bytes()


@pytest.mark.parametrize("name", METHODS)
def test_a_run_over_files_finds_the_same_whatever_their_labels(name, folders, tmp_path):
    settings = [f"--set={key}={value}" for key, value in QUICK.get(name, {}).items()]
    found = []
    for folder in folders:
        out = tmp_path / folder.name
        status, said = histvq("run", folder, "-k", 3, "--method", name, "-o", out, *settings)
        assert status == 0, said
        found.append(predicted(out))
    (true_frames, true_model), (false_frames, false_model) = found
    assert len(true_frames) == sum(LENGTHS)
    assert true_frames.equals(false_frames)
    assert true_model == false_model


def hugadb_at(folder, kind):
    """Raw files of the benchmark; labels, the last column, are falsified."""
    folder.mkdir()
    activities = np.array([1, 2, 8])
    for number, labels in enumerate(labels_of(kind)):
        motion = wandering(LENGTHS[number], id="r", seed=number).skeleton.reshape(-1, 9)
        sensors = np.round(1000 * np.tile(motion, 4)).astype(int)
        rows = (
            "\t".join(map(str, [*row, 1, 1, activity])) + "\n"
            for row, activity in zip(sensors, activities[labels], strict=True)
        )
        name = f"HuGaDB_v1_various_{number + 1:02}_00.txt"
        (folder / name).write_text(HEADER + "".join(rows))


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """The same recordings with the true labels first, then with false ones."""
    place = tmp_path_factory.mktemp("hugadb")
    for kind in KINDS[:-1]:
        hugadb_at(place / kind, kind)
    return [load_dataset("hugadb", place / kind) for kind in KINDS[:-1]]


@pytest.mark.parametrize("case", CASES)
def test_a_dataset_gives_the_same_whatever_its_labels(case, datasets, tmp_path):
    name, settings = CASES[case]
    kind = resolve(name, METHODS, kind="method")
    given = {**QUICK.get(name, {}), **known_to(kind, patch_seconds=0.2), **settings}

    def found(data, place):
        method = kind(n_actions=3, random_state=0, **given).fit(data.recordings)
        method.save(place)
        return learned(place), method.predict(list(data.recordings))

    model, answers = found(datasets[0], tmp_path / "true")
    for number, data in enumerate(datasets[1:]):
        other_model, other_answers = found(data, tmp_path / f"false-{number}")
        assert other_model == model
        for ours, theirs in zip(other_answers, answers, strict=True):
            np.testing.assert_array_equal(ours.actions, theirs.actions)
            np.testing.assert_array_equal(ours.labels("subaction"), theirs.labels("subaction"))
            np.testing.assert_array_equal(ours.confidence, theirs.confidence)


def known_to(kind, **settings):
    """Those of the settings that a method has."""
    return {name: value for name, value in settings.items() if name in kind.Config.model_fields}


WITHOUT = """
import sys
for name in {secret}:
    sys.modules["histvq." + name] = None  # whoever imports it fails, wherever and whenever
sys.path[:0] = {paths}
from contract.test_methods import QUICK, RECORDINGS
from histvq.methods import METHODS
from histvq.registry import resolve
for name in METHODS:
    kind = resolve(name, METHODS, kind="method")
    method = kind(n_actions=3, random_state=0, **QUICK.get(name, {{}})).fit(RECORDINGS)
    assert len(method.predict(RECORDINGS)) == len(RECORDINGS)
"""


def test_every_method_works_where_labels_files_and_scores_do_not_exist():
    script = WITHOUT.format(secret=SECRET, paths=[str(ROOT / "tests"), str(ROOT / "src")])
    subprocess.run([sys.executable, "-c", script], check=True)


def imports_of(module):
    """Modules of histvq that a module imports, anywhere in its text."""
    place = ROOT / "src" / Path(*module.split("."))
    place = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(place.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("histvq.") and is_module(name)}


def is_module(name):
    place = ROOT / "src" / Path(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def test_nothing_a_method_imports_however_far_down_knows_labels_or_scores():
    folder = ROOT / "src" / "histvq" / "methods"
    reached, waiting = set(), [f"histvq.methods.{path.stem}" for path in folder.glob("[!_]*.py")]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imports_of(module)
    shared = {"patchwise", "framewise", "networked", "windows", "chunks", "answering", "training"}
    assert {f"histvq.{name}" for name in shared} <= reached  # the walk goes all the way down
    secret = {name for name in reached if name.split(".")[1] in SECRET}
    assert not secret


def test_the_import_contract_says_so_without_exceptions():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["name"].startswith("unsupervised methods never see"))
    assert contract["type"] == "forbidden"
    assert contract["source_modules"] == ["histvq.methods"]
    assert {f"histvq.{name}" for name in SECRET} <= {*contract["forbidden_modules"]}
    # Imports by way of other modules count, unless one of these says otherwise.
    assert not {"allow_indirect_imports", "ignore_imports"} & contract.keys()
