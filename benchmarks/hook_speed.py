"""How long the hook takes on one changed revision in a repository of many: `dbguard check --staged`, cold and with a warm cache.

    python benchmarks/hook_speed.py [--revisions 500] [--runs 7]

Makes a git repository in a temporary folder: Alembic revisions on forty tables, the last of which is staged with a new edit in
each run. Prints medians of wall time of whole processes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLES = 40
DBGUARD = Path(sys.executable).parent / "dbguard"
HEAD = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = {parent}


def upgrade():
{up}

def downgrade():
{down}
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--revisions", type=int, default=500)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder, "project"), Path(folder, "cache")
        make(root, given.revisions)
        cold, warm = [], []
        for number in range(given.runs):
            shutil.rmtree(cache, ignore_errors=True)
            cold.append(timed(root, cache, given.revisions, f"cold {number}"))
            warm.append(timed(root, cache, given.revisions, f"warm {number}"))
        print(f"{given.revisions} revisions: cold {statistics.median(cold):.2f} s, warm {statistics.median(warm):.2f} s (medians of {given.runs})")


def make(root: Path, count: int) -> None:
    versions = root / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (root / "migrations" / "env.py").write_text("from alembic import context\n\ncontext.configure(transaction_per_migration=True)\n")
    for number in range(1, count + 1):
        (versions / f"{number:04}_change.py").write_text(revision(number, "change"))
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=root, check=True)


def revision(number: int, title: str) -> str:
    table = f"table_{number % TABLES}"
    parent = "None" if number == 1 else f'"{number - 1:04}"'
    if number <= TABLES:
        up = (
            f'    op.create_table(\n        "{table}",\n        sa.Column("id", sa.BigInteger(), nullable=False),\n'
            '        sa.Column("name", sa.String(length=200), nullable=True),\n        sa.PrimaryKeyConstraint("id"),\n    )\n'
        )
        down = f'    op.drop_table("{table}")\n'
    else:
        up = (
            f'    op.add_column("{table}", sa.Column("c{number}", sa.Integer(), nullable=True))\n'
            f'    op.create_index(op.f("ix_{table}_c{number}"), "{table}", ["c{number}"], unique=False)\n'
        )
        down = f'    op.drop_index(op.f("ix_{table}_c{number}"), table_name="{table}")\n    op.drop_column("{table}", "c{number}")\n'
    return HEAD.format(title=title, number=number, parent=parent, up=up, down=down)


def timed(root: Path, cache: Path, count: int, title: str) -> float:
    (root / "migrations" / "versions" / f"{count:04}_change.py").write_text(revision(count, title) + f"\n\nNOTE = {title!r}\n")
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    began = time.perf_counter()
    done = subprocess.run([DBGUARD, "check", "--staged"], cwd=root, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    assert "create-index-blocking" in done.stdout, done.stdout + done.stderr
    return seconds


if __name__ == "__main__":
    main()
