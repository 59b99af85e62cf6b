"""Which rows with missing readings may be filled in, by the contract and by the model at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.contract.schema import Contract


@dataclass(frozen=True)
class Fillable:
    """Rows of which every missing reading may be filled in.

    Attributes:
        now: (n,) bool: by the model at hand.
        by_a_model: (n,) bool: by some model, where there is none at hand.
    """

    now: np.ndarray
    by_a_model: np.ndarray


def fillable_sensors(contract: Contract) -> frozenset[str]:
    """Sensors that the contract allows to fill in."""
    return frozenset(name for name, sensor in contract.sensors.items() if sensor.impute)


def fillable_rows(
    missing: dict[str, np.ndarray], contract: Contract, fills: frozenset[str]
) -> np.ndarray:
    """Rows of which every missing reading may be filled in.

    Args:
        missing: by sensor, (n,) bool: whether the reading is missing.
        contract: says which sensors may be filled in, and how many of a row's.
        fills: sensors that the model at hand can fill.

    Returns:
        (n,) bool; rows without a missing reading among them.
    """
    allowed = fills & fillable_sensors(contract)
    gaps = np.array(list(missing.values()))
    others = [name not in allowed for name in missing]
    barred = gaps[others].any(axis=0)
    return np.asarray(~barred & (gaps.mean(axis=0) <= contract.max_imputed))
