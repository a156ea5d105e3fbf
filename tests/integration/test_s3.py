"""Against a server that speaks the protocol of S3: `pip install s3fs "moto[server]"`, else it skips."""

import fsspec
import pytest

from histvq.cli import Exit
from histvq.errors import ConfigError, FileFormatError
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
    fsspec.filesystem("s3").mkdir("lab")
    yield "s3://lab"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    running.stop()


def test_names_and_bytes(bucket):
    content = {"a b": b"1", "s/ü%20+?#.txt": b"2" * 100_000, "s/x/y": b""}
    for name, there in content.items():
        write_bytes(f"{bucket}/f/{name}", there)
    fsspec.filesystem("s3").touch("lab/f/s/")  # as other programs mark a folder
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
    assert histvq("demo", "-o", f"{bucket}/demo")[0] == Exit.ALL
    files = f"{bucket}/demo/recordings"
    status, said = histvq("run", files, "-k", 3, "-o", f"{bucket}/r", *FAST)
    assert (status, f"wrote {bucket}/r/report.html" in said) == (Exit.ALL, True)
    assert histvq("run", files, "-k", 3, "-o", f"{bucket}/r", *FAST)[0] == Exit.USAGE
    assert histvq("predict", f"{bucket}/r/model", files, "-o", f"{bucket}/p")[0] == Exit.ALL
    assert read_bytes(f"{bucket}/p/frames.csv") == read_bytes(f"{bucket}/r/frames.csv")
    with brought([files]) as here:
        assert histvq("run", here[files], "-k", 3, "-o", tmp_path, *FAST)[0] == Exit.ALL
    assert (tmp_path / "frames.csv").read_bytes() == read_bytes(f"{bucket}/r/frames.csv")
