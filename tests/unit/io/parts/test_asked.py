from pathlib import Path

import pytest

from histvq.io.parts.asked import NotSaidError, given_fps, given_unit, unit_name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Millimeters", "mm"), ("MM", "mm"), ("cm", "cm"), (" metres ", "m"), ("in", "inch"),
        ("pixels", "px"), ("m/s2", "m/s2"), ("ms", "ms"), ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_units_have_one_name(said, name):
    assert unit_name(said) == name


def test_what_is_not_given_is_asked_for_by_the_name_of_its_flag():
    assert given_fps(58.8, Path("a.npy"), format="numpy") == 58.8
    assert given_unit("Meter", Path("a.npy"), format="numpy") == "m"
    with pytest.raises(NotSaidError, match=r"a\.npy: no frame rate in numpy files\. .*--fps") as no:
        given_fps(None, Path("a.npy"), format="numpy")
    assert no.value.option == "fps"
    with pytest.raises(NotSaidError, match=r"a\.bvh: no unit in BVH files.*--unit.*'cm'") as no:
        given_unit(None, Path("a.bvh"), format="BVH", example="cm")
    assert no.value.option == "unit"
