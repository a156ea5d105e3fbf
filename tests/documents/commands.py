"""The `histvq` command lines in bash text, and whether the command line takes them."""

import re
import shlex
from collections.abc import Iterator

import typer

from histvq.cli import app

_SIGNS = "();<>|&"


def command_lines(text: str) -> Iterator[list[str]]:
    """What follows `histvq`, however it is started, for each command of the text."""
    for words in commands(text):
        for start, word in enumerate(words):
            if word.rpartition("/")[2] == "histvq" and (start == 0 or words[start - 1] in STARTERS):
                yield words[start + 1 :]
                break


STARTERS = ("-m", "srun", "time", "nohup", "exec")


def commands(text: str) -> Iterator[list[str]]:
    """Simple commands, without assignments before them and without redirections."""
    kept = ""
    for line in _without_documents(text).replace("\\\n", " ").splitlines():
        kept += line
        try:
            words = _words(kept)
        except ValueError:  # within quotes, that go on in the next line
            kept += "\n"
            continue
        kept = ""
        yield from _parted(words)
    if kept.strip():
        raise ValueError(f"quotes that do not end: {kept}")


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_SIGNS)
    lexer.whitespace_split = True
    return list(lexer)


def _parted(words: list[str]) -> Iterator[list[str]]:
    """The commands of one line."""
    command: list[str] = []
    is_target = False  # of a redirection
    for word in words:
        if set(word) <= set(_SIGNS):
            is_target = "<" in word or ">" in word
            if not is_target:
                yield command
                command = []
            elif command and command[-1] in ("1", "2"):
                command.pop()
        elif is_target:
            is_target = False
        elif command or not re.fullmatch(r"\w+=.*", word):
            command.append(word)
    yield command


def _without_documents(text: str) -> str:
    """The text without its here-documents."""
    return re.sub(r"(<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n).*?\n\2(?=\n|\Z)", r"\1", text, flags=re.S)


def fault_of(words: list[str], *, whole: bool = True) -> str | None:
    """Why the command line would refuse these words, without doing anything.

    Args:
        words: What stands after `histvq`.
        whole: A whole command, so that arguments it needs may not be missing; else a mention of one.
    """
    command = typer.main.get_command(app)
    context = command.context_class(command, info_name="histvq")
    try:
        while hasattr(command, "commands"):
            if not words or words[0].startswith("-"):
                command.make_parser(context).parse_args(list(words))
                return None
            name, words = words[0], words[1:]
            if name.isupper() and not whole:
                return None  # stands for any
            found = command.get_command(context, name)
            if found is None:
                return f"there is no command {name!r}"
            command = found
            context = command.context_class(command, info_name=name, parent=context)
        if "--help" in words:
            words = [word for word in words if word != "--help"]
            whole = False
        if whole:
            command.make_context(name, list(words), parent=context.parent).close()
        else:
            command.make_parser(context).parse_args(list(words))
    except Exception as error:  # of typer's own click, whose place is not public
        if not hasattr(error, "format_message"):
            raise
        said = error.format_message()
        return said if whole or "requires an argument" not in said else None
    return None
