"""Which rows with missing readings may be filled in, by the contract and by the model at hand."""

from __future__ import annotations

from collections.abc import Mapping
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
    missing: dict[str, np.ndarray],
    contract: Contract,
    fills: frozenset[str],
    lacking: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Rows of which every missing reading may be filled in.

    Args:
        missing: by sensor, (n,) bool: whether the reading is missing.
        contract: says which sensors may be filled in, and how many of a row's.
        fills: sensors that the model at hand can fill.
        lacking: by sensor, (n,) bool: rows of machines that do not have it, in which no reading
            is missing; they do not count among a row's sensors.

    Returns:
        (n,) bool; rows without a missing reading among them.
    """
    allowed = fills & fillable_sensors(contract)
    gaps = np.array(list(missing.values()))
    others = [name not in allowed for name in missing]
    barred = gaps[others].any(axis=0)
    share = gaps.mean(axis=0)
    if lacking:
        had = len(gaps) - np.sum(list(lacking.values()), axis=0)
        share = share * len(gaps) / had
    return np.asarray(~barred & (share <= contract.max_imputed))
