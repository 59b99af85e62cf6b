"""Findings: coded results of checks on rows and files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, get_args

# What a contract may choose for a rule.
Consequence = Literal["refuse", "quarantine", "warn"]
Severity = Literal["refuse", "quarantine", "warn", "info"]
# The gravest first.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

MAX_EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One coded check result.

    Attributes:
        code: stable upper-case code, documented in ``docs/data-contracts.md``.
        severity: ``refuse`` stops the file, ``quarantine`` sets rows aside, ``warn`` only says, and
            ``info`` says what nobody has to act on, as long as limits are only drafted.
        message: one sentence for a plant engineer.
        file: name of the file the finding belongs to, if one.
        column: column of the file, if one.
        line: first line of the file concerned, counted from 1 with the header as line 1.
        count: number of rows (or columns) concerned.
        expected: what the contract asks for.
        received: what came, shortened.
        examples: up to five offending values, as ``line N: value``.
        remedy: what to do.
        absent: sensors of the contract of which the file has nothing, where that is all that is
            wrong: a machine that does not have them can go on without.
    """

    code: str
    severity: Severity
    message: str
    file: str | None = None
    column: str | None = None
    line: int | None = None
    count: int = 1
    expected: str = ""
    received: str = ""
    examples: tuple[str, ...] = ()
    remedy: str = ""
    absent: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The finding as plain data for JSON."""
        return {**asdict(self), "examples": list(self.examples), "absent": list(self.absent)}


def shortened(cell: object) -> str:
    """A cell short enough to show."""
    return str(cell)[:40]


def absent_sensors(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Sensors whose want is all that refuses files, each once; none where there is more."""
    refused = refusing(findings)
    if not all(finding.absent for finding in refused):
        return ()
    return tuple(dict.fromkeys(name for finding in refused for name in finding.absent))


def refusing(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that stop a file."""
    return [finding for finding in findings if finding.severity == "refuse"]
