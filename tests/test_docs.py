"""The documentation says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click

from dbguard.cli import VERBS
from dbguard.config import KEYS, TOOLS

ROOT = Path(__file__).parent.parent


def test_every_setting_is_documented_and_nothing_else():
    text = (ROOT / "docs/configuration.md").read_text()

    documented = re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)

    assert sorted(documented) == sorted(KEYS)


def test_every_tool_can_be_named():
    text = (ROOT / "docs/configuration.md").read_text()

    assert [tool for tool in TOOLS if tool not in text] == []


def test_relative_links_lead_somewhere():
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_option_is_named_somewhere():
    text = "\n".join(page.read_text() for page in (ROOT / "README.md", *ROOT.glob("docs/*.md")))
    verbs = [import_module(place).command for place in VERBS.values()]

    commands = [command for verb in verbs for command in (verb.commands.values() if isinstance(verb, click.Group) else [verb])]
    options = {tuple(name for name in (*one.opts, *one.secondary_opts) if name.startswith("--")) for command in commands for one in command.params}

    assert [names for names in options if names and not any(re.search(rf"{name}(?![\w-])", text) for name in names)] == []


def test_the_report_in_the_readme_is_what_the_example_gives():
    text = (ROOT / "README.md").read_text()
    command, shown = re.search(r"^\$ dbguard (check fixtures[^\n]*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL).groups()

    ran = subprocess.run([sys.executable, "-m", "dbguard", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert shown == ran.stdout


def test_the_verdict_in_the_readme_is_what_the_example_gives():
    text = (ROOT / "README.md").read_text()
    command, shown = re.search(r"^\$ dbguard (gate .*)\n((?:.+\n)+)", text, re.MULTILINE).groups()

    ran = subprocess.run([sys.executable, "-m", "dbguard", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert shown.removesuffix("```\n").split() == ran.stdout.partition("\n\n")[0].split()
