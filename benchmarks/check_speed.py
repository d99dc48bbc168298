"""How long `dbguard check` takes, next to squawk on the same files in the same run.

    python benchmarks/check_speed.py FOLDER [--runs 5]

Needs `squawk-cli` from PyPI beside dbguard in the environment. Prints medians of wall time of whole processes: one small
file from a cold process, and every SQL file below FOLDER that squawk can read (UTF-8, no syntax error), JSON output of both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    files = readable(sorted(str(path) for path in given.folder.rglob("*.sql") if is_utf8(path)))
    print(f"{len(files)} files, {sum(Path(f).stat().st_size for f in files) / 1e6:.1f} MB, {os.cpu_count()} cores")
    small = Path(__file__).parent.parent / "fixtures/shop/db/migrations/20260418083000_order_notes.sql"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "001_notes.sql"
        copy.write_text(small.read_text())
        compare("one small file", [str(BIN / "dbguard"), "check", "--format", "json", str(copy)], squawk([str(copy)]), given.runs * 4)
        compare("the corpus", [str(BIN / "dbguard"), "check", "--format", "json", *files], squawk(files), given.runs)
    print(f"largest child so far: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def readable(files: list[str]) -> list[str]:
    """Those in which squawk finds no syntax error: it checks nothing else in the others."""
    done = subprocess.run(squawk(files), capture_output=True, text=True, check=False)
    broken = {one["file"] for one in json.loads(done.stdout) if one["rule_name"] == "syntax-error"}
    return [file for file in files if file not in broken]


def is_utf8(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return False
    return True


def squawk(files: list[str]) -> list[str]:
    return [str(BIN / "squawk"), "--reporter", "json", *files]


def compare(title: str, ours: list[str], theirs: list[str], runs: int) -> None:
    seconds: dict[str, list[float]] = {"dbguard": [], "squawk": []}
    for _ in range(runs):
        for name, command in (("dbguard", ours), ("squawk", theirs)):
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = medians["dbguard"] / medians["squawk"]
    print(f"{title}: dbguard {medians['dbguard']:.3f} s, squawk {medians['squawk']:.3f} s, ratio {ratio:.1f} (medians of {runs})")


if __name__ == "__main__":
    main()
