"""Every gate check fires, passes and says when it does not apply; nothing is blessed without thresholds."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_rows import rows

from faultxfer.config import METRICS, GateOptions, Limit, load_options
from faultxfer.errors import ConfigError
from faultxfer.evaluate import gate
from faultxfer.evaluate.events import EventFigures
from faultxfer.evaluate.gate import RULES, judge
from faultxfer.evaluate.gate.check import (
    APPROVAL,
    FAILED,
    NOT_APPLICABLE,
    OPEN,
    PASSED,
    TIED,
    WARNED,
    Check,
    Comparison,
    Cost,
    Decision,
    Evidence,
    Forgetting,
    Part,
)
from faultxfer.evaluate.intervals import FIGURES, Interval
from faultxfer.evaluate.measuring import compare, gather
from faultxfer.evaluate.metrics import Metrics

GOOD = Metrics(
    pr_auc=0.8,
    roc_auc=0.9,
    recall=0.7,
    precision=0.6,
    false_alarm_rate=0.04,
    log_loss=0.25,
    calibration_error=0.05,
    rows=100,
    faults=20,
)
WORSE = dataclasses.replace(GOOD, pr_auc=0.7, roc_auc=0.85)
DEFAULT = GateOptions()
REPOSITORY = Path(__file__).resolve().parents[2]
UNIT = st.floats(0, 1)
SIGNED = st.floats(-1, 1)


def about(estimate: float, half: float) -> Interval:
    return Interval(estimate, estimate - half, estimate + half, half / 1.7)


def compared(candidate: Metrics, champion: Metrics, half: float = 0.01, **more: object) -> Comparison:
    """A comparison in which every difference is known to ``half``."""
    pairs = {name: (getattr(candidate, name), getattr(champion, name)) for name in FIGURES}
    changes = {name: about(one - other, half) for name, (one, other) in pairs.items() if None not in (one, other)}
    return Comparison(candidate, champion, candidate.rows, candidate.faults, 0, changes, **more)  # type: ignore[arg-type]


def evidence(
    candidate: Metrics = GOOD,
    champion: Metrics | None = None,
    rivals: dict[str, Metrics | None] | None = None,
    half: float = 0.01,
    **more: object,
) -> Evidence:
    comparison = compared(candidate, champion, half) if champion else None
    return Evidence(candidate, "4" if champion else None, comparison, rivals or {}, **more)  # type: ignore[arg-type]


def too_few_unseen() -> Evidence:
    comparison = Comparison(None, None, rows=7, faults=1, excluded=93)
    return Evidence(GOOD, "4", comparison, {})


def found(decision: Decision, code: str, about: str = "") -> Check:
    (check,) = [check for check in decision.checks if check.code == code and about in check.title]
    return check


def test_a_good_first_candidate_is_promoted_by_the_default_gate() -> None:
    decision = judge(evidence(), DEFAULT)
    assert decision.promoted
    assert decision.reason == "All checks that apply were passed."
    assert decision.warnings == ()


# --- GATE-EVIDENCE ---


@pytest.mark.parametrize(("rows", "faults", "status"), [(15, 5, PASSED), (15, 4, OPEN), (14, 5, OPEN), (100, 95, OPEN)])
def test_evidence_needs_enough_fault_and_normal_rows(rows: int, faults: int, status: str) -> None:
    decision = judge(evidence(dataclasses.replace(GOOD, rows=rows, faults=faults)), DEFAULT)
    assert found(decision, "GATE-EVIDENCE").status == status
    assert decision.promoted == (status == PASSED)
    assert f"{faults} fault and {rows - faults} normal rows" in found(decision, "GATE-EVIDENCE").message


def test_evidence_always_applies() -> None:
    bare = GateOptions(value={}, change={}, rival={})
    assert found(judge(evidence(), bare), "GATE-EVIDENCE").status == PASSED


def test_too_few_faults_are_no_refusal_and_the_gate_says_how_many_more_it_needs() -> None:
    decision = judge(evidence(dataclasses.replace(GOOD, faults=3)), DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert "At least 2 more labelled faults" in decision.reason


# --- GATE-VALUE and GATE-NO-THRESHOLDS ---


@pytest.mark.parametrize(
    ("metric", "value", "limit", "status"),
    [
        ("pr_auc", 0.8, Limit(min=0.8), PASSED),
        ("pr_auc", 0.8, Limit(min=0.81), FAILED),
        ("false_alarm_rate", 0.1, Limit(max=0.1), PASSED),
        ("false_alarm_rate", 0.11, Limit(max=0.1), FAILED),
        ("recall", 0.7, Limit(min=0.6, max=0.8), PASSED),
        ("recall", 0.9, Limit(min=0.6, max=0.8), FAILED),
        ("precision", None, Limit(min=0.1), FAILED),
        ("log_loss", 0.5, Limit(max=0.4), FAILED),
    ],
)
def test_a_value_outside_its_bounds_refuses_and_at_them_passes(
    metric: str, value: float | None, limit: Limit, status: str
) -> None:
    decision = judge(evidence(dataclasses.replace(GOOD, **{metric: value})), GateOptions(value={metric: limit}))
    assert found(decision, "GATE-VALUE").status == status
    assert decision.promoted == (status == PASSED)


def test_a_metric_that_could_not_be_measured_says_so() -> None:
    decision = judge(
        evidence(dataclasses.replace(GOOD, precision=None)), GateOptions(value={"precision": Limit(min=0)})
    )
    assert "precision could not be measured" in decision.reason


@pytest.mark.parametrize(("estimate", "status"), [(0.75, PASSED), (0.65, OPEN), (0.55, OPEN), (0.45, FAILED)])
def test_a_value_that_must_be_proven_is_judged_by_its_whole_interval(estimate: float, status: str) -> None:
    options = GateOptions(value={"recall": Limit(min=0.6, proof="interval")})
    given_evidence = evidence(dataclasses.replace(GOOD, recall=estimate), intervals={"recall": about(estimate, 0.1)})
    decision = judge(given_evidence, options)
    assert found(decision, "GATE-VALUE").status == status
    assert f"between {estimate - 0.1:.3f} and {estimate + 0.1:.3f}" in found(decision, "GATE-VALUE").message


def test_a_value_that_passes_by_its_estimate_alone_says_so() -> None:
    decision = judge(evidence(intervals={"recall": about(0.7, 0.3)}), DEFAULT)
    assert decision.promoted
    assert "do not rule out a figure on the wrong side" in found(decision, "GATE-VALUE", "recall").message


EVENTS = EventFigures(8, 6, Interval(0.75, 0.4, 0.95), 1200.0, 3, Interval(1.5, 0.4, 3.9), 0.2)


@pytest.mark.parametrize(
    ("name", "limit", "status"),
    [
        ("event_recall", Limit(min=0.7), PASSED),
        ("event_recall", Limit(min=0.7, proof="interval"), OPEN),
        ("false_alarms_per_day", Limit(max=1), FAILED),
        ("false_alarms_per_day", Limit(max=5, proof="interval"), PASSED),
        ("detection_delay", Limit(max=3600), PASSED),
        ("alarms_per_hour", Limit(max=0.1), FAILED),
    ],
)
def test_figures_of_events_can_be_bounded(name: str, limit: Limit, status: str) -> None:
    decision = judge(evidence(events=EVENTS), GateOptions(value={name: limit}))
    assert found(decision, "GATE-VALUE").status == status


def test_a_bound_on_events_that_cannot_be_measured_is_not_passed() -> None:
    undated = dataclasses.replace(EVENTS, detection_delay=None)
    for events in (None, undated):
        decision = judge(evidence(events=events), GateOptions(value={"detection_delay": Limit(max=3600)}))
        assert decision.outcome == "not enough evidence"
        assert "no dates" in decision.reason


@pytest.mark.parametrize("value", [{}, {"pr_auc": Limit()}])
def test_a_gate_without_value_thresholds_refuses(value: dict[str, Limit]) -> None:
    decision = judge(evidence(), GateOptions(value=value))
    assert not decision.promoted
    assert found(decision, "GATE-NO-THRESHOLDS", "value").status == FAILED
    assert "set some under `value`" in decision.reason


def test_thresholds_that_are_set_are_not_reported_missing() -> None:
    codes = [check.code for check in judge(evidence(champion=WORSE), DEFAULT).checks]
    assert "GATE-NO-THRESHOLDS" not in codes


@pytest.mark.parametrize("change", [{}, {"pr_auc": Limit()}])
def test_a_gate_without_change_thresholds_does_not_replace_a_champion(change: dict[str, Limit]) -> None:
    decision = judge(evidence(champion=WORSE), GateOptions(change=change))
    assert not decision.promoted
    assert found(decision, "GATE-NO-THRESHOLDS", "change").status == FAILED


def test_change_thresholds_are_not_missed_while_there_is_no_champion() -> None:
    decision = judge(evidence(), GateOptions(change={}))
    assert decision.promoted
    assert "GATE-NO-THRESHOLDS" not in [check.code for check in decision.checks]


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
def test_a_gain_must_be_shown_by_the_whole_interval(change: float, half: float, status: str) -> None:
    champion = dataclasses.replace(WORSE, roc_auc=GOOD.roc_auc - change)
    decision = judge(evidence(champion=champion, half=half), DEFAULT)
    assert found(decision, "GATE-CHANGE", "ROC-AUC").status == status
    assert decision.promoted == (status == PASSED)


def test_the_champion_again_is_a_tie() -> None:
    decision = judge(evidence(champion=GOOD), DEFAULT)
    assert decision.outcome == "tie"
    assert found(decision, "GATE-CHANGE", "ROC-AUC").status == TIED
    assert "a tie does not promote" in decision.reason


def test_a_gain_that_is_not_shown_says_how_many_more_faults_would_settle_it() -> None:
    champion = dataclasses.replace(WORSE, roc_auc=0.87)
    decision = judge(evidence(champion=champion, half=0.034), DEFAULT)
    assert decision.outcome == "not enough evidence"
    # (1.645 + 0.842) * 0.02 = 0.0497 must shrink to 0.03: 20 faults times 1.66 squared, less the 20 there are.
    assert "About 35 more labelled faults" in decision.reason


def test_a_difference_of_so_few_runs_that_nobody_knows_how_sure_it_is_promotes_nothing() -> None:
    given_evidence = evidence(champion=WORSE)
    assert given_evidence.comparison is not None
    bare = dataclasses.replace(given_evidence, comparison=dataclasses.replace(given_evidence.comparison, changes={}))
    decision = judge(bare, DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert "so few runs" in decision.reason


@pytest.mark.parametrize(("champion", "status"), [(0.795, PASSED), (0.805, TIED), (0.83, FAILED)])
def test_a_gain_may_be_judged_by_its_estimate(champion: float, status: str) -> None:
    decision = judge(evidence(champion=dataclasses.replace(WORSE, pr_auc=champion)), DEFAULT)
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == status


@pytest.mark.parametrize(("loss", "status"), [(0.0, PASSED), (0.045, OPEN), (0.055, OPEN), (0.07, FAILED)])
def test_a_loss_that_is_tolerated_must_be_shown_to_be_small(loss: float, status: str) -> None:
    options = GateOptions(change={**DEFAULT.change, "recall": Limit(min=-0.05)})
    decision = judge(evidence(champion=dataclasses.replace(WORSE, recall=GOOD.recall + loss)), options)
    assert found(decision, "GATE-CHANGE", "recall").status == status


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
    ("name", "champion", "about"), [("recall", 0.76, "recall"), ("false_alarm_rate", 0.01, "false alarm rate")]
)
def test_a_gain_in_ranking_does_not_pay_for_lost_recall_or_more_false_alarms(
    name: str, champion: float, about: str
) -> None:
    decision = judge(evidence(champion=dataclasses.replace(WORSE, **{name: champion})), DEFAULT)
    assert not decision.promoted
    assert [check.title for check in decision.checks if check.status == FAILED] == [f"{about} against the champion"]


# --- GATE-TIE ---


def test_bounds_that_only_tolerate_losses_do_not_let_a_tie_pass() -> None:
    decision = judge(evidence(champion=GOOD), GateOptions(change={"recall": Limit(min=-0.05)}))
    assert decision.outcome == "tie"
    assert found(decision, "GATE-TIE").status == TIED
    assert "a tie does not promote" in decision.reason


@pytest.mark.parametrize(("name", "champion"), [("recall", 0.68), ("false_alarm_rate", 0.06), ("log_loss", 0.27)])
def test_a_gain_in_one_bounded_figure_is_no_tie(name: str, champion: float) -> None:
    options = GateOptions(change={name: Limit(min=-1, max=1)})
    decision = judge(evidence(champion=dataclasses.replace(GOOD, **{name: champion})), options)
    assert found(decision, "GATE-TIE").status == PASSED
    assert decision.promoted


def test_a_gain_somewhere_must_be_shown_too() -> None:
    options = GateOptions(change={"recall": Limit(min=-0.05)})
    champion = dataclasses.replace(GOOD, recall=GOOD.recall - 0.02)
    assert found(judge(evidence(champion=champion, half=0.03), options), "GATE-TIE").status == TIED
    assert found(judge(evidence(champion=champion, half=0.01), options), "GATE-TIE").status == PASSED


def test_where_a_gain_is_asked_of_a_figure_no_other_gain_is_asked() -> None:
    assert "GATE-TIE" not in [check.code for check in judge(evidence(champion=WORSE), DEFAULT).checks]


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


# --- GATE-CHANGE-EVIDENCE ---


def test_too_few_rows_that_the_champion_has_not_seen_refuse_and_say_what_to_bring() -> None:
    decision = judge(too_few_unseen(), DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert found(decision, "GATE-CHANGE-EVIDENCE").status == OPEN
    for words in ("version 4", "93 of these rows", "7 rows left with 1 faults", "newer labelled rows"):
        assert words in decision.reason


@pytest.mark.parametrize("champion", [None, WORSE])
def test_enough_unseen_rows_or_no_champion_raise_no_change_evidence(champion: Metrics | None) -> None:
    decision = judge(evidence(champion=champion), DEFAULT)
    assert "GATE-CHANGE-EVIDENCE" not in [check.code for check in decision.checks]


# --- GATE-SLICE ---


def with_parts(*parts: Part) -> Evidence:
    given_evidence = evidence(champion=WORSE)
    assert given_evidence.comparison is not None
    comparison = dataclasses.replace(given_evidence.comparison, parts=parts, columns=("mode",))
    return dataclasses.replace(given_evidence, comparison=comparison)


@pytest.mark.parametrize(("change", "outcome"), [(0.0, "promote"), (-0.03, "not enough evidence"), (-0.09, "refuse")])
def test_a_loss_in_one_part_stops_a_gain_on_the_whole(change: float, outcome: str) -> None:
    parts = (
        Part("mode", "idle", 300, 40, 10, {"roc_auc": about(0.1, 0.03)}),
        Part("mode", "full load", 300, 40, 10, {"roc_auc": about(change, 0.03)}),
    )
    decision = judge(with_parts(*parts), DEFAULT)
    assert decision.outcome == outcome
    if outcome != "promote":
        assert decision.reason.startswith("Where mode is full load (300 rows, 40 faults)")


@pytest.mark.parametrize(("faults", "runs"), [(19, 10), (40, 4)])
def test_a_part_without_support_is_named_and_not_judged(faults: int, runs: int) -> None:
    decision = judge(with_parts(Part("mode", "idle", 300, faults, runs, {"roc_auc": about(-0.5, 0.1)})), DEFAULT)
    assert decision.promoted
    check = found(decision, "GATE-SLICE")
    assert check.status == NOT_APPLICABLE
    assert "mode idle. A loss there would not be noticed" in check.message


def test_a_part_that_should_be_judged_and_cannot_be_measured_promotes_nothing() -> None:
    decision = judge(with_parts(Part("mode", "idle", 300, 40, 10)), DEFAULT)
    assert decision.outcome == "not enough evidence"


@pytest.mark.parametrize(
    ("given_evidence", "options", "words"),
    [
        (evidence(), DEFAULT, "Nothing was compared"),
        (too_few_unseen(), DEFAULT, "Nothing was compared"),
        (evidence(champion=WORSE), GateOptions(slices={}), "No bound on parts"),
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


# --- GATE-FORGETTING, GATE-BUDGET, GATE-FIRST ---


@pytest.mark.parametrize(
    ("limit", "status"), [(Limit(min=-0.2), PASSED), (Limit(min=-0.05), FAILED), (None, NOT_APPLICABLE)]
)
def test_what_was_forgotten_of_the_source_machines(limit: Limit | None, status: str) -> None:
    forgotten = Forgetting(500, 100, WORSE, GOOD, {"pr_auc": about(-0.1, 0.02)})
    options = GateOptions(forgetting={"pr_auc": limit} if limit else {})
    check = found(judge(evidence(forgetting=forgotten), options), "GATE-FORGETTING")
    assert check.status == status
    assert "0.700" in check.message
    assert "0.800" in check.message


def test_without_kept_source_rows_forgetting_is_not_applicable() -> None:
    options = GateOptions(forgetting={"pr_auc": Limit(min=0)})
    assert found(judge(evidence(), options), "GATE-FORGETTING").status == NOT_APPLICABLE


@pytest.mark.parametrize(
    ("options", "size", "time"),
    [
        (DEFAULT, PASSED, NOT_APPLICABLE),
        (GateOptions(max_megabytes=1, max_milliseconds=50), FAILED, PASSED),
        (GateOptions(max_megabytes=None, max_milliseconds=20), NOT_APPLICABLE, FAILED),
    ],
)
def test_size_and_speed_are_held_against_their_budgets(options: GateOptions, size: str, time: str) -> None:
    decision = judge(evidence(cost=Cost(milliseconds=30.0, megabytes=1.5)), options)
    assert found(decision, "GATE-BUDGET", "size").status == size
    assert found(decision, "GATE-BUDGET", "time").status == time
    assert decision.promoted == (FAILED not in (size, time))


def test_a_candidate_that_was_not_timed_has_no_budget_passed() -> None:
    assert found(judge(evidence(), DEFAULT), "GATE-BUDGET").status == NOT_APPLICABLE


def test_the_first_model_of_a_machine_is_promoted_or_put_to_a_person_as_the_rules_say() -> None:
    assert found(judge(evidence(), DEFAULT), "GATE-FIRST").status == PASSED
    decision = judge(evidence(), GateOptions(first="approve"))
    assert decision.outcome == "needs approval"
    assert found(decision, "GATE-FIRST").status == APPROVAL
    assert "--override-gate" in decision.reason


def test_the_policy_for_first_models_does_not_apply_to_others() -> None:
    decision = judge(evidence(champion=WORSE), GateOptions(first="approve"))
    assert found(decision, "GATE-FIRST").status == NOT_APPLICABLE
    assert decision.promoted


def test_a_first_model_that_fails_is_refused_and_nobody_is_asked() -> None:
    assert judge(evidence(dataclasses.replace(GOOD, recall=0.1)), GateOptions(first="approve")).outcome == "refuse"


# --- GATE-RIVAL ---


def test_a_better_rival_warns_by_name_and_still_lets_pass() -> None:
    decision = judge(evidence(rivals={"weak": WORSE, "boosting": dataclasses.replace(GOOD, pr_auc=0.95)}), DEFAULT)
    assert decision.promoted
    assert found(decision, "GATE-RIVAL").status == WARNED
    assert decision.warnings == ("A rival does better: boosting has PR-AUC 0.950, the candidate 0.800 (-0.150).",)


def test_a_rival_that_may_be_better_by_chance_is_said_so_and_warns_only_if_it_must_not_be_proven() -> None:
    rivals = {"boosting": dataclasses.replace(GOOD, pr_auc=0.83)}
    against = {"boosting": {"pr_auc": about(-0.03, 0.05)}}
    decision = judge(evidence(rivals=rivals, against_rivals=against), DEFAULT)
    assert decision.warnings[0].endswith("(-0.030, between -0.080 and +0.020). It may be chance.")
    proven = GateOptions(rival={"pr_auc": Limit(min=-0.01, proof="interval")})
    assert judge(evidence(rivals=rivals, against_rivals=against), proven).warnings == ()


def test_a_better_rival_refuses_where_that_is_asked() -> None:
    options = GateOptions(rival_refuses=True)
    decision = judge(evidence(rivals={"boosting": dataclasses.replace(GOOD, pr_auc=0.95)}), options)
    assert not decision.promoted
    assert found(decision, "GATE-RIVAL").status == FAILED
    assert decision.warnings == ()


def test_the_best_candidate_passes_against_its_rivals() -> None:
    decision = judge(evidence(rivals={"weak": WORSE, "could not run": None}), DEFAULT)
    assert found(decision, "GATE-RIVAL").status == PASSED
    assert "(weak)" in found(decision, "GATE-RIVAL").message


@pytest.mark.parametrize(
    ("rivals", "bounds", "words"),
    [
        ({}, DEFAULT.rival, "No rival could be measured"),
        ({"boosting": None}, DEFAULT.rival, "No rival could be measured"),
        ({"boosting": GOOD}, {}, "No bound against rivals"),
        ({"boosting": GOOD}, {"pr_auc": Limit()}, "No bound against rivals"),
        ({"boosting": dataclasses.replace(GOOD, precision=None)}, {"precision": Limit(min=0)}, "could not be measured"),
    ],
)
def test_rivals_that_cannot_be_compared_are_not_applicable(
    rivals: dict[str, Metrics | None], bounds: dict[str, Limit], words: str
) -> None:
    check = found(judge(evidence(rivals=rivals), GateOptions(rival=bounds)), "GATE-RIVAL")
    assert check.status == NOT_APPLICABLE
    assert words in check.message


# --- the decision ---


def test_the_reason_of_a_refusal_holds_every_failed_message() -> None:
    decision = judge(evidence(dataclasses.replace(GOOD, pr_auc=0.1, recall=0.1)), DEFAULT)
    failed = [check.message for check in decision.checks if check.status == FAILED]
    assert len(failed) == 2
    assert decision.reason == " ".join(failed)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ({FAILED, TIED, OPEN, APPROVAL}, "refuse"),
        ({TIED, OPEN, APPROVAL}, "tie"),
        ({OPEN, APPROVAL}, "not enough evidence"),
        ({APPROVAL, WARNED, NOT_APPLICABLE}, "needs approval"),
        ({PASSED, WARNED, NOT_APPLICABLE}, "promote"),
    ],
)
def test_the_gravest_check_decides(statuses: set[str], outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("GATE-X", status, status, f"says {status}.") for status in sorted(statuses)]
    monkeypatch.setattr(gate, "RULES", (lambda _given, _options: checks,))
    assert judge(evidence(), DEFAULT).outcome == outcome


def test_a_decision_names_its_rules_and_other_rules_have_another_hash() -> None:
    strict = GateOptions(family="pumps", version="3", min_faults=50)
    assert judge(evidence(), strict).rules == f"pumps 3 sha256:{strict.digest()[:12]}"
    assert strict.digest() != strict.model_copy(update={"min_faults": 51}).digest()
    assert strict.digest() == GateOptions.model_validate(strict.model_dump(mode="json")).digest()


def test_the_decision_is_json() -> None:
    plain = json.loads(json.dumps(judge(evidence(champion=GOOD, rivals={"boosting": GOOD}), DEFAULT).as_dict()))
    assert plain["outcome"] == "tie"
    assert {"code", "title", "status", "message"} == set(plain["checks"][0])


def test_every_rule_answers_every_kind_of_evidence() -> None:
    for given_evidence in (evidence(), evidence(champion=GOOD), too_few_unseen()):
        for rule in RULES:
            assert rule(given_evidence, DEFAULT)


METRIC = st.sampled_from(["pr_auc", "roc_auc", "recall", "precision"])


@given(METRIC, UNIT, UNIT, UNIT, UNIT, UNIT, SIGNED, SIGNED)
def test_raising_a_metric_never_turns_promote_into_refuse(
    name: str, low: float, more: float, champion: float, rival: float, value: float, change: float, against: float
) -> None:
    options = GateOptions(
        value={name: Limit(min=value)},
        change={name: Limit(min=change)},
        tie=0.01,
        rival={name: Limit(min=against)},
        rival_refuses=True,
    )
    outcomes = []
    for figure in (low, min(1.0, low + more)):
        candidate, other, weak = (dataclasses.replace(GOOD, **{name: v}) for v in (figure, champion, rival))
        outcomes.append(judge(evidence(candidate, other, {"rival": weak}), options).promoted)
    assert outcomes != [True, False]


@given(st.sampled_from(METRICS), UNIT)
def test_the_champion_itself_is_never_promoted_again(name: str, value: float) -> None:
    same = dataclasses.replace(GOOD, **{name: value})
    assert not judge(evidence(same, same), DEFAULT).promoted


@given(st.sampled_from(METRICS), UNIT, st.booleans())
def test_not_applicable_is_never_shown_as_passed(name: str, value: float, rivals: bool) -> None:
    candidate = dataclasses.replace(GOOD, **{name: value})
    decision = judge(evidence(candidate, rivals={"boosting": None} if rivals else {}), DEFAULT)
    assert {check.status for check in decision.checks if check.code in ("GATE-CHANGE", "GATE-RIVAL")} == {
        NOT_APPLICABLE
    }


# --- from rows to a decision ---


def decided(
    seed: int, gain: float, options: GateOptions = DEFAULT, *, swapped: bool = False, mixed: bool = False
) -> Decision:
    champion, candidate = rows(seed, gain=gain)[:: -1 if swapped else 1]
    if mixed:
        order = np.random.default_rng(seed).permutation(len(champion.y))
        champion, candidate = champion.take(order), candidate.take(order)
    mode = np.where(np.char.str_len(candidate.run.astype(str)) == 1, "idle", "full load")
    comparison = compare(candidate, champion, {"mode": mode}, options)
    return judge(
        gather(candidate, {"champion": champion}, options, champion_version="1", comparison=comparison), options
    )


def test_a_large_gain_is_promoted_and_the_way_back_refused() -> None:
    assert decided(1, 1.5).outcome == "promote"
    assert decided(1, 1.5, swapped=True).outcome == "refuse"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_changes_neither_evidence_nor_decision(seed: int) -> None:
    one, other = decided(seed, 0.5), decided(seed, 0.5, mixed=True)
    assert one.outcome == other.outcome
    assert [check.status for check in one.checks] == [check.status for check in other.checks]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_two_models_are_never_each_better_than_the_other(seed: int, gain: float) -> None:
    assert not (decided(seed, gain).promoted and decided(seed, gain, swapped=True).promoted)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_two_models_turns_every_interval_round(seed: int) -> None:
    one, other = rows(seed, gain=0.3)
    there, back = compare(one, other, {}, DEFAULT).changes, compare(other, one, {}, DEFAULT).changes
    for name, interval in there.items():
        assert (interval.low, interval.high) == pytest.approx((-back[name].high, -back[name].low))


# --- docs/gate.md ---


@pytest.fixture(scope="module")
def guide() -> str:
    return (REPOSITORY / "docs" / "gate.md").read_text(encoding="utf-8")


def sections(guide: str) -> dict[str, str]:
    parts = re.split(r"^### (GATE-[A-Z-]+).*$", guide, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def codes_in_code() -> set[str]:
    files = Path(gate.__file__).parent.glob("*.py")
    return set(re.findall(r"GATE-[A-Z]+(?:-[A-Z]+)*", "".join(path.read_text(encoding="utf-8") for path in files)))


def test_every_code_has_a_section_and_every_section_a_code(guide: str) -> None:
    assert len(codes_in_code()) >= 10
    assert set(sections(guide)) == codes_in_code()


def test_every_section_says_how_why_and_what_to_do(guide: str) -> None:
    for code, text in sections(guide).items():
        for heading in ("**How it is decided.**", "**Why it matters.**", "**What to do.**"):
            assert heading in text, f"{code} lacks {heading}"


def test_the_guide_states_the_defaults(guide: str) -> None:
    table = {line.split("|")[1].strip(): line for line in guide.splitlines() if line.startswith("| `")}
    plain = DEFAULT.model_dump(mode="json")
    for name, value in plain.items():
        if isinstance(value, dict):
            for metric, limit in value.items():
                for side, bound in limit.items():
                    if bound is not None:
                        assert (
                            f"`{side}: {bound if side == 'proof' else format(bound, 'g')}`"
                            in table[f"`{name}.{metric}`"]
                        )
        elif value not in (None, ""):
            shown = format(value, "g") if isinstance(value, float) else str(value).lower()
            assert f"`{shown}`" in table[f"`{name}`"]


def test_the_guides_example_file_is_accepted_and_changes_something(guide: str, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    path = tmp_path / "gate.yaml"
    path.write_text(example, encoding="utf-8")
    options = load_options(GateOptions, path)
    assert options != DEFAULT
    assert set(yaml.safe_load(example)) <= set(GateOptions.model_fields)


# Everything would pass these.
NO_BOUNDS = ("value: {pr_auc: {min: .nan}}", "value: {pr_auc: {min: -.inf}}", "change: {recall: {min: .nan}}")


def test_an_unknown_metric_or_field_in_a_gate_file_is_refused(tmp_path: Path) -> None:
    for content in ("value: {accuracy: {min: 0.9}}", "values: {}", "value: {pr_auc: {least: 0.5}}", *NO_BOUNDS):
        (tmp_path / "gate.yaml").write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"gate\.yaml"):
            load_options(GateOptions, tmp_path / "gate.yaml")
