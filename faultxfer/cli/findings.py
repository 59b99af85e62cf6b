"""What a check of files found, for a person: the verdict first, then one line for each code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from faultxfer.cli.session import stdout
from faultxfer.contract.folding import Folded, fold, with_plurals
from faultxfer.findings import Finding, Severity

if TYPE_CHECKING:
    from faultxfer.steps.intake import CheckedRows

_COLOURS = {"refuse": "red", "quarantine": "yellow", "warn": "yellow", "info": "dim"}
# How severities stand in front of a line.
_SHORT: dict[Severity, str] = {
    "refuse": "refused",
    "quarantine": "set aside",
    "warn": "warning",
    "info": "note",
}
# More files than this are told by how they were read, not one by one.
_FEW_FILES = 3


def checked(rows: CheckedRows, *, details: bool) -> None:
    """The verdict, the findings, how the files were read, and where rows set aside lie."""
    console = stdout()
    folded = fold(rows.findings, rows.read - rows.left_out)
    _verdict(rows)
    if details and rows.findings:
        console.print(_table(rows.findings))
    else:
        for one in folded:
            _line(one)
    for sentence in _read_alike(rows.reading, details=details):
        console.print(escape(sentence), soft_wrap=True)
    _places(rows)
    if not details and len(rows.findings) > len(folded):
        console.print("With `--details` each finding has a line of its own.")


def _verdict(rows: CheckedRows) -> None:
    verdict = "[bold red]refused[/]" if rows.refused else "[bold green]accepted[/]"
    others = f", {rows.left_out:,} of other equipment" if rows.left_out else ""
    filled = f" ({rows.imputed:,} with readings filled in)" if rows.imputed else ""
    others += "".join(f", {count:,} {reason}" for reason, count in rows.unused.items())
    stdout().print(
        f"{verdict}: {rows.read:,} rows read, {rows.accepted:,} accepted{filled}, "
        f"{rows.quarantined:,} set aside{others}.",
        soft_wrap=True,
    )


def _line(one: Folded) -> None:
    """One line, and below it what to do."""
    label = f"[{_COLOURS[one.severity]}]{_SHORT[one.severity]:>9}[/]"
    console = stdout()
    console.print(f"{label}  {escape(one.sentence)} [dim]{one.code}[/]", soft_wrap=True)
    if one.remedy:
        console.print(f"{'':>9}  What to do: {escape(one.remedy)}.", soft_wrap=True)


def _read_alike(reading: Iterable[dict[str, Any]], *, details: bool) -> list[str]:
    """How each file was read, or, where there are many, how many were read alike."""
    files = list(reading)
    if details or len(files) <= _FEW_FILES:
        return [str(one["sentence"]) for one in files]
    alike: dict[str, list[str]] = {}
    for one in files:
        alike.setdefault(_how(one), []).append(str(one["file"]))
    told = {how: names[0] + _more(len(names) - 1) for how, names in alike.items()}
    return [f"{names}: {how}" for how, names in told.items()]


def _how(reading: dict[str, Any]) -> str:
    """How a file was read, without its name and its number of rows."""
    sentence = str(reading["sentence"]).removeprefix(f"{reading['file']}: ")
    return ", ".join(part for part in sentence.split(", ") if part != f"{reading['rows']} rows")


def _more(count: int) -> str:
    if not count:
        return ""
    return f" and {count:,} more file{'s' if count > 1 else ''}"


def _places(rows: CheckedRows) -> None:
    console = stdout()
    if rows.quarantine:
        console.print(f"Rows set aside, and why: {escape(str(rows.quarantine))}", soft_wrap=True)
    data_docs(rows)


def data_docs(rows: CheckedRows) -> None:
    """Where the pages lie, if there are any."""
    if rows.docs:
        stdout().print(f"Data Docs: {escape(rows.docs)}", soft_wrap=True)


def _table(findings: Iterable[Finding]) -> Table:
    """Every finding."""
    table = Table(title="Findings")
    for column in ("severity", "code", "where", "rows", "what", "what to do"):
        table.add_column(column, overflow="fold", justify="right" if column == "rows" else "left")
    for finding in findings:
        severity = f"[{_COLOURS[finding.severity]}]{finding.severity}[/]"
        table.add_row(
            *(severity, finding.code, escape(_place(finding)), f"{finding.count:,}"),
            *(escape(_what(finding)[:300]), escape(finding.remedy)),
        )
    return table


def _place(finding: Finding) -> str:
    line = f"line {finding.line}" if finding.line else ""
    return " ".join(filter(None, (finding.file, finding.column, line)))


def _what(finding: Finding) -> str:
    what = with_plurals(finding.message)
    if finding.expected:
        what += f". Expected {finding.expected}"
    if finding.examples:
        what += f"; {'; '.join(finding.examples[:2])}"
    return what
