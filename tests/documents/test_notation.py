"""The notation's names are those of the code."""

import re

import pytest

from documents.named import code_in, is_there, places_in, tables, text_of
from histvq.methods.histvq import HiSTVQConfig

PAGE = text_of("notation.md")
ROWS = [row for table in tables(PAGE) for row in table]


def test_every_name_in_the_code_is_there():
    named = [name for row in ROWS for name in code_in(row["in the code"]) if name != "detach"]
    assert len(named) > 30
    assert [name for name in named if not is_there(name)] == []


def test_every_row_names_a_place_in_the_code():
    assert [row for row in ROWS if not code_in(row["in the code"])] == []


def test_every_setting_is_one_of_the_method():
    settings = [name for row in ROWS for name in code_in(row.get("setting", ""))]
    assert len(settings) > 15
    assert set(settings) <= set(HiSTVQConfig.model_fields)


def test_every_equation_of_the_paper_has_a_place():
    told = {int(number) for number in re.findall(r"\((\d)\)", PAGE)}
    assert told == set(range(1, 10))


@pytest.mark.parametrize("page", ["concepts.md", "notation.md"])
def test_places_named_in_running_text_are_there(page):
    assert [place for place in places_in(text_of(page)) if not is_there(place)] == []


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("nn.codebook.ema_step(decay)", True),
        ("nn.codebook.ema_step(speed)", False),
        ("nn.codebook.Codebook.usage", True),
        ("nn.codebook.Codebook.use", False),
        ("nn.codebooks.Codebook", False),
        ("patchwise.PatchwiseEstimator.patch_frames_", True),
    ],
)
def test_the_look_up_tells_what_is_there_from_what_is_not(place, there):
    assert is_there(place) is there
