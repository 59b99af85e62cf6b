"""What the source detector says against labels, or against rows that somebody vouches for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import BY_FAULTS, BY_HEALTHY, Split
from faultxfer.evaluate.contradiction import standing_out, wrong_way_round
from faultxfer.evaluate.events import stretches_of
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.reading import columns
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.wording import counted, listed

# Stretches of rows that a sentence names.
_SHOWN = 5


def contradictions(
    source: Bundle, data: Dataset, rows: CheckedRows, split: Split
) -> tuple[str, ...]:
    """Whole sentences, said before anything is built on the rows; none where nothing contradicts.

    Args:
        source: for the machine's sensors, with its own threshold.
        data: the machine's rows.
        rows: the same as accepted, with their lines.
        split: says which classes there are.
    """
    probabilities = source.probabilities(data.X, data.moments)
    alarms = source.alarms(probabilities, data.moments)
    if split.has_both_classes:
        return _exchanged(ScoredRows(data.y, probabilities, alarms, data.run, data.time))
    if split.by == BY_FAULTS:
        quiet = int((~alarms).sum())
        return (
            f"Every row is labelled fault ({counted(len(data), 'row')}); the source detector takes "
            f"{quiet:,} of them for normal. Look whether the label column means what the contract "
            "says.",
        )
    if split.by == BY_HEALTHY:
        return _no_healthy_rows(standing_out(probabilities, alarms), probabilities, rows)
    return ()


def _exchanged(scored: ScoredRows) -> tuple[str, ...]:
    found = wrong_way_round(scored)
    if found is None:
        return ()
    return (
        f"The source detector ranks these rows the wrong way round (ROC-AUC {found.estimate:.2f}, "
        f"at most {found.high:.2f}): normal and fault may be exchanged in the labels. Look at "
        "`label.normal` and `label.fault` in the contract; if they are right, faults of this "
        "machine look like normal operation of the source's.",
    )


def _no_healthy_rows(
    found: np.ndarray, probabilities: np.ndarray, rows: CheckedRows
) -> tuple[str, ...]:
    """Rows that count as healthy and look like faults, by their lines."""
    if not found.any():
        return ()
    table = pd.read_feather(require_accepted(rows), columns=[columns.FILE, columns.LINE])
    told = []
    for first, end in stretches_of(found):
        lines = table[columns.LINE].iloc[[first, end - 1]].tolist()
        score = float(probabilities[first:end].max())
        file = table[columns.FILE].iloc[first]
        told.append(f"{file} lines {lines[0]} to {lines[1]} (up to {score:.2f})")
    return (
        f"The source detector takes {counted(int(found.sum()), 'row')} of {len(found):,} that "
        f"count as healthy for faults, unlike the others: {listed(told, most=_SHOWN)}. Look at "
        "them before you rely on the threshold, and vouch for a time without them if they are "
        "none.",
    )
