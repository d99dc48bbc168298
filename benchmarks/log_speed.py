"""How fast logs are read, and with how much memory: `python benchmarks/log_speed.py [MB] [stderr|csv|json]`.

Writes a log such as PostgreSQL 18 writes it with `log_min_duration_statement = 0`: two thirds simple protocol with literals,
one third extended protocol with its three durations and two lists of parameters, 40 sessions interleaved. A text has some 360
characters on average; in the applications of the corpus it has 510.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from dbguard.workload import read_workload

COLUMNS = ", ".join(
    f'"shop_order"."{name}"'
    for name in "id customer_id status created_at updated_at total currency discount note shipped_at address_id channel invoice_number tax_rate tax_total shipping_total payment_state payment_method external_reference cancelled_at".split()
)
OTHERS = ", ".join(f'"shop_customer"."{name}"' for name in "id name email country created_at".split())
JOIN = 'INNER JOIN "shop_customer" ON ("shop_order"."customer_id" = "shop_customer"."id")'
SIMPLE = (
    f"""SELECT {COLUMNS}, {OTHERS} FROM "shop_order" {JOIN} WHERE ("shop_order"."status" = '{{word}}' AND "shop_customer"."id" = {{number}}) ORDER BY "shop_order"."created_at" DESC LIMIT 21""",
    f"""SELECT {COLUMNS} FROM "shop_order" WHERE "shop_order"."customer_id" IN ({{number}}, 4, 5, {{number}}) AND "shop_order"."created_at" > '2026-01-01'::timestamptz""",
    f"""SELECT {COLUMNS}, {OTHERS} FROM "shop_order" {JOIN} WHERE ("shop_order"."status" = '{{word}}' AND "shop_customer"."id" = {{number}}) ORDER BY "shop_order"."created_at" DESC""",
    """UPDATE "shop_order" SET "status" = '{word}', "total" = {number}.50 WHERE "shop_order"."id" = {number}""",
    """INSERT INTO "shop_line" ("order_id", "product", "quantity", "note") VALUES ({number}, '{word}', 3, 'it''s {word}') RETURNING "shop_line"."id\"""",
    """SELECT "shop_line"."id", "shop_line"."order_id", "shop_line"."product" FROM "shop_line" WHERE "shop_line"."order_id" = {number}""",
)
EXTENDED = (
    "SELECT orders.id AS orders_id, orders.customer_id AS orders_customer_id, orders.status AS orders_status, orders.created AS orders_created \nFROM orders \nWHERE $1::INTEGER = orders.customer_id",
    "INSERT INTO lines (order_id, product, quantity) VALUES ($1::INTEGER, $2::VARCHAR, $3::INTEGER) RETURNING lines.id",
)


def entries(size: int):
    """Time, pid, level, message, detail."""
    chance = random.Random(7)
    written, moment = 0, 0
    while written < size:
        moment += chance.randrange(3)
        pid = 1000 + chance.randrange(40)
        number, word = chance.randrange(1_000_000), f"w{chance.randrange(100_000)}x"
        if chance.random() < 0.66:
            text = chance.choice(SIMPLE).format(number=number, word=word)
            found = [("LOG", f"duration: 0.{chance.randrange(100, 999)} ms  statement: {text}", "")]
        else:
            text = chance.choice(EXTENDED)
            detail = f"Parameters: $1 = '{number}'" + (f", $2 = '{word}', $3 = '5'" if "$2" in text else "")
            found = [
                (f"duration: 0.{chance.randrange(100, 999)} ms  {step} <unnamed>: {text}", given)
                for step, given in (("parse", ""), ("bind", detail), ("execute", detail))
            ]
            found = [("LOG", message, given) for message, given in found]
        for entry in found:
            written += len(entry[1]) + len(entry[2]) + 50
            yield f"2026-11-21 {moment // 3600000 % 24:02}:{moment // 60000 % 60:02}:{moment // 1000 % 60:02}.{moment % 1000:03} UTC", pid, *entry


def line(form: str, stamp: str, pid: int, level: str, message: str, detail: str) -> str:
    if form == "csv":  # as write_csvlog (csvlog.c) quotes: texts always, numbers, times and ids never, nothing for NULL
        session = f"691f0{pid:x}.{pid:x}"
        shown = ['"' + text.replace('"', '""') + '"' if text else "" for text in (message, detail)]
        return f'{stamp},"app","shop",{pid},"[local]",{session},1,"SELECT",{stamp},3/{pid},0,{level},00000,{",".join(shown)},,,,,,,,"web","client backend",,0\n'
    if form == "json":
        entry = {
            "timestamp": stamp,
            "user": "app",
            "dbname": "shop",
            "pid": pid,
            "session_id": f"691f0{pid:x}.{pid:x}",
            "line_num": 1,
            "ps": "SELECT",
            "session_start": stamp,
            "vxid": f"3/{pid}",
            "txid": 0,
            "error_severity": level,
            "message": message,
        }
        return json.dumps(entry | ({"detail": detail} if detail else {}) | {"backend_type": "client backend", "query_id": 0}) + "\n"
    start = f"{stamp} [{pid}] app@shop "
    message, detail = message.replace("\n", "\n\t"), detail.replace("\n", "\n\t")
    return f"{start}{level}:  {message}\n" + (f"{start}DETAIL:  {detail}\n" if detail else "")


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    form = sys.argv[2] if len(sys.argv) > 2 else "stderr"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        with path.open("w") as out:
            for entry in entries(size << 20):
                out.write(line(form, *entry))
        megabytes = path.stat().st_size / 1e6
        begun, started = time.process_time(), time.perf_counter()
        workload = read_workload([str(path)])
        units = calls = most = 0
        for unit in workload.units:
            units += 1
            calls += len(unit.calls)
            most = max(most, len(unit.calls))
        used, passed = time.process_time() - begun, time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{form}: {megabytes:.0f} MB, {calls} calls in {units} units (longest {most}), {dict(workload.skipped)}")
    print(f"{megabytes / used:.1f} MB/s of processor time ({megabytes / passed:.1f} MB/s by the clock), {memory:.0f} MB of memory")


if __name__ == "__main__":
    main()
