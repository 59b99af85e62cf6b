"""Units of measurement: from a machine's own unit to the contract's, as factor and offset."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# Spellings that pint does not know, or takes for something else.
_SPELLINGS = {"%": "percent", "°c": "degC", "°f": "degF", "c": "degC", "f": "degF", "rpm": "revolution / minute"}


@lru_cache(maxsize=256)
def conversion(unit: str, wanted: str) -> tuple[float, float]:
    """Factor and offset with ``value * factor + offset`` in ``wanted``; both are linear in every unit that plants use.

    Raises:
        ValueError: a unit is unknown, or the two do not measure the same.
    """
    if unit.strip() == wanted.strip():
        return 1.0, 0.0
    registry = _registry()
    try:
        zero, one, two = (_magnitude(registry, value, unit, wanted) for value in (0.0, 1.0, 2.0))
    except _problems() as error:
        raise ValueError(
            f"two units of the same quantity, such as psi and bar, were expected. "
            f"Received: {unit!r} and {wanted!r} ({error})"
        ) from error
    if abs((two - one) - (one - zero)) > 1e-9 * max(1.0, abs(two)):
        raise ValueError(
            f"units that differ by a factor and an offset were expected. Received: {unit!r} and {wanted!r}"
        )
    return one - zero, zero


def _magnitude(registry: Any, value: float, unit: str, wanted: str) -> float:
    return float(registry.Quantity(value, _spelt(unit)).to(_spelt(wanted)).magnitude)


def _spelt(unit: str) -> str:
    return _SPELLINGS.get(unit.strip().lower(), unit.strip())


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def _problems() -> tuple[type[Exception], ...]:
    import tokenize

    import pint

    return (pint.errors.PintError, tokenize.TokenError, AttributeError, ValueError, TypeError, SyntaxError)
