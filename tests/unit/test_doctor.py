import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import histvq
from histvq import doctor
from histvq.cli import Exit
from oracles.commands import histvq as command

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("version", "wanted", "does"),
    [
        ("2", ">=2.0", True),
        ("1.9", ">=1.10", False),
        ("2.13.0+cpu", ">=2.4", True),
        ("2.0rc1", ">=1.26", True),
        ("3.1", ">=1,<3", False),
        ("0.1", "", True),
    ],
)
def test_versions_that_do(version, wanted, does):
    assert (doctor.Package(name="x", wanted=wanted, version=version).fault == "") == does


def test_what_is_needed_is_what_the_project_says():
    said = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {f"{p.name}{p.wanted}" for p in doctor.packages()} == {*said["dependencies"]}
    optional = said["optional-dependencies"]
    assert [e.name for e in doctor.extras()] == sorted({*optional} - {*doctor.FOR_DEVELOPERS})
    for extra in doctor.extras():
        # More bounds than one are put in another order by whoever builds the package.
        assert {p.name for p in extra.packages} == {
            line.split(">=")[0] for line in optional[extra.name]
        }


def without(monkeypatch, *missing):
    known = metadata.version

    def version(name):
        if name in missing:
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.fixture
def quick(monkeypatch):
    """No training: it has a test of its own."""
    passed = {"works": True, "seconds": 1.0, "mof": 90.0, "constant_answer": 30.0}
    monkeypatch.setattr(doctor, "self_test", lambda: passed)


def test_a_missing_extra_is_no_fault_and_told_with_its_line(monkeypatch, quick):
    without(monkeypatch, "pyarrow")
    status, said = command("doctor")
    assert status == Exit.ALL
    assert "pyarrow is not installed" in said
    assert 'pip install "histvq[parquet]"' in said
    assert 'pip install "histvq[nwb]"' not in said  # that one is there


def test_a_needed_package_that_is_missing_or_too_old_is_a_fault(monkeypatch, quick):
    without(monkeypatch, "pandas")
    status, said = command("doctor")
    assert status == Exit.NOTHING_DONE
    assert "fault: pandas is not installed" in said
    old = doctor.Package(name="numpy", wanted=">=1.26", version="1.21.3")
    monkeypatch.setattr(doctor, "packages", lambda: [old])
    assert "fault: numpy 1.21.3 is installed, >=1.26 is needed" in command("doctor")[1]


def test_code_of_another_version_than_the_package_is_a_fault(monkeypatch, quick):
    monkeypatch.setattr(histvq, "__version__", "9.9")
    status, said = command("doctor")
    assert status == Exit.NOTHING_DONE
    assert "the code is version 9.9, the installed package" in said


def test_code_that_is_not_installed_is_told(monkeypatch):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    for asked in ("metadata", "requires", "version"):
        monkeypatch.setattr(metadata, asked, nothing)
    assert doctor.packages() == doctor.extras() == []
    assert doctor.histvq_here()["installed"] is None


def test_json_is_all_there_is_and_the_self_test_beats_a_constant_answer():
    status, said = command("doctor", "--json")
    found = json.loads(said)
    assert status == Exit.ALL
    assert found["histvq"]["version"] == histvq.__version__
    assert found["faults"] == []
    tried = found["self_test"]
    assert tried["works"]
    assert 60 < tried["mof"] <= 100
    assert tried["constant_answer"] < 50
    assert found["torch"]["threads"] >= 1
    assert found["packages"]["torch"]["version"].startswith(found["torch"]["version"].split("+")[0])


def test_a_self_test_that_fails_is_told_in_its_words(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no kernel\nfor this processor")

    monkeypatch.setattr(histvq, "make_method", broken, raising=False)
    status, said = command("doctor")
    assert status == Exit.NOTHING_DONE
    assert "the self-test failed: RuntimeError: no kernel for this processor" in said


def test_an_answer_no_better_than_a_constant_one_is_a_failure(monkeypatch):
    monkeypatch.setattr(
        doctor, "_fitted_and_scored", lambda: {"mof": 30.0, "constant_answer": 30.0}
    )
    assert not doctor.self_test()["works"]


@pytest.mark.parametrize(
    ("torch", "status", "end"),
    [
        ("raise ImportError('libcudart.so.12: cannot open')", Exit.NOTHING_DONE, "libcudart.so.12"),
        ("import os; os._exit(66)", 66, "xarray"),  # as one built for another processor ends
    ],
)
def test_what_is_installed_is_told_though_torch_brings_everything_down(
    tmp_path, torch, status, end
):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(torch, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    ended = subprocess.run(
        [sys.executable, "-m", "histvq", "doctor"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == status
    assert "scikit-learn" in ended.stdout
    assert end in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("build", "gpus", "seen", "words"),
    [
        ("CPU", [], False, ""),
        ("CPU", [], True, "CPU build does not use"),
        ("CUDA 13.0", [], False, "smaller"),
        ("CUDA 13.0", [], True, "does not find the GPU"),
        ("CUDA 13.0", ["H100"], True, ""),
        ("CPU", ["Apple (mps)"], False, ""),
    ],
)
def test_a_build_that_does_not_suit_the_machine_is_hinted_at(build, gpus, seen, words):
    hint = doctor._hint({"build": build, "gpus": gpus}, seen=seen)
    assert (words in hint) if words else hint == ""


def test_the_version_is_said():
    assert command("--version") == (Exit.ALL, f"histvq {histvq.__version__} ")
