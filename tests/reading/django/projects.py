"""Small Django projects for the tests of reading, and what was read of them in short."""

from __future__ import annotations

from pathlib import Path

from dbguard.config import Config
from dbguard.model.operations import HistoryProblem, RunProgram
from dbguard.reading import History
from dbguard.reading.django import histories
from dbguard.reading.folders import Disk
from dbguard.reading.history import Desk
from tests.reading.trees import write

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'


def migration(*dependencies: tuple[str, str] | str, body: str = "", operations: str = "[]", top: str = "") -> str:
    """The text of a migration. Dependencies are pairs, or expressions as written."""
    entries = ", ".join(one if isinstance(one, str) else repr(one) for one in dependencies)
    return (
        f"from django.conf import settings\nfrom django.db import migrations, models\n{top}\n\n"
        f"class Migration(migrations.Migration):\n    dependencies = [{entries}]\n    {body}\n    operations = {operations}\n"
    )


def project(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a project: manage.py and, for every folder of migrations, its `__init__.py` and that of its app."""
    content: dict[str, str | bytes] = {"manage.py": MANAGE}
    for name in files:
        if "/migrations/" in name:
            app = name.partition("/migrations/")[0]
            content |= {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""}
    return write(folder, {**content, **files})


def read_project(folder: Path, *paths: str, **settings: object) -> tuple[list[History], Desk]:
    """The histories of the migrations at `paths`, by default of all files in folders of migrations."""
    names = paths or [str(path.relative_to(folder)) for path in sorted(folder.rglob("migrations/*.py")) if path.name != "__init__.py"]
    config = Config.load(folder, settings)
    desk = Desk(config, relative=True)
    return histories(desk, Disk(lambda _: False), {str(folder / name): None for name in names}), desk


def read_one(folder: Path, *paths: str, **settings: object) -> History:
    found, _ = read_project(folder, *paths, **settings)
    assert len(found) == 1, [history.description for history in found]
    return found[0]


def versions(history: History) -> list[str]:
    return [script.version for script in history.scripts]


def unread(history: History) -> list[str]:
    """Why parts of the migrations are not known: `version: reason`."""
    return [f"{script.version}: {block.unread}" for script in history.scripts for block in script.blocks if block.unread]


def problems(history: History) -> list[tuple[str, str, tuple[str, ...], str]]:
    """(kind, migration, others, what stands where it is told)."""
    return [
        (operation.kind, operation.migration, operation.others, script.source.text[block.start : block.end])
        for script in history.scripts
        for block in script.blocks
        for operation in block.operations
        if isinstance(operation, HistoryProblem)
    ]


def programs(history: History) -> list[RunProgram]:
    return [one for script in history.scripts for block in script.blocks for one in block.operations if isinstance(one, RunProgram)]
