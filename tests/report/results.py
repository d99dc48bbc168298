"""One result with everything in it, for all formats."""

from __future__ import annotations

from dbguard.model.finding import Finding, Result, Severity, Summary, UnreadPart

FINDINGS = (
    Finding(
        rule="create-index-blocking",
        category="locks",
        severity=Severity.ERROR,
        path="migrations/0043_index.sql",
        line=3,
        column=1,
        end_line=3,
        end_column=61,
        message="creating index `orders_customer_id_idx` blocks every write to `orders` until the build finishes",
        instead="build it with CONCURRENTLY, in a migration that runs outside a transaction",
        recipe="-- outside a transaction\nCREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);",
        because=("SHARE lock on `orders`: reads continue; writes wait until the work is done",),
        excerpt="CREATE INDEX orders_customer_id_idx ON orders (customer_id);",
        start=40,
        table="orders",
    ),
    Finding(
        rule="vacuum-full",
        category="rewrites",
        severity=Severity.WARNING,
        path="migrations/50% größer, \u2603.sql",
        line=1,
        column=3,
        end_line=12,
        end_column=2,
        message="100% of `größe`: all\u001b[31m wait",
        assumes=("the table `größe` is not known; it is taken to be in use and large",),
        postgres=(14, 17),
        excerpt="VACUUM FULL\n" + "\n".join(f"  -- line {number}" for number in range(2, 12)) + "\n;",
    ),
    Finding(
        rule="unlogged-table",
        category="schema",
        severity=Severity.ADVICE,
        path="migrations/0044_cache.sql",
        line=7,
        column=1,
        end_line=7,
        end_column=30,
        message="`cache` is empty after a crash",
        excerpt="CREATE UNLOGGED TABLE cache ()",
        lowered=True,
    ),
)
UNREAD = (
    UnreadPart("migrations/0045_do.sql", 2, "dynamic SQL: EXECUTE of a value that is built while it runs"),
    UnreadPart("migrations/0046_utf16.sql", 1, "not UTF-8: byte 0xff at 0", fatal=True),
)
RESULT = Result(
    findings=FINDINGS,
    unread=UNREAD,
    summary=Summary(
        files=4, migrations=43, statements=211, unread=2, errors=1, warnings=1, advice=1, lowered=1, allowed=1, skipped_files=3, seconds=0.1234
    ),
    recognised=("43 plain numbered files in migrations, each in one transaction",),
    crashed=("table-rewrite at migrations/0047_x.sql:1: KeyError: 'a'",),
    exit_code=3,
)
CLEAN = Result(summary=Summary(files=1, migrations=1, statements=2))
