"""Findings of rows, added up over the parts of a file as its check as a whole would have them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from faultxfer.contract.notes import Noted, with_tail
from faultxfer.contract.schema import Contract
from faultxfer.contract.selection import counted_values
from faultxfer.findings import MAX_EXAMPLES, Finding
from faultxfer.steps.in_parts.order import OUTSIDE, STEP
from faultxfer.steps.in_parts.said import RowsSaid, Words
from faultxfer.steps.in_parts.sight import NotByPartsError


@dataclass
class _Sum:
    """A finding of rows over the parts so far."""

    noted: Noted
    first: Finding
    words: Words
    count: int = 0
    some: int = 0
    # By line where the rows do not come in the order of the file.
    examples: tuple[tuple[int, str], ...] = ()
    values: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, said: RowsSaid, *, by_line: bool) -> None:
        """Add what another part says."""
        self.count += said.found.count
        self.some += said.noted.more
        for value, (count, line) in said.values.items():
            known, first = self.values.get(value, (0, line))
            self.values[value] = known + count, min(first, line)
        examples = (*self.examples, *zip(said.lines, said.found.examples, strict=True))
        if by_line:
            examples = tuple(sorted(examples, key=lambda one: one[0]))
            if examples[0][0] == said.lines[0]:
                self.first = said.found
        self.examples = examples[:MAX_EXAMPLES]

    def finding(self, *, by_line: bool) -> Finding:
        """As that of the whole file."""
        before, after = self.words
        found = list(self.values.items())  # as they came
        if by_line:
            found.sort(key=lambda one: one[1][1])
        ranked = sorted(found, key=lambda one: -one[1][0])
        after += counted_values({value: count for value, (count, _) in ranked})
        message = with_tail(f"{before}{self.count}{after}", self.noted.tail, self.some)
        examples = tuple(text for _, text in self.examples)
        return dataclasses.replace(self.first, message=message, count=self.count, examples=examples)


class Sums:
    """All findings of rows over the parts so far.

    Args:
        contract: what they are checked against.
        by_line: whether the rows of a part are from all over the file.
    """

    def __init__(self, contract: Contract, *, by_line: bool) -> None:
        self._contract, self._by_line = contract, by_line
        self._sums: dict[tuple[str, str], _Sum] = {}

    def add(self, said: RowsSaid) -> None:
        """Add what another part says of one of them.

        Raises:
            NotByPartsError: it is another finding than in the parts before.
        """
        noted = said.noted
        first = _Sum(noted, said.found, said.words)
        known = self._sums.setdefault((noted.code, noted.column), first)
        same = (known.words, known.noted.severity, known.noted.remedy, known.noted.expected)
        if same != (said.words, noted.severity, noted.remedy, noted.expected):
            raise NotByPartsError
        known.add(said, by_line=self._by_line)

    def of(self, code: str) -> dict[str, tuple[int, Words]]:
        """By column, how many rows have this finding, and its words."""
        return {
            column: (one.count, one.words)
            for (known, column), one in self._sums.items()
            if known == code
        }

    def codes_aside(self) -> dict[str, int]:
        """Codes by which rows are set aside, and their places in the order of the check."""
        aside = (one for one in self._ranked() if one.noted.severity == "quarantine")
        codes = dict.fromkeys(one.noted.code for one in aside)
        return {code: number for number, code in enumerate(codes)}

    def findings(self) -> list[tuple[tuple[int, int, int], Finding]]:
        """Each as that of the whole file, with its place in the order of the check."""
        return [(self._rank(one), one.finding(by_line=self._by_line)) for one in self._ranked()]

    def _ranked(self) -> list[_Sum]:
        return sorted(self._sums.values(), key=self._rank)

    def _rank(self, one: _Sum) -> tuple[int, int, int]:
        """Where the check comes to a finding: by step, by sensor, and by what is expected of it."""
        code, column, contract = one.noted.code, one.noted.column, self._contract
        if code == "READING-QUALITY":
            sensors = contract.sensors.items()
            of = {sensor.quality.column: name for name, sensor in sensors if sensor.quality}
            column = of.get(column, column)
        keys = (contract.equipment_column, contract.run_column)
        names = tuple(contract.where) if code == OUTSIDE else (*contract.features, *keys)
        place = names.index(column) if column in names else -1
        return STEP[code], place, list(STEP).index(code)
