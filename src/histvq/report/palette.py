"""One colour per code, the same in every plot, told apart by people who see colours differently."""

from dataclasses import dataclass

NO_DATA = "#d9d9d9"

# Okabe and Ito's colours (jfly.uni-koeln.de/color), their black replaced by Tol's indigo.
_BASE = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442", "#332288",
)  # fmt: skip
# Each further round of the base colours: how far towards white (+) or black (-), and a hatch, so
# that two codes of one hue differ without colour too.
_ROUNDS = ((0.0, ""), (0.55, "///"), (-0.4, "..."), (0.3, "xxx"), (-0.2, "\\\\\\"))


@dataclass(frozen=True)
class Look:
    """How a code is drawn: `#rrggbb`, a matplotlib hatch, and the colour of writing on top."""

    colour: str
    hatch: str
    ink: str


def look_of(code: int) -> Look:
    """How an action code is drawn; -1 (no data) is light grey.

    Codes from 0 to 7 are plain colours. From 8 on the same hues come back lighter or darker and
    hatched; after five rounds they repeat.
    """
    if code < 0:
        return Look(NO_DATA, "", "#555555")
    shade, hatch = _ROUNDS[code // len(_BASE) % len(_ROUNDS)]
    colour = mixed(_BASE[code % len(_BASE)], shade)
    return Look(colour, hatch, _ink(colour))


def painted(look: Look, colour: str) -> Look:
    """The same look in another colour, with writing that can be read on it."""
    return Look(colour, look.hatch, _ink(colour))


def mixed(colour: str, shade: float) -> str:
    """A colour taken towards white (`shade` above 0) or black (below); 1 and -1 get there."""
    end = 255 if shade > 0 else 0
    parts = (round(part + abs(shade) * (end - part)) for part in _rgb(colour))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _ink(colour: str) -> str:
    """Black or white, whichever has the higher contrast on a colour (WCAG 2 relative luminance)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _rgb(colour))
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Contrast with white is 1.05 / (L + 0.05), with black (L + 0.05) / 0.05: equal at L = 0.179.
    return "#000000" if luminance > 0.179 else "#ffffff"
