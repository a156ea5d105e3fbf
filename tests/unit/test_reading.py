import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from histvq import reading
from histvq.errors import FileFormatError
from histvq.reading import DEPTH, read_json, read_toml, read_yaml

LETTERS = st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f\x85\xa0")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(LETTERS, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(LETTERS, max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "a file"


@given(PLAIN)
def test_what_is_written_is_read(place, value):
    place.write_text(json.dumps(value), encoding="utf-8")
    assert read_json(place) == value
    place.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    assert read_yaml(place) == value == yaml.safe_load(place.read_text(encoding="utf-8"))


def test_byte_order_marks_and_toml(place):
    place.write_text('\ufeff{"a": 1}')
    assert read_json(place) == {"a": 1}
    place.write_text("a = 1\n[b]\nc = [1.5]\n")
    assert read_toml(place) == {"a": 1, "b": {"c": [1.5]}}


@pytest.mark.parametrize("read", [read_json, read_toml, read_yaml])
@pytest.mark.parametrize("data", [b"\xff\xfe", b"[" * 100_000, b"{" * 50, b"a: [b"])
def test_no_such_file(place, read, data):
    place.write_bytes(data)
    with pytest.raises(FileFormatError, match=r"a file: (no JSON|not a (YAML|TOML) file)"):
        read(place)


def test_depth_is_counted_alike(place):
    for depth, ok in ((DEPTH, True), (DEPTH + 2, False)):
        for read in (read_json, read_yaml):
            place.write_text("[" * depth + "]" * depth)
            if ok:
                read(place)
            else:
                with pytest.raises(FileFormatError, match="within one another"):
                    read(place)


def test_aliases_count_wherever_they_stand(place, monkeypatch):
    monkeypatch.setattr(reading, "YAML_PARTS", 20)
    place.write_text("a: &a [1, 2, 3]\nb: [*a, *a]")  # 1 + 2 keys + 4 + 1 + 2 * 4 = 16
    assert read_yaml(place)["b"] == [[1, 2, 3]] * 2
    place.write_text("a: &a [1, 2, 3]\nb: [*a, *a, *a, *a]")
    with pytest.raises(FileFormatError, match="stands for more than"):
        read_yaml(place)


def test_a_list_within_itself(place):
    place.write_text("&a [*a]")
    with pytest.raises(FileFormatError, match="within one another"):
        read_yaml(place)


@pytest.mark.parametrize(
    "text",
    ["2001-99-99", "!!timestamp x", "!!int ''", "!!bool x", '"\\UFFFFFFFF"', "9" * 5000, "a\x00"],
)
def test_what_looks_like_a_value_and_is_none(place, text):
    place.write_text(f"a: {text}")
    with pytest.raises(FileFormatError, match="a file: not a YAML file"):
        read_yaml(place)


def test_numbers_that_are_none(place):
    place.write_text('{"a": NaN}')
    read_json(place)
    with pytest.raises(FileFormatError, match="NaN is no JSON number"):
        read_json(place, finite=True)


def test_missing_and_large(place, tmp_path):
    with pytest.raises(FileFormatError, match=r"gone: cannot be read \(No such file"):
        read_json(tmp_path / "gone")
    place.write_text("[1, 2, 3]")
    with pytest.raises(FileFormatError, match="a file: 9 bytes, where no file of this sort"):
        read_json(place, at_most_bytes=8)
