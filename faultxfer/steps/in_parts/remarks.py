"""What was found while parts were brought into their shape, added up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from faultxfer.contract.schema import Contract
from faultxfer.findings import Finding
from faultxfer.reading.table import RawTable
from faultxfer.steps.in_parts.said import RemarkSaid
from faultxfer.steps.in_parts.sight import NotByPartsError


class Remarks:
    """Remarks on readings over the parts so far."""

    def __init__(self) -> None:
        self._remarks: dict[str, RemarkSaid] = {}

    def add(self, remarks: tuple[RemarkSaid, ...]) -> None:
        """Take those on the next part.

        Raises:
            NotByPartsError: one is something else than in the parts before.
        """
        for one in remarks:
            known = self._remarks.get(one.code, dataclasses.replace(one, count=0))
            if (known.words, known.column) != (one.words, one.column):
                raise NotByPartsError
            first = min(known, one, key=lambda remark: remark.place)
            self._remarks[one.code] = dataclasses.replace(first, count=known.count + one.count)

    def findings(self, contract: Contract, table: RawTable) -> Iterator[Finding]:
        """Each as that of the whole file."""
        for _, one in sorted(self._remarks.items()):
            before, after = one.words
            yield Finding(
                one.code,
                contract.severity(one.code),
                f"{before}{one.count}{after}",
                file=one.file or table.file,
                column=one.column,
                line=one.line,
                count=one.count,
                remedy=one.remedy,
            )
