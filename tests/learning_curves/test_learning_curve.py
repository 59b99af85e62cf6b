"""Learning curves: figures with known answers.

And sentences that say no more than the figures do.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from sklearn.metrics import average_precision_score

from faultxfer.learning_curves.curve import (
    SCRATCH,
    TRANSFER,
    Estimate,
    LearningCurve,
    Repeat,
    fit_power_law,
    learning_curve,
    weighted_pr_auc,
)
from faultxfer.learning_curves.picture import learning_figure
from faultxfer.learning_curves.report import as_markdown, sentences

COUNTS = (25, 50, 100, 200, 400)
FAULTS = (5.0, 10.0, 20.0, 40.0, 80.0)


def repeats_of(strengths: dict[str, tuple[float, ...]], seed: int = 0) -> tuple[Repeat, ...]:
    """Five hold-outs of twenty runs.

    A fault raises the score by each contestant's strength at each count.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(5):
        run = np.repeat(rng.permutation(60)[:20], 20).astype(str).astype(object)
        y = np.tile(np.arange(20) >= 14, 20).astype(np.int8)
        noise = rng.normal(size=len(y)) + np.repeat(rng.normal(0, 0.3, 20), 20)
        scores = {
            who: np.array([noise + strength * y for strength in each])
            for who, each in strengths.items()
        }
        made.append(Repeat(y, run, scores))
    return tuple(made)


def curve_of(
    transfer: tuple[float, ...], scratch: tuple[float, ...], at_hand: int = 600, more: int = 100
) -> LearningCurve:
    repeats = repeats_of({TRANSFER: transfer, SCRATCH: scratch})
    return learning_curve(COUNTS, FAULTS, repeats, at_hand=at_hand, more=more, seed=0)


AHEAD = curve_of((2.0, 2.2, 2.35, 2.45, 2.5), (0.3, 0.7, 1.2, 1.7, 2.1))


def said(curve: LearningCurve, *, by_run: bool = True) -> str:
    return "\n".join(sentences(curve, by_run=by_run))


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(4, 60), levels=st.integers(1, 30), seed=st.integers(0, 999))
def test_weighted_pr_auc_is_average_precision_with_weights(
    rows: int, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    y = np.append([0, 1], rng.integers(0, 2, rows))
    scores, weights = (
        rng.integers(0, levels, len(y)).astype(float),
        rng.exponential(size=(3, len(y))),
    )
    expected = [average_precision_score(y, scores, sample_weight=line) for line in weights]
    np.testing.assert_allclose(weighted_pr_auc(y, scores, weights), expected)


@settings(max_examples=60, deadline=None)
@given(limit=st.floats(0.0, 0.4), start=st.floats(-0.2, 0.5), rate=st.floats(0.2, 1.8))
def test_a_power_law_is_found_again_and_leads_on_to_twice_the_rows(
    limit: float, start: float, rate: float
) -> None:
    def law(rows: float) -> float:
        return float(np.clip(limit + start * (rows / 25) ** -rate, 0, 1))

    if limit + start < 0:  # an error below nothing is no curve
        return
    errors = np.array([[law(count) for count in COUNTS]])
    fitted = fit_power_law(np.array(COUNTS, dtype=float), errors, np.ones(len(COUNTS)))
    assert fitted(800)[0] == pytest.approx(law(800), abs=0.005)


def test_more_rows_that_do_harm_are_not_called_flat() -> None:
    errors = np.array([[0.10, 0.14, 0.17, 0.19, 0.20]])
    fitted = fit_power_law(np.array(COUNTS, dtype=float), errors, np.ones(len(COUNTS)))
    assert fitted(800)[0] > fitted(400)[0] > 0.19


def test_figures_are_those_of_the_measured_scores() -> None:
    repeats = repeats_of({TRANSFER: (2.0,) * 5, SCRATCH: (1.0,) * 5})
    curve = learning_curve(COUNTS, FAULTS, repeats, at_hand=600, more=100, seed=0)
    for who, estimate in ((TRANSFER, curve.points[2].transfer), (SCRATCH, curve.points[2].scratch)):
        expected = np.mean([average_precision_score(one.y, one.scores[who][2]) for one in repeats])
        assert estimate.value == pytest.approx(expected)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < expected < estimate.high


def test_transfer_that_leads_starts_higher_and_saves_rows() -> None:
    first, last = AHEAD.points[0], AHEAD.points[-1]
    assert first.gain.low is not None
    assert first.gain.low > 0.2
    assert first.scratch_rows.value is not None
    assert (
        300 < first.scratch_rows.value < 800
    )  # a strength of 2.0 lies between 1.7 at 200 and 2.1 at 400
    assert last.scratch_rows.value is None or last.scratch_rows.value > 400
    slopes = {who: shape.slope.value or 0.0 for who, shape in AHEAD.shapes.items()}
    assert slopes[SCRATCH] > slopes[TRANSFER] > 0


def test_equal_contestants_save_nothing_and_are_not_ranked() -> None:
    rising = (0.3, 0.7, 1.2, 1.7, 2.1)
    curve = curve_of(rising, rising)
    for point in curve.points:
        assert (point.gain.value, point.gain.low, point.gain.high) == (0.0, 0.0, 0.0)
        assert point.scratch_rows.value == pytest.approx(point.rows)
    assert said(curve).count("cannot be told (+0.000") == 2


def test_a_source_that_does_harm_is_said_so() -> None:
    text = said(curve_of((0.3, 0.7, 1.2, 1.7, 2.1), (2.0, 2.2, 2.35, 2.45, 2.5)))
    assert "Negative transfer: scratch has PR-AUC 0." in text
    assert "scratch has with no more than 25." in text


def test_nothing_is_told_beyond_twice_the_rows_at_hand() -> None:
    assert (AHEAD.now, AHEAD.limit, AHEAD.grid[-1]) == (600, 1200, pytest.approx(1200))
    assert curve_of((1.0,) * 5, (1.0,) * 5, more=5000).more == 600
    many = curve_of((1.0,) * 5, (1.0,) * 5, at_hand=60_000)
    assert (many.now, many.limit) == (400, 800)
    assert "end at 400 of 60,000 labelled rows; nothing is said beyond 800" in said(many)


@pytest.mark.parametrize(
    ("more", "fits", "expected"),
    [
        (
            Estimate(0.03, 0.01, 0.05),
            True,
            "(600 → 700) would raise PR-AUC by about 0.030 [0.010, 0.050].",
        ),
        (Estimate(0.002, 0.001, 0.004), True, "[+0.001, +0.004]: hardly worth the labels."),
        (
            Estimate(0.02, -0.01, 0.05),
            True,
            "cannot be told: PR-AUC may change by -0.010 to +0.050.",
        ),
        (Estimate(0.03, 0.01, 0.05), False, "cannot be told: fitted without its last count"),
    ],
)
def test_would_more_labels_help_has_four_answers(more: Estimate, fits: bool, expected: str) -> None:
    shape = dataclasses.replace(AHEAD.shapes[TRANSFER], more=more, fits=fits)
    text = said(dataclasses.replace(AHEAD, shapes={**AHEAD.shapes, TRANSFER: shape}))
    assert expected in text


def test_a_wide_asymptote_is_not_told() -> None:
    shape = dataclasses.replace(AHEAD.shapes[SCRATCH], asymptote=Estimate(0.9, 0.5, 1.0), fits=True)
    text = said(dataclasses.replace(AHEAD, shapes={**AHEAD.shapes, SCRATCH: shape}))
    assert "Where the curves would end with any number of rows cannot be told" in text


def test_blocks_of_time_and_few_recordings_are_said() -> None:
    assert "blocks of time judge" in said(AHEAD, by_run=False)
    assert "rests on 3 recordings" in said(dataclasses.replace(AHEAD, runs=3))
    assert "recordings" not in said(AHEAD)


def test_the_report_has_a_line_for_each_count() -> None:
    text = as_markdown(AHEAD, sentences(AHEAD, by_run=True), "pumps → pump-9")
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][1:] == [
        f"| {count}" for count in COUNTS
    ]


def test_the_picture_names_its_axes_and_both_contestants() -> None:
    texts = [text.get_text() for text in learning_figure(AHEAD, "pumps → pump-9").findobj(Text)]
    for expected in (
        "labelled rows of the new machine (log scale)",
        "PR-AUC on rows held out (1 is perfect)",
    ):
        assert expected in texts
    assert {
        "transfer, with 95% interval",
        "scratch, with 95% interval",
        " 600 rows at hand",
    } <= set(texts)
    assert {str(count) for count in COUNTS} <= set(texts)
