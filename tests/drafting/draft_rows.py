"""Small tables, and the contract drafted from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.drafting.infer import infer_contract
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
    text = infer_contract(list(tables), **{"label": "fault", "family": "pumps", **options})
    return parse_contract(yaml.safe_load(text), where="draft"), text


def line_of(text: str, name: str) -> str:
    """The line of a field, a sensor or an ignored column, or the comment in place of a field."""
    return next(line for line in text.splitlines() if line.lstrip(" -#").startswith(name))
