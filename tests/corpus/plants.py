"""Five plants with clean tables and contracts.

What every good and bad file of the corpus starts from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from grid import Grid

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Plant:
    """A clean table and the contract it fits."""

    grid: Grid
    base: Changes

    def contract(self, changes: Changes) -> dict[str, Any]:
        """The contract with changed fields; mappings are merged, anything else is replaced."""
        return _merged(self.base, changes)

    @property
    def sensors(self) -> list[str]:
        """Sensor names in feature order."""
        return list(self.base["sensors"])

    def seconds(self, cell: str) -> float:
        """A clean time cell as seconds since 1970 or as the number it is."""
        try:
            return float(cell)
        except ValueError:
            return datetime.fromisoformat(cell).replace(tzinfo=UTC).timestamp()


def _merged(base: Changes, changes: Changes) -> dict[str, Any]:
    out = deepcopy(dict(base))
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(out.get(name), Mapping)
        out[name] = _merged(out[name], value) if both else value
    return out


def _stamps(start: datetime, seconds: int, count: int) -> list[str]:
    return [str(start + timedelta(seconds=seconds * step)) for step in range(count)]


def _values(
    seed: int, fault: list[bool], usual: float, spread: float, shift: float, digits: int
) -> list[str]:
    draw = random.Random(seed)
    return [
        f"{usual + spread * (2 * draw.random() - 1) + shift * broken:.{digits}f}"
        for broken in fault
    ]


def _grid(columns: Mapping[str, list[str]], numeric: list[str]) -> Grid:
    return Grid(tuple(columns), tuple(zip(*columns.values(), strict=True)), frozenset(numeric))


def _last_of(each: int, faulty: int, runs: int) -> list[bool]:
    return [step >= each - faulty for _ in range(runs) for step in range(each)]


def _labels(fault: list[bool], normal: str, faulty: str) -> list[str]:
    return [faulty if broken else normal for broken in fault]


def _pumps() -> Plant:
    """Two machines, two runs each, one row a minute; the run ends with the fault."""
    fault = _last_of(15, 5, 4)
    blocks = [("pump-1", "A1"), ("pump-1", "A2"), ("pump-2", "B1"), ("pump-2", "B2")]
    sensors = {
        "speed_rpm": _values(1, fault, 1480, 9, -40, 1),
        "flow_m3h": _values(2, fault, 212, 8, -30, 2),
        "discharge_pressure": _values(3, fault, 6.1, 0.4, -0.8, 2),
        "motor_current": _values(4, fault, 88, 3, 6, 1),
        "bearing_temperature": _values(5, fault, 61, 2, 9, 1),
    }
    columns = {
        "timestamp": _stamps(datetime(2026, 3, 17, 14, 5), 60, 60),
        "machine": [machine for machine, _ in blocks for _ in range(15)],
        "run": [run for _, run in blocks for _ in range(15)],
        **sensors,
        "fault": _labels(fault, "0", "1"),
        "operator_note": ["seal drips" if broken else "" for broken in fault],
    }
    contract = {
        "version": 1,
        "family": "pumps",
        "label": {
            "column": "fault",
            "normal": ["0", "normal", "OK"],
            "fault": ["1", "leak", "ALARM"],
        },
        "equipment_column": "machine",
        "run_column": "run",
        "time_column": "timestamp",
        "sensors": {
            "speed_rpm": {"unit": "rpm", "min": 0, "max": 4000},
            "flow_m3h": {"unit": "m3/h", "min": 0, "max": 2000},
            "discharge_pressure": {
                "unit": "bar",
                "min": -1,
                "max": 40,
                "max_missing": 0.05,
                "on_breach": "refuse",
            },
            "motor_current": {"unit": "A", "min": 0, "max": 1000},
            "bearing_temperature": {"unit": "degC", "min": -20, "max": 150, "on_breach": "warn"},
        },
        "ignore": ["operator_note"],
    }
    return Plant(_grid(columns, list(sensors)), contract)


def _compressors() -> Plant:
    """German column names, one machine, three runs, one row every ten seconds."""
    fault = _last_of(16, 6, 3)
    sensors = {
        "Öldruck": _values(11, fault, 4.2, 0.3, -0.9, 2),
        "Gastemperatur": _values(12, fault, 92, 4, 14, 1),
        "Drehzahl": _values(13, fault, 2960, 20, -60, 1),
        "Füllstand": _values(14, fault, 71, 6, -11, 1),
    }
    columns = {
        "Zeit": _stamps(datetime(2026, 10, 21, 6, 0), 10, 48),
        "Maschine": ["K-07"] * 48,
        "Lauf": [f"Schicht {number}" for number in (1, 2, 3) for _ in range(16)],
        **sensors,
        "Störung": _labels(fault, "nein", "ja"),
    }
    contract = {
        "version": 1,
        "family": "kompressoren",
        "label": {"column": "Störung", "normal": ["nein", "0"], "fault": ["ja", "1"]},
        "equipment_column": "Maschine",
        "run_column": "Lauf",
        "time_column": "Zeit",
        "sensors": {
            "Öldruck": {"unit": "bar", "min": 0, "max": 16},
            "Gastemperatur": {"unit": "degC", "min": -40, "max": 250},
            "Drehzahl": {"unit": "rpm", "min": 0, "max": 6000, "on_breach": "refuse"},
            "Füllstand": {"unit": "%", "min": 0, "max": 100, "max_missing": 0.1},
        },
    }
    return Plant(_grid(columns, list(sensors)), contract)


def _fans() -> Plant:
    """No machine and no run column; time is the number of seconds since the start; one counter."""
    fault = [step % 36 >= 24 for step in range(72)]
    starts = [str(4 + step // 3) for step in range(72)]
    sensors = {
        "vibration_x": _values(21, fault, 1.8, 0.6, 2.4, 2),
        "vibration_y": _values(22, fault, 2.1, 0.5, 1.9, 2),
        "current": _values(23, fault, 14.5, 1.2, 2.2, 2),
        "starts": starts,
    }
    columns = {
        "elapsed": [str(step * 5) for step in range(72)],
        **sensors,
        "state": _labels(fault, "healthy", "imbalance"),
    }
    contract = {
        "version": 1,
        "family": "fans",
        "label": {"column": "state", "normal": ["healthy"], "fault": ["imbalance", "bearing"]},
        "time_column": "elapsed",
        "sensors": {
            "vibration_x": {"unit": "mm/s", "min": 0, "max": 50},
            "vibration_y": {"unit": "mm/s", "min": 0, "max": 50, "on_breach": "warn"},
            "current": {"unit": "A", "min": 0, "max": 60},
            "starts": {"dtype": "whole", "min": 0, "max": 100000, "keep": "starts wear the belt"},
        },
    }
    return Plant(_grid(columns, list(sensors)), contract)


def _chillers() -> Plant:
    """Three machines, their rows in turn, seconds since 1970, no run column."""
    fault = [step // 3 >= 9 for step in range(45)]
    sensors = {
        "supply_temperature": _values(31, fault, 6.5, 0.5, 3.1, 2),
        "return_temperature": _values(32, fault, 12.1, 0.6, 2.2, 2),
        "refrigerant_pressure": _values(33, fault, 820.5, 15, -90, 1),
        "power": _values(34, fault, 148, 7, 21, 1),
    }
    columns = {
        "ts": [str(1773756000 + 300 * (step // 3)) for step in range(45)],
        **sensors,
        "chiller": [f"CH-{1 + step % 3}" for step in range(45)],
        "alarm": _labels(fault, "false", "true"),
    }
    contract = {
        "version": 1,
        "family": "chillers",
        "label": {"column": "alarm", "normal": ["false", "no"], "fault": ["true", "yes"]},
        "equipment_column": "chiller",
        "time_column": "ts",
        "sensors": {
            "supply_temperature": {"unit": "degC", "min": -10, "max": 40},
            "return_temperature": {"unit": "degC", "min": -10, "max": 60, "max_missing": 0.5},
            "refrigerant_pressure": {"unit": "kPa", "min": 50, "max": 4500, "on_breach": "refuse"},
            "power": {"unit": "kW", "min": 0, "max": 900},
        },
    }
    return Plant(_grid(columns, list(sensors)), contract)


def _conveyors() -> Plant:
    """Rows of a laboratory: neither machine nor run nor time."""
    fault = [step >= 25 for step in range(40)]
    sensors = {
        "belt_speed": _values(41, fault, 1.25, 0.12, -0.4, 2),
        "torque": _values(42, fault, 340, 25, 120, 1),
        "load": _values(43, fault, 12.4, 2.0, 1.5, 2),
    }
    contract = {
        "version": 1,
        "family": "conveyors",
        "label": {"column": "jam"},
        "sensors": {
            "belt_speed": {"unit": "m/s", "min": -0.1, "max": 6},
            "torque": {"unit": "Nm", "min": -50, "max": 3000, "on_breach": "warn"},
            "load": {"unit": "t", "min": 0, "max": 80, "max_missing": 0.0},
        },
    }
    return Plant(_grid({**sensors, "jam": _labels(fault, "0", "1")}, list(sensors)), contract)


PUMPS, COMPRESSORS, FANS, CHILLERS, CONVEYORS = (
    _pumps(),
    _compressors(),
    _fans(),
    _chillers(),
    _conveyors(),
)
ALL = (PUMPS, COMPRESSORS, FANS, CHILLERS, CONVEYORS)


def stamp(style: str) -> Callable[[str], str]:
    """Clean time cells written in a strptime format."""
    return lambda cell: datetime.fromisoformat(cell).strftime(style)


def scaled(factor: float, offset: float = 0.0) -> Callable[[str], str]:
    """Number cells times a factor plus an offset, with all digits."""
    return lambda cell: repr(float(cell) * factor + offset)


def moved(grid: Grid, column: str, lines: Iterable[int], seconds: int) -> Grid:
    """Clean times moved by seconds."""
    shift = timedelta(seconds=seconds)
    return grid.change(column, lambda cell: str(datetime.fromisoformat(cell) + shift), lines)


def whole(grid: Grid, *columns: str) -> Grid:
    """The numbers of some columns without decimals."""
    for column in columns:
        grid = grid.change(column, lambda cell: f"{float(cell):.0f}")
    return grid
