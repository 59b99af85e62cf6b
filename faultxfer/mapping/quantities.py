"""What a unit measures, and how another machine may write the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from faultxfer.contract.units import conversion

# By what is measured: units that plants write it in, the usual ones first.
_UNITS: dict[str, tuple[str, ...]] = {
    "pressure": ("bar", "psi", "kPa", "MPa", "mbar", "Pa", "kgf/cm2"),
    "temperature": ("degC", "degF", "K"),
    "flow": ("m3/h", "l/min", "gpm", "l/s", "m3/s", "m3/min", "cfm", "l/h"),
    "mass flow": ("kg/h", "t/h", "kg/s", "lb/h"),
    "speed": ("rpm", "Hz"),
    "velocity": ("mm/s", "in/s", "m/s", "km/h", "ft/s", "ft/min", "mph"),
    "acceleration": ("m/s2", "g", "mm/s2"),
    "power": ("kW", "MW", "W", "hp"),
    "current": ("A", "mA", "kA"),
    "voltage": ("V", "kV", "mV"),
    "level": ("mm", "m", "cm", "in", "ft", "um", "mil"),
    "torque": ("Nm", "kNm", "lbf*ft"),
    "energy": ("kWh", "MWh", "MJ", "J"),
    "force": ("N", "kN", "lbf"),
    "time": ("s", "min", "h", "ms"),
    "mass": ("kg", "t", "lb", "g"),
    "ratio": ("%",),
    "angle": ("deg", "rad"),
}
# What names call it.
_NAMED = {"mass flow": "flow", "velocity": "speed", "acceleration": "vibration"}
# Velocities in these units are those of vibrations.
_VIBRATION = frozenset({"mm/s", "in/s", "ips"})
# Nobody says what is measured by these: a level, a position, a duration, anything.
_VAGUE = frozenset({"level", "ratio", "time", "mass", "torque", "angle"})
# Pressures with a side are written in others with a side.
_SIDED = {"g": ("barg", "psig", "kPag", "MPag", "mbarg"), "a": ("bara", "psia", "kPaa", "mbara")}

# Costs, in the units of ``assigning.py``: of a unit that is the first alternative, of each rarer
# one, and of numbers that are stored as powers of ten of the reading.
_OTHER_UNIT, _RARER = 0.3, 0.15
_SCALED = {0.1: 1.2, 10.0: 1.2, 0.01: 1.5, 100.0: 1.5, 0.001: 2.0, 1000.0: 2.0}


@dataclass(frozen=True)
class Writing:
    """One way in which another machine may write a sensor's readings.

    Attributes:
        unit: the machine's unit; empty where it is the contract's, or nobody knows.
        scale: from the number in the file to a reading in ``unit``.
        factor, offset: from the number in the file to the contract's unit.
        cost: how unusual it is.
    """

    unit: str
    scale: float
    factor: float
    offset: float
    cost: float


@lru_cache(maxsize=512)
def measures(unit: str) -> str:
    """What a unit measures; empty where it is unknown.

    >>> measures("psi"), measures("bar(g)"), measures("bananas")
    ('pressure', 'pressure', '')
    """
    if not unit:
        return ""
    for quantity, units in _UNITS.items():
        if unit in units or _converts(unit, units[0]):
            return quantity
    return "pressure" if _side(unit) else ""


@lru_cache(maxsize=512)
def named_quantity(unit: str) -> str:
    """What names call that which a unit measures; empty where it may be several things."""
    if unit in _VIBRATION:
        return "vibration"
    quantity = measures(unit)
    return "" if quantity in _VAGUE else _NAMED.get(quantity, quantity)


@lru_cache(maxsize=512)
def zero(unit: str) -> float:
    """Where the size of a reading is counted from: the freezing point for temperatures, else 0.

    >>> zero("degF"), zero("bar")
    (32.0, 0.0)
    """
    if measures(unit) != "temperature":
        return 0.0
    return round(conversion("degC", unit)[1], 6)


@lru_cache(maxsize=512)
def fits(unit: str, other: str) -> bool:
    """Whether readings in one unit can be readings in another one."""
    return unit == other or _converts(unit, other) or _one_sided(unit, other)


def _one_sided(unit: str, other: str) -> bool:
    return bool(_side(unit)) != bool(_side(other)) and measures(unit) == measures(other)


@lru_cache(maxsize=2048)
def writings(unit: str, stated: str) -> tuple[Writing, ...]:
    """How a machine may write readings that the contract has in ``unit``.

    Args:
        unit: the contract's unit; empty where it has none.
        stated: the unit that the machine's file states; empty where it states none.
    """
    found = []
    for other, cost in _units(unit, stated):
        factor, offset = conversion(other, unit) if other else (1.0, 0.0)
        named = "" if (factor, offset) == (1.0, 0.0) else other
        found.append(Writing(named, 1.0, factor, offset, cost))
        for times, more in _SCALED.items():
            found.append(Writing(named, 1 / times, factor / times, offset, cost + more))
    return tuple(found)


def _units(unit: str, stated: str) -> list[tuple[str, float]]:
    """Units that the machine's readings may be in, with what each costs."""
    if stated and unit and _converts(stated, unit):
        return [(stated, 0.0)]
    if stated or not unit:
        return [("", 0.0)]
    found = [("", 0.0)]
    for place, other in enumerate(_alternatives(unit)):
        if _converts(other, unit) and conversion(other, unit) != (1.0, 0.0):
            found.append((other, _OTHER_UNIT + _RARER * place))
    return found


def _alternatives(unit: str) -> tuple[str, ...]:
    side = _side(unit)
    others = _SIDED[side] if side else _UNITS.get(measures(unit), ())
    if unit in _VIBRATION:
        others = ("mm/s", "in/s")
    return tuple(other for other in others if other != unit)


def _side(unit: str) -> str:
    """``g`` or ``a`` for a pressure that says that it is gauge or absolute."""
    if unit.rstrip(")")[-1:].lower() not in ("g", "a"):
        return ""
    for side, units in _SIDED.items():
        if _converts(unit, units[0]) and not _converts(unit, "bar"):
            return side if unit.rstrip(")")[-1:].lower() == side else ""
    return ""


@lru_cache(maxsize=8192)
def _converts(unit: str, other: str) -> bool:
    try:
        conversion(unit, other)
    except ValueError:
        return False
    return True
