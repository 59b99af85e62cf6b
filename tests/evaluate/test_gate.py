"""Every gate check fires, passes and says when it does not apply; nothing is blessed without thresholds."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.config import METRICS, GateOptions, Limit, load_options
from faultxfer.errors import ConfigError
from faultxfer.evaluate import gate
from faultxfer.evaluate.gate import RULES, judge
from faultxfer.evaluate.gate.check import FAILED, NOT_APPLICABLE, PASSED, WARNED, Check, Comparison, Decision, Evidence
from faultxfer.evaluate.metrics import Metrics

GOOD = Metrics(
    pr_auc=0.8, roc_auc=0.9, recall=0.7, precision=0.6, false_alarm_rate=0.04, log_loss=0.25, rows=100, faults=20
)
WORSE = dataclasses.replace(GOOD, pr_auc=0.7)
DEFAULT = GateOptions()
REPOSITORY = Path(__file__).resolve().parents[2]
UNIT = st.floats(0, 1)
SIGNED = st.floats(-1, 1)


def evidence(
    candidate: Metrics = GOOD,
    champion: Metrics | None = None,
    rivals: dict[str, Metrics | None] | None = None,
) -> Evidence:
    comparison = Comparison(candidate, champion, candidate.rows, candidate.faults, 0) if champion else None
    return Evidence(candidate, "4" if champion else None, comparison, rivals or {})


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


@pytest.mark.parametrize(
    ("rows", "faults", "status"), [(15, 5, PASSED), (15, 4, FAILED), (14, 5, FAILED), (100, 95, FAILED)]
)
def test_evidence_needs_enough_fault_and_normal_rows(rows: int, faults: int, status: str) -> None:
    decision = judge(evidence(dataclasses.replace(GOOD, rows=rows, faults=faults)), DEFAULT)
    assert found(decision, "GATE-EVIDENCE").status == status
    assert decision.promoted == (status == PASSED)
    assert f"{faults} fault and {rows - faults} normal rows" in found(decision, "GATE-EVIDENCE").message


def test_evidence_always_applies() -> None:
    bare = GateOptions(value={}, change={}, rival={})
    assert found(judge(evidence(), bare), "GATE-EVIDENCE").status in (PASSED, FAILED)


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


def test_a_tie_does_not_promote() -> None:
    decision = judge(evidence(champion=GOOD), DEFAULT)
    assert not decision.promoted
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == FAILED
    assert "(+0.000); a change of more than +0 is asked" in decision.reason


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
    assert not decision.promoted
    assert found(decision, "GATE-TIE").status == FAILED
    assert "a tie does not promote" in decision.reason


@pytest.mark.parametrize(("name", "champion"), [("recall", 0.69), ("false_alarm_rate", 0.05), ("log_loss", 0.26)])
def test_a_gain_in_one_bounded_figure_is_no_tie(name: str, champion: float) -> None:
    options = GateOptions(change={name: Limit(min=-1, max=1)})
    decision = judge(evidence(champion=dataclasses.replace(GOOD, **{name: champion})), options)
    assert found(decision, "GATE-TIE").status == PASSED
    assert decision.promoted


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
    there = Comparison(WORSE, dataclasses.replace(GOOD, pr_auc=0.75), rows=50, faults=10, excluded=50)
    decision = judge(Evidence(GOOD, "4", there, {}), DEFAULT)
    assert found(decision, "GATE-CHANGE", "PR-AUC").status == FAILED
    assert "0.700 against the champion's 0.750" in decision.reason


# --- GATE-CHANGE-EVIDENCE ---


def test_too_few_rows_that_the_champion_has_not_seen_refuse_and_say_what_to_bring() -> None:
    decision = judge(too_few_unseen(), DEFAULT)
    assert not decision.promoted
    assert found(decision, "GATE-CHANGE-EVIDENCE").status == FAILED
    for words in ("version 4", "93 of these rows", "7 rows left with 1 faults", "newer labelled rows"):
        assert words in decision.reason


@pytest.mark.parametrize("champion", [None, WORSE])
def test_enough_unseen_rows_or_no_champion_raise_no_change_evidence(champion: Metrics | None) -> None:
    decision = judge(evidence(champion=champion), DEFAULT)
    assert "GATE-CHANGE-EVIDENCE" not in [check.code for check in decision.checks]


# --- GATE-RIVAL ---


def test_a_better_rival_warns_by_name_and_still_lets_pass() -> None:
    decision = judge(evidence(rivals={"weak": WORSE, "boosting": dataclasses.replace(GOOD, pr_auc=0.95)}), DEFAULT)
    assert decision.promoted
    assert found(decision, "GATE-RIVAL").status == WARNED
    assert decision.warnings == ("A rival does better: boosting has PR-AUC 0.950, the candidate 0.800 (-0.150).",)


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


def test_the_decision_is_json() -> None:
    plain = json.loads(json.dumps(judge(evidence(champion=GOOD, rivals={"boosting": GOOD}), DEFAULT).as_dict()))
    assert plain["outcome"] == "refuse"
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
    assert len(codes_in_code()) >= 6
    assert set(sections(guide)) == codes_in_code()


def test_every_section_says_how_why_and_what_to_do(guide: str) -> None:
    for code, text in sections(guide).items():
        for heading in ("**How it is decided.**", "**Why it matters.**", "**What to do.**"):
            assert heading in text, f"{code} lacks {heading}"


def test_the_guide_states_the_defaults(guide: str) -> None:
    table = {line.split("|")[1].strip(): line for line in guide.splitlines() if line.startswith("| `")}
    for rule, limits in (("value", DEFAULT.value), ("change", DEFAULT.change), ("rival", DEFAULT.rival)):
        for name, limit in limits.items():
            for side, bound in limit.model_dump().items():
                if bound is not None:
                    assert f"`{side}: {bound:g}`" in table[f"`{rule}.{name}`"]
    assert f"`{DEFAULT.min_faults}`" in table["`min_faults`"]
    assert f"`{DEFAULT.min_normals}`" in table["`min_normals`"]
    assert f"`{str(DEFAULT.rival_refuses).lower()}`" in table["`rival_refuses`"]


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
