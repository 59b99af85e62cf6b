"""Every outcome of a transfer is one screen, with the outcome first and a command last."""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from faultxfer.cli import outcomes
from faultxfer.evaluate.events import ROW, EventMetrics
from faultxfer.evaluate.gate.check import (
    Check,
    Comparison,
    Decision,
    Evidence,
    Override,
    Slice,
)
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.plant_words import headline
from faultxfer.evaluate.report import Contestant, Report
from faultxfer.findings import Finding
from faultxfer.following import Next

WIDTH, LINES = 100, 24
METRICS = Metrics(0.94, 0.978, 0.86, 0.71, 0.088, 0.2, 0.03, 3920, 400)
EVENTS = EventMetrics(20, 17, Interval(0.85, 0.66, 0.96), 600.0, 3, Interval(0.3, 0.1, 0.8), 0.2)
ALARM = {"effective": 120.0}
LONG = "gradient boosting, source + target rows, scale of normal rows"


def scored(pr_auc: float) -> Metrics:
    return dataclasses.replace(METRICS, pr_auc=pr_auc)


def contestants(champion: bool) -> tuple[Contestant, ...]:
    listed = [
        Contestant("candidate", "candidate (weighted stack)", "candidate", True, METRICS),
        Contestant("source_as_is", "source model as it is", "rival", True, scored(0.854)),
        Contestant("alone", "logistic regression, target rows", "rival", False, scored(0.805)),
        Contestant("pooled", LONG, "rival", True, scored(0.934)),
        Contestant("other", "always normal", "rival", False, None, problem="no rows"),
    ]
    if champion:
        listed.insert(
            1, Contestant("champion", "champion (version 3)", "champion", True, scored(0.9))
        )
    return tuple(listed)


def report(*, champion: bool = False, events: Any = EVENTS, **more: Any) -> Report:
    comparison = None
    if champion:
        change = {"pr_auc": Interval(0.04, 0.01, 0.07, 0.02)}
        lost = Slice("load", "high", 900, 80, 9, {"pr_auc": Interval(-0.06, -0.1, -0.02, 0.02)})
        comparison = Comparison(METRICS, scored(0.9), 3920, 400, 0, change, slices=(lost,))
    against = {LONG: {"pr_auc": Interval(0.006, -0.02, 0.03, 0.01)}}
    intervals = {
        "pr_auc": Interval(0.94, 0.88, 0.99, 0.03),
        "false_alarm_rate": Interval(0.088, 0.05, 0.13, 0.02),
    }
    judged: dict[str, Any] = {"by": "run", "clusters": 12, "decides": True}
    own = {name: more.pop(name) for name in tuple(more) if name in judged}
    evidence = Evidence(
        METRICS,
        "3" if champion else None,
        comparison,
        {},
        intervals=intervals,
        events=events,
        against_rivals=against,
        **{**judged, **own},
    )
    given: dict[str, Any] = {"alarm": ALARM, "threshold": 0.4217, **more}
    return Report(
        model="demo-pumps",
        equipment="pump-9",
        strategy="stack",
        mode="hold-out",
        split="whole runs were held out",
        validity="Metrics come from runs that took no part.",
        contestants=contestants(champion),
        evidence=evidence,
        **given,
    )


FAILED = Check(
    "GATE-VALUE",
    "PR-AUC by itself",
    "failed",
    "The candidate's PR-AUC is 0.610, between 0.550 and 0.680; the rules ask for at least 0.7.",
)
OPEN = dataclasses.replace(FAILED, status="not shown", message="These rows do not show it.")
TIED = dataclasses.replace(FAILED, status="tied", message="That is a tie.")
APPROVAL = dataclasses.replace(FAILED, status="needs approval", message="It is the first model.")
SCORE = "faultxfer score new.csv --model demo-pumps --equipment pump-9 --out scores.csv"


def result(judged: Report, outcome: str, *checks: Check, **more: Any) -> Any:
    """As a transfer gives it, as far as the terminal looks at it."""
    decided = {"failed": "refuse", "tied": "tie", "not shown": "not enough evidence"}
    status = checks[0].status if checks else ""
    decision = Decision(decided.get(status, status or "promote"), "why", checks, rules="default")
    version = more.pop("version", None)
    registered = "demo-pumps--fault--pump-9"
    given = {
        "outcome": outcome,
        "report": judged,
        "decision": decision,
        "registered": registered,
        "version": version,
        "headline": headline(judged, decision, outcome, registered, version),
        "override": None,
        "pictures": {"pr_curve": "/runs/1/artifacts/pr_curve.png"},
        "page": "/runs/1/artifacts/report.html",
        "rows": SimpleNamespace(findings=(), docs=None),
        "next": (Next("Score rows with the champion", SCORE),),
    }
    return SimpleNamespace(**{**given, **more})


class Screen:
    """What was printed, as text and as it came."""

    def __init__(self, *, colours: bool = False) -> None:
        self._file = io.StringIO()
        self._colours = colours

    def __call__(self) -> Console:
        return Console(
            file=self._file, width=WIDTH, highlight=False, force_terminal=self._colours or None
        )

    @property
    def raw(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.raw.splitlines()]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(outcomes, "stdout", made)
    return made


FIRST = report(by="block of time")
SECOND = report(champion=True, outside=("flow", "speed"))
WHO = "demo-pumps--fault--pump-9 version 4"
STAYS = "pump-9 keeps its champion, version 3"
PAST = {"version": "4", "override": Override("ann@plant", "agreed with\nthe shift lead")}
OUTCOMES = {
    "promoted": (result(SECOND, "promoted", version="4"), f"promoted: {WHO} scores pump-9 from"),
    "override": (
        result(SECOND, "promoted", FAILED, **PAST),
        f"promoted by override: {WHO} scores pump-9 from now on",
    ),
    "provisional": (
        result(report(decides=False), "provisional", OPEN, version="4"),
        f"provisional: {WHO}, as the rows do not show enough",
    ),
    "refused": (result(SECOND, "refused", FAILED, FAILED), f"refused: {STAYS}"),
    "refused, no champion": (
        result(FIRST, "refused", FAILED),
        "refused: nothing was registered, and pump-9 has no champion",
    ),
    "tie": (result(SECOND, "refused", TIED), f"not promoted, a tie: {STAYS}"),
    "not enough": (
        result(SECOND, "refused", OPEN),
        f"not promoted, not enough evidence: {STAYS}",
    ),
    "needs approval": (result(SECOND, "refused", APPROVAL), f"waits for approval: {STAYS}"),
    "waiting": (
        result(SECOND, "waiting", APPROVAL, version="4"),
        f"waiting: {WHO}, until somebody approves it",
    ),
    "dry run": (
        result(SECOND, "dry run", FAILED, page=None),
        "dry run: it would be refused; nothing was registered",
    ),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_is_one_screen_that_begins_with_it_and_ends_with_a_command(
    name: str, screen: Screen
) -> None:
    made, begins = OUTCOMES[name]
    outcomes.transferred(made)
    assert screen.lines[0].startswith(begins)
    assert screen.lines[-2:] == ["Next: Score rows with the champion:", f"  {SCORE}"]
    assert len(screen.lines) <= LINES
    assert max(map(len, screen.lines[1:-1])) <= WIDTH
    assert "e+0" not in screen.raw
    assert "✓" not in screen.raw


GOLDEN = {
    "refused": "screen_of_a_refusal.txt",
    "provisional": "screen_of_a_provisional_version.txt",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_screen_is_the_golden_one(name: str, screen: Screen) -> None:
    outcomes.transferred(OUTCOMES[name][0])
    golden = Path(__file__).with_name(GOLDEN[name])
    assert screen.lines == golden.read_text().splitlines()


def test_the_page_on_the_gate_shows_the_golden_screen() -> None:
    golden = Path(__file__).with_name(GOLDEN["refused"]).read_text()
    page = Path(__file__).parents[2] / "docs" / "gate.md"
    assert f"```text\n{golden}```\n" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "colour"),
    [("promoted", "32"), ("override", "33"), ("refused", "31"), ("tie", "33"), ("waiting", "33")],
)
def test_the_first_line_has_the_colour_of_its_outcome(
    name: str, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured = Screen(colours=True)
    monkeypatch.setattr(outcomes, "stdout", coloured)
    outcomes.transferred(OUTCOMES[name][0])
    assert coloured.raw.startswith(f"\x1b[1;{colour}m")


def test_without_colours_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Screen(colours=True)
    monkeypatch.setattr(outcomes, "stdout", plain)
    outcomes.transferred(OUTCOMES["refused"][0])
    assert "[31m" not in plain.raw
    assert "\x1b[1;31m" not in plain.raw


def test_details_show_every_rival_check_and_picture_before_the_command(screen: Screen) -> None:
    outcomes.transferred(OUTCOMES["refused"][0], details=True)
    text = " ".join(screen.raw.split())
    for words in ("always normal", "log loss", FAILED.message, "pr_curve.png", "report.html"):
        assert words in text
    assert screen.lines[-1] == f"  {SCORE}"


def test_a_repeat_says_what_came_of_it_then(screen: Screen) -> None:
    pytest.importorskip("mlflow")
    from faultxfer.steps.repeats import Unchanged

    then = (Next("See why", "faultxfer registry history demo-pumps"),)
    outcomes.transferred(
        Unchanged(
            "unchanged", "refused", "It was refused", "m", "e", "m--e", None, None, "r", "u", then
        )
    )
    assert screen.lines == [
        "unchanged: It was refused.",
        "Next: See why:",
        "  faultxfer registry history demo-pumps",
    ]


def test_a_rival_that_is_better_is_named_and_whether_that_may_be_chance(screen: Screen) -> None:
    better = tuple(
        dataclasses.replace(one, metrics=scored(0.97)) if one.name == "pooled" else one
        for one in contestants(champion=False)
    )
    judged = dataclasses.replace(report(), contestants=better)
    outcomes.transferred(result(judged, "promoted", version="4"))
    text = " ".join(screen.raw.split())
    assert f"{LONG} has a PR-AUC of 0.970, which may be chance." in text


def test_the_champion_on_rows_that_it_was_trained_on_is_not_to_be_compared(screen: Screen) -> None:
    seen = tuple(
        dataclasses.replace(one, note="was trained on 9 of 10 of these rows")
        if one.role == "champion"
        else one
        for one in contestants(champion=True)
    )
    judged = dataclasses.replace(report(champion=True), contestants=seen)
    outcomes.transferred(result(judged, "promoted", version="4"))
    assert (
        "• The champion's line of the table: it was trained on 9 of 10 of these rows."
        in screen.lines
    )


def test_faults_that_nothing_tells_apart_are_counted_as_rows(screen: Screen) -> None:
    judged = report(events=dataclasses.replace(EVENTS, told_by=ROW))
    outcomes.transferred(result(judged, "promoted", version="4"))
    text = " ".join(screen.raw.split())
    assert "Finds 344 of 400 fault rows: 86%." in text
    assert "false-alarm rate, the share of normal rows that alarm, is 8.8%" in text
    assert "a week" not in text


NO_ROWS = SimpleNamespace(findings=(), docs=None, accepted=1008)
FOUND = SimpleNamespace(
    findings=(Finding("TIME-GAP", "warn", "…"), Finding("TIME-STEP", "info", "…")),
    docs=None,
    read=1010,
    accepted=1008,
    quarantined=2,
    quarantine="q.csv",
)
TYPE = "faultxfer registry list"
NEXT = (Next("See it", TYPE),)


def test_a_source_model_ends_with_what_it_finds_and_the_transfer(screen: Screen) -> None:
    made: Any = SimpleNamespace(
        model="pumps",
        version="2",
        finds="Finds 17 of 20 faults.",
        held_out="",
        rows=FOUND,
        next=NEXT,
    )
    outcomes.pretrained(made)
    assert screen.lines[0] == "registered: pumps version 2, a source model"
    assert "Finds 17 of 20 faults." in screen.lines
    files = "Files: 1,010 rows read, 1,008 accepted, 2 set aside (q.csv); 1 warning, 1 note, see"
    assert any(line.startswith(files) for line in screen.lines)
    assert screen.lines[-1] == f"  {TYPE}"


@pytest.mark.parametrize(
    ("alarms", "kind", "said"),
    [
        (1, "champion", "scored: 1,008 rows with version 3, 1 alarm (0.099% of the rows): s.csv"),
        (0, "champion", "scored: 1,008 rows with version 3, 0 alarms (0% of the rows): s.csv"),
        (504, "provisional", "with provisional version 3, 1 alarm (50% of the rows)"),
        (2, "source", "with the source model as it is, version 3, 1 alarm (0.2% of the rows)"),
    ],
)
def test_scores_begin_with_how_many_alarms_there_are_and_in_how_many_rows(
    alarms: int, kind: str, said: str, screen: Screen
) -> None:
    made: Any = SimpleNamespace(
        rows=NO_ROWS,
        alarms=(),
        alarm_count=min(alarms, 1),
        alarms_out="s-alarms.csv",
        alarm_rows=alarms,
        scored_with=kind,
        model_version="3",
        out="s.csv",
        note="",
        lost_note="",
        banner="",
        next=NEXT,
    )
    outcomes.scored(made)
    assert said in screen.lines[0]
    assert screen.lines[-1] == f"  {TYPE}"


def test_a_learning_curve_begins_with_whether_more_labels_would_help(screen: Screen) -> None:
    made: Any = SimpleNamespace(
        model="pumps",
        equipment="pump-9",
        short=("More labels would help.",),
        answers=("At the start.", "More labels would help."),
        curve=SimpleNamespace(points=()),
        files={"html": "out/curve.html", "png": "out/curve.png"},
        rows=NO_ROWS,
        next=NEXT,
    )
    outcomes.learned(made)
    assert screen.lines[1] == "• More labels would help."
    assert "At the start." not in screen.raw
    assert screen.lines[-1] == f"  {TYPE}"
    outcomes.learned(made, details=True)
    assert "• At the start." in screen.lines
    assert "  out/curve.png" in screen.lines


if __name__ == "__main__":  # writes the golden screens anew: python tests/cli/test_outcomes.py
    for kind, place in GOLDEN.items():
        golden_screen = Screen()
        outcomes.stdout = golden_screen  # type: ignore[assignment]
        outcomes.transferred(OUTCOMES[kind][0])
        text = "\n".join(golden_screen.lines) + "\n"
        Path(__file__).with_name(place).write_text(text)
        sys.stdout.write(f"{kind}\n{text}\n")
