"""The command that says what is installed, what is missing, and whether it works."""

import json as json_text
from typing import Annotated, Any

import typer

from histvq import console
from histvq.cli.common import Exit, told


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("doctor")(doctor)


@told
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Everything as JSON, nothing else.")] = False,
) -> int:
    """Say what is installed, which extras are missing, and whether a small fit works here."""
    from histvq.doctor import (
        extras,
        faults,
        histvq_here,
        in_words,
        machine,
        packages,
        self_test,
        torch_here,
    )

    # One after the other, for a process that PyTorch brings down has told the rest by then.
    ours, here, needed, optional = histvq_here(), machine(), packages(), extras()
    if not json:
        _tell_machine(ours, here)
        _tell_packages(needed, optional)
    torch = torch_here()
    if not json and "error" not in torch:
        _tell_torch(torch)
    tried = self_test()
    wrong = faults(ours, needed, torch, tried)
    if json:
        said = {"histvq": ours, "machine": here, **_as_json(needed, optional)}
        said |= {"torch": torch, "self_test": tried, "faults": wrong}
        console.say(json_text.dumps(said, indent=2))
        return Exit.NOTHING_DONE if wrong else Exit.ALL
    if tried["works"]:
        console.say(f"self-test on four made-up recordings: {in_words(tried)}")
    for fault in wrong:
        console.complain(f"fault: {fault}")
    console.say("nothing written; next: " + ("mend that" if wrong else "histvq demo"))
    return Exit.NOTHING_DONE if wrong else Exit.ALL


def _tell_machine(ours: dict[str, Any], here: dict[str, Any]) -> None:
    console.say(f"histvq {ours['version']} in {ours['folder']}")
    console.say(f"Python {here['python']} ({here['executable']})")
    limits = "".join(f", {name}={value}" for name, value in here["thread_limits"].items())
    console.say(f"{here['system']}, {here['processor']}, {here['cores']} cores to be used{limits}")
    console.say(
        f"histvq keeps no cache; copies from addresses pass through {here['temporary_folder']} "
        f"({here['temporary_free_gb']} GB free)"
    )


def _tell_packages(needed: list[Any], optional: list[Any]) -> None:
    console.say("")
    rows = [(p.name, p.version or "-", p.wanted, p.fault and "not as needed") for p in needed]
    console.table(("package", "version", "needed", ""), rows)
    console.say("")
    rows = [
        (
            extra.name,
            "missing" if extra.faults else "there",
            "; ".join(extra.faults) or ", ".join(f"{p.name} {p.version}" for p in extra.packages),
            extra.install if extra.faults else "",
        )
        for extra in optional
    ]
    console.table(("extra", "", "", "to install it"), rows)
    console.say("")


def _tell_torch(torch: dict[str, Any]) -> None:
    gpus = ", ".join(torch["gpus"]) or "none"
    words = f"PyTorch {torch['version']}, {torch['build']} build, threads: {torch['threads']}"
    console.say(f"{words}, GPU: {gpus}")
    if torch["hint"]:
        console.say(f"  {torch['hint']}")


def _as_json(needed: list[Any], optional: list[Any]) -> dict[str, object]:
    return {
        "packages": {package.name: _package(package) for package in needed},
        "extras": {
            extra.name: {
                "there": not extra.faults,
                "install": extra.install,
                "packages": {package.name: _package(package) for package in extra.packages},
            }
            for extra in optional
        },
    }


def _package(package: Any) -> dict[str, str | None]:
    return {"version": package.version, "needed": package.wanted, "fault": package.fault or None}
