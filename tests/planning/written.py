"""Plans on rule pages: a plan as EXPLAIN prints it, after lines that say what is known besides.

`-- size orders 100000 rows 926 pages`, `-- sample status: rare | cost 12 | shape one`, `-- sample generic | ...`
"""

from __future__ import annotations

import re

from dbguard.model.finding import Finding
from dbguard.model.plan import Sample, Size
from dbguard.model.schema import Schema
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.plans_inspect import PlanInspection, plan_step
from dbguard.planning.plans import read_plans
from dbguard.replay import final_state
from dbguard.rulebook.page import ExampleFile
from dbguard.rulebook.select import Selection

SIZE = re.compile(r"-- size (\S+) (\d+) rows (\d+) pages")
SAMPLE = re.compile(r"-- sample ([^|]+) \| cost ([\d.]+) \| shape (.+)")


def is_plan(file: ExampleFile) -> bool:
    """Whether a file of an example holds a plan."""
    return file.name.endswith(".plan")


def plan_findings(file: ExampleFile, scripts: list[object], selection: Selection) -> tuple[Finding, ...]:
    """What is found on the plan, on the schema that the scripts leave."""
    schema: Schema | None = final_state([parse(script) for script in scripts], State(), 18).schema if scripts else None  # type: ignore[arg-type]
    sizes = {name: Size(float(rows), int(pages)) for name, rows, pages in SIZE.findall(file.text)}
    samples = tuple(
        Sample((said.strip(),), float(cost), 0.0, shape.strip(), generic=said.strip() == "generic", absent="absent" in said)
        for said, cost, shape in SAMPLE.findall(file.text)
    )
    text = "\n".join(line for line in file.text.splitlines() if not line.startswith("-- "))
    inspection = PlanInspection(selection)
    found: tuple[Finding, ...] = ()
    for plan in read_plans(text):
        found += inspection.findings(plan_step(plan, sizes=sizes, schema=schema, samples=samples, path=file.name))
    assert inspection.crashed == []
    return found
