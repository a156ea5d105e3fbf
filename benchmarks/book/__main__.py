"""Write whatever is made from the results files, or say what is stale.

python -m benchmarks.book            # writes
python -m benchmarks.book --check    # fails where a file is not what it would be, and shows the lines
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.book.filling import filled, pages_of
from benchmarks.book.keys import Results
from benchmarks.book.pages import book
from benchmarks.book.tables import table
from histvq.errors import ConfigError
from histvq.writing import write_text

ROOT = Path(__file__).parents[2]


def figures_in_pages(root: Path) -> dict[Path, str]:
    """README and docs with their figures filled in."""
    results = Results(root / "benchmarks")
    pages, faults = {}, []
    for page in pages_of(root):
        try:
            pages[page] = filled(
                page.read_text(encoding="utf-8"),
                name=str(page.relative_to(root)),
                figure=lambda key: results.figure(key).text,
                table=lambda name: table(name, results),
            )
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return pages


# What is made, in this order: each says what files should hold. Later ones see the files of earlier ones.
STEPS: tuple[Callable[[Path], dict[Path, str]], ...] = (book, figures_in_pages)


def stale(files: dict[Path, str], root: Path) -> Iterator[str]:
    """The lines in which files differ from what they should be."""
    for path, text in files.items():
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        name = str(path.relative_to(root))
        lines = difflib.unified_diff(
            old.splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{name} as it is",
            f"{name} as it should be",
            n=0,
        )
        yield from (line.rstrip("\n") for line in lines)


def main(arguments: list[str] | None = None, *, root: Path = ROOT) -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.book", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file is stale"
    )
    check = parser.parse_args(arguments).check
    differences = []
    try:
        for step in STEPS:
            files = step(root)
            differences += stale(files, root)
            for path, text in files.items():
                if not check and (not path.is_file() or path.read_text(encoding="utf-8") != text):
                    write_text(path, text)
                    print(f"written: {path.relative_to(root)}")
    except ConfigError as error:
        sys.exit(str(error))
    if check and differences:
        print("\n".join(differences))
        sys.exit("stale: run python -m benchmarks.book")


if __name__ == "__main__":
    main()
