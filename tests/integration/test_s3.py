"""Against a server that speaks the protocol of S3: `pip install s3fs "moto[server]"`, else it skips."""

import uuid

import fsspec
import numpy as np
import pytest

from histvq.cli import Exit
from histvq.errors import ConfigError, FileFormatError
from histvq.io.npz import write_npz
from histvq.recording import Recording
from histvq.remote import brought, listed, names_at, read_bytes, write_bytes
from oracles.commands import histvq

pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")

FAST = ["--set", "n_maps=4", "--set", "n_latent=4", "--set", "epochs=1", "--set", "min_steps=0"]


@pytest.fixture
def bucket(monkeypatch):
    """The name of a bucket of a server that is there for one test."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    name = f"lab-{uuid.uuid4()}"  # what an earlier server held is there still
    fsspec.filesystem("s3").mkdir(name)
    yield f"s3://{name}"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    running.stop()


def test_names_and_bytes(bucket):
    content = {"a b": b"1", "s/ü%20+?#.txt": b"2" * 100_000, "s/x/y": b""}
    for name, there in content.items():
        write_bytes(f"{bucket}/f/{name}", there)
    fsspec.filesystem("s3").touch(f"{bucket}/f/s/")  # as other programs mark a folder
    assert listed(f"{bucket}/f") == [f"{bucket}/f/{name}" for name in sorted(content)]
    assert names_at(f"{bucket}/f") == {"a b", "s"}
    assert [read_bytes(file) for file in listed(f"{bucket}/f")] == [
        content[name] for name in sorted(content)
    ]
    with brought([f"{bucket}/f/"]) as here:
        root = here[f"{bucket}/f/"]
        assert {name: (root / name).read_bytes() for name in content} == content


def test_what_is_not_there(bucket):
    assert read_bytes(f"{bucket}/none") is None
    for nothing in (f"{bucket}/none", "s3://nolab/x"):
        with pytest.raises(FileFormatError, match="there is no such file, folder or bucket"):
            listed(nothing)


def test_without_credentials(bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(ConfigError, match=r"access is refused.*AWS_ACCESS_KEY_ID"):
        listed(bucket)


def test_a_run_and_a_prediction(bucket, tmp_path):
    for name in ("ada", "ben"):
        motion = np.random.default_rng(len(name)).normal(size=(160, 3, 3))
        write_npz(
            tmp_path / "f" / f"{name}.npz", Recording(id=name, skeleton=motion, fps=10, unit="mm")
        )
        write_bytes(f"{bucket}/f/{name}.npz", (tmp_path / "f" / f"{name}.npz").read_bytes())
    status, said = histvq("run", f"{bucket}/f", "-k", 3, "-o", f"{bucket}/r", *FAST)
    assert (status, f"wrote {bucket}/r/report.html" in said) == (Exit.ALL, True)
    assert histvq("run", f"{bucket}/f", "-k", 3, "-o", f"{bucket}/r", *FAST)[0] == Exit.USAGE
    assert histvq("predict", f"{bucket}/r/model", f"{bucket}/f", "-o", f"{bucket}/p")[0] == Exit.ALL
    assert read_bytes(f"{bucket}/p/frames.csv") == read_bytes(f"{bucket}/r/frames.csv")
    assert histvq("run", tmp_path / "f", "-k", 3, "-o", tmp_path / "r", *FAST)[0] == Exit.ALL
    assert (tmp_path / "r" / "frames.csv").read_bytes() == read_bytes(f"{bucket}/r/frames.csv")
