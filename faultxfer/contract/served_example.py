"""Readings as a machine would write them, to show how its model is called."""

from __future__ import annotations

import pandas as pd

from faultxfer.contract.machines import to_contract
from faultxfer.contract.schema import Contract
from faultxfer.contract.served import MachineRows
from faultxfer.reading.long_form import Long

_FIRST = pd.Timestamp("2026-01-01")
_PERIOD = 60.0
# By how a count of time is written, how many there are in a second.
_EPOCHS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}


def as_written(readings: pd.DataFrame, taken: MachineRows) -> pd.DataFrame:
    """Rows with the machine's columns, units and shape, as far as its model requires them.

    Args:
        readings: (k, d) by sensor, in the contract's units.
        taken: what the machine's rows look like.
    """
    contract = taken.contract
    cells: dict[str, object] = {}
    for name in contract.features:
        factor, offset = to_contract(taken.own, name, contract)
        cells[taken.tag(name)] = (readings[name] - offset) / factor
    for sensor in contract.sensors.values():
        if sensor.quality is not None:
            cells[taken.tag(sensor.quality.column)] = sensor.quality.good[0]
    cells |= {taken.tag(column): allowed[0] for column, allowed in contract.where.items()}
    rows = pd.DataFrame(cells, index=readings.index)
    times = _times(len(rows), contract)
    if contract.long:
        return _in_long_form(rows, times, contract.long)
    parts = contract.csv.time_parts
    if not parts:
        return rows
    day, clock = parts
    divided = [time.partition(" ") for time in times]
    return rows.assign(**{day: [each[0] for each in divided], clock: [each[2] for each in divided]})


def _in_long_form(rows: pd.DataFrame, times: list[str], long: Long) -> pd.DataFrame:
    """A row for each reading of each moment."""
    readings = [
        {long.time: time, long.tag: tag, long.value: value}
        for time, cells in zip(times, rows.to_dict(orient="records"), strict=True)
        for tag, value in cells.items()
    ]
    frame = pd.DataFrame(readings)
    return frame.assign(**{long.quality: long.good[0]}) if long.quality else frame


def _times(count: int, contract: Contract) -> list[str]:
    """So many moments, written as the contract pins it."""
    style = contract.csv.time_format or "%Y-%m-%d %H:%M:%S"
    style = "%Y-%m-%d %H:%M:%S" if style == "iso" else style
    period = contract.sampling_period or _PERIOD
    seconds = [number * period for number in range(count)]
    if style == "number":
        return [f"{each:g}" for each in seconds]
    if style in _EPOCHS:
        first = _FIRST.timestamp()
        return [str(int((first + each) * _EPOCHS[style])) for each in seconds]
    return [(_FIRST + pd.Timedelta(seconds=each)).strftime(style) for each in seconds]
