"""The report names everybody and every check, and says in plain words whether the source helped."""

from __future__ import annotations

import dataclasses
import json

import pytest

from faultxfer.config import GateOptions
from faultxfer.evaluate.events import EventMetrics
from faultxfer.evaluate.gate import judge
from faultxfer.evaluate.gate.check import Check, Comparison, Decision, Evidence, Override, Slice
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.page import as_markdown, certainty_sentence, event_sentences
from faultxfer.evaluate.report import (
    COLUMNS,
    Contestant,
    Report,
    described,
    highlighted,
    left_out_sentence,
    metric_cells,
)
from faultxfer.evaluate.review import review
from faultxfer.evaluate.source_verdict import Yardstick, source_verdict

GOOD = Metrics(
    pr_auc=0.8,
    roc_auc=0.91,
    recall=0.7,
    precision=0.6,
    false_alarm_rate=0.043,
    log_loss=0.25,
    calibration_error=0.05,
    rows=100,
    faults=20,
)


def scored(pr_auc: float) -> Metrics:
    return dataclasses.replace(GOOD, pr_auc=pr_auc)


BETTER = Interval(0.1, 0.05, 0.15, 0.03)
COMPARISON = Comparison(
    GOOD, scored(0.7), rows=96, faults=18, excluded=4, changes={"pr_auc": BETTER, "roc_auc": BETTER}
)
EVENTS = EventMetrics(8, 6, Interval(0.75, 0.4, 0.95), 1200.0, 3, Interval(1.5, 0.4, 3.9), 0.2)
EVIDENCE = Evidence(
    GOOD,
    "3",
    COMPARISON,
    {"gradient boosting": scored(0.5)},
    intervals={"pr_auc": Interval(0.8, 0.7, 0.88, 0.05)},
    events=EVENTS,
    clusters=9,
)


def report(
    *, alone: float | None = 0.5, other: float | None = None, with_source: float = 0.75
) -> Report:
    """A candidate of PR-AUC 0.8, a champion, a rival that knows the source, and two that do not."""
    contestants = (
        Contestant("candidate", "candidate (fine-tune)", "candidate", True, GOOD),
        Contestant(
            "champion",
            "champion (version 3)",
            "champion",
            True,
            scored(0.7),
            note="was trained on 4 of them",
        ),
        Contestant("source_as_is", "source model as it is", "rival", True, scored(with_source)),
        Contestant(
            "boosting",
            "gradient boosting",
            "rival",
            False,
            None if alone is None else scored(alone),
        ),
        Contestant(
            "other",
            "other rival",
            "rival",
            False,
            other and scored(other),
            problem="" if other else "no rows",
        ),
    )
    return Report(
        model="pumps",
        equipment="pump-9",
        strategy="fine_tune",
        mode="hold-out",
        split="whole runs were held out",
        validity="Figures come from runs that took no part.",
        contestants=contestants,
        evidence=EVIDENCE,
        threshold=0.4217,
    )


def test_markdown_has_every_contestant_with_its_figures_and_why_one_could_not_run() -> None:
    given = report()
    text = as_markdown(given, judge(given.evidence, GateOptions()))
    for entry in given.contestants:
        (line,) = [
            line
            for line in text.splitlines()
            if line.startswith("|") and entry.title in line.split("|")[1]
        ]
        assert [cell.strip() for cell in line.split("|")[2:-1]] == metric_cells(entry.metrics)
        assert (entry.problem or entry.note) in line
    assert "| **candidate (fine-tune)** |" in text
    assert all(column in text for column in COLUMNS)


def scaled(name: str, pr_auc: float | None, idea: str) -> Contestant:
    metrics = None if pr_auc is None else scored(pr_auc)
    return Contestant(name, f"{name}, some scale", "rival", True, metrics, idea=idea)


def with_variants() -> Report:
    """Rivals of two ideas under several scales, one of which could not run."""
    given = report()
    variants = (
        scaled("source_as_is_target", 0.9, "source_as_is"),
        scaled("pooled_source", 0.6, "pooled"),
        scaled("pooled_target", 0.99, "pooled"),
        scaled("pooled_blend", None, "pooled"),
    )
    chosen = Contestant(
        "pooled", "pooled, source's scale", "rival", True, scored(0.6), note="chosen out of fold"
    )
    return dataclasses.replace(given, contestants=(*given.contestants, *variants), chosen=(chosen,))


def test_the_description_shows_each_idea_once_under_the_scale_that_was_best_out_of_fold() -> None:
    given = with_variants()
    names = [entry.name for entry in described(given)]
    assert names == ["candidate", "champion", "source_as_is", "boosting", "other", "pooled"]
    text = as_markdown(given, judge(given.evidence, GateOptions()))
    assert "| pooled, source's scale (chosen out of fold) | 0.600 |" in text
    assert "some scale" not in text
    assert "\n\n4 more rivals are in `report.json`; 1 of them could not run.\n" in text


def test_without_a_choice_out_of_fold_every_scale_of_an_idea_is_shown() -> None:
    names = [entry.name for entry in described(dataclasses.replace(with_variants(), chosen=()))]
    assert names[-3:] == ["pooled_source", "pooled_target", "pooled_blend"]
    assert "source_as_is_target" not in names


def test_the_terminal_shows_candidate_champion_source_and_the_best_rivals() -> None:
    given = with_variants()
    shown = highlighted(given.contestants)
    names = ["candidate", "champion", "source_as_is", "boosting", "pooled_target"]
    assert [entry.name for entry in shown] == names
    notes = [entry.note for entry in shown[3:]]
    assert notes == ["best rival without the source", "best rival with the source"]
    rest = left_out_sentence(given, shown)
    assert rest == "4 more rivals are in `report.json`; 2 of them could not run."


def test_the_source_as_it_is_may_be_the_best_rival_with_the_source() -> None:
    (source,) = [
        entry for entry in highlighted(report().contestants) if entry.name == "source_as_is"
    ]
    assert source.note == "best rival with the source"
    assert left_out_sentence(report(), report().contestants) == ""


def test_every_contestant_and_every_choice_stays_in_the_plain_data() -> None:
    given = with_variants()
    plain = json.loads(json.dumps(given.as_dict(), allow_nan=False))
    names = [entry["name"] for entry in plain["contestants"]]
    assert names == [entry.name for entry in given.contestants]
    assert [entry["name"] for entry in plain["chosen"]] == ["pooled"]
    assert plain["worth"] == plain["validity"] == given.validity


def test_markdown_says_who_has_which_say_in_a_stack_and_nothing_of_it_for_a_single_network() -> (
    None
):
    given = report()
    decision = judge(given.evidence, GateOptions())
    stack = dataclasses.replace(
        given, weights=(("source-network@source", 0.75), ("scratch-linear", 0.25))
    )
    assert "| source-network@source | 75% |\n| scratch-linear | 25% |" in as_markdown(
        stack, decision
    )
    assert stack.as_dict()["weights"] == {"source-network@source": 0.75, "scratch-linear": 0.25}
    assert "weight" not in as_markdown(given, decision)


def test_markdown_has_every_check_with_result_and_message() -> None:
    given = report()
    decision = judge(given.evidence, GateOptions())
    lines = as_markdown(given, decision).splitlines()
    assert len(decision.checks) > 5
    for check in decision.checks:
        assert f"| {check.code}: {check.title} | {check.status} | {check.message} |" in lines


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("promote", "passed by the gate"),
        ("refuse", "refused by the gate"),
        ("tie", "a tie, so the champion stays"),
        ("not enough evidence", "not enough evidence, so nothing was promoted"),
        ("needs approval", "a person decides"),
    ],
)
def test_markdown_begins_with_the_decision_and_its_reason(outcome: str, word: str) -> None:
    decision = Decision(
        outcome, "Because.", (Check("GATE-X", "x", "passed", "m"),), warnings=("Mind the rival.",)
    )
    text = as_markdown(report(), decision)
    assert text.startswith(f"# pump-9: {word}\n\nBecause.\n")
    assert "- **Note:** Mind the rival." in text


@pytest.mark.parametrize(
    ("outcome", "against"),
    [
        ("refuse", "The gate had refused it: Because."),
        ("tie", "The gate had found a tie: Because."),
        ("not enough evidence", "The gate had not found enough evidence: Because."),
        ("needs approval", "The gate had asked for a person's approval: Because."),
    ],
)
def test_the_page_of_an_override_begins_with_what_happened_by_whom_why_and_against_what(
    outcome: str, against: str
) -> None:
    text = as_markdown(
        report(), Decision(outcome, "Because.", ()), Override("ann@plant", "agreed\n# with Bob")
    )
    assert text.startswith(
        "# pump-9: promoted by override\n\n"
        "Promoted by override by ann@plant, for this reason: “agreed # with Bob”\n\n"
        f"{against}\n"
    )
    assert "nothing was promoted" not in text


def test_an_override_that_was_not_needed_changes_no_page() -> None:
    passed = Decision("promote", "Because.", ())
    assert as_markdown(report(), passed, Override("ann", "why")) == as_markdown(report(), passed)


def test_markdown_says_on_what_rows_it_was_judged_and_what_the_figures_are_worth() -> None:
    given = report()
    text = as_markdown(given, judge(given.evidence, GateOptions()))
    assert "Judged on 100 rows with 20 faults: whole runs were held out." in text
    assert given.validity in text
    assert given.transfer_verdict() in text
    assert "above a fault probability of 0.422" in text


def test_what_the_threshold_can_be_relied_on_for_is_told_with_it() -> None:
    given = dataclasses.replace(
        report(), alarm={"bound": 0.04}, alarm_notes=("At most 5.00% false alarms.",)
    )
    text = as_markdown(given, judge(given.evidence, GateOptions()))
    assert "probability of 0.422.\n- At most 5.00% false alarms.\n" in text
    assert given.as_dict()["alarm"] == {"bound": 0.04, "notes": ["At most 5.00% false alarms."]}


def test_figures_are_rounded_as_a_person_reads_them_and_dashes_where_there_are_none() -> None:
    assert metric_cells(GOOD) == ["0.800", "0.910", "70%", "4.3%", "0.250"]
    assert metric_cells(None) == ["–"] * len(COLUMNS)


@pytest.mark.parametrize(
    ("alone", "verdict"),
    [
        (
            0.5,
            "The source helped: +0.300 PR-AUC over the best rival without it (gradient boosting, "
            "0.500).",
        ),
        (0.78, "The source helped: +0.020"),
        (
            0.795,
            "The source made no difference: gradient boosting has PR-AUC 0.795 without it "
            "(+0.005).",
        ),
        (
            0.805,
            "The source made no difference: gradient boosting has PR-AUC 0.805 without it "
            "(-0.005).",
        ),
        (
            0.82,
            "Negative transfer: gradient boosting has PR-AUC 0.820, better by 0.020, without the "
            "source.",
        ),
    ],
)
def test_verdict_compares_with_the_best_rival_without_source(alone: float, verdict: str) -> None:
    assert report(alone=alone).transfer_verdict().startswith(verdict)


def test_verdict_takes_the_best_of_several_rivals_without_source() -> None:
    assert "other rival has PR-AUC 0.900" in report(alone=0.2, other=0.9).transfer_verdict()


def test_a_candidate_that_loses_to_the_source_as_it_is_was_not_helped_by_it() -> None:
    assert report(with_source=0.79).transfer_verdict().startswith("The source helped: +0.300")
    verdict = report(with_source=0.99).transfer_verdict()
    assert verdict.startswith("The source is better as it is: PR-AUC 0.990, and 0.800 after")
    by_little = report(with_source=0.805).transfer_verdict()
    assert by_little.startswith("The source is as good as it is: PR-AUC 0.805, and 0.800 after")
    assert "gradient boosting has PR-AUC 0.500 without it" in by_little


@pytest.mark.parametrize("as_is", [0.601, 0.605, 0.61, 0.611, 0.7, 0.95])
@pytest.mark.parametrize("alone", [0.1, 0.55, 0.595, 0.605, 0.7, 0.99])
def test_nobody_is_said_to_be_helped_who_loses_to_the_source(as_is: float, alone: float) -> None:
    without, source = Yardstick("boosting", alone), Yardstick("the source", as_is)
    assert not source_verdict(0.6, without, source).startswith("The source helped")


def test_a_loss_has_the_bounds_of_a_loss() -> None:
    without = Yardstick("boosting", 0.8, (-0.43, -0.02))
    verdict = source_verdict(0.59, without, None)
    assert "better by 0.210 [+0.020, +0.430], without the source" in verdict


def test_a_gain_that_may_be_chance_is_not_called_one() -> None:
    given = report()
    against = {"gradient boosting": {"pr_auc": Interval(0.3, -0.1, 0.7, 0.2)}}
    unsure = dataclasses.replace(given.evidence, against_rivals=against)
    verdict = dataclasses.replace(given, evidence=unsure).transfer_verdict()
    assert verdict.startswith("Whether the source helped is not shown: gradient boosting")
    assert "(+0.300 [-0.100, +0.700])" in verdict


def test_verdict_is_unknown_where_no_rival_without_source_could_run() -> None:
    assert "unknown" in report(alone=None).transfer_verdict()


def test_as_dict_is_json_and_complete() -> None:
    given = report()
    plain = json.loads(json.dumps(given.as_dict(), allow_nan=False))
    assert [entry["name"] for entry in plain["contestants"]] == [
        entry.name for entry in given.contestants
    ]
    assert plain["contestants"][0]["metrics"] == GOOD.as_dict()
    assert plain["contestants"][4] == dataclasses.asdict(given.contestants[4])
    assert plain["verdict"] == given.transfer_verdict()
    assert plain["comparison"]["excluded"] == 4
    assert plain["comparison"]["champion"]["pr_auc"] == 0.7


def test_as_dict_without_champion_says_null() -> None:
    alone = dataclasses.replace(EVIDENCE, comparison=None, champion_version=None)
    plain = dataclasses.replace(report(), evidence=alone).as_dict()
    assert json.loads(json.dumps(plain))["comparison"] is None


def test_as_dict_of_a_comparison_on_too_few_rows_says_null_for_both() -> None:
    few = dataclasses.replace(
        EVIDENCE, comparison=Comparison(None, None, rows=2, faults=0, excluded=98)
    )
    plain = json.loads(json.dumps(dataclasses.replace(report(), evidence=few).as_dict()))[
        "comparison"
    ]
    assert (plain["candidate"], plain["champion"], plain["rows"], plain["excluded"]) == (
        None,
        None,
        2,
        98,
    )


def test_markdown_tells_events_in_sentences_before_the_tables_and_then_how_sure_it_is() -> None:
    given = report()
    text = as_markdown(given, judge(given.evidence, GateOptions()))
    before, tables = text.split("\n|", maxsplit=1)
    for words in (
        "Finds 6 of 8 faults, half of all within 20 minutes; 40% to 95% can be expected of others.",
        "About 1.5 false alarms a day (between 0.4 and 3.9) at a threshold of 0.422.",
    ):
        assert words in before
    for words in (
        "3 alarms touched no fault; all alarms together are 0.2 an hour on these rows, within the "
        "limit: one operator can take 6 an hour from all systems together (EEMUA 191)",
        "drawing runs again and again (9 hold faults)",
    ):
        assert words in tables
    assert "| candidate, between | 0.700 to 0.880 | – |" in tables


def test_events_without_dates_are_counted_and_have_no_rate() -> None:
    undated = dataclasses.replace(
        EVENTS, detection_delay=None, false_alarms_per_day=None, alarms_per_hour=None
    )
    sentences = event_sentences(undated)
    assert sentences[0] == "3 alarms touched no fault; without dates they have no rate."
    assert event_sentences(None) == []


def test_figures_of_too_few_runs_have_no_bounds_and_the_report_says_why() -> None:
    assert "cannot be said" in certainty_sentence(dataclasses.replace(EVIDENCE, intervals={}))
    assert "blocks of time" in certainty_sentence(dataclasses.replace(EVIDENCE, by="block of time"))


def test_a_review_has_the_words_the_metrics_with_bounds_and_the_worst_slice() -> None:
    slices = tuple(
        Slice("mode", value, 40, 9, 6, {"roc_auc": Interval(change, change - 0.1, change + 0.1)})
        for value, change in (("idle", 0.02), ("full", -0.03))
    )
    compared = dataclasses.replace(COMPARISON, slices=slices)
    given = dataclasses.replace(
        report(), evidence=dataclasses.replace(EVIDENCE, comparison=compared)
    )
    said = review(given, Decision("needs approval", "Because.", ()), ["pr.png"])
    assert said["told"][0] == "Because."
    assert "Finds 6 of 8 faults" in " ".join(said["told"])
    assert "The champion was trained on 4 of them." in said["told"]
    assert said["metrics"][0] == {
        "metric": "PR-AUC",
        "candidate": "0.800",
        "low": "0.700",
        "high": "0.880",
        "champion": "0.700",
    }
    assert said["worst_slice"].startswith("Where mode is full (40 rows, 9 faults) the ROC-AUC")
    assert json.loads(json.dumps(said)) == said
    check = Check("GATE-SLICE", "slices", "not applicable", "There are no slices.")
    said = review(report(), Decision("promote", "All passed.", (check,)), [])
    assert said["worst_slice"] == "There are no slices."
