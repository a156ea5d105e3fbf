import lzma
import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test is about time; on a busy machine any example may be slow.
settings.register_profile("histvq", deadline=None)
settings.load_profile("histvq")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, or a skip that says what is missing."""
    given = os.environ.get("HISTVQ_SHARED")
    shared = Path(given) if given else Path(__file__).resolve().parents[2] / "shared"
    if not (shared / "data").is_dir():
        pytest.skip(f"no real recordings in {shared / 'data'}; set HISTVQ_SHARED to their folder")
    return shared / "data"


@pytest.fixture(scope="session")
def hugadb_sample(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the twelve sample recordings of HuGaDB as plain text."""
    folder = tmp_path_factory.mktemp("hugadb_sample")
    for packed in sorted((shared_data / "hugadb" / "sample").glob("*.txt.xz")):
        (folder / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
    return folder


@pytest.fixture(scope="module")
def one_thread():
    """On a busy machine the threads of so small a network wait for one another most of the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
