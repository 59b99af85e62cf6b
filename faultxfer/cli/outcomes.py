"""How the main path's commands end for a person: the outcome first, and what to type next last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from faultxfer.cli import findings, speaking
from faultxfer.cli.session import stdout
from faultxfer.contract import folding
from faultxfer.following import Next
from faultxfer.wording import counted, percent

if TYPE_CHECKING:
    # Only names here: looking at the registry must not wait for TensorFlow.
    from faultxfer.evaluate.metrics import Metrics
    from faultxfer.evaluate.report import Report
    from faultxfer.fleet.outcomes import FleetResult
    from faultxfer.learning_curves.measuring import LearningResult
    from faultxfer.steps.intake import CheckedRows
    from faultxfer.steps.pretraining import PretrainResult
    from faultxfer.steps.registration import TransferResult
    from faultxfer.steps.repeats import Unchanged
    from faultxfer.steps.scoring import ScoreResult

_STATUS = {
    **{"passed": "green", "failed": "red", "warned": "yellow"},
    **{"tied": "yellow", "not shown": "yellow", "needs approval": "yellow"},
}
_PERCENTAGES = ("recall", "false-alarm\nrate")
# Of a version that is no champion, nor asked for by its number.
_SCORER = {"provisional": "provisional ", "source": "the source model as it is, "}

# Machines of a fleet that are shown on the screen; the page has all.
_MOST_BAD = 10


def pretrained(result: PretrainResult, *, details: bool = False) -> None:
    """The source model, what it finds on its own machines, and what that does not show."""
    from faultxfer.evaluate.plant_words import doubts_of_source

    _headline(f"registered: {result.model} version {result.version}, a source model", "green")
    _paragraph(result.finds)
    _not_for(doubts_of_source(result.held_out))
    _files(result.rows)
    if details:
        stdout().print(_all_metrics(result.model, result.metrics))
        if result.held_out:
            stdout().print(result.held_out, soft_wrap=True, markup=False)
        _pictures(result.pictures)
        findings.data_docs(result.rows)
    next_commands(result.next)


def _all_metrics(title: str, metrics: Metrics) -> Table:
    from faultxfer.evaluate.report import COLUMNS, metric_cells

    table = Table(title=escape(title))
    for column in COLUMNS:
        table.add_column(column, justify="right")
    table.add_row(*metric_cells(metrics))
    return table


def transferred(result: TransferResult | Unchanged, *, details: bool = False) -> None:
    """One screen: outcome, what it finds, the short table, what not to trust it for."""
    from faultxfer.evaluate.plant_words import not_to_trust_it_for, what_it_finds, why
    from faultxfer.steps.repeats import Unchanged

    if isinstance(result, Unchanged):
        _headline(f"unchanged: {result.reason}.", _colour_before(result.before))
        next_commands(result.next)
        return
    _headline(result.headline, _colour(result))
    if reason := why(result.report, result.decision, result.override):
        _print(reason)
    _paragraph(what_it_finds(result.report))
    stdout().print(_short_table(result.report))
    _not_for(not_to_trust_it_for(result.report))
    _files(result.rows)
    if details:
        _transfer_details(result)
    else:
        where = result.page or "the same command with `--details`"
        stdout().print(f"All rivals, checks and pictures: {where}", markup=False, soft_wrap=True)
    next_commands(result.next)


def _colour(result: TransferResult) -> str:
    """Green is for what the gate let pass, red for what it refused."""
    if result.outcome == "promoted":
        return "green" if result.override is None else "yellow"
    return "red" if result.decision.outcome == "refuse" else "yellow"


def _colour_before(outcome: str) -> str:
    return {"promoted": "green", "refused": "red"}.get(outcome, "yellow")


def _short_table(report: Report) -> Table:
    from faultxfer.evaluate.plant_words import COLUMNS, short_table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in _PERCENTAGES else "left")
    for line in short_table(report):
        style = "bold" if line.role == "candidate" else None
        table.add_row(*(escape(cell) for cell in line.cells), style=style)
    return table


def _transfer_details(result: TransferResult) -> None:
    """Everything that the report says, as far as a terminal can show it."""
    report, console = result.report, stdout()
    console.print()
    console.print(_contestants(report))
    for sentence in _detailed_sentences(report):
        _print(sentence)
    console.print()
    for check in result.decision.checks:
        colour = _STATUS.get(check.status, "dim")
        console.print(f"[{colour}]{check.status:>14}[/]  {escape(check.message)}")
    _pictures(result.pictures)
    findings.data_docs(result.rows)
    if result.page:
        stdout().print(f"Report: {result.page}", soft_wrap=True, markup=False)


def _contestants(report: Report) -> Table:
    from faultxfer.evaluate.report import COLUMNS, metric_cells

    table = Table(title=f"{escape(report.model)} → {escape(report.equipment)}")
    table.add_column("")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for entry in report.contestants:
        note = entry.problem or entry.note
        title = f"{escape(entry.title)}{f' [dim]({escape(note)})[/]' if note else ''}"
        table.add_row(title, *metric_cells(entry.metrics))
    return table


def _detailed_sentences(report: Report) -> list[str]:
    from faultxfer.evaluate.page import (
        HELD_FAULTS,
        certainty_sentence,
        event_sentences,
        held_fault_lines,
    )

    faults = held_fault_lines(report)
    return [
        report.validity,
        report.transfer_verdict(),
        *report.alarm_notes,
        *event_sentences(report.evidence.events),
        certainty_sentence(report.evidence),
        *([HELD_FAULTS] if faults else []),
        *(f"• {line}" for line in faults),
    ]


def scored(result: ScoreResult, *, details: bool = False) -> None:
    """How many rows alarm, by which version, and where the scores are."""
    alarms = counted(result.alarm_count, "alarm")
    if result.rows.accepted:
        alarms += f" ({percent(result.alarm_rows / result.rows.accepted)} of the rows)"
    by = f"{_SCORER.get(result.scored_with, '')}version {result.model_version}"
    rows = counted(result.rows.accepted, "row")
    colour = "yellow" if result.banner else "green"
    _headline(f"scored: {rows} with {by}, {alarms}: {result.out}", colour)
    speaking.alarms(result.alarms, result.alarm_count, result.alarms_out)
    for text in filter(None, (result.lost_note, result.note)):
        _print(text)
    _files(result.rows)
    findings.data_docs(result.rows)
    if details:
        _all_findings(result.rows)
    next_commands(result.next)


def learned(result: LearningResult, *, details: bool = False) -> None:
    """Whether more labels would help and what the source brings; the table; where the files lie."""
    from faultxfer.learning_curves.report import COLUMNS, cells

    _headline(f"measured: {result.model} → {result.equipment}, PR-AUC by labelled rows", "green")
    for answer in result.answers if details else result.short:
        _print(f"• {answer}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for point in result.curve.points:
        table.add_row(*(escape(cell) for cell in cells(point, result.curve)))
    stdout().print()
    stdout().print(table)
    stdout().print()
    _files(result.rows)
    files = result.files if details else {"html": result.files["html"]}
    for path in files.values():
        _print(f"Table, answers and picture: {path}" if not details else f"  {path}")
    next_commands(result.next)


def fleet(result: FleetResult) -> None:
    """How many machines came to what, those to look at, and the page with all."""
    colour = {"failed": "red", "refused": "yellow", "done": "green"}[result.outcome]
    _headline(result.headline, colour)
    bad = [one for one in result.machines if one.grade != "done"]
    for one in bad[:_MOST_BAD]:
        _print(f"• {one.machine}: {one.outcome}. {one.told}")
    if len(bad) > _MOST_BAD:
        _print(f"• {len(bad) - _MOST_BAD} more, see the page")
    stdout().print(f"All machines: {result.page}", markup=False, soft_wrap=True)
    next_commands(result.next)


def next_commands(commands: tuple[Next, ...]) -> None:
    """The commands to type, the likeliest last."""
    for one in commands:
        stdout().print(f"Next: {one.why}:", markup=False, soft_wrap=True)
        stdout().print(f"  {one.command}", soft_wrap=True, markup=False)


def _headline(text: str, colour: str) -> None:
    stdout().print(f"[bold {colour}]{escape(text)}[/]", soft_wrap=True)


def _print(text: str) -> None:
    stdout().print(text, markup=False)


def _paragraph(text: str) -> None:
    stdout().print()
    _print(text)
    stdout().print()


def _not_for(doubts: tuple[str, ...] | list[str]) -> None:
    from faultxfer.evaluate.plant_words import NOT_FOR

    stdout().print()
    _print(NOT_FOR)
    for doubt in doubts:
        _print(f"• {doubt}")


def _files(rows: CheckedRows) -> None:
    """How many rows and findings there are, where there is anything to know of them."""
    if rows.findings:
        said = f"Files: {rows.read:,} rows read, {rows.accepted:,} accepted, "
        said += f"{rows.quarantined:,} set aside"
        said += f" ({rows.quarantine})" if rows.quarantine else ""
        told = folding.counted(rows.findings)
        _print(f"{said}; {told}, see `faultxfer validate`.")


def _all_findings(rows: CheckedRows) -> None:
    if rows.findings:
        findings.checked(rows, details=True)


def _pictures(pictures: dict[str, str]) -> None:
    console = stdout()
    if pictures:
        console.print("Pictures:")
    for key, address in pictures.items():
        console.print(f"  {key:<17} {address}", soft_wrap=True)
