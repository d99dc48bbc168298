"""`dbguard rule`: what a rule means, or which there are."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from dbguard.cli.options import load
from dbguard.cli.output import emit, is_colored


@click.command("rule")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True, help="How it is shown.")
@click.option("--all", "everything", is_flag=True, help="The pages of all rules.")
@click.option("--config", "config_file", metavar="FILE", help="Configuration file, instead of the nearest one.")
def command(name: str | None, form: str, everything: bool, config_file: str | None) -> None:
    """Explain a rule: what happens, what to do instead, when to allow it. Without NAME, list the rules.

    \b
    dbguard rule
    dbguard rule create-index-blocking
    dbguard rule --format json
    """
    from dbguard.rulebook import Rulebook, render
    from dbguard.rulebook.select import resolve

    config = load(config_file)
    book = Rulebook.load(Path(config.root, folder) for folder in config.rule_folders)
    rules = list(book.rules.values()) if name is None else [book.rules[resolve(book, name)]]
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    if form == "json":
        emit(render.as_json(rules))
    elif name is None and not everything:
        emit(render.list_as_text(rules, color=is_colored(), width=width) if form == "text" else render.index(rules))
    elif form == "markdown":
        emit("\n".join(map(render.as_markdown, rules)))
    else:
        emit("\n".join(render.as_text(rule, color=is_colored(), width=width) for rule in rules))
