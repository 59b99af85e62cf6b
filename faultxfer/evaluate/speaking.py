"""Which sensors speak, for the report: per model and per stretch of alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faultxfer.document import Block, Heading, Paragraph, Table
from faultxfer.wording import counted, listed, percent, probability, reading

_MOST_ALARMS = 30


def sensor_blocks(sensors: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """The share that each sensor, or group of sensors that say the same, has in the alarms.

    Args:
        sensors: each with ``sensors``, names, and ``share`` from 0 to 1.
    """
    if not sensors:
        return ()
    rows = tuple((_names(one["sensors"]), percent(one["share"])) for one in sensors)
    note = "By how much each sensor moves the fault probability where there is an alarm."
    return (
        Heading("Which sensors speak"),
        Paragraph(note),
        Table(("sensor", "share"), rows),
    )


def alarm_blocks(alarms: Sequence[Mapping[str, Any]], note: str = "") -> tuple[Block, ...]:
    """The surest stretches of alarms, each with the sensors that speak at its peak.

    Args:
        alarms: each with ``run``, ``rows``, ``times``, ``count``, ``peak`` and ``top_sensors``, as
            :class:`faultxfer.evaluate.report.Report` has them in JSON.
        note: what to know of them.
    """
    if not alarms:
        return ()
    surest = sorted(alarms, key=lambda one: -one["peak"]["probability"])[:_MOST_ALARMS]
    head = ("run", "when", "rows", "highest probability", "sensors that speak")
    blocks: list[Block] = [Heading("Alarms"), Table(head, tuple(_alarm(one) for one in surest))]
    if note:
        blocks.insert(1, Paragraph(note))
    left = len(alarms) - len(surest)
    if left:
        more = counted(left, "more alarm is", "more alarms are")
        blocks.append(Paragraph(f"{more} in `report.json`."))
    return tuple(blocks)


def _alarm(alarm: Mapping[str, Any]) -> tuple[str, ...]:
    top = "; ".join(_speaks(sensor) for sensor in alarm["top_sensors"])
    return (
        str(alarm["run"]),
        _when(alarm),
        f"{alarm['count']:,}",
        probability(alarm["peak"]["probability"]),
        top or "–",
    )


def _when(alarm: Mapping[str, Any]) -> str:
    """Its first and last time, or row where there are no times."""
    times = alarm["times"]
    first, last = times or alarm["rows"]
    what = "" if times else "row " if first == last else "rows "
    return f"{what}{first}" if first == last else f"{what}{first} to {last}"


def _speaks(sensor: Mapping[str, Any]) -> str:
    """A sensor's reading beside what is usual.

    >>> _speaks({"sensors": ["flow"], "reading": 12.0, "unit": "m3/h", "usual": [20.0, 31.5],
    ...          "direction": "below", "mode": "full"})
    'flow 12 m3/h, below its usual 20 to 31.5 in mode full'
    """
    unit = f" {sensor['unit']}" if sensor["unit"] else ""
    low, high = (reading(bound) for bound in sensor["usual"])
    mode = f" in mode {sensor['mode']}" if sensor.get("mode") else ""
    filled = " (filled in)" if sensor.get("imputed") else ""
    said = f"{_names(sensor['sensors'])} {reading(sensor['reading'])}{unit}{filled}"
    return f"{said}, {sensor['direction']} its usual {low} to {high}{mode}"


def _names(names: Sequence[str]) -> str:
    same = " (they tell the same)" if len(names) > 1 else ""
    return f"{listed(list(names))}{same}"
