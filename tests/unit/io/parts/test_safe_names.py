from hypothesis import given
from hypothesis import strategies as st

from histvq.io.parts.file_names import check_file_names
from histvq.io.parts.safe_names import distinct, file_names, plain, quoted, unquoted

ids = st.lists(
    st.text(max_size=20) | st.sampled_from(["con", "CON", "a", "A", "é", "e\u0301"]), unique=True
)


@given(ids)
def test_names_are_safe_on_every_system_and_differ(found):
    names = file_names(found)
    assert list(names) == found
    check_file_names(names.values())  # also: none differs in capitals alone
    assert len({*names.values()}) == len(found)
    assert all(len(name.encode()) < 200 for name in names.values())


def test_ids_that_are_names_stay():
    assert file_names(["a/b", "a_b", "b"]) == {"a/b": "a_b (2)", "a_b": "a_b", "b": "b"}


def test_reserved_and_empty_names():
    assert list(file_names(["CON", "nul.txt", "", ".."]).values()) == [
        "_CON",
        "_nul.txt",
        "_",
        "_ (2)",
    ]


def test_one_line_of_what_can_be_shown():
    assert plain(" a\t b\r\nc\x00d|e ", without="|") == "a b c\ufffdd_e"
    assert plain("🏃 é <b>") == "🏃 é <b>"


@given(st.lists(st.text(max_size=3)))
def test_distinct_names_differ(texts):
    assert len({*distinct(texts)}) == len(texts)


@given(st.text())
def test_ids_in_quotes_come_back(id):
    assert quoted(id).isascii()
    assert unquoted(quoted(id)) == id


def test_what_was_not_in_quotes_stays():
    assert [unquoted(text) for text in ("walk", "", "12", "[" * 100_000)] == [
        "walk",
        "",
        "12",
        "[" * 100_000,
    ]
