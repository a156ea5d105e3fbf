"""Names, colours and mergers that a person gives to found actions: the file `names.yaml`.

    actions:
      0: standing
      1: {name: walking, colour: "#0072b2"}
      2: walking
      3:
    subactions:
      0: heel strike

Codes are those the model predicts. Two codes of one name are one action from then on, under the lower
code; their subactions stay apart. A code without a name, or not listed, keeps what it is called. The
model and its codes stay as they are: take a name out again, and all is as it was.

The file is YAML, but every name is text as it stands there (`yes`, `no`, `1e3`), and two entries for one
code are an error.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.reading import SETTINGS_BYTES
from histvq.report.names_place import EARLIER, FILE
from histvq.report.names_text import first_text
from histvq.report.naming import UNSHOWN, Named, Names, as_predicted, renamed
from histvq.segments import LEVELS, Segmentation
from histvq.writing import write_bytes, write_text

__all__ = ["FILE", "Named", "Names", "as_predicted", "read_names", "renamed", "write_names"]

SHOWN = 10
COLOUR = re.compile(r"#[0-9a-fA-F]{6}", flags=re.ASCII)
CODE = re.compile(r"\d{1,9}", flags=re.ASCII)
NULL = "tag:yaml.org,2002:null"
AS_COLOUR = 'write it in quotes, as "#0072b2" (outside quotes # begins a comment)'
HINT = (
    'put names that hold : # { } [ ] or quotes, and all colours, in quotes ("#0072b2"); set lines in '
    "with blanks, not tabs"
)
Codes = Mapping[str, Collection[int]]
_Fault = tuple[int, str]


def read_names(path: str | Path, *, known: Codes | None = None) -> Names:
    """Read what a person calls the actions.

    Args:
        path: The file.
        known: By level, the codes there can be; a level that is missing is not checked.

    Raises:
        FileFormatError: If the file is not as it must be; all faults are named by line.
    """
    path = Path(path)
    top = _parsed(path)
    if not isinstance(top, yaml.MappingNode):
        raise FileFormatError(
            f"{path}: no names in it; begin with a line actions: and write below it, set in, lines as "
            "3: walking"
        )
    faults: list[_Fault] = []
    found: dict[str, dict[int, Named]] = {}
    for key, value in _entries(top, [f"{level}s" for level in LEVELS], faults).items():
        level = key.removesuffix("s")
        found[level] = _codes(value, level, (known or {}).get(level), faults)
    if faults:
        raise FileFormatError(_listed(sorted(faults), path))
    return Names(*(found.get(level, {}) for level in LEVELS))


def write_names(
    path: str | Path,
    answers: Sequence[Segmentation],
    *,
    nearest: Mapping[int, int] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a first `names.yaml`: a line an action, with how much of the time it takes.

    As written it changes nothing: every action is called what it is called already.

    Args:
        path: The file.
        answers: What was found.
        nearest: Action -> the action it is most like, to be noted.
        overwrite: Write it anew should it exist. Names and colours in it are kept; comments are not,
            so the file as it was stays beside it as `names-earlier.yaml`.

    Raises:
        ConfigError: If the file exists and is not to be overwritten.
    """
    path = Path(path)
    kept = Names()
    if path.exists():
        if not overwrite:
            raise ConfigError(
                f"{path} is there already and stays as it is: edit it, then histvq report "
                f"{path.parent}; --overwrite writes it anew and keeps the names in it"
            )
        kept = _readable(path)
        write_bytes(path.with_name(EARLIER), path.read_bytes())
    text = first_text(as_predicted(answers), kept=kept, nearest=nearest or {})
    return write_text(path, text)


def _parsed(path: Path) -> yaml.Node | None:
    """The file as YAML's nodes, which know their lines and hold all scalars as text."""
    try:
        if (n_bytes := path.stat().st_size) > SETTINGS_BYTES:
            raise FileFormatError(f"{path}: {n_bytes:,} bytes; no names take as many")
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise FileFormatError(
            f"{path}: there is no such file; histvq names RUN writes a first one"
        ) from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not UTF-8; save it as UTF-8 text") from error
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise FileFormatError(f"{path}{line}: {error.problem or error.context}; {HINT}") from error
    # The last two stand for escapes of characters that there are not.
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        words = " ".join(str(error).split())
        raise FileFormatError(f"{path}: not to be read as YAML ({words}); {HINT}") from error


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _entries(
    node: yaml.MappingNode, keys: Collection[str], faults: list[_Fault]
) -> dict[str, yaml.Node]:
    """The values of a mapping by key, each there once and known."""
    found: dict[str, yaml.Node] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        text, line = str(key.value), _line(key)
        if text not in keys or not isinstance(key, yaml.ScalarNode):
            shown = text if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            faults.append((line, f"key {shown!r}{did_you_mean(shown, keys)}"))
        elif text in lines:
            faults.append((line, f"key {text!r} stands on line {lines[text]} too; keep one"))
        else:
            found[text], lines[text] = value, line
    return found


def _codes(
    node: yaml.Node, level: str, known: Collection[int] | None, faults: list[_Fault]
) -> dict[int, Named]:
    """What is said of the codes of one level."""
    if isinstance(node, yaml.ScalarNode) and node.tag == NULL:
        return {}
    if not isinstance(node, yaml.MappingNode):
        faults.append((_line(node), f"{level}s is no list of codes; write lines as 3: walking"))
        return {}
    found: dict[int, Named] = {}
    lines: dict[int, int] = {}
    for key, value in node.value:
        line = _line(key)
        if not (isinstance(key, yaml.ScalarNode) and CODE.fullmatch(key.value)):
            shown = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            faults.append((line, f"{shown!r} is no {level}'s code; write a number, as 3: walking"))
            continue
        code = int(key.value)
        if code in lines:
            faults.append((line, f"{level} {code} stands on line {lines[code]} too; keep one"))
            continue
        if known is not None and code not in known:
            faults.append((line, f"there is no {level} {code}; there are {_ranges(known)}"))
        lines[code] = line
        found[code] = _named(value, f"{level} {code}", faults)
    return _one_colour_a_name(found, lines, level, faults)


def _named(node: yaml.Node, who: str, faults: list[_Fault]) -> Named:
    """A name alone, or a name and a colour."""
    if isinstance(node, yaml.MappingNode):
        parts = _entries(node, ("name", "colour"), faults)
        name, colour = parts.get("name"), parts.get("colour")
        return Named(
            None if name is None else _name(name, who, faults),
            None if colour is None else _colour(colour, who, faults),
        )
    return Named(_name(node, who, faults))


def _name(node: yaml.Node, who: str, faults: list[_Fault]) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        faults.append(
            (_line(node), f"the name of {who} is a list or mapping; write one name, as 3: walking")
        )
        return None
    name = "" if node.tag == NULL else node.value.strip()
    if UNSHOWN.search(name):
        faults.append(
            (_line(node), f"the name of {who} holds a line end or a character nobody sees; write it "
             "on one line")
        )  # fmt: skip
    return name or None


def _colour(node: yaml.Node, who: str, faults: list[_Fault]) -> str | None:
    text = node.value if isinstance(node, yaml.ScalarNode) else "a list or mapping"
    if COLOUR.fullmatch(text):
        return str(text.lower())
    faults.append((_line(node), f"the colour of {who} is {text or 'empty'}; {AS_COLOUR}"))
    return None


def _one_colour_a_name(
    found: Mapping[int, Named], lines: Mapping[int, int], level: str, faults: list[_Fault]
) -> dict[int, Named]:
    """The same, with the colour of one code of a name given to all codes of that name."""
    first: dict[str, int] = {}
    for code, named in sorted(found.items()):
        if named.name is None or named.colour is None:
            continue
        other = first.setdefault(named.name, code)
        if found[other].colour != named.colour:
            words = (
                f"{level}s {other} and {code} are both called {named.name!r}, one {found[other].colour}, "
                f"one {named.colour}; give them one colour, or two names"
            )
            faults.append((max(lines[code], lines[other]), words))
    colours = {name: found[code].colour for name, code in first.items()}
    return {
        code: replace(named, colour=named.colour or colours.get(named.name or ""))
        for code, named in sorted(found.items())
    }


def _ranges(codes: Collection[int]) -> str:
    """`0 to 4 and 7`."""
    ordered = np.array(sorted(codes), dtype=int)
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > 1) + 1)
    parts = [f"{g[0]}" if len(g) == 1 else f"{g[0]} to {g[-1]}" for g in groups if len(g)]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "none"


def _listed(faults: Sequence[_Fault], path: Path) -> str:
    """All faults in one message, by line, at most ten of them."""
    texts = [f"line {line}: {text}" for line, text in faults]
    if len(texts) == 1:
        return f"{path}, {texts[0]}"
    more = [f"... and {len(texts) - SHOWN} more"] * (len(texts) > SHOWN)
    return "\n".join([f"{path}: {len(texts)} faults:", *texts[:SHOWN], *more])


def _readable(path: Path) -> Names:
    """What a file says; nothing, where it cannot be read."""
    try:
        return read_names(path)
    except FileFormatError:
        return Names()
