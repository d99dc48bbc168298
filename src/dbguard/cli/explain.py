"""`dbguard explain`: what a query does, how much it reads, how that grows, and what would help."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from dbguard.cli.options import load, settings, words
from dbguard.cli.output import emit, is_colored, width, write
from dbguard.errors import UsageError

_BYTES = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


@click.command("explain")
@click.argument("things", nargs=-1, metavar="QUERY|FILE|CAPTURE...")
@click.option("--snapshot", metavar="FILE", help="Plan on a ghost of this snapshot: no database is needed.")
@click.option("--postgres-bin", metavar="FOLDER", help="With --snapshot: the `bin` folder of production's major, to plan as it does.")
@click.option("--database", metavar="DSN", help="Plan on this database, in a read-only transaction (else DBGUARD_DATABASE).")
@click.option("--plan", metavar="FILE", help="Explain a plan that you have, as text or JSON; `-` for standard input.")
@click.option("--analyze", is_flag=True, help="Execute what only reads, on the database.")
@click.option("--disposable", is_flag=True, help="With --analyze: the database is a copy, so execute changes, too, and roll them back.")
@click.option("--budget", metavar="SIZE", help="How large the indexes that are proposed may be together, such as 2GB.")
@click.option("--advice/--no-advice", default=True, help="Try indexes on the ghost.")
@click.option("--growth/--no-growth", default=True, help="Plan at 10 and 100 times the data, on ghosts.")
@click.option("--values/--no-values", default=True, help="Plan for common, rare and absent values.")
@click.option("--calibration", metavar="FILE", help="How cost becomes time on your server, as --calibrate wrote it.")
@click.option("--calibrate", metavar="LOG", help="Learn how cost becomes time from a log of auto_explain, and write it to --calibration.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is shown.")
@click.option("--select", multiple=True, metavar="RULES", callback=words, help="Only these rules, categories, or `all`.")
@click.option("--ignore", multiple=True, metavar="RULES", callback=words, help="Not these rules or categories.")
@settings
def command(
    things: tuple[str, ...],
    *,
    snapshot: str | None,
    postgres_bin: str | None,
    database: str | None,
    plan: str | None,
    analyze: bool,
    disposable: bool,
    budget: str | None,
    advice: bool,
    growth: bool,
    values: bool,
    calibration: str | None,
    calibrate: str | None,
    form: str,
    config_file: str | None,
    **overrides: object,
) -> None:
    """Explain queries: one sentence, the plan, what is wrong with it, how it grows, and which index would help.

    Nothing is executed without --analyze. A ghost plans as production does and needs no database; growth and indexes are tried there.

    \b
    dbguard explain "SELECT * FROM orders WHERE status = $1" --snapshot prod.dbguard
    dbguard explain queries.sql --database postgresql://staging/shop
    dbguard explain .dbguard --snapshot prod.dbguard --budget 2GB
    dbguard explain --plan slow.txt
    dbguard explain --calibrate postgresql.log --calibration times.json
    """
    from dbguard.pipelines.explain import Wishes, explain

    if calibrate is not None:
        _calibrate(calibrate, calibration)
        return
    if [snapshot, plan].count(None) == 0 or (database is not None and (snapshot is not None or plan is not None)):
        raise UsageError("give one of --snapshot, --database and --plan")
    if postgres_bin is not None and snapshot is None:
        raise UsageError("--postgres-bin names the programs of the ghost: give --snapshot FILE, too")
    if disposable and not analyze:
        raise UsageError("--disposable says what --analyze may do: give both")
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if plan == "-" or "-" in things else None
    wishes = Wishes(database, snapshot, plan, analyze, disposable, calibration, _size(budget), values, growth, advice)
    found = explain(load(config_file, postgres_bin=postgres_bin, **overrides), things, wishes, standard_input=text)
    if form == "json":
        from dbguard.report.explain_json import render as render_json

        emit(render_json(found))
    else:
        from dbguard.report.explain_text import render

        emit(render(found, color=is_colored(), width=width()))
    raise click.exceptions.Exit(found.exit_code)


def _size(text: str | None) -> int | None:
    """`2GB` in bytes, in powers of 1024 as PostgreSQL has them."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d+)?)\s*([kKMGT]?B)?\s*", text)
    if match is None:
        raise UsageError(f"--budget {text}: give a size such as 500MB or 2GB")
    return int(float(match[1]) * _BYTES[(match[2] or "").upper()])


def _calibrate(log: str, target: str | None) -> None:
    from dbguard.pipelines.explain_asked import text_of
    from dbguard.planning.times import fit, pairs_in, saved, spread

    pairs = pairs_in(text_of(Path(log), log))
    times = fit(pairs)
    if target is None:
        emit(saved(times))
        return
    write(Path(target), saved(times))
    line = f"10^({times.intercept} + {times.slope} * log10(cost)) ms"
    emit(f"{times.pairs:,} plans: half take at most {line}, {spread(pairs, times):.0%} at most {times.factor} times that; written to {target}\n")
