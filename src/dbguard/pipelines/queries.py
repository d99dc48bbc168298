"""What an application sent, to a result: read captures, look at each unit of work, judge what is found.

In: capture files or folders of them, the configuration. Out: the `Result` that is reported.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date

from dbguard.config import Config
from dbguard.judgement import judge
from dbguard.model.calls import Unit
from dbguard.model.finding import Result, Summary
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.rulebook.select import from_config
from dbguard.workload.capture_file import read_capture


def judge_capture(paths: Iterable[str], config: Config) -> Result:
    """Everything that the units of work in captures show. What could not be read of a file is in the notes."""
    given = list(paths)
    units, notes = read_capture(given)
    return judge_units(units, config, notes=tuple(map(str, notes)), files=len(given))


def judge_units(units: Iterable[Unit], config: Config, *, notes: tuple[str, ...] = (), files: int = 0, root: str = "") -> Result:
    """The same for units of any source. `root` is the folder that their paths are relative to."""
    began = time.perf_counter()
    selection = from_config(config)
    crashed: list[str] = []
    inspection = UnitInspection(selection, crashed)
    count = 0
    for unit in units:
        inspection.take(unit)
        count += len(unit.calls)
    found = Result(
        findings=tuple(inspection.findings(root)),
        summary=Summary(files=files, statements=count),
        postgres=config.postgres,
        notes=notes,
        crashed=tuple(dict.fromkeys(crashed)),
    )
    result = judge(found, (), selection, config, today=date.today())  # noqa: DTZ011
    return result._replace(summary=result.summary._replace(seconds=round(time.perf_counter() - began, 3)))
