"""The report names everybody and every check, and says in plain words whether the source helped."""

from __future__ import annotations

import dataclasses
import json

import pytest

from faultxfer.config import GateOptions
from faultxfer.errors import DataError
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.check import Check, Comparison, Decision
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.report import COLUMNS, Contestant, Report, as_markdown, figures

GOOD = Metrics(
    pr_auc=0.8, roc_auc=0.91, recall=0.7, precision=0.6, false_alarm_rate=0.043, log_loss=0.25, rows=100, faults=20
)


def scored(pr_auc: float) -> Metrics:
    return dataclasses.replace(GOOD, pr_auc=pr_auc)


def report(*, alone: float | None = 0.5, other: float | None = None, with_source: float = 0.95) -> Report:
    """A candidate of PR-AUC 0.8, a champion, a rival that knows the source, and two that do not."""
    contestants = (
        Contestant("candidate", "candidate (fine-tune)", "candidate", True, GOOD),
        Contestant("champion", "champion (version 3)", "champion", True, scored(0.7), note="was trained on 4 of them"),
        Contestant("source_as_is", "source model as it is", "rival", True, scored(with_source)),
        Contestant("boosting", "gradient boosting", "rival", False, None if alone is None else scored(alone)),
        Contestant("other", "other rival", "rival", False, other and scored(other), problem="" if other else "no rows"),
    )
    return Report(
        model="pumps",
        equipment="pump-9",
        strategy="fine_tune",
        mode="hold-out",
        split="whole runs were held out",
        worth="Figures come from runs that took no part.",
        contestants=contestants,
        champion_version="3",
        comparison=Comparison(GOOD, scored(0.7), rows=96, faults=18, excluded=4),
        threshold=0.4217,
    )


def test_markdown_has_every_contestant_with_its_figures_and_why_one_could_not_run() -> None:
    given = report()
    text = as_markdown(given, judge(given.evidence(), GateOptions()))
    for entry in given.contestants:
        (line,) = [line for line in text.splitlines() if line.startswith("|") and entry.title in line.split("|")[1]]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == figures(entry.metrics)
        assert (entry.problem or entry.note) in line
    assert "| **candidate (fine-tune)** |" in text
    assert all(column in text for column in COLUMNS)


def test_markdown_says_who_has_which_say_in_a_stack_and_nothing_of_it_for_a_single_network() -> None:
    given = report()
    decision = judge(given.evidence(), GateOptions())
    stack = dataclasses.replace(given, weights=(("source-network@source", 0.75), ("scratch-linear", 0.25)))
    assert "| source-network@source | 75% |\n| scratch-linear | 25% |" in as_markdown(stack, decision)
    assert stack.as_dict()["weights"] == {"source-network@source": 0.75, "scratch-linear": 0.25}
    assert "weight" not in as_markdown(given, decision)


def test_markdown_has_every_check_with_result_and_message() -> None:
    given = report()
    decision = judge(given.evidence(), GateOptions())
    lines = as_markdown(given, decision).splitlines()
    assert len(decision.checks) > 5
    for check in decision.checks:
        assert f"| {check.code}: {check.title} | {check.status} | {check.message} |" in lines


@pytest.mark.parametrize(("outcome", "word"), [("promote", "passed"), ("refuse", "refused")])
def test_markdown_begins_with_the_decision_and_its_reason(outcome: str, word: str) -> None:
    decision = Decision(outcome, "Because.", (Check("GATE-X", "x", "passed", "m"),), warnings=("Mind the rival.",))
    text = as_markdown(report(), decision)
    assert text.startswith(f"# pump-9: {word} by the gate\n\nBecause.\n")
    assert "- **Note:** Mind the rival." in text


def test_markdown_says_on_what_rows_it_was_judged_and_what_the_figures_are_worth() -> None:
    given = report()
    text = as_markdown(given, judge(given.evidence(), GateOptions()))
    assert "Judged on 100 rows with 20 faults: whole runs were held out." in text
    assert given.worth in text
    assert given.transfer_verdict() in text
    assert "above a fault probability of 0.422" in text


def test_what_the_threshold_can_be_relied_on_for_is_told_with_it() -> None:
    given = dataclasses.replace(report(), alarm={"bound": 0.04}, alarm_notes=("At most 5.00% false alarms.",))
    text = as_markdown(given, judge(given.evidence(), GateOptions()))
    assert "probability of 0.422.\n- At most 5.00% false alarms.\n" in text
    assert given.as_dict()["alarm"] == {"bound": 0.04, "notes": ["At most 5.00% false alarms."]}


def test_figures_are_rounded_as_a_person_reads_them_and_dashes_where_there_are_none() -> None:
    assert figures(GOOD) == ["0.800", "0.910", "70%", "4.3%", "0.250"]
    assert figures(None) == ["–"] * len(COLUMNS)


@pytest.mark.parametrize(
    ("alone", "verdict"),
    [
        (0.5, "The source helped: +0.300 PR-AUC over the best rival without it (gradient boosting, 0.500)."),
        (0.78, "The source helped: +0.020"),
        (0.795, "The source made no difference: gradient boosting has PR-AUC 0.795 without it (+0.005)."),
        (0.805, "The source made no difference: gradient boosting has PR-AUC 0.805 without it (-0.005)."),
        (0.82, "Negative transfer: gradient boosting has PR-AUC 0.820, better by 0.020, without the source."),
    ],
)
def test_verdict_compares_with_the_best_rival_without_source(alone: float, verdict: str) -> None:
    assert report(alone=alone).transfer_verdict().startswith(verdict)


def test_verdict_takes_the_best_of_several_rivals_without_source() -> None:
    assert "other rival has PR-AUC 0.900" in report(alone=0.2, other=0.9).transfer_verdict()


def test_a_rival_that_knows_the_source_does_not_make_the_transfer_negative() -> None:
    assert report(with_source=0.99).transfer_verdict() == report(with_source=0.1).transfer_verdict()


def test_verdict_is_unknown_where_no_rival_without_source_could_run() -> None:
    assert "unknown" in report(alone=None).transfer_verdict()


def test_as_dict_is_json_and_complete() -> None:
    given = report()
    plain = json.loads(json.dumps(given.as_dict(), allow_nan=False))
    assert [entry["name"] for entry in plain["contestants"]] == [entry.name for entry in given.contestants]
    assert plain["contestants"][0]["metrics"] == GOOD.as_dict()
    assert plain["contestants"][4] == given.contestants[4].as_dict()
    assert plain["verdict"] == given.transfer_verdict()
    assert plain["comparison"]["excluded"] == 4
    assert plain["comparison"]["champion"]["pr_auc"] == 0.7


def test_as_dict_without_champion_says_null() -> None:
    plain = dataclasses.replace(report(), comparison=None, champion_version=None).as_dict()
    assert json.loads(json.dumps(plain))["comparison"] is None


def test_as_dict_of_a_comparison_on_too_few_rows_says_null_for_both() -> None:
    too_few = Comparison(None, None, rows=2, faults=0, excluded=98)
    plain = dataclasses.replace(report(), comparison=too_few).as_dict()
    assert json.loads(json.dumps(plain))["comparison"] == {
        "rows": 2,
        "faults": 0,
        "excluded": 98,
        "candidate": None,
        "champion": None,
    }


def test_the_gate_sees_every_rival_and_neither_candidate_nor_champion_among_them() -> None:
    evidence = report().evidence()
    assert set(evidence.rivals) == {"source model as it is", "gradient boosting", "other rival"}
    assert evidence.rivals["other rival"] is None
    assert evidence.candidate == GOOD


def test_a_report_without_a_measured_candidate_is_refused() -> None:
    given = report()
    nobody = dataclasses.replace(given.contestants[0], metrics=None)
    with pytest.raises(DataError, match="measured candidate"):
        dataclasses.replace(given, contestants=(nobody, *given.contestants[1:])).evidence()
