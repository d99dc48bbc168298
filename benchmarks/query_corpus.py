"""Findings of the checks on queries over the corpus of applications' queries, and the missing indexes against what PostgreSQL planned.

    python benchmarks/query_corpus.py [--show] [--sample N RULE]

`missing_index` of the corpus says, per table, that a condition compares with a parameter and that PostgreSQL 15, with sequential scans
disabled, found no index for it. Its labels know neither names in quotes nor values from a query around, and an index whose first key is not
compared counts there as serving; so disagreements are shown to be read.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.query_resolution import applications

from dbguard.config import Config
from dbguard.model.finding import Finding
from dbguard.model.query import Written
from dbguard.model.source import Source
from dbguard.pipelines.queries_inspect import Judged, check_queries
from dbguard.rulebook.select import from_config

NO_INDEX = {
    "missing-index-filter",
    "missing-index-join",
    "parameter-or-null",
    "function-on-column",
    "jsonb-without-gin",
    "implicit-cast",
    "array-any-column",
    "or-across-columns",
}
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "queries"


def judge(corpus: Path = CORPUS, extend: tuple[str, ...] = ()) -> list[tuple[str, dict[str, Any], Judged]]:
    selection = from_config(Config.load("/", {"extend-select": list(extend)} if extend else {}))
    found = []
    for name, _, state, queries in applications(corpus):
        for query in queries:
            if not query.get("prepared"):
                continue
            text = query["pg_sql"]
            written = Written(Source(f"{name}/{query['file']}", text), 0, len(text), query["name"], query["cmd"])
            report = check_queries([written], state, selection, postgres=(15, 15))
            assert not report.crashed, report.crashed
            if report.judged:
                found.append((name, query, report.judged[0]))
    return found


def tables_of(findings: tuple[Finding, ...], rules: set[str]) -> set[str]:
    return {finding.table.rpartition(".")[2].strip('"') for finding in findings if finding.rule in rules}


def main() -> None:
    began = time.perf_counter()
    found = judge()
    seconds = time.perf_counter() - began
    rules: Counter[str] = Counter()
    unread = sum(bool(one.step.query.unread) for _, _, one in found)
    hits = misses = confirmed = unlabelled = 0
    disagreements = []
    per_rule: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    for name, query, one in found:
        for finding in one.findings:
            rules[finding.rule] += 1
            per_rule[finding.rule].append((f"{name} {query['name']}", finding))
        labels = {scan["rel"] for scan in query["scans"] if scan["label"] == "no_index" and scan["eq_param"]}
        unserved = {scan["rel"] for scan in query["scans"] if scan["label"] != "indexed"}
        said = tables_of(one.findings, NO_INDEX)
        if query["missing_index"]:
            hits += bool(said)
            misses += not said
            disagreements += [("missed", name, query["name"], table, _scans(query, table)) for table in sorted(labels) if not said]
        for table in sorted(tables_of(one.findings, {"missing-index-filter", "missing-index-join"})):
            if table in unserved:
                confirmed += 1
            else:
                unlabelled += 1
                disagreements.append(("indexed there", name, query["name"], table, _scans(query, table)))
    total = len(found)
    print(f"{total:,} queries, {unread} with names not found, {seconds:.1f} s ({seconds / total * 1000:.2f} ms each, facts and checks)")
    print(f"missing index: {hits} of {hits + misses} labelled queries found (recall {hits / (hits + misses):.3f})")
    print(f"missing-index-filter and -join: {confirmed} where PostgreSQL used no index, {unlabelled} where it used one")
    count = sum(rules.values())
    print(f"{count} findings, {count / total * 100:.1f} per 100 queries")
    for rule, number in rules.most_common():
        print(f"{number:>6}  {rule}")
    if "--show" in sys.argv:
        for line in disagreements:
            print(*line, sep=" | ")
    if "--sample" in sys.argv:
        wanted, rule = int(sys.argv[sys.argv.index("--sample") + 1]), sys.argv[sys.argv.index("--sample") + 2]
        for place, finding in per_rule[rule][:wanted]:
            print(f"\n## {place}\n{finding.message}\n{' '.join(finding.excerpt.split())}")


def _scans(query: dict[str, Any], table: str) -> str:
    return "; ".join(f"{scan['label']} {scan['index']} {scan['cond']} {scan['filter']}" for scan in query["scans"] if scan["rel"] == table)[:300]


if __name__ == "__main__":
    main()
