"""`dbguard locks`: the predicted effects of each statement, without opinions."""

from __future__ import annotations

import click

from dbguard.cli.options import comparison, load, settings, standard_input
from dbguard.cli.output import emit, is_colored
from dbguard.errors import UsageError


@click.command("locks")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How effects are shown.")
@comparison
@click.option("--stdin-filename", metavar="PATH", help="What to call the text read with `-`.")
@settings
def command(
    files: tuple[str, ...],
    *,
    form: str,
    stdin_filename: str | None,
    since: str | None,
    staged: bool,
    config_file: str | None,
    **overrides: object,
) -> None:
    """Show what PostgreSQL does at each statement: locks and what they block, rewrites, scans, index builds.

    Effects are predicted for one version: the newest that is configured, or `--postgres N`.

    \b
    dbguard locks migrations/0043_index.sql
    dbguard locks --schema db/structure.sql --postgres 16 --format json change.sql
    dbguard locks --since origin/main
    echo 'ALTER TABLE t ADD COLUMN a int' | dbguard locks -
    """
    from dbguard.pipelines.locks import locks

    if not files and since is None and not staged:
        raise UsageError("give files, or --since REF, or --staged")
    config = load(config_file, **overrides)
    predicted = locks(config, files, stdin=standard_input(files, stdin_filename), since=since, staged=staged)
    postgres = config.postgres[1]
    if form == "json":
        from dbguard.report.locks_json import render as render_json

        emit(render_json(predicted, postgres))
    else:
        from dbguard.report.locks_text import render as render_text

        emit(render_text(predicted, postgres, color=is_colored()))
