import pytest

from histvq.report.palette import NO_DATA, look_of, mixed


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_forty_codes_look_all_different_and_the_first_eight_are_plain():
    looks = [look_of(code) for code in range(40)]
    assert len(set(looks)) == 40
    assert all(look.hatch == "" for look in looks[:8])
    assert all(look.hatch for look in looks[8:])


def test_no_data_is_light_grey():
    assert look_of(-1).colour == NO_DATA
    assert NO_DATA not in {look_of(code).colour for code in range(40)}


@pytest.mark.parametrize("code", range(40))
def test_writing_on_a_colour_can_be_read(code):
    look = look_of(code)
    light, dark = sorted((luminance(look.colour), luminance(look.ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2, level AA


def test_mixing_ends_at_white_and_black():
    assert mixed("#336699", 0.0) == "#336699"
    assert mixed("#336699", 1.0) == "#ffffff"
    assert mixed("#336699", -1.0) == "#000000"
