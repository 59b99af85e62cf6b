"""Slice checks: does a gain on the whole hide a loss on one part of the rows?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import spread, tolerated, words
from faultxfer.evaluate.gate.check import NOT_APPLICABLE, OPEN, Check, Evidence, Part, metric_name
from faultxfer.evaluate.gate.settle import more_rows, no_interval

_CODE, _TITLE = "GATE-SLICE", "parts of the rows"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus champion, per bounded metric in each part with enough faults and runs."""
    bounded = {name: limit for name, limit in options.slices.items() if limit.bounds}
    comparison = given.comparison
    if comparison is None or comparison.candidate is None:
        return [
            _not_applicable(
                "Nothing was compared with a champion, so no part of the rows was either."
            )
        ]
    if not bounded:
        return [_not_applicable("No bound on parts of the rows is set under `slices`.")]
    if not comparison.parts:
        columns = ", ".join(comparison.columns)
        why = (
            f"column {columns} has one value at most"
            if columns
            else "the contract names no columns under `slices`"
        )
        return [_not_applicable(f"The rows have no parts to compare: {why}.")]
    large = [part for part in comparison.parts if _supported(part, options)]
    checks = [
        _change(name, limit, part, options) for part in large for name, limit in bounded.items()
    ]
    small = [f"{part.column} {part.value}" for part in comparison.parts if part not in large]
    return [*checks, *([_too_small(small, options)] if small else [])]


def _supported(part: Part, options: GateOptions) -> bool:
    return part.faults >= options.slice_min_faults and part.runs >= options.slice_min_runs


def _too_small(parts: list[str], options: GateOptions) -> Check:
    shown = ", ".join(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")
    return _not_applicable(
        f"Too small to be judged, with fewer than {options.slice_min_faults} faults or {options.slice_min_runs} runs "
        f"with faults: {shown}. A loss there would not be noticed."
    )


def _not_applicable(message: str) -> Check:
    return Check(_CODE, _TITLE, NOT_APPLICABLE, message)


def _change(name: str, limit: Limit, part: Part, options: GateOptions) -> Check:
    title = f"{metric_name(name)} where {part.column} is {part.value}"
    interval = part.changes.get(name)
    if interval is None:
        message = f"How {metric_name(name)} changed where {part.column} is {part.value} could not be measured."
        return Check(_CODE, title, OPEN, message + no_interval(name, bool(part.changes)))
    status = tolerated(limit, interval.estimate, interval, default="interval", strictly=True)
    message = (
        f"Where {part.column} is {part.value} ({part.rows} rows, {part.faults} faults) the {metric_name(name)} changed "
        f"by {interval.estimate:+.3f}{spread(interval, '+.3f')}; "
        f"a change of {words(limit, 'more than', '+g')} is asked."
    )
    if status == OPEN:
        message += more_rows(name, limit, interval, (part.faults, part.rows - part.faults), options)
    return Check(_CODE, title, status, message)
