"""Where readings may be cut under `where`: amid rows inside, so that parts see some on either side.

Rules of sensors look at the row inside before and after, which may be hours away where a machine
rests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import as_spelt

# Readings of modes on either side of a cut that are all inside.
_AROUND = 256
_NONE = np.empty((0, 2))


def modes_in(
    tags: pd.Series,
    seconds: np.ndarray,
    cells: Callable[[np.ndarray], pd.Series],
    contract: Contract,
) -> np.ndarray:
    """(m, 2) times of the readings that `where` asks for, and 1 where they are wanted, else 0.

    Args:
        tags: (n,) of readings.
        seconds: (n,) of the same.
        cells: their values as text, by their places.
        contract: with `where`, or without.
    """
    found = [_NONE]
    for column, wanted in contract.where.items():
        names = {column}
        for machine in contract.equipment.values():
            names |= {tag for tag, name in machine.aliases.items() if name == column}
        places = np.flatnonzero(tags.isin(names))
        if len(places):
            own = cells(places).str.strip().reset_index(drop=True)
            inside = as_spelt(own, wanted).isin(wanted).to_numpy(dtype=np.float64)
            found.append(np.column_stack([seconds[places], inside]))
    return np.concatenate(found)


def cuts_amid(modes: Iterable[np.ndarray]) -> np.ndarray | None:
    """(m,) ascending times at which a part may begin; None where nothing shows any.

    Args:
        modes: (n, 2) each, as :func:`modes_in` finds them.
    """
    known = np.concatenate([_NONE, *modes])
    known = known[~np.isnan(known[:, 0])]
    if len(known) <= 2 * _AROUND:
        return None
    known = known[np.argsort(known[:, 0], kind="stable")]
    inside = np.concatenate([[0], np.cumsum(known[:, 1])])
    amid = inside[2 * _AROUND :] - inside[: -2 * _AROUND] == 2 * _AROUND
    cuts: np.ndarray = np.unique(known[_AROUND : len(known) - _AROUND + 1, 0][amid])
    return cuts if len(cuts) else None
