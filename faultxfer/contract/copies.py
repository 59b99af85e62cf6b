"""The same rows in two files: one of them would judge what the other one taught."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from faultxfer.contract.check import Checked
from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract
from faultxfer.reading import columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CODE = "ROW-DUPLICATE"


def without_copies(checked: list[Checked], contract: Contract) -> list[Checked]:
    """Set rows aside that stand in an earlier file too: same machine, time, label and readings.

    Without a time column equal rows may be real; then nothing is done.
    """
    accepted = [outcome for outcome in checked if not outcome.refused and len(outcome.accepted)]
    if contract.time_column is None or len(accepted) < 2:
        return checked
    seen = _seen_before(accepted, contract)
    masks = {id(outcome): mask for outcome, mask in zip(accepted, seen, strict=True)}
    return [_without(outcome, masks.get(id(outcome)), contract) for outcome in checked]


def _seen_before(accepted: list[Checked], contract: Contract) -> list[np.ndarray]:
    """For each table, which rows stand in an earlier one; rows with an unknown time never do."""
    import numpy as np
    import pandas as pd

    keys = [columns.EQUIPMENT, columns.TIME, *contract.features]
    if all(columns.FAULT in outcome.accepted for outcome in accepted):
        keys.append(columns.FAULT)
    hashes = [
        pd.util.hash_pandas_object(outcome.accepted[keys], index=False).to_numpy()
        for outcome in accepted
    ]
    found, known = [], np.array([], dtype=np.uint64)
    for outcome, hashed in zip(accepted, hashes, strict=True):
        found.append(np.isin(hashed, known) & outcome.accepted[columns.TIME].notna().to_numpy())
        known = np.union1d(known, hashed)
    return found


def _without(outcome: Checked, copies: np.ndarray | None, contract: Contract) -> Checked:
    if copies is None or not copies.any():
        return outcome
    severity = contract.severity(CODE)
    notes = Notes(outcome.table)
    notes.rows(
        CODE,
        outcome.accepted.loc[copies, columns.ROW].to_numpy(),
        str(contract.time_column),
        f"{copies.sum()} row(s) stand in an earlier file as well",
        "Export each period once, or leave one of the files out; the rows of the first file were kept",
        expected="each row once",
        severity=severity,
    )
    outcome = dataclasses.replace(outcome, findings=(*outcome.findings, *notes.findings))
    return set_aside(outcome, copies, notes.rejected()) if severity == "quarantine" else outcome


def set_aside(outcome: Checked, places: np.ndarray, aside: pd.DataFrame) -> Checked:
    """Without the accepted rows that ``places`` (a mask) tells; ``aside`` are the same rows as they were read."""
    import pandas as pd

    return dataclasses.replace(
        outcome,
        accepted=outcome.accepted[~places].reset_index(drop=True),
        rejected=pd.concat([outcome.rejected, aside]) if len(outcome.rejected) else aside,
    )
