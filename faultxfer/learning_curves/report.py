"""A learning curve in words: what transfer is worth here, and whether more labels would help."""

from __future__ import annotations

from faultxfer.learning_curves.curve import SCRATCH, TRANSFER, Estimate, LearningCurve, Point

COLUMNS = (
    "labelled rows",
    "faults among them",
    "transfer",
    "scratch",
    "difference",
    "scratch needs",
)
# A difference in PR-AUC that nobody would notice at the machine.
_LITTLE = 0.01
# Wider than this an interval says nothing of where a curve ends.
_WIDE = 0.2
# With twelve simulated runs the intervals held the truth less often than they say (docs/learning-curve.md).
_FEW_RUNS = 20


def sentences(curve: LearningCurve, *, by_run: bool) -> tuple[str, ...]:
    """Start, slope, end, rows saved, what more labels would bring, and what to bear in mind."""
    first, last = curve.points[0], curve.points[-1]
    return (
        _compared(first, "starts"),
        _slopes(curve),
        _compared(last, "ends"),
        *(_rows_saved(point, curve) for point in (first, last)),
        _more(curve),
        _asymptotes(curve),
        *_caveats(curve, by_run=by_run),
    )


def cells(point: Point, curve: LearningCurve) -> list[str]:
    """One line of the table, under :data:`COLUMNS`."""
    return [
        str(point.rows),
        f"{point.faults:.0f}",
        _figure(point.transfer),
        _figure(point.scratch),
        _figure(point.gain, sign=True),
        _count(point.scratch_rows, curve),
    ]


def as_markdown(curve: LearningCurve, answers: tuple[str, ...], title: str) -> str:
    """The answers, the table and how to read it."""
    lines = [
        f"# Learning curve: {title}",
        "",
        *[f"- {answer}" for answer in answers],
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---:|' * len(COLUMNS)}",
        *[f"| {' | '.join(cells(point, curve))} |" for point in curve.points],
        "",
        f"PR-AUC on rows held out, mean of {curve.repeats} draws, with 95 % intervals in brackets; a random ranking "
        f"gets {curve.fault_share:.3f}.",
        "",
    ]
    return "\n".join(lines)


def _compared(point: Point, verb: str) -> str:
    transfer, scratch = _figure(point.transfer), _figure(point.scratch)
    both = f"With {point.rows} labelled rows transfer has PR-AUC {transfer}, scratch {scratch}"
    value, low, high = _numbers(point.gain)
    if low > 0:
        return f"{both}: transfer {verb} {value:.3f} [{low:.3f}, {high:.3f}] higher."
    if high < 0:
        return f"{both}: transfer {verb} {-value:.3f} [{-high:.3f}, {-low:.3f}] lower, so the source does harm here."
    return f"{both}: which one {verb} higher cannot be told ({_figure(point.gain, sign=True)})."


def _slopes(curve: LearningCurve) -> str:
    transfer, scratch = (curve.shapes[who].slope for who in (TRANSFER, SCRATCH))
    return (
        f"Each time the labelled rows double, transfer gains {_figure(transfer, sign=True)} and scratch "
        f"{_figure(scratch, sign=True)}."
    )


def _rows_saved(point: Point, curve: LearningCurve) -> str:
    has = f"What transfer has with {point.rows} rows, scratch"
    value = point.scratch_rows.value
    if value is None:
        return f"{has} does not reach within {curve.reach} rows."
    if value <= curve.points[0].rows:
        return f"{has} has with no more than {curve.points[0].rows}."
    return f"{has} needs about {_count(point.scratch_rows, curve)} for."


def _more(curve: LearningCurve) -> str:
    shape = curve.shapes[TRANSFER]
    asked = f"{curve.more} more labelled rows ({curve.now} → {curve.now + curve.more})"
    if not shape.fits:
        return (
            f"Whether {asked} would help cannot be told: fitted without its last count, the curve misses that count by "
            f"{_figure(shape.miss, sign=True)}."
        )
    value, low, high = _numbers(shape.more)
    if high < _LITTLE:
        return f"{asked} would change PR-AUC by {value:+.3f} [{low:+.3f}, {high:+.3f}]: hardly worth the labels."
    if low > 0:
        return f"{asked} would raise PR-AUC by about {value:.3f} [{low:.3f}, {high:.3f}]."
    return f"Whether {asked} would help cannot be told: PR-AUC may change by {low:+.3f} to {high:+.3f}."


def _asymptotes(curve: LearningCurve) -> str:
    if not all(shape.fits and _narrow(shape.asymptote) for shape in curve.shapes.values()):
        return "Where the curves would end with any number of rows cannot be told from these."
    transfer, scratch = (_figure(curve.shapes[who].asymptote) for who in (TRANSFER, SCRATCH))
    return f"With ever more rows the fitted curves tend to {transfer} for transfer and {scratch} for scratch."


def _caveats(curve: LearningCurve, *, by_run: bool) -> list[str]:
    said = []
    if not by_run:
        said.append(
            "There are too few recordings to hold some out: blocks of time judge, which flatters both curves."
        )
    elif curve.runs < _FEW_RUNS:
        said.append(
            f"All of this rests on {curve.runs} recordings; intervals are too narrow with so few."
        )
    if curve.now < curve.at_hand:
        said.append(
            f"The counts end at {curve.points[-1].rows} of {curve.at_hand} labelled rows; nothing is said beyond "
            f"{curve.limit}."
        )
    return said


def _narrow(estimate: Estimate) -> bool:
    _, low, high = _numbers(estimate)
    return high - low <= _WIDE


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    """Of a figure that is always finite."""
    inside = (estimate.value, estimate.low, estimate.high)
    return tuple(float("nan") if number is None else number for number in inside)  # type: ignore[return-value]


def _figure(estimate: Estimate, *, sign: bool = False) -> str:
    value, low, high = _numbers(estimate)
    return (
        f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
        if sign
        else f"{value:.3f} [{low:.3f}, {high:.3f}]"
    )


def _count(estimate: Estimate, curve: LearningCurve) -> str:
    beyond = f"more than {curve.reach}"
    value, low, high = (
        beyond if rows is None else f"{rows:.0f}"
        for rows in (estimate.value, estimate.low, estimate.high)
    )
    return beyond if low == beyond else f"{value} [{low}, {high}]"
