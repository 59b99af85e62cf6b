"""What the parts of a file say together, as its check as a whole would say it.

Every rule is judged on each part; what it leaves is small and adds up: counts and first examples of
rows, how many rows have a value, steps of time, one key a row by which equal readings are known,
the values of each class. Where that does not decide, the file is looked at as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from faultxfer.contract.measured import findings_of
from faultxfer.contract.rules import labels
from faultxfer.contract.schema import Contract
from faultxfer.findings import SEVERITIES, Finding
from faultxfer.reading.table import RawTable
from faultxfer.steps.in_parts.all_values import some_of
from faultxfer.steps.in_parts.cell_counts import CellCounts
from faultxfer.steps.in_parts.kept_values import KeptValues
from faultxfer.steps.in_parts.key_count import Again
from faultxfer.steps.in_parts.order import NEWEST_FIRST, OUTSIDE, STEP
from faultxfer.steps.in_parts.remarks import Remarks
from faultxfer.steps.in_parts.said import PartSaid, RemarkSaid
from faultxfer.steps.in_parts.set_aside import SetAside
from faultxfer.steps.in_parts.sight import NotByPartsError
from faultxfer.steps.in_parts.sums import Sums
from faultxfer.steps.in_parts.time_counts import TimeCounts


class Merged:
    """What all parts so far say together.

    Args:
        contract: what they are checked against.
        folder: for rows set aside, and for values of rows that are looked at again.
        training: whether a model is made of the rows; None where they are to be scored, and
            nothing is asked of labels or of what columns are.
        equipment: the machine asked for; all where it is None.
        dealt_out: whether parts hold recordings, with rows from all over the file.

    Attributes:
        set_aside: rows that break a rule.
        values: of rows that are looked at again.
    """

    def __init__(
        self,
        contract: Contract,
        folder: Path,
        training: bool | None,
        equipment: str | None,
        *,
        dealt_out: bool,
    ) -> None:
        self._contract, self._training, self._equipment = contract, training, equipment
        self.set_aside = SetAside(folder, dealt_out=dealt_out)
        self._sums = Sums(contract, by_line=dealt_out)
        self._remarks = Remarks()
        self._cells = CellCounts(contract)
        self._times = TimeCounts(contract, folder)
        self.values = KeptValues(contract, folder, dealt_out=dealt_out)

    @property
    def again(self) -> Again:
        """What of the file may be there again in other files."""
        return self._times.again

    def add(self, said: PartSaid, accepted: pd.DataFrame) -> None:
        """Take the next part.

        Args:
            said: what it says.
            accepted: its new rows.

        Raises:
            NotByPartsError: it says something else than the parts before.
        """
        for one in said.noted:
            self._sums.add(one)
        self._cells.add(said)
        self._times.add(said)
        self.values.add_limits(said.limits)
        if said.rows is not None:
            self.values.add(said.rows, accepted)
        self.set_aside.add(said.rejected)

    def remark(self, remarks: tuple[RemarkSaid, ...]) -> None:
        """Take what was found while the next part was brought into its shape.

        Raises:
            NotByPartsError: it is something else than in the parts before.
        """
        self._remarks.add(remarks)

    def close(self) -> None:
        """Have all that was written on the disk."""
        self.values.close()

    def findings(self, of_the_file: tuple[Finding, ...], table: RawTable) -> tuple[Finding, ...]:
        """What is said of the whole file.

        Args:
            of_the_file: what every part says.
            table: the first part's.

        Raises:
            NoReadingsError: a sensor has no reading in any row.
            NotByPartsError: it is to be judged over all rows after all.
        """
        self.set_aside.bring_in_order()
        self._require_parts()
        self.set_aside.put_codes_in_order(self._sums.codes_aside())
        lost = [found for found in of_the_file if found.code == "COLUMN-LOST"]
        found = [one for one in of_the_file if one.code != "COLUMN-LOST"]
        found = [*self._remarks.findings(self._contract, table), *found]
        again = [*self._cells.holding(table), *self._judged_again(table)]
        whole = [((STEP[one.code], place, 0), one) for place, one in enumerate(again)]
        ranked = sorted((*self._sums.findings(), *whole), key=lambda pair: pair[0])
        found += [one for _, one in ranked]
        found.sort(key=lambda one: SEVERITIES.index(one.severity))
        return (*found, *lost)

    def _require_parts(self) -> None:
        """What parts say is what the whole would say."""
        self._cells.require_readings(set(self._sums.of("SENSOR-MISSING")))
        self._cells.require_shares(of_missing=self._training is not None)
        self.values.require_labels()
        copies = sum(count for count, _ in self._sums.of("ROW-DUPLICATE").values())
        doubled = [words for _, words in self._sums.of("TIME-DUPLICATE").values()]
        self._times.require_seen(copies, doubled)
        self._cells.require_states()
        told = self._equipment is None and self._contract.equipment_column is not None
        some_left = self._sums.of(OUTSIDE) or self.set_aside.rows
        if told and some_left and self._cells.loses_a_machine:
            raise NotByPartsError

    def _judged_again(self, table: RawTable) -> Iterator[Finding]:
        """Findings of rules that need a number of all rows only."""
        normal, fault = self.values.labelled
        breaches = list(self._times.breaches(timed=self.values.timed))
        if bool(normal) != bool(fault):
            one_class = labels.of_one_class(
                self._contract, is_fault=bool(fault), rows=self.values.rows
            )
            breaches.append(one_class)
        for breach in breaches:
            yield Finding(
                breach.code,
                breach.severity or self._contract.severity(breach.code),
                breach.message,
                file=table.file,
                column=table.tag(breach.column),
                count=self._times.back if breach.code == NEWEST_FIRST else 1,
                expected=breach.expected,
                received=breach.received,
                remedy=breach.remedy,
            )

    def with_kinds(self, found: tuple[Finding, ...], table: RawTable) -> tuple[Finding, ...]:
        """The findings, with those of sensors that are no measurements."""
        some = some_of([self.values], self._contract)
        kinds = findings_of(some, table, training=bool(self._training), file=table.file)
        known = {(one.code, one.column) for one in found}
        for one in kinds:
            if (one.code, one.column) not in known:
                found = (one, *found) if one.severity == "refuse" else (*found, one)
        return found
