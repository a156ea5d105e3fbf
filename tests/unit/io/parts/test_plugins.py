"""Readers that other installed packages bring."""

import sys

import numpy as np
import pytest

from histvq.errors import DataWarning
from histvq.io import READERS, expand, plugins, read, read_many
from histvq.io.npz import write_npz
from histvq.recording import Recording

THEIRS = """
import numpy as np
from histvq.io import Reader
from histvq.recording import Recording

def read_steps(path, *, fps=25):
    values = np.array([float(line) for line in path.read_text().split()])
    return Recording(id=path.stem, skeleton=values[:, None, None], fps=fps), None

READER = Reader(description="step counter", read=read_steps, suffixes=(".steps",))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package that says these entry points."""

    def install(text):
        site = tmp_path / "site"
        about = site / "theirs-1.0.dist-info"
        about.mkdir(parents=True)
        (site / "theirs.py").write_text(THEIRS)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{text}\n")
        monkeypatch.syspath_prepend(str(site))
        plugins.plugins.cache_clear()

    yield install
    plugins.plugins.cache_clear()
    sys.modules.pop("theirs", None)


def test_a_reader_of_another_package_reads_its_files(installed, tmp_path):
    installed("steps = theirs:READER")
    (tmp_path / "walk.steps").write_text("1\n2\n4\n")
    assert expand(tmp_path / "walk.steps") == [("steps", tmp_path / "walk.steps")]
    recording, _ = read(tmp_path / "walk.steps", fps=50)
    assert recording.skeleton.ravel().tolist() == [1, 2, 4]
    assert recording.fps == 50
    assert read_many(tmp_path).formats == ("steps",)


def test_one_that_cannot_be_imported_is_told_and_left_out(installed, tmp_path):
    installed("steps = theirs:NOWHERE")
    write_npz(tmp_path / "a.npz", Recording(id="a", skeleton=np.zeros((3, 1, 1)), fps=1))
    with pytest.warns(DataWarning, match=r"'steps' .theirs:NOWHERE., of another package, cannot"):
        assert read_many(tmp_path / "a.npz").formats == ("histvq",)


def test_ours_keep_their_names(installed):
    installed("histvq = theirs:READER")
    assert list(plugins.all_readers(READERS)) == list(READERS)
    assert plugins.find_reader("histvq", READERS).description == "histvq's own"
