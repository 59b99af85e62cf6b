"""A learning curve in words: what transfer brings here, and whether more labels would help."""

from __future__ import annotations

import math

from faultxfer.document import (
    Block,
    Bullets,
    Command,
    Heading,
    Paragraph,
    Picture,
    Table,
    to_markdown,
)
from faultxfer.evaluate.report_page import glossary_blocks
from faultxfer.evaluate.source_verdict import LITTLE, Yardstick, source_verdict
from faultxfer.following import Next
from faultxfer.html_page import made_by, to_html
from faultxfer.learning_curves.curve import (
    AS_IS,
    SCRATCH,
    TRANSFER,
    Estimate,
    LearningCurve,
    Point,
)

COLUMNS = (
    "labelled rows",
    "faults among them",
    "transfer",
    "scratch",
    "difference",
    "scratch needs",
)
# Wider than this an interval says nothing of where a curve ends.
_WIDE = 0.2
# With twelve simulated runs the intervals held the truth less often than they say, see
# docs/learning-curve.md.
_FEW_RUNS = 20


def sentences(curve: LearningCurve, *, by_run: bool) -> tuple[str, ...]:
    """Start, slope, end, rows saved, what more labels would bring, and what to bear in mind."""
    first, last = curve.points[0], curve.points[-1]
    return (
        _compared(first, "starts"),
        _slopes(curve),
        _compared(last, "ends"),
        _verdict(last, curve),
        *(_rows_saved(point, curve) for point in (first, last)),
        _more(curve),
        _asymptotes(curve),
        *_caveats(curve, by_run=by_run),
    )


def decisive(curve: LearningCurve, *, by_run: bool) -> tuple[str, ...]:
    """Whether more labels would help, whether the source does, and what to bear in mind."""
    return (_more(curve), _verdict(curve.points[-1], curve), *_caveats(curve, by_run=by_run))


def cells(point: Point, curve: LearningCurve) -> list[str]:
    """One line of the table, under :data:`COLUMNS`."""
    return [
        f"{point.rows:,}",
        f"{point.faults:.0f}",
        _in_words(point.transfer),
        _in_words(point.scratch),
        _in_words(point.gain, sign=True),
        _count(point.scratch_rows, curve),
    ]


def as_markdown(curve: LearningCurve, answers: tuple[str, ...], title: str) -> str:
    """The answers, the table and how to read it."""
    return to_markdown(card(curve, answers, title))


def as_html(
    curve: LearningCurve,
    answers: tuple[str, ...],
    title: str,
    picture: bytes,
    following: tuple[Next, ...],
) -> str:
    """The same as one page that needs nothing else.

    Args:
        curve: the numbers.
        answers: sentences.
        title: source model and machine.
        picture: content of the PNG.
        following: what to type next.
    """
    blocks = (
        *card(curve, answers, title),
        Picture("What labelled rows bring, with the source and without it", picture),
        Heading("Next"),
        *(Command(one.why, one.command) for one in following),
        *glossary_blocks(),
    )
    return to_html(blocks, title=title, footer=made_by())


def card(curve: LearningCurve, answers: tuple[str, ...], title: str) -> tuple[Block, ...]:
    """What both pages say."""
    read = (
        f"PR-AUC on rows held out, mean of {curve.repeats} draws, with 95% intervals in brackets; "
        f"a random ranking gets {curve.fault_share:.3f}."
    )
    lines = tuple(tuple(cells(point, curve)) for point in curve.points)
    return (
        Heading(f"Learning curve: {title}", 1),
        Bullets(answers),
        Table(COLUMNS, lines),
        Paragraph(read),
    )


def _compared(point: Point, verb: str) -> str:
    transfer, scratch = _in_words(point.transfer), _in_words(point.scratch)
    both = f"With {point.rows:,} labelled rows transfer has PR-AUC {transfer}, scratch {scratch}"
    value, low, high = _numbers(point.gain)
    if low > 0:
        return f"{both}: transfer {verb} {value:.3f} [{low:.3f}, {high:.3f}] higher."
    if high < 0:
        loss = f"{-value:.3f} [{-high:.3f}, {-low:.3f}]"
        return f"{both}: transfer {verb} {loss} lower."
    return f"{both}: which one {verb} higher cannot be told ({_in_words(point.gain, sign=True)})."


def _verdict(point: Point, curve: LearningCurve) -> str:
    """Whether the source helped with all rows drawn, as a transfer would say it."""
    _, low, high = _numbers(point.gain)
    scratch, _, _ = _numbers(point.scratch)
    as_is = None
    if curve.as_is is not None and curve.as_is.value is not None:
        as_is = Yardstick(AS_IS, curve.as_is.value)
    return source_verdict(point.transfer.value, Yardstick(SCRATCH, scratch, (low, high)), as_is)


def _slopes(curve: LearningCurve) -> str:
    transfer = _in_words(curve.shapes[TRANSFER].slope, sign=True)
    scratch = _in_words(curve.shapes[SCRATCH].slope, sign=True)
    doubled = "Each time the labelled rows double"
    return f"{doubled}, transfer gains {transfer} and scratch {scratch}."


def _rows_saved(point: Point, curve: LearningCurve) -> str:
    has = f"What transfer has with {point.rows:,} rows, scratch"
    value = point.scratch_rows.value
    if value is None:
        return f"{has} does not reach within {curve.reach:,} rows."
    if value <= curve.points[0].rows:
        return f"{has} has with no more than {curve.points[0].rows:,}."
    return f"{has} needs about {_count(point.scratch_rows, curve)} for."


def _more(curve: LearningCurve) -> str:
    shape = curve.shapes[TRANSFER]
    asked = f"{curve.more:,} more labelled rows ({curve.now:,} → {curve.now + curve.more:,})"
    if not shape.fits:
        return (
            f"Whether {asked} would help cannot be told: fitted without its last count, the curve "
            f"misses that count by {_in_words(shape.miss, sign=True)}."
        )
    _, low, high = _numbers(shape.more)
    if high < LITTLE:
        change = _in_words(shape.more, sign=True)
        return f"{asked} would change PR-AUC by {change}: hardly worth the labels."
    if low > 0:
        return f"{asked} would raise PR-AUC by about {_in_words(shape.more)}."
    return (
        f"Whether {asked} would help cannot be told: PR-AUC may change by {low:+.3f} to "
        f"{high:+.3f}."
    )


def _asymptotes(curve: LearningCurve) -> str:
    for shape in curve.shapes.values():
        if not shape.fits or not _narrow(shape.asymptote):
            return "Where the curves would end with any number of rows cannot be told from these."
    transfer = _in_words(curve.shapes[TRANSFER].asymptote)
    scratch = _in_words(curve.shapes[SCRATCH].asymptote)
    ends = f"{transfer} for transfer and {scratch} for scratch"
    return f"With ever more rows the fitted curves tend to {ends}."


def _caveats(curve: LearningCurve, *, by_run: bool) -> list[str]:
    caveats = []
    if not by_run:
        caveats.append(
            "There are too few recordings to hold some out: blocks of time judge, which flatters "
            "both curves."
        )
    elif curve.runs < _FEW_RUNS:
        caveats.append(
            f"All of this rests on {curve.runs} recordings; intervals are too narrow with so few."
        )
    if curve.now < curve.at_hand:
        last = curve.points[-1].rows
        caveats.append(
            f"The counts end at {last:,} of {curve.at_hand:,} labelled rows; nothing is said "
            f"beyond {curve.limit:,}."
        )
    return caveats


def _narrow(estimate: Estimate) -> bool:
    _, low, high = _numbers(estimate)
    return high - low <= _WIDE


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    """Value, lower and upper bound of an estimate that is always finite."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return math.nan, math.nan, math.nan
    return estimate.value, estimate.low, estimate.high


def _in_words(estimate: Estimate, *, sign: bool = False) -> str:
    """The value with its interval in brackets.

    >>> _in_words(Estimate(0.5, 0.4, 0.6)), _in_words(Estimate(0.5, 0.4, 0.6), sign=True)
    ('0.500 [0.400, 0.600]', '+0.500 [+0.400, +0.600]')
    """
    value, low, high = _numbers(estimate)
    form = "+.3f" if sign else ".3f"
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _count(estimate: Estimate, curve: LearningCurve) -> str:
    """Rows with their interval; what lies beyond the reach is not said more exactly."""
    if estimate.low is None:
        return f"more than {curve.reach:,}"
    value, low, high = (
        _rows(count, curve) for count in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}]"


def _rows(count: float | None, curve: LearningCurve) -> str:
    return f"more than {curve.reach:,}" if count is None else f"{count:,.0f}"
