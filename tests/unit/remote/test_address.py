import os
import pickle
from pathlib import Path

import pytest

from histvq.errors import ConfigError
from histvq.remote import Address, as_path, is_remote, shown


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/x",
        "gcs://bucket",
        "memory://",
        "file:///x/y",
        "S3://b/x",
        "zip://a/b::s3://bucket/x.zip",
        "simplecache::s3://b/x",
        "abfs://box@account.dfs.core.windows.net/x",
    ],
)
def test_addresses(text):
    assert is_remote(text)
    assert is_remote(Address(text))
    assert str(as_path(text)) == text


@pytest.mark.parametrize(
    "text",
    ["C:\\x", "c:/x", "C://x", "a:b", "a:b/c", "a::b", "s3:/b/x", "-", "/tmp/x", "x/s3://b", ""],
)
def test_places_of_this_machine(text):
    assert not is_remote(text)
    assert type(as_path(text)) is type(Path())


def test_an_address_stays_as_it_was_typed():
    address = Address("s3://b//x y/%41.npz")
    assert f"{address}" == "s3://b//x y/%41.npz"
    assert str(address / "z") == "s3://b//x y/%41.npz/z"
    assert (address.name, address.suffix) == ("%41.npz", ".npz")
    assert str(pickle.loads(pickle.dumps(address))) == str(address)


def test_an_address_leads_to_nothing_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = Address("s3://b/x")
    assert not address.exists()
    for use in (os.fspath, open, Path.mkdir, Path.read_bytes, Path.touch):
        with pytest.raises(ConfigError, match="s3://b/x: an address, where only files and folders"):
            use(address)
    assert list(tmp_path.iterdir()) == []


def test_passwords_and_signatures_are_not_written_down():
    assert shown("sftp://ada:secret@lab.org/x") == "sftp://ada@lab.org/x"
    assert shown("https://b.org/x.npz?X-Amz-Signature=12#3") == "https://b.org/x.npz"
    assert shown("zip://a::https://u:p@b.org/x.zip?k=1") == "zip://a::https://u@b.org/x.zip"
    for same in ("s3://b/a@b:c/x", "s3://b/x?y", "/a/b", "abfs://box@account/x"):
        assert shown(same) == same
