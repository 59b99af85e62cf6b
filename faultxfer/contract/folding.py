"""Findings for a person: one line for each code, the gravest first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faultxfer import wording
from faultxfer.contract.codes import DRAFTED, SHORT
from faultxfer.findings import SEVERITIES, Finding, Severity

# How many sensors or files a line names, and how long what is expected may be.
_SHOWN, _LONGEST = 4, 80
# By severity what happens, for one finding and for several.
_HAPPENS: dict[Severity, tuple[str, str]] = {
    "refuse": ("finding that refuses a file", "findings that refuse a file"),
    "quarantine": ("finding that sets rows aside", "findings that set rows aside"),
    "warn": ("warning", "warnings"),
    "info": ("note", "notes"),
}


@dataclass(frozen=True)
class Folded:
    """Findings of one code and severity.

    Attributes:
        code, severity: of all of them.
        findings: how many there are.
        sentence: what they have in common, without full stop.
        where: files and columns concerned, the first ones by name.
        count: rows or columns concerned, all together.
        remedy: what to do about most of them.
    """

    code: str
    severity: Severity
    findings: int
    sentence: str
    where: str
    count: int
    remedy: str


def fold(findings: Iterable[Finding], rows: int = 0) -> list[Folded]:
    """One entry for each code and severity, the gravest first.

    Args:
        findings: of all files.
        rows: that were read, by which the share of readings is told; 0 where unknown.
    """
    groups: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.code), []).append(finding)
    ordered = sorted(groups, key=lambda group: SEVERITIES.index(group[0]))
    return [_folded(groups[group], rows) for group in ordered]


_OF_ONE = {
    **{"are": "is", "have": "has", "come": "comes"},
    **{"lie": "lies", "stand": "stands", "were": "was"},
}
# One thing that a message begins with, and its verb.
_ONE = re.compile(rf"^(1 [a-z]+)\(s\)( of the contract)? ({'|'.join(_OF_ONE)})\b")


def counted(findings: Iterable[Finding]) -> str:
    """How many findings there are, by what happens.

    >>> counted([Finding("TIME-GAP", "warn", "…"), Finding("TIME-STEP", "warn", "…")])
    '2 warnings'
    """
    numbers = Counter(finding.severity for finding in findings)
    told = [
        f"{numbers[severity]:,} {_HAPPENS[severity][numbers[severity] > 1]}"
        for severity in SEVERITIES
        if severity in numbers
    ]
    return ", ".join(told)


def _folded(group: Sequence[Finding], rows: int) -> Folded:
    first = group[0]
    ((remedy, _),) = Counter(finding.remedy for finding in group).most_common(1)
    return Folded(
        code=first.code,
        severity=first.severity,
        findings=len(group),
        sentence=_alone(first) if len(group) == 1 else _together(group, rows),
        where=_listed(dict.fromkeys(filter(None, (*_files(group), *_columns(group))))),
        count=sum(finding.count for finding in group),
        remedy=remedy,
    )


def with_plurals(text: str) -> str:
    """A message as people write it.

    >>> with_plurals("1 column(s) of 12 row(s)")
    '1 column of 12 rows'
    >>> with_plurals("1 tag(s) of the contract have no file")
    '1 tag of the contract has no file'
    """
    text = _ONE.sub(lambda found: f"{found[1]}{found[2] or ''} {_OF_ONE[found[3]]}", text)
    text = re.sub(r"\b(1 [a-z]+)\(s\)", r"\1", text)
    return text.replace("(s)", "s")


def _alone(finding: Finding) -> str:
    """The finding's own sentence, with its place."""
    line = f"line {finding.line}" if finding.line else ""
    place = ", ".join(filter(None, (finding.file, line)))
    expected = f"; expected {_cut(finding.expected)}" if finding.expected else ""
    examples = f"; {'; '.join(finding.examples[:2])}" if finding.examples else ""
    message = with_plurals(finding.message)
    return f"{message}{expected}{examples}{f' ({place})' if place else ''}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"


def _together(group: Sequence[Finding], rows: int) -> str:
    """How many sensors, columns or files have it, the first of them by name, and how much of it."""
    files, columns = _files(group), _columns(group)
    by_column = len(columns) > 1 or (len(columns) == 1 and _is_of_a_column(group[0].code))
    names = columns if by_column else files
    if not names:
        return f"{group[0].message}, and {len(group) - 1} more like it"
    noun = _noun(group[0].code) if by_column else "file"
    what = f"{wording.counted(len(names), noun)} {_phrase(group[0])}"
    inside = f" in {wording.counted(len(files), 'file')}" if by_column and len(files) > 1 else ""
    return f"{what}{inside}: {_listed(names)}{_much(group, rows * len(columns))}"


def _phrase(finding: Finding) -> str:
    is_drafted = finding.code == "SENSOR-OUT-OF-RANGE" and finding.severity == "info"
    return DRAFTED if is_drafted else SHORT[finding.code]


def _is_of_a_column(code: str) -> bool:
    return code.startswith(("SENSOR-", "COLUMN-"))


def _noun(code: str) -> str:
    return "sensor" if code.startswith("SENSOR-") else "column"


def _files(group: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.file for finding in group if finding.file))


def _columns(group: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.column for finding in group if finding.column))


def _much(group: Sequence[Finding], readings: int) -> str:
    """The share of a sensor's readings, or how many rows, where rows were counted."""
    if not all(finding.examples for finding in group):
        return ""
    count = sum(finding.count for finding in group)
    if not readings or not group[0].code.startswith("SENSOR-"):
        return f" ({wording.counted(count, 'row')})"
    share = count / readings
    return f" ({f'{share:.0%}' if share >= 0.01 else 'less than 1%'} of their readings)"


def _listed(names: Iterable[str]) -> str:
    """The first names; one that is alone beyond them is named too."""
    every = list(names)
    if len(every) <= _SHOWN + 1:
        return ", ".join(every)
    return f"{', '.join(every[:_SHOWN])} and {len(every) - _SHOWN:,} more"
