"""`[tool.dbguard.gate]`: the table of the configuration in, its settings with defaults out. Raises `ConfigError` that names the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbguard.config import Config, did_you_mean
from dbguard.errors import ConfigError
from dbguard.model.record import Record
from dbguard.model.verdict import VERDICTS
from dbguard.planning.risk import Thresholds

BUDGETS = ("queries-per-unit", "cost", "calls")
_LIMITS = tuple(name.replace("_", "-") for name in Thresholds._fields)
KEYS = ("workload", "fail-on", *_LIMITS, "calibration", "budgets")


class GateSettings(Record):
    workload: tuple[str, ...] = ()
    fail_on: str = "stop"
    thresholds: Thresholds = Thresholds()
    calibration: str = ""
    budgets: Mapping[str, float] = {}


def settings_of(config: Config) -> GateSettings:
    table, where = config.gate, config.file or "the configuration"
    _known(table, KEYS, where, "gate")
    limits = {name.replace("-", "_"): _number(table[name], f"{where}: gate.{name}") for name in _LIMITS if name in table}
    workload, calibration, fail_on = table.get("workload", ()), table.get("calibration", ""), table.get("fail-on", "stop")
    budgets = table.get("budgets", {})
    if not isinstance(workload, (list, tuple)) or not all(isinstance(path, str) for path in workload):
        raise ConfigError(f"{where}: gate.workload must be a list of strings, not {workload!r}")
    if not isinstance(calibration, str):
        raise ConfigError(f"{where}: gate.calibration must be a string, not {calibration!r}")
    if fail_on not in VERDICTS[1:]:
        raise ConfigError(f"{where}: gate.fail-on = {fail_on!r}: must be one of {', '.join(VERDICTS[1:])}")
    if not isinstance(budgets, Mapping):
        raise ConfigError(f"{where}: gate.budgets must be a table, not {budgets!r}")
    _known(budgets, BUDGETS, where, "gate.budgets")
    numbers = {name: _number(limit, f"{where}: gate.budgets.{name}") for name, limit in budgets.items()}
    return GateSettings(tuple(workload), fail_on, Thresholds(**limits), calibration, numbers)


def _known(table: Mapping[str, Any], names: tuple[str, ...], where: str, key: str) -> None:
    for name in table:
        if name not in names:
            raise ConfigError(f'{where}: unknown key "{key}.{name}"{did_you_mean(name, names)}')


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e15:
        raise ConfigError(f"{where} must be a number from 0 on, not {value!r}")
    return float(value)
