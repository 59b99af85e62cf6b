"""What the gate makes of all checks together, from rows to a decision.

And its guide says what it does.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from gate_evidence import DEFAULT, GOOD, evidence, found, too_few_unseen
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_rows import rows

from faultxfer.config import GateOptions, Limit, load_options
from faultxfer.errors import ConfigError
from faultxfer.evaluate import gate
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
    Cost,
    Decision,
    OwnFaults,
)
from faultxfer.evaluate.measuring import compare, gather
from faultxfer.metric_table import ROW_METRICS

REPOSITORY = Path(__file__).resolve().parents[2]
UNIT = st.floats(0, 1)
SIGNED = st.floats(-1, 1)


def test_a_good_first_candidate_is_promoted_by_the_default_gate() -> None:
    decision = judge(evidence(), DEFAULT)
    assert decision.promoted
    assert decision.reason == "All checks that apply were passed."
    assert decision.warnings == ()


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
def test_the_gravest_check_decides(
    statuses: set[str], outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [Check("GATE-X", status, status, f"says {status}.") for status in sorted(statuses)]
    monkeypatch.setattr(gate, "RULES", (lambda _given, _options: checks,))
    assert judge(evidence(), DEFAULT).outcome == outcome


def test_a_decision_names_its_rules_and_other_rules_have_another_hash() -> None:
    strict = GateOptions(family="pumps", version="3", min_faults=50)
    assert judge(evidence(), strict).rules == f"pumps 3 sha256:{strict.digest()[:12]}"
    assert strict.digest() != strict.model_copy(update={"min_faults": 51}).digest()
    assert strict.digest() == GateOptions.model_validate(strict.model_dump(mode="json")).digest()


def test_the_decision_is_json() -> None:
    plain = json.loads(
        json.dumps(judge(evidence(champion=GOOD, rivals={"boosting": GOOD}), DEFAULT).as_dict())
    )
    assert plain["outcome"] == "tie"
    assert {"code", "title", "status", "message", "by_rows"} == set(plain["checks"][0])


@pytest.mark.parametrize("few", [{"faults": 3}, {"rows": 25, "faults": 20}])
def test_what_fails_on_too_few_rows_is_not_shown(few: dict[str, int]) -> None:
    poor = dataclasses.replace(GOOD, pr_auc=0.1, recall=0.0, **few)
    decision = judge(evidence(poor, rivals={"boosting": GOOD}), DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert found(decision, "GATE-VALUE", "recall").status == OPEN


def test_rows_that_decide_nothing_are_not_enough_however_many() -> None:
    decision = judge(evidence(decides=False), DEFAULT)
    assert decision.outcome == "not enough evidence"
    assert "one more recording with faults" in decision.reason


def test_a_budget_is_kept_by_a_candidate_of_few_rows_too() -> None:
    few = dataclasses.replace(GOOD, faults=3)
    large = judge(evidence(few, cost=Cost(milliseconds=1.0, megabytes=900.0)), DEFAULT)
    assert large.outcome == "refuse"
    assert "900" in large.reason


def test_a_detector_that_is_silent_at_its_own_faults_never_passes() -> None:
    lenient = GateOptions(value={"roc_auc": Limit(min=0.1)}, rival={})
    for alarms, outcome in ((0, "refuse"), (1, "promote")):
        decision = judge(evidence(own_faults=OwnFaults(20, alarms)), lenient)
        assert decision.outcome == outcome
    silent = found(judge(evidence(own_faults=OwnFaults(20, 0)), lenient), "GATE-SILENT", "labelled")
    assert "none of the 20" in silent.message
    assert "--alarm-confidence" in silent.message
    few = judge(evidence(own_faults=OwnFaults(2, 0), decides=False), lenient)
    assert few.outcome == "refuse"


def test_a_detector_whose_folds_alarm_at_no_fault_passes_under_no_rules() -> None:
    lenient = GateOptions(value={"roc_auc": Limit(min=0.1)}, rival={})
    never = dataclasses.replace(GOOD, recall=0.0)
    decision = judge(evidence(never, own_faults=OwnFaults(20, 10)), lenient)
    assert decision.outcome == "refuse"
    held_out = found(decision, "GATE-SILENT", "not seen")
    assert held_out.message.startswith("None of the held-out fault rows (20) raises an alarm")
    few = dataclasses.replace(never, faults=3)
    assert judge(evidence(few), lenient).outcome == "not enough evidence"
    unseen = judge(evidence(few, decides=False), lenient)
    assert found(unseen, "GATE-SILENT", "not seen").status == "not applicable"


def test_every_rule_answers_every_kind_of_evidence() -> None:
    for given_evidence in (evidence(), evidence(champion=GOOD), too_few_unseen()):
        for rule in RULES:
            assert rule(given_evidence, DEFAULT)


METRIC = st.sampled_from(["pr_auc", "roc_auc", "recall", "precision"])


@settings(deadline=None)
@given(METRIC, UNIT, UNIT, UNIT, UNIT, UNIT, SIGNED, SIGNED)
def test_raising_a_metric_never_turns_promote_into_refuse(
    name: str,
    low: float,
    more: float,
    champion: float,
    rival: float,
    value: float,
    change: float,
    against: float,
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
        candidate, other, weak = (
            dataclasses.replace(GOOD, **{name: v}) for v in (figure, champion, rival)
        )
        outcomes.append(judge(evidence(candidate, other, {"rival": weak}), options).promoted)
    assert outcomes != [True, False]


@given(st.sampled_from(ROW_METRICS), UNIT)
def test_the_champion_itself_is_never_promoted_again(name: str, value: float) -> None:
    same = dataclasses.replace(GOOD, **{name: value})
    assert not judge(evidence(same, same), DEFAULT).promoted


@given(st.sampled_from(ROW_METRICS), UNIT, st.booleans())
def test_not_applicable_is_never_shown_as_passed(name: str, value: float, rivals: bool) -> None:
    candidate = dataclasses.replace(GOOD, **{name: value})
    decision = judge(evidence(candidate, rivals={"boosting": None} if rivals else {}), DEFAULT)
    assert {
        check.status for check in decision.checks if check.code in ("GATE-CHANGE", "GATE-RIVAL")
    } == {NOT_APPLICABLE}


# --- from rows to a decision ---


def decided(
    seed: int,
    gain: float,
    options: GateOptions = DEFAULT,
    *,
    swapped: bool = False,
    mixed: bool = False,
) -> Decision:
    champion, candidate = rows(seed, gain=gain)[:: -1 if swapped else 1]
    if mixed:
        order = np.random.default_rng(seed).permutation(len(champion.y))
        champion, candidate = champion.take(order), candidate.take(order)
    mode = np.where(np.char.str_len(candidate.run.astype(str)) == 1, "idle", "full load")
    comparison = compare(candidate, champion, {"mode": mode}, options)
    return judge(
        gather(
            candidate, {"champion": champion}, options, champion_version="1", comparison=comparison
        ),
        options,
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
    return set(
        re.findall(
            r"GATE-[A-Z]+(?:-[A-Z]+)*", "".join(path.read_text(encoding="utf-8") for path in files)
        )
    )


def test_every_code_has_a_section_and_every_section_a_code(guide: str) -> None:
    assert len(codes_in_code()) >= 10
    assert set(sections(guide)) == codes_in_code()


def test_every_section_says_how_why_and_what_to_do(guide: str) -> None:
    for code, text in sections(guide).items():
        for heading in ("**How it is decided.**", "**Why it matters.**", "**What to do.**"):
            assert heading in text, f"{code} lacks {heading}"


def test_the_guide_states_the_defaults(guide: str) -> None:
    table = {
        line.split("|")[1].strip(): line for line in guide.splitlines() if line.startswith("| `")
    }
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


def test_the_guides_example_file_is_accepted_and_changes_something(
    guide: str, tmp_path: Path
) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    path = tmp_path / "gate.yaml"
    path.write_text(example, encoding="utf-8")
    options = load_options(GateOptions, path)
    assert options != DEFAULT
    assert set(yaml.safe_load(example)) <= set(GateOptions.model_fields)


def refused(folder: Path, content: str, words: str) -> None:
    """A gate file is not read, and the error has these words (a pattern)."""
    (folder / "gate.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_options(GateOptions, folder / "gate.yaml")


# Everything would pass these.
NO_BOUNDS = (
    "value: {pr_auc: {min: .nan}}",
    "value: {pr_auc: {min: -.inf}}",
    "change: {recall: {min: .nan}}",
)


def test_an_unknown_metric_or_field_in_a_gate_file_is_refused(tmp_path: Path) -> None:
    for content in (
        "value: {accuracy: {min: 0.9}}",
        "values: {}",
        "value: {pr_auc: {least: 0.5}}",
        *NO_BOUNDS,
    ):
        refused(tmp_path, content, r"gate\.yaml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "change: {calibration_error: {max: 0.02, proof: interval}}",
            "without an interval need `proof: estimate`. Received: calibration_error",
        ),
        (
            "slices: {calibration_error: {max: 0.02}}",
            "judged by intervals, and these metrics have none",
        ),
        ("slices: {calibration_error: {max: 0.02, proof: estimate}}", "judged by intervals"),
        ("forgetting: {calibration_error: {max: 0.02, proof: interval}}", "without an interval"),
        (
            "value: {detection_delay: {max: 60, proof: interval}}",
            "without an interval need `proof: estimate`. Received: detection_delay",
        ),
        (
            "value: {alarms_per_hour: {max: 6, proof: warning}}",
            "without an interval need `proof: estimate`. Received: alarms_per_hour",
        ),
        (
            "change: {recall: {min: 0, proof: warning}}",
            "are possible under `value` alone. Received: recall",
        ),
    ],
)
def test_a_proof_that_no_rows_could_give_is_refused(
    content: str, words: str, tmp_path: Path
) -> None:
    refused(tmp_path, content, re.escape(words))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "value: {recall: {min: -5}}",
            "value: Value error, recall is from 0 to 1, and a bound lies outside",
        ),
        ("value: {recall: {min: -5}}", "Received: min=-5"),
        ("value: {false_alarm_rate: {max: 5}}", "Received: max=5"),
        ("value: {pr_auc: {min: 1.5}}", "Received: min=1.5"),
        ("value: {event_recall: {min: 90}}", "Received: min=90"),
        ("value: {detection_delay: {max: -1}}", "detection_delay is 0 or more"),
        ("value: {recall: {min: 0.9, max: 0.1}}", "Received: min=0.9, max=0.1"),
        ("change: {recall: {min: 0.1, max: -0.1}}", "Received: min=0.1, max=-0.1"),
    ],
)
def test_a_bound_that_everything_or_nothing_would_pass_is_refused(
    content: str, words: str, tmp_path: Path
) -> None:
    refused(tmp_path, content, re.escape(words))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no settings"),
        ("# value:\n#   recall: {min: 0.9}\n", "holds no settings"),
        ("[]", "holds no settings"),
        ("value: {recall: {min: 0.9}}\nvalue: {recall: {min: 0.1}}", "value.* stands twice"),
        ("value:\n  recall: {min: 0.9}\n  recall: {min: 0.1}", "recall.* stands twice"),
    ],
)
def test_a_slip_in_the_file_is_not_taken_for_the_defaults(
    content: str, words: str, tmp_path: Path
) -> None:
    refused(tmp_path, content, words)


def test_bounds_at_the_edge_of_what_a_figure_can_be_are_accepted() -> None:
    edges = {
        "pr_auc": Limit(min=0.0),
        "recall": Limit(max=1.0),
        "log_loss": Limit(max=3),
        "precision": Limit(min=1),
    }
    assert GateOptions(value=edges).value == edges
