"""`dbguard locks`: the predicted effects of each statement, without opinions."""

from __future__ import annotations

import click

from dbguard.cli.options import load, settings, standard_input
from dbguard.cli.output import emit, is_colored


@click.command("locks")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How effects are shown.")
@click.option("--stdin-filename", metavar="PATH", help="What to call the text read with `-`.")
@settings
def command(files: tuple[str, ...], *, form: str, stdin_filename: str | None, config_file: str | None, **overrides: object) -> None:
    """Show what PostgreSQL does at each statement: locks and what they block, rewrites, scans, index builds.

    Effects are predicted for one version: the newest that is configured, or `--postgres N`.

    \b
    dbguard locks migrations/0043_index.sql
    dbguard locks --schema db/structure.sql --postgres 16 --format json change.sql
    echo 'ALTER TABLE t ADD COLUMN a int' | dbguard locks -
    """
    from dbguard.pipelines.locks import locks

    config = load(config_file, **overrides)
    predicted = locks(config, files, stdin=standard_input(files, stdin_filename))
    postgres = config.postgres[1]
    if form == "json":
        from dbguard.report.locks_json import render as render_json

        emit(render_json(predicted, postgres))
    else:
        from dbguard.report.locks_text import render as render_text

        emit(render_text(predicted, postgres, color=is_colored()))
