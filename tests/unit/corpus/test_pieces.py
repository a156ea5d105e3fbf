"""How a corpus is cut: all files once, in order, and a file more or less changes little."""

from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, text

from histvq.corpus.pieces import MOST, cut, usual_size
from histvq.io.parts.finding import Entry

names = lists(text("abc/", min_size=1, max_size=8), unique=True, min_size=1, max_size=300)


def entries(paths):
    return [Entry(path) for path in sorted(paths)]


@given(names, sampled_from([1, 2, 8, 64]))
def test_every_file_is_in_one_piece_in_order(paths, size):
    pieces = list(cut(entries(paths), size=size, about=""))
    assert [entry for piece in pieces for entry in piece.entries] == entries(paths)
    assert all(1 <= len(piece.entries) <= 2 * size for piece in pieces)
    assert len({piece.key for piece in pieces}) == len(pieces)


@given(names, sampled_from([1, 2, 8, 64]), integers(0, 10**6))
def test_a_file_less_changes_its_own_piece_and_what_touches_it(paths, size, chosen):
    before = list(cut(entries(paths), size=size, about=""))
    gone = sorted(paths)[chosen % len(paths)]
    after = {p.key for p in cut(entries(set(paths) - {gone}), size=size, about="")}
    changed = [place for place, piece in enumerate(before) if piece.key not in after]
    (own,) = (n for n, piece in enumerate(before) if gone in {e.path for e in piece.entries})
    # On from its own piece, up to the first that ends because of a name and not of its length.
    assert set(changed) >= {own}
    assert changed == list(range(own, own + len(changed)))
    assert all(len(before[place].entries) == 2 * size for place in changed[:-2])


def test_pieces_of_a_large_corpus_are_about_as_large_as_said():
    paths = [f"day{n % 40}/mouse{n:06}.npz" for n in range(100_000)]
    assert usual_size(len(paths)) == MOST
    pieces = list(cut(entries(paths), size=MOST, about=""))
    assert 0.7 * MOST < len(paths) / len(pieces) < 1.1 * MOST


def test_few_files_are_a_piece_each():
    assert [usual_size(n) for n in (1, 1_000, 10_000, 10**7)] == [1, 1, 4, 64]


def test_other_models_or_options_have_other_pieces():
    keys = [next(cut(entries(["a"]), size=1, about=about)).key for about in ("model", "other")]
    assert keys[0] != keys[1]
