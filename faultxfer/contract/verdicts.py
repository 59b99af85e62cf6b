"""What operators say of alarms, read as a log of faults that says nothing of the rest.

`score` writes a line for each stretch of alarms with an empty `verdict`. Filled in with true, false
or unknown the file labels rows: those of an alarm that was right are faults, those of one that was
wrong are normal, and of all others nobody knows.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from faultxfer.contract.fault_log import FaultLog
from faultxfer.contract.log_labels import how_of
from faultxfer.contract.schema import Contract
from faultxfer.errors import DataError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable

EVENT, VERDICT, VERSION, DURATION = "event", "verdict", "model_version", "duration"
FIRST, LAST, MACHINE = "first_time", "last_time", "equipment"
# As they are to be written, and as spreadsheets of several countries write them.
RIGHT = ("true", "1", "yes", "wahr", "vrai", "verdadero", "vero", "waar", "prawda")
WRONG = ("false", "0", "no", "falsch", "faux", "falso", "onwaar", "fałsz")
UNDECIDED = ("unknown", "?", "")
# How times are written in the alarms, which is as in the files; all else is as `score` writes it.
_OF_TIMES = ("time_format", "day_first", "timezone", "repeated_hour")


def how_to_read(path: Path, contract: Contract) -> FaultLog:
    """How a log of faults is read: as the contract says, or as alarms with verdicts.

    Raises:
        ContractError: it is no file of alarms, and the contract does not say.
        DataError: it is no table; or an alarm has another verdict than true, false or unknown, or
            none has one.
    """
    table = read_csv(path, Csv())
    if not _holds_alarms(table):
        return how_of(contract)
    verdicts = table.stripped(VERDICT).fillna("")
    _require_known(verdicts, table)
    spelt = {meaning: _spellings(verdicts, meaning) for meaning in (RIGHT, WRONG, UNDECIDED)}
    if not spelt[RIGHT] + spelt[WRONG]:
        raise DataError(
            "No alarm has a verdict yet, so nothing says what the rows are",
            received={VERDICT: "empty in all lines" if len(table) else "no line"},
            where=path.name,
            remedy=f"Fill in `{VERDICT}`: true where the alarm was right, false where it was not",
        )
    return FaultLog(
        start=FIRST,
        end=LAST,
        equipment=MACHINE,
        code=VERDICT,
        fault=spelt[RIGHT],
        normal=spelt[WRONG],
        exclude=(*spelt[UNDECIDED], ""),
        csv=Csv(**{name: getattr(contract.csv, name) for name in _OF_TIMES}),
    )


def _holds_alarms(table: RawTable) -> bool:
    return {EVENT, VERDICT, FIRST, LAST, MACHINE} <= set(table.names)


def _spellings(verdicts: pd.Series, meaning: tuple[str, ...]) -> tuple[str, ...]:
    """The verdicts of this meaning as they stand there, but for empty ones."""
    found = {str(cell) for cell in verdicts.unique()}
    return tuple(sorted(cell for cell in found if cell and cell.casefold() in meaning))


def _require_known(verdicts: pd.Series, table: RawTable) -> None:
    known = {*RIGHT, *WRONG, *UNDECIDED}
    strange = ~verdicts.str.casefold().isin(known).to_numpy(dtype=bool)
    if strange.any():
        place = int(strange.argmax())
        raise DataError(
            "A verdict is true, false or unknown, and this one is not",
            received={VERDICT: str(verdicts.iloc[place]), "lines concerned": int(strange.sum())},
            where=f"{table.file} line {int(table.lines[place])}",
            remedy="Write true where the alarm was right, false where it was not, and unknown or "
            "nothing where nobody can tell",
        )


def kept_verdicts(path: Path) -> dict[str, dict[str, str]]:
    """Lines with a verdict of a file of alarms that is about to be written again, by event.

    Args:
        path: of the file; there may be none, or one of a release without verdicts.

    Returns:
        For each event its cells by column.

    Raises:
        DataError: it cannot be read, so that verdicts in it would be lost.
    """
    if not path.is_file() or not path.stat().st_size:
        return {}
    try:
        table = read_csv(path, Csv())
    except DataError as error:
        raise DataError(
            "The alarms of an earlier score cannot be read, and may hold verdicts that would be "
            "lost",
            received=error.received,
            where=path.name,
            remedy="Save it as CSV, move it elsewhere, or choose another --out",
        ) from error
    if not {EVENT, VERDICT} <= set(table.names):
        return {}
    cells = {name: table.stripped(name).fillna("").tolist() for name in table.names}
    lines = [dict(zip(cells, line, strict=True)) for line in zip(*cells.values(), strict=True)]
    return {line[EVENT]: line for line in lines if line[VERDICT] and line[EVENT]}
