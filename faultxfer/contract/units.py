"""Units of measurement: from a machine's own unit to the contract's, as factor and offset."""

from __future__ import annotations

import re
import tokenize
from functools import lru_cache
from typing import Any

# Spellings of plants that pint does not know, or takes for something else (C is its coulomb).
_SPELLINGS = {
    "%": "percent", "C": "degC", "°C": "degC", "deg C": "degC", "F": "degF", "°F": "degF",
    "deg F": "degF",
    "Nm": "newton * meter", "lpm": "liter / minute", "gpm": "gallon / minute",
    "cfm": "foot ** 3 / minute",
    "ips": "inch / second", "PSI": "psi", "BAR": "bar", "Bar": "bar", "mBar": "mbar", "KPA": "kPa",
    "KPa": "kPa",
    "Mpa": "MPa", "RPM": "rpm", "r/min": "rpm", "U/min": "rpm", "min-1": "1/min", "s-1": "1/s",
    "kg/cm2": "kgf/cm**2", "kg/cm²": "kgf/cm**2",  # a pressure at every gauge that shows it
}  # fmt: skip
# psig, barg, kPaa, bar(g), bar a: pint has no such units.
_PRESSURE = re.compile(
    r"((?i:bar|psi|kpa|kg/cm[2²])|m(?i:bar)|M(?i:pa)) ?(?:\(([gaGA])\)|([gaGA]))"
)
_PRESSURES = {
    "bar": "bar",
    "mbar": "mbar",
    "kpa": "kPa",
    "mpa": "MPa",
    "psi": "psi",
    "kg/cm2": "kg/cm2",
}
_SIDES = {"g": "gauge", "a": "absolute"}
_ATMOSPHERE = 101325  # Pa, the standard one; that of the day is not in the file
# Far enough apart that the factor is exact to the last digits.
_SPAN = 1e3
# m3/h is m ** 3 / h; H2O stays as it is.
_POWER = re.compile(r"(?<![A-Za-z])([a-z]+)([23])(?![A-Za-z0-9])")


@lru_cache(maxsize=256)
def conversion(unit: str, wanted: str) -> tuple[float, float]:
    """Factor and offset with ``value * factor + offset`` in ``wanted``.

    Units that plants use differ in nothing else:

    >>> conversion("m3/h", "l/min")
    (16.666666666666664, 0.0)

    From gauge to absolute pressure one standard atmosphere is added. ``bar`` and ``psi`` say
    neither: they convert into one another, and not into units that do.

    Raises:
        ValueError: a unit is unknown, or the two do not measure the same, or one of two pressures
            does not say whether it is gauge or absolute.
    """
    if unit.strip() == wanted.strip():
        return 1.0, 0.0
    registry = _registry()
    if one_sided(unit, wanted):
        raise ValueError(
            "one of two pressures does not say whether it is gauge or absolute. "
            f"Received: {unit!r} and {wanted!r} (write barg or bara, psig or psia on both sides)"
        )
    try:
        zero, half, whole = (
            _magnitude(registry, value, unit, wanted) for value in (0.0, _SPAN / 2, _SPAN)
        )
    except _problems() as error:
        raise ValueError(
            "two units of the same quantity are needed, such as psi and bar. "
            f"Received: {unit!r} and {wanted!r} ({error})"
        ) from error
    if abs(whole - 2 * half + zero) > 1e-9 * abs(whole):
        raise ValueError(
            "these units do not differ by factor and offset alone. "
            f"Received: {unit!r} and {wanted!r}"
        )
    return (whole - zero) / _SPAN, zero


def one_sided(unit: str, other: str) -> bool:
    """Whether one of two pressures says that it is gauge or absolute, the other one not."""
    first, second = _PRESSURE.fullmatch(unit.strip()), _PRESSURE.fullmatch(other.strip())
    return (first is None) != (second is None) and _are_pressures(unit, other)


def _are_pressures(*units: str) -> bool:
    registry = _registry()
    try:
        return all(registry.Quantity(1, _spelt(unit)).check("[pressure]") for unit in units)
    except _problems():
        return False


def _magnitude(registry: Any, value: float, unit: str, wanted: str) -> float:
    first, second = _spelt(unit), _spelt(wanted)
    first, second = _beside(registry, first, second), _beside(registry, second, first)
    return float(registry.Quantity(value, first).to(second).magnitude)


def _beside(registry: Any, unit: str, other: str) -> str:
    """What a unit means beside another one.

    Hz and 1/min count turns beside rpm, g is no gram beside m/s2.
    """
    if unit == "g" and registry.Quantity(1, other).check("[acceleration]"):
        return "standard_gravity"
    per_time = registry.Quantity(1, unit).check("1/[time]")
    if per_time and _is_angular(registry, other) and not _is_angular(registry, unit):
        return f"turn * ({unit})"
    return unit


def _is_angular(registry: Any, unit: str) -> bool:
    quantity = registry.Quantity(1, unit)
    return bool(quantity.check("1/[time]")) and "radian" in str(quantity.to_root_units().units)


def _spelt(unit: str) -> str:
    pressure = _PRESSURE.fullmatch(unit.strip())
    if pressure:
        name, side = pressure[1].lower().replace("²", "2"), pressure[2] or pressure[3]
        return _defined(_PRESSURES[name], _SIDES[side.lower()])
    return _SPELLINGS.get(unit.strip(), _POWER.sub(r"\1**\2", unit.strip()))


def _defined(pressure: str, side: str) -> str:
    """The name in our registry: names of pint have no slashes."""
    return f"{pressure.replace('/', '_per_')}_{side}"


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for name in _PRESSURES.values():
        pascal = registry.Quantity(1, _spelt(name)).to("pascal").magnitude
        registry.define(f"{_defined(name, 'absolute')} = {pascal!r} * pascal")
        registry.define(f"{_defined(name, 'gauge')} = {pascal!r} * pascal; offset: {_ATMOSPHERE}")
    return registry


def _problems() -> tuple[type[Exception], ...]:
    """What pint raises where text is no unit; its parser was not written for input of people."""
    import pint

    of_pint = (pint.errors.PintError, tokenize.TokenError, AssertionError)
    return (*of_pint, AttributeError, ValueError, TypeError, SyntaxError, ArithmeticError)
