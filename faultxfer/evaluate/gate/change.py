"""Change checks: is the candidate better than the champion, on rows that neither was trained on?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import (
    asks_a_gain,
    bounded,
    gained,
    in_words,
    spread,
    tolerated,
)
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    TIED,
    Check,
    Comparison,
    Evidence,
    pair_of,
)
from faultxfer.evaluate.gate.sample_size import more_rows, why_no_interval
from faultxfer.metric_table import METRICS
from faultxfer.wording import counted

_CODE, _TITLE = "GATE-CHANGE", "against the champion"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus champion, per bounded metric; a tie does not promote."""
    comparison, limits = given.comparison, bounded(options.change)
    if comparison is None:
        message = given.not_comparable or (
            "There is no champion yet, so nothing was compared with it; the value checks alone "
            "decide."
        )
        return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]
    if comparison.candidate is None or comparison.champion is None:
        return [_cannot_compare(given.champion_version, comparison, options)]
    if not limits:
        message = (
            "The gate has no change thresholds, so a champion cannot be replaced; set some under "
            "`change`."
        )
        return [Check("GATE-NO-THRESHOLDS", "change thresholds are set", FAILED, message)]
    hidden = _far_better(limits, comparison, options)
    checks = [_change(name, limit, comparison, options, hidden) for name, limit in limits.items()]
    if not any(asks_a_gain(name, limit) for name, limit in limits.items()):
        checks.insert(0, _gain_somewhere(limits, comparison))
    return checks


def _cannot_compare(version: str | None, comparison: Comparison, options: GateOptions) -> Check:
    normals = comparison.rows - comparison.faults
    rows = (
        f"{counted(comparison.rows, 'row')} with {counted(comparison.faults, 'fault')} and "
        f"{counted(normals, 'normal row')}"
    )
    needed = f"at least {options.min_faults} faults and {options.min_normals} normal rows"
    if not comparison.rows:
        message = (
            f"The champion (version {version}) was trained on all {comparison.excluded:,} of these "
            f"rows, so none can show that the candidate is better. Bring newer labelled rows with "
            f"{needed}."
        )
    elif comparison.excluded:
        message = (
            f"The champion (version {version}) was trained on {comparison.excluded:,} of these "
            f"rows; the {rows} that are left are too few to show that the candidate is better. "
            f"Bring newer labelled rows with {needed}."
        )
    else:
        message = (
            f"The champion (version {version}) was trained on none of these rows, but {rows} are "
            f"too few to show that the candidate is better. Bring more labelled rows: {needed} are "
            "needed."
        )
    return Check("GATE-CHANGE-EVIDENCE", "rows the champion has not seen", OPEN, message)


def _gain_somewhere(limits: dict[str, Limit], comparison: Comparison) -> Check:
    """Bounds that only tolerate losses must not let a candidate pass that gains nothing."""
    code, title = "GATE-TIE", "a gain on the champion"
    better = []
    for name, limit in limits.items():
        pair = pair_of(name, comparison.candidate, comparison.champion)
        any_gain = Limit(min=0.0, max=0.0, proof=limit.proof)
        if pair is None:
            continue
        change = pair[0] - pair[1]
        if gained(name, any_gain, change, comparison.changes.get(name), tie=0.0) == PASSED:
            better.append(METRICS[name].title)
    if better:
        message = f"Better than the champion in {', '.join(better)}."
        return Check(code, title, PASSED, message)
    message = (
        "Better than the champion in none of the metrics compared, as far as is shown; a tie does "
        "not promote."
    )
    return Check(code, title, TIED, message)


def _far_better(
    limits: dict[str, Limit], comparison: Comparison, options: GateOptions
) -> list[str]:
    """Titles of metrics that no gain is asked of and that are shown to be better by over a tie."""
    titles = []
    for name, limit in limits.items():
        change, metric = comparison.changes.get(name), METRICS[name]
        if change is None or asks_a_gain(name, limit):
            continue
        if metric.lower_is_better:
            change = -change
        if change.low > options.tie:
            titles.append(metric.title)
    return titles


def _change(
    name: str, limit: Limit, comparison: Comparison, options: GateOptions, hidden: list[str]
) -> Check:
    metric = METRICS[name].title
    title = f"{metric} {_TITLE}"
    pair = pair_of(name, comparison.candidate, comparison.champion)
    if pair is None:
        message = f"The {metric} could not be measured for both."
        return Check(_CODE, title, NOT_APPLICABLE, message)
    change, interval = pair[0] - pair[1], comparison.changes.get(name)
    if asks_a_gain(name, limit):
        status = gained(name, limit, change, interval, options.tie)
    else:
        status = tolerated(limit, change, interval, default="interval", strictly=True)
    message = (
        f"{_unseen(comparison)} {metric} is {pair[0]:.3f} against the champion's {pair[1]:.3f} "
        f"({change:+.3f}{spread(interval, '+.3f')}); the rules ask for a change of "
        f"{in_words(limit, 'more than', '+g')}."
    )
    if status == TIED and hidden:
        better = ", ".join(hidden)
        message += f" That is a tie, but better by more than that in {better}: a person decides."
        return Check(_CODE, title, APPROVAL, message)
    if status == TIED:
        message += (
            f" That is a tie: they differ by less than {options.tie:g}, and a tie does not promote."
        )
    if status == OPEN:
        message += _what_is_missing(name, limit, comparison, options)
    return Check(_CODE, title, status, message)


def _unseen(comparison: Comparison) -> str:
    if not comparison.excluded:
        return "The"
    rows = comparison.rows + comparison.excluded
    return f"On the {comparison.rows} of {rows} rows that the champion has not seen the"


def _what_is_missing(name: str, limit: Limit, comparison: Comparison, options: GateOptions) -> str:
    interval = comparison.changes.get(name)
    if interval is None:
        return why_no_interval(name, bool(comparison.changes))
    counts = comparison.faults, comparison.rows - comparison.faults
    return more_rows(name, limit, interval, counts, options, change=True)
