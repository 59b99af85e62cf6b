"""Check one table against its contract: good rows through, bad rows aside, each with a reason.

Each step has a file of its own: columns, rows that are used, cells, values and rules, what is left.
"""

from __future__ import annotations

import numpy as np

from faultxfer.contract.accepted_rows import outcome, refused
from faultxfer.contract.checking import State
from faultxfer.contract.judged_rows import judge_values, run_rules
from faultxfer.contract.named_columns import note_columns
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.contract.typed_cells import read_cells
from faultxfer.contract.used_rows import choose_machine, choose_used
from faultxfer.reading.table import RawTable


def begin_check(
    table: RawTable,
    contract: Contract,
    *,
    labelled: bool | None,
    equipment: str | None = None,
    fills: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
    lacks: frozenset[str] = frozenset(),
    of_a_file: bool = True,
    of_a_part: bool = False,
    copies: np.ndarray | None = None,
) -> Check:
    """Check what a table is, before its values are judged.

    Args:
        table: the rows as read.
        contract: what they must look like.
        labelled: whether the label column is needed (training) or ignored (scoring); None checks
            it where it is.
        equipment: keep only rows of this machine; others are left out and counted.
        fills: sensors whose missing readings the model at hand can fill; rows that lack others are
            set aside, the rest are accepted with NaN in these sensors.
        without: sensors that no row has, whatever the file and the contract say.
        lacks: sensors that are not in the contract, as the machine lacks them.
        of_a_file: whether the rows are a file. Of others nothing is refused for the share or the
            number of rows that are bad, as a single row that somebody asks for is all or nothing.
        of_a_part: whether the rows are a part of a file, of which nothing is said that is to be
            judged over all its rows: shares, and what no row has.
        copies: (n,) bool: rows that are known to repeat an earlier one, perhaps of another part;
            None where the table shows that.

    Raises:
        DataError: numbers or times of the file can be read in more than one way, and the contract
            does not pin one.
    """
    check = Check(
        table,
        contract,
        labelled,
        equipment,
        fills,
        without=without,
        lacks=lacks,
        of_a_file=of_a_file,
        of_a_part=of_a_part,
        copies=copies,
    )
    for step in (note_columns, choose_machine, choose_used):
        step(check)
        if check.notes.refused:
            return check
    if check.has_rows:
        read_cells(check)
    return check


class Check(State):
    """The check of one table."""

    def ended(self) -> Checked:
        """The outcome, after the values are judged and the rules have seen what is left."""
        if self.has_rows:
            judge_values(self)
        if self.has_rows:
            run_rules(self)
        return refused(self) if self.notes.refused else outcome(self)
