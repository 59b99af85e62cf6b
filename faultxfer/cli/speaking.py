"""Alarms on the screen: when, and which sensors speak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from faultxfer.cli.session import stdout
from faultxfer.wording import counted, duration, listed, probability, reading

if TYPE_CHECKING:
    from faultxfer.evaluate.alarms import AlarmStretch, TopSensor

# Alarms on the screen, and sensors of each; the file beside the scores has all.
_SHOWN, _SENSORS = 5, 3
_COLUMNS = ("alarm", "sensor", "reads", "unit", "usually", "")
_RIGHT = ("reads", "usually")


def alarms(stretches: tuple[AlarmStretch, ...], count: int, out: Path) -> None:
    """The surest alarms, of so many, in the order in which they came; nothing where none are."""
    if not stretches:
        return
    surest = sorted(stretches, key=lambda one: -one.peak.probability)[:_SHOWN]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in _RIGHT else "left")
    for one in stretches:
        if one in surest:
            _add(table, one)
    stdout().print()
    stdout().print(table)
    more = count - len(surest)
    rest = f"… and {counted(more, 'more alarm')}" if more else "All alarms"
    stdout().print(f"{rest}: {out}", markup=False, soft_wrap=True)


def _add(table: Table, stretch: AlarmStretch) -> None:
    """A line for each sensor that speaks; the alarm itself stands in the first lines."""
    said = [_when(stretch), _how(stretch)]
    sensors = [_cells(top) for top in stretch.top_sensors[:_SENSORS]]
    for place in range(max(len(said), len(sensors))):
        first = said[place] if place < len(said) else ""
        cells = sensors[place] if place < len(sensors) else [""] * (len(_COLUMNS) - 1)
        table.add_row(escape(first), *map(escape, cells))


def _when(stretch: AlarmStretch) -> str:
    if stretch.times is None:
        return f"row {stretch.rows[0]}"
    return stretch.times[0]


def _how(stretch: AlarmStretch) -> str:
    """Whose it is, how long it lasts and how sure it is at its peak."""
    return (
        f"  {stretch.equipment}: {_lasts(stretch)}, up to {probability(stretch.peak.probability)}"
    )


def _lasts(stretch: AlarmStretch) -> str:
    """For how long; in rows where it is one row, or times are numbers of a sequence."""
    rows = counted(stretch.count, "row")
    if stretch.times is None or not stretch.duration:
        return rows
    try:
        float(stretch.times[0])
    except ValueError:
        return duration(stretch.duration)
    return rows


def _cells(top: TopSensor) -> list[str]:
    low, high = top.usual
    usual = f"{reading(low)} to {reading(high)}"
    filled = " (filled in)" if top.imputed else ""
    return [
        listed(list(top.sensors)),
        reading(top.reading),
        top.unit,
        usual,
        top.direction + filled,
    ]
