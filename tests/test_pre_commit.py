"""The hook, installed from this checkout by the real pre-commit, in a real repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = """\
repos:
  - repo: {repo}
    rev: {rev}
    hooks:
      - id: dbguard
"""


def run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    return subprocess.run(command, cwd=folder, env=environment | who, check=check, capture_output=True, text=True)


@pytest.fixture(scope="module")
def hook_repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """This checkout as it stands, committed or not, as a repository of its own."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout of dbguard")
    repository = tmp_path_factory.mktemp("hook")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, repository / name)
    run(repository, "git", "init", "-q", "-b", "main")
    run(repository, "git", "add", "-A")
    run(repository, "git", "commit", "-qm", "all")
    return repository, run(repository, "git", "rev-parse", "HEAD").stdout.strip()


def test_the_hook_stops_a_bad_migration_and_lets_a_good_one_pass(
    hook_repository: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    project = tmp_path / "project"
    migrations = project / "migrations"
    migrations.mkdir(parents=True)
    run(project, "git", "init", "-q", "-b", "main")
    (project / ".pre-commit-config.yaml").write_text(CONFIG.format(repo=hook_repository[0], rev=hook_repository[1]))
    run(project, sys.executable, "-m", "pre_commit", "install")
    (migrations / "001_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n")
    (project / "query.py").write_text("print('not a migration')\n")
    run(project, "git", "add", "-A")

    good = run(project, "git", "commit", "-m", "good", check=False)

    assert good.returncode == 0, good.stdout + good.stderr
    (migrations / "002_index.sql").write_text("CREATE INDEX orders_customer_id_idx ON orders (customer_id);\n")
    run(project, "git", "add", "-A")

    bad = run(project, "git", "commit", "-m", "bad", check=False)

    assert bad.returncode != 0
    assert "create-index-blocking" in bad.stdout + bad.stderr
    (migrations / "002_index.sql").write_text("CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);\n")
    run(project, "git", "add", "-A")

    mended = run(project, "git", "commit", "-m", "mended", check=False)

    assert mended.returncode == 0, mended.stdout + mended.stderr
