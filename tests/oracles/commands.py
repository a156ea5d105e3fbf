"""The command line as a person types it, without a process of its own."""

from typer.testing import CliRunner

from histvq.cli import app


def histvq(*arguments: object, **options: object) -> tuple[int, str]:
    """Exit status, and all that was said in one line; a traceback is raised."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], **options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.replace("\n", " ")
