"""Slice checks: does a gain on the whole hide a loss on one slice of the rows?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import bounded, in_words, spread, tolerated
from faultxfer.evaluate.gate.check import (
    NOT_APPLICABLE,
    OPEN,
    Check,
    Comparison,
    Evidence,
    Slice,
)
from faultxfer.evaluate.gate.sample_size import more_rows, why_no_interval
from faultxfer.metric_table import METRICS
from faultxfer.wording import listed

_CODE, _TITLE = "GATE-SLICE", "slices of the rows"
_MOST_NAMED = 5


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus champion, per bounded metric in each slice with enough faults and runs."""
    limits, comparison = bounded(options.slices), given.comparison
    if comparison is None or comparison.candidate is None:
        message = "Nothing was compared with a champion, so no slice of the rows was either."
        return [_not_applicable(message)]
    if not limits:
        return [_not_applicable("No bound on slices of the rows is set under `slices`.")]
    if not comparison.slices:
        return [_not_applicable(f"The rows have no slices to compare: {_why_none(comparison)}.")]
    checks, small = [], []
    for one in comparison.slices:
        if one.faults >= options.slice_min_faults and one.runs >= options.slice_min_runs:
            checks += [_change(name, limit, one, options) for name, limit in limits.items()]
        else:
            small.append(f"{one.column} {one.value}")
    if small:
        checks.append(_too_small(small, options))
    return checks


def _why_none(comparison: Comparison) -> str:
    if not comparison.columns:
        return "the contract names no columns under `slices`"
    return f"column {', '.join(comparison.columns)} has one value at most"


def _too_small(names: list[str], options: GateOptions) -> Check:
    shown = listed(names, most=_MOST_NAMED)
    return _not_applicable(
        f"Too small to be judged, with fewer than {options.slice_min_faults} faults or "
        f"{options.slice_min_runs} runs with faults: {shown}. A loss there would not be noticed."
    )


def _not_applicable(message: str) -> Check:
    return Check(_CODE, _TITLE, NOT_APPLICABLE, message)


def _change(name: str, limit: Limit, one: Slice, options: GateOptions) -> Check:
    metric, where = METRICS[name].title, f"{one.column} is {one.value}"
    title = f"{metric} where {where}"
    change = one.changes.get(name)
    if change is None:
        message = f"How {metric} changed where {where} could not be measured."
        return Check(_CODE, title, OPEN, message + why_no_interval(name, bool(one.changes)))
    status = tolerated(limit, change.estimate, change, default="interval", strictly=True)
    message = (
        f"Where {where} ({one.rows} rows, {one.faults} faults) the {metric} changed by "
        f"{change.estimate:+.3f}{spread(change, '+.3f')}; the rules ask for a change of "
        f"{in_words(limit, 'more than', '+g')}."
    )
    if status == OPEN:
        counts = one.faults, one.rows - one.faults
        message += more_rows(name, limit, change, counts, options)
    return Check(_CODE, title, status, message)
