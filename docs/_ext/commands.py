"""Every command with its arguments, options and defaults, as Markdown, from the program itself."""

import re
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from histvq.cli import STEPS_TOLD, app

_SORTS = {"int": "INTEGER", "float": "NUMBER", "str": "TEXT", "path": "PATH", "text": "TEXT"}


def markdown() -> str:
    """What holds for all, then a section a command."""
    program = get_command(app)
    sections = [_section(path, command) for path, command in commands("histvq", program)]
    return "\n\n".join([program.epilog or "", *sections])


def commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, in the order of `--help`, with what is typed for it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from commands(f"{path} {name}", one)


def _section(path: str, command: Any) -> str:
    given = [
        one for one in command.params if one.name != "help" and not getattr(one, "hidden", False)
    ]
    arguments = " ".join(_written(one) for one in given if _is_argument(one))
    rows = [f"| {_names(one)} | {_cell(one.help or '')} | {_default(one)} |" for one in given]
    return "\n".join(
        [
            f"## `{path}`",
            f"\n{command.help or ''}\n",
            f"```text\n{path} {arguments} [OPTIONS]\n```".replace("  ", " "),
            "\n| argument or option | what | default |\n| --- | --- | --- |",
            *rows,
        ]
    )


def _is_argument(one: Any) -> bool:
    return bool(one.param_type_name == "argument")


def _written(argument: Any) -> str:
    name = argument.name.upper() + "..." * (argument.nargs == -1)
    return name if argument.required else f"[{name}]"


def _names(one: Any) -> str:
    if _is_argument(one):
        return f"`{_written(one)}`"
    names = ", ".join(f"`{name}`" for name in [*one.opts, *one.secondary_opts])
    return names if one.is_flag else f"{names} `{one.metavar or _sort(one)}`"


def _sort(option: Any) -> str:
    """What an option takes, in one word."""
    known = option.bare_type() if hasattr(option, "bare_type") else option.type.name
    word = known.lower().removeprefix("list[").removesuffix("]")
    return _SORTS.get(word, word.upper())


def _default(one: Any) -> str:
    if one.required:
        return "required"
    if getattr(one, "multiple", False):
        return "may be repeated"
    return "" if one.default is None or one.default is False else f"`{one.default}`"


def _cell(text: str) -> str:
    """A help text in a cell: the options it speaks of as code, the long list of steps as a link to it."""
    text = " ".join(text.replace(STEPS_TOLD, "[the steps](#transform-steps)").split())
    return re.sub(r"--[a-z][a-z-]*", r"`\g<0>`", text.replace("|", r"\|"))
