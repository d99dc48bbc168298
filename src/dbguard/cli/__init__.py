"""The command line: arguments in, text and an exit code out. A verb is imported when it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from dbguard.cli.output import discard_output
from dbguard.errors import DbguardError, UsageError
from dbguard.version import __version__

VERBS = {
    "check": "dbguard.cli.check",
    "locks": "dbguard.cli.locks",
    "trace": "dbguard.cli.trace",
    "capture": "dbguard.cli.capture",
    "queries": "dbguard.cli.queries",
    "baseline": "dbguard.cli.baseline",
    "gate": "dbguard.cli.gate",
    "snapshot": "dbguard.cli.snapshot",
    "ghost": "dbguard.cli.ghost",
    "explain": "dbguard.cli.explain",
    "rule": "dbguard.cli.rule",
    "config": "dbguard.cli.config",
}
SUMMARIES = {
    "check": "Find what would hurt in migrations and queries.",
    "locks": "Show what PostgreSQL does at each statement.",
    "trace": "Run migrations on a throw-away server, and compare with the prediction.",
    "capture": "Run a command and record what it sends to its database.",
    "queries": "List what an application sends, and what was found.",
    "baseline": "Adopt the findings on queries that are there already.",
    "gate": "Judge what is pending: who waits, which queries fail or get slower.",
    "snapshot": "Write what the planner knows about a database to a file, without rows.",
    "ghost": "Serve a PostgreSQL that plans as a snapshot's database does.",
    "explain": "Show what a query does, how it grows and what would help.",
    "rule": "Explain a rule, or list all of them.",
    "config": "Show the effective settings and what was recognised.",
}
INTERNAL, INTERRUPTED, READER_GONE = 3, 130, 141


class Verbs(click.Group):
    """A group whose help does not import its verbs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(VERBS[cmd_name]).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from dbguard.config import did_you_mean

            raise UsageError(f"there is no command `{args[0]}`{did_you_mean(args[0], VERBS)}; `dbguard --help` lists them")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dbguard", message="%(prog)s %(version)s")
def dbguard() -> None:
    """Tell what a change will do to a PostgreSQL database before it gets there.

    \b
    dbguard check                       find the migrations of this project and check them
    dbguard check db/migrations/*.sql   check these; earlier ones are read to know the schema
    dbguard rule create-index-blocking  what a rule means and what to do instead
    dbguard snapshot -o prod.dbguard    what the planner knows about production, without rows
    dbguard gate --snapshot FILE        one verdict on what is pending: who waits, what breaks, what gets slower
    dbguard explain "SELECT ..."        what a query does, how it grows and which index helps

    Exit code: 0 clean, 1 findings, 2 wrong use or configuration, 3 something could not be looked at.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line; every way it can end becomes an exit code and at most a few lines on standard error."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started us
            setattr(sys, stream, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the process ends
    try:
        _invoke(list(arguments))
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DbguardError as error:
        click.echo(f"dbguard: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("dbguard: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        discard_output()
        return READER_GONE
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody is shown a bare traceback
        _explain_crash(error)
        return INTERNAL
    return 0


def _invoke(arguments: list[str]) -> None:
    """`Group.main` without its own handling of interrupts and closed pipes, which prints and exits as it likes."""
    if "_DBGUARD_COMPLETE" in os.environ:
        dbguard.main(args=arguments, prog_name="dbguard")
    with dbguard.make_context("dbguard", arguments) as context:
        dbguard.invoke(context)


def _explain_crash(error: Exception) -> None:
    import platform
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(error))
    if os.environ.get("DBGUARD_DEBUG"):
        click.echo(trace, err=True)
    text = f"dbguard {__version__}, Python {platform.python_version()}, {platform.platform()}\n{' '.join(sys.argv)}\n\n{trace}"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="dbguard-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
        where = f"the details are in {log.name}"
    except OSError:
        where = "run again with DBGUARD_DEBUG=1 for the details"
    click.echo(f"dbguard: a mistake in dbguard itself stopped this run: {type(error).__name__}: {str(error)[:200]}\n{where}", err=True)
