"""Small tables, and the contract drafted from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from faultxfer.contract.check import begin_check
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME, write_draft
from faultxfer.drafting.infer import draft_of
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable


def table(file: str = "a.csv", **cells: list[object]) -> RawTable:
    """Rows as the reader hands them over: every cell is text."""
    frame = pd.DataFrame(
        {
            name: pd.Series([str(cell) for cell in column], dtype="str")
            for name, column in cells.items()
        }
    )
    return RawTable(file, frame, np.arange(2, len(frame) + 2), "0" * 64)


FLOW = [10.0, 20.0, 30.0, 20.0]
FAULT = [0, 0, 1, 1]


def infer(*tables: RawTable, **options: object) -> tuple[Contract, str]:
    """The contract drafted from tables; ``options`` are those of ``draft_of``, and key columns."""
    keys = {EQUIPMENT: "equipment_column", RUN: "run_column", TIME: "time_column"}
    named = {role: options.pop(name, None) for role, name in keys.items()}
    asked = {"label": "fault", "family": "pumps", "csv_options": Csv(), **options}
    text = write_draft(draft_of(list(tables), named=named, **asked))  # type: ignore[arg-type]
    return parse_contract(yaml.safe_load(text), where="draft"), text


def check_table(raw: RawTable, contract: Contract) -> Checked:
    """The outcome of one labelled table."""
    return begin_check(raw, contract, labelled=True).ended()


def line_of(text: str, name: str) -> str:
    """The line of a field, a sensor or an ignored column, or the comment in place of a field."""
    return next(line for line in text.splitlines() if line.lstrip(" -#").startswith(name))
