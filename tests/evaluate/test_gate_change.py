"""Checks against the champion fire, pass and say when they do not apply.

On the whole and in parts.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from gate_evidence import DEFAULT, GOOD, WORSE, about, compared, evidence, found, too_few_unseen

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.bounds import gained
from faultxfer.evaluate.gate.check import (
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    TIED,
    Comparison,
    Evidence,
    Slice,
)
from faultxfer.evaluate.gate.sample_size import more_rows
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics

# --- GATE-CHANGE ---


def test_a_missing_champion_is_said_aloud_and_is_not_a_pass() -> None:
    check = found(judge(evidence(), DEFAULT), "GATE-CHANGE")
    assert check.status == NOT_APPLICABLE
    assert "no champion yet" in check.message


@pytest.mark.parametrize(
    ("change", "half", "status"),
    [
        (0.03, 0.02, PASSED),
        (0.005, 0.004, PASSED),  # a small gain, but one for certain
        (0.005, 0.01, TIED),
        (0.0, 0.0, TIED),
        (-0.005, 0.01, TIED),
        (0.03, 0.04, OPEN),
        (-0.03, 0.04, OPEN),
        (-0.05, 0.04, FAILED),
    ],
)
def test_a_gain_must_be_shown_by_the_whole_interval(
    change: float, half: float, status: str
) -> None:
    champion = dataclasses.replace(WORSE, roc_auc=GOOD.roc_auc - change)
    decision = judge(evidence(champion=champion, half=half), DEFAULT)
    assert found(decision, "GATE-CHANGE", "ROC-AUC").status == status
    assert decision.promoted == (status == PASSED)


def test_the_champion_again_is_a_tie() -> None:
    decision = judge(evidence(champion=GOOD), DEFAULT)
    assert decision.outcome == "tie"
    assert found(decision, "GATE-CHANGE", "ROC-AUC").status == TIED
    assert "a tie does not promote" in decision.reason


@pytest.mark.parametrize(
    ("false_alarms", "outcome"), [(0.3, "needs approval"), (GOOD.false_alarm_rate + 0.01, "tie")]
)
def test_a_tie_in_ranking_that_is_far_better_in_another_figure_is_shown_to_a_person(
    false_alarms: float, outcome: str
) -> None:
    decision = judge(
        evidence(champion=dataclasses.replace(GOOD, false_alarm_rate=false_alarms)), DEFAULT
    )
    assert decision.outcome == outcome
    assert ("better by more than that in false-alarm rate" in decision.reason) == (
        outcome == "needs approval"
    )


def test_a_gain_that_is_not_shown_says_how_many_more_faults_would_settle_it() -> None:
    champion = dataclasses.replace(WORSE, roc_auc=0.87)
    decision = judge(evidence(champion=champion, half=0.034), DEFAULT)
    assert decision.outcome == "not enough evidence"
    # (1.645 + 0.842) * 0.02 = 0.0497 must shrink to 0.03: 20 faults times 1.66 squared, less the 20
    # there are.
    assert "About 35 more labelled faults" in decision.reason


@pytest.mark.parametrize("change", [0.0, 0.005, 0.01, 0.03])
def test_with_as_many_more_faults_as_it_says_a_difference_is_settled_four_times_in_five(
    change: float,
) -> None:
    limit, error, faults = Limit(min=0.0), 0.02, 60
    now = Interval(change, change - 1.645 * error, change + 1.645 * error, error)
    message = more_rows("roc_auc", limit, now, (faults, 240), DEFAULT, change=True)
    more = int(re.findall(r"About ([\d,]+) more", message)[0].replace(",", ""))
    error_then = error * np.sqrt(faults / (faults + more))
    rightly = {PASSED, TIED} if change else {TIED}
    drawn = change + error_then * np.random.default_rng(0).standard_normal(4000)
    then = [
        Interval(x, x - 1.645 * error_then, x + 1.645 * error_then, error_then)
        for x in drawn.tolist()
    ]
    settled = np.mean(
        [gained("roc_auc", limit, found.estimate, found, DEFAULT.tie) in rightly for found in then]
    )
    assert settled > 0.78  # 0.8 was meant; standard error 0.006


def test_a_difference_of_so_few_runs_that_nobody_knows_how_sure_it_is_promotes_nothing() -> None:
    given_evidence = evidence(champion=WORSE)
    assert given_evidence.comparison is not None
    bare = dataclasses.replace(
        given_evidence, comparison=dataclasses.replace(given_evidence.comparison, changes={})
    )
    decision = judge(bare, DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert "so few runs" in decision.reason


@pytest.mark.parametrize(("champion", "status"), [(0.795, PASSED), (0.805, TIED), (0.83, FAILED)])
def test_a_gain_may_be_judged_by_its_estimate(champion: float, status: str) -> None:
    decision = judge(evidence(champion=dataclasses.replace(WORSE, pr_auc=champion)), DEFAULT)
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == status


@pytest.mark.parametrize(
    ("loss", "status"), [(0.0, PASSED), (0.045, OPEN), (0.055, OPEN), (0.07, FAILED)]
)
def test_a_loss_that_is_tolerated_must_be_shown_to_be_small(loss: float, status: str) -> None:
    options = GateOptions(change={**DEFAULT.change, "recall": Limit(min=-0.05)})
    decision = judge(
        evidence(champion=dataclasses.replace(WORSE, recall=GOOD.recall + loss)), options
    )
    assert found(decision, "GATE-CHANGE", "recall").status == status


@pytest.mark.parametrize(
    ("bound", "champion", "status"),
    [
        (0.02, 0.04, PASSED),
        (0.02, 0.02, FAILED),
        (0.0, 0.055, PASSED),
        (0.0, 0.045, TIED),
        (0.0, 0.02, FAILED),
        (-0.05, 0.09, FAILED),
        (-0.05, 0.11, PASSED),
    ],
)
def test_the_calibration_error_has_no_interval_and_is_judged_by_its_estimate(
    bound: float, champion: float, status: str
) -> None:
    options = GateOptions(change={**DEFAULT.change, "calibration_error": Limit(max=bound)})
    decision = judge(
        evidence(champion=dataclasses.replace(WORSE, calibration_error=champion)), options
    )
    assert found(decision, "GATE-CHANGE", "calibration error").status == status
    assert GateOptions.model_validate(options.model_dump()).digest() == options.digest()


def test_less_false_alarms_can_be_the_gain_that_is_asked() -> None:
    options = GateOptions(change={"false_alarm_rate": Limit(max=0)})
    for champion, outcome in ((0.06, "promote"), (0.042, "tie"), (0.02, "refuse")):
        other = dataclasses.replace(GOOD, false_alarm_rate=champion)
        assert judge(evidence(champion=other), options).outcome == outcome


def test_a_better_candidate_replaces_the_champion() -> None:
    decision = judge(evidence(champion=WORSE), DEFAULT)
    assert decision.promoted
    assert {check.status for check in decision.checks if check.code == "GATE-CHANGE"} == {PASSED}


@pytest.mark.parametrize(
    ("name", "champion", "about"),
    [("recall", 0.76, "recall"), ("false_alarm_rate", 0.01, "false-alarm rate")],
)
def test_a_gain_in_ranking_does_not_pay_for_lost_recall_or_more_false_alarms(
    name: str, champion: float, about: str
) -> None:
    decision = judge(evidence(champion=dataclasses.replace(WORSE, **{name: champion})), DEFAULT)
    assert not decision.promoted
    assert [check.title for check in decision.checks if check.status == FAILED] == [
        f"{about} against the champion"
    ]


# --- GATE-TIE ---


def test_bounds_that_only_tolerate_losses_do_not_let_a_tie_pass() -> None:
    decision = judge(evidence(champion=GOOD), GateOptions(change={"recall": Limit(min=-0.05)}))
    assert decision.outcome == "tie"
    assert found(decision, "GATE-TIE").status == TIED
    assert "a tie does not promote" in decision.reason


@pytest.mark.parametrize(
    ("name", "champion"), [("recall", 0.68), ("false_alarm_rate", 0.06), ("log_loss", 0.27)]
)
def test_a_gain_in_one_bounded_figure_is_no_tie(name: str, champion: float) -> None:
    options = GateOptions(change={name: Limit(min=-1, max=1)})
    decision = judge(evidence(champion=dataclasses.replace(GOOD, **{name: champion})), options)
    assert found(decision, "GATE-TIE").status == PASSED
    assert decision.promoted


def test_a_gain_somewhere_must_be_shown_too() -> None:
    options = GateOptions(change={"recall": Limit(min=-0.05)})
    champion = dataclasses.replace(GOOD, recall=GOOD.recall - 0.02)
    assert found(judge(evidence(champion=champion, half=0.03), options), "GATE-TIE").status == TIED
    assert (
        found(judge(evidence(champion=champion, half=0.01), options), "GATE-TIE").status == PASSED
    )


def test_where_a_gain_is_asked_of_a_figure_no_other_gain_is_asked() -> None:
    assert "GATE-TIE" not in [
        check.code for check in judge(evidence(champion=WORSE), DEFAULT).checks
    ]


def test_without_a_champion_there_is_nothing_to_tie_with() -> None:
    assert "GATE-TIE" not in [check.code for check in judge(evidence(), DEFAULT).checks]


@pytest.mark.parametrize("bound", [{"log_loss": Limit(min=0)}, {"pr_auc": Limit(max=0)}])
def test_rivals_are_bounded_from_below_where_higher_is_better(bound: dict[str, Limit]) -> None:
    with pytest.raises(ValueError, match="higher is better"):
        GateOptions(rival=bound)


def test_a_metric_the_champion_lacks_is_not_applicable() -> None:
    options = GateOptions(change={"precision": Limit(min=0.0), "pr_auc": Limit(min=0.0)})
    decision = judge(evidence(champion=dataclasses.replace(WORSE, precision=None)), options)
    assert found(decision, "GATE-CHANGE", "precision").status == NOT_APPLICABLE
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == PASSED


def test_the_champion_is_met_on_the_compared_rows_and_not_on_all() -> None:
    there = compared(WORSE, dataclasses.replace(WORSE, pr_auc=0.75))
    decision = judge(Evidence(GOOD, "4", there, {}), DEFAULT)
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == FAILED
    assert "0.700 against the champion's 0.750" in decision.reason


def test_how_many_rows_the_champion_has_not_seen_is_said_where_some_were_left_out() -> None:
    there = dataclasses.replace(compared(GOOD, WORSE), excluded=50)
    said = found(judge(Evidence(GOOD, "4", there, {}), DEFAULT), "GATE-CHANGE", "ROC-AUC").message
    assert (
        f"On the {there.rows} of {there.rows + 50} rows that the champion has not seen the ROC-AUC"
        in said
    )


# --- GATE-CHANGE-EVIDENCE ---


def test_too_few_rows_that_the_champion_has_not_seen_refuse_and_say_what_to_bring() -> None:
    decision = judge(too_few_unseen(), DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert found(decision, "GATE-CHANGE-EVIDENCE").status == OPEN
    for words in (
        "version 4",
        "93 of these rows",
        "7 rows with 1 fault and 6 normal rows that are left",
        "newer labelled rows",
    ):
        assert words in decision.reason


def test_where_the_champion_has_seen_every_row_no_count_of_none_is_given() -> None:
    comparison = Comparison(None, None, rows=0, faults=0, excluded=1392)
    message = judge(Evidence(GOOD, "4", comparison, {}), DEFAULT).reason
    assert "was trained on all 1,392 of these rows, so none can show" in message
    assert " 0 " not in message


def test_rows_that_are_too_few_though_none_was_left_out_are_not_blamed_on_the_champion() -> None:
    comparison = Comparison(None, None, rows=12, faults=3, excluded=0)
    decision = judge(Evidence(GOOD, "4", comparison, {}), DEFAULT)
    message = found(decision, "GATE-CHANGE-EVIDENCE").message
    assert (
        "trained on none of these rows, but 12 rows with 3 faults and 9 normal rows are too few"
        in message
    )
    assert "newer" not in message
    assert "at least 5 faults and 10 normal rows" in message


@pytest.mark.parametrize("champion", [None, WORSE])
def test_enough_unseen_rows_or_no_champion_raise_no_change_evidence(
    champion: Metrics | None,
) -> None:
    decision = judge(evidence(champion=champion), DEFAULT)
    assert "GATE-CHANGE-EVIDENCE" not in [check.code for check in decision.checks]


# --- GATE-SLICE ---


def with_parts(*parts: Slice) -> Evidence:
    given_evidence = evidence(champion=WORSE)
    assert given_evidence.comparison is not None
    comparison = dataclasses.replace(given_evidence.comparison, slices=parts, columns=("mode",))
    return dataclasses.replace(given_evidence, comparison=comparison)


@pytest.mark.parametrize(
    ("change", "outcome"), [(0.0, "promote"), (-0.03, "not enough evidence"), (-0.09, "refuse")]
)
def test_a_loss_in_one_part_stops_a_gain_on_the_whole(change: float, outcome: str) -> None:
    parts = (
        Slice("mode", "idle", 300, 40, 10, {"roc_auc": about(0.1, 0.03)}),
        Slice("mode", "full load", 300, 40, 10, {"roc_auc": about(change, 0.03)}),
    )
    decision = judge(with_parts(*parts), DEFAULT)
    assert decision.outcome == outcome
    if outcome != "promote":
        assert decision.reason.startswith("Where mode is full load (300 rows, 40 faults)")


@pytest.mark.parametrize(("faults", "runs"), [(19, 10), (40, 4)])
def test_a_part_without_support_is_named_and_not_judged(faults: int, runs: int) -> None:
    decision = judge(
        with_parts(Slice("mode", "idle", 300, faults, runs, {"roc_auc": about(-0.5, 0.1)})), DEFAULT
    )
    assert decision.promoted
    check = found(decision, "GATE-SLICE")
    assert check.status == NOT_APPLICABLE
    assert "mode idle. A loss there would not be noticed" in check.message


def test_a_part_that_should_be_judged_and_cannot_be_measured_promotes_nothing() -> None:
    decision = judge(with_parts(Slice("mode", "idle", 300, 40, 10)), DEFAULT)
    assert decision.outcome == "not enough evidence"


@pytest.mark.parametrize(
    ("given_evidence", "options", "words"),
    [
        (evidence(), DEFAULT, "Nothing was compared"),
        (too_few_unseen(), DEFAULT, "Nothing was compared"),
        (evidence(champion=WORSE), GateOptions(slices={}), "No bound on slices"),
        (evidence(champion=WORSE), DEFAULT, "names no columns"),
        (with_parts(), DEFAULT, "column mode has one value at most"),
    ],
)
def test_parts_that_cannot_be_compared_are_not_applicable(
    given_evidence: Evidence, options: GateOptions, words: str
) -> None:
    check = found(judge(given_evidence, options), "GATE-SLICE")
    assert check.status == NOT_APPLICABLE
    assert words in check.message
