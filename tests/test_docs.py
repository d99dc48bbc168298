"""The documentation says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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


def test_the_report_in_the_readme_is_what_the_example_gives():
    shown = (ROOT / "README.md").read_text().split("$ dbguard check\n", 1)[1].split("```", 1)[0]

    ran = subprocess.run([sys.executable, "-m", "dbguard", "check"], cwd=ROOT / "fixtures/shop", capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert shown in ran.stdout


def test_the_verdict_in_the_readme_is_what_the_example_gives():
    text = (ROOT / "README.md").read_text()
    command, shown = re.search(r"^\$ dbguard (gate .*)\n((?:.+\n)+)", text, re.MULTILINE).groups()

    ran = subprocess.run([sys.executable, "-m", "dbguard", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    said = " ".join(ran.stdout.split())
    for part in " ".join(shown.replace("```", "").split()).split(" - "):
        assert part.removesuffix(" ...") in said
