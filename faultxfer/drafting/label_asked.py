"""Which column may hold the label, where nobody named one: asked, never guessed."""

from __future__ import annotations

import shlex

import pandas as pd

from faultxfer.drafting.infer import named_like_a_label
from faultxfer.drafting.labels import classes_of
from faultxfer.errors import ContractError
from faultxfer.reading.table import RawTable
from faultxfer.wording import counted, listed

# A column with more different cells than this is no label.
_MOST_SPELLINGS = 12
# Columns, and spellings of each, that a message shows.
_SHOWN = 5


def label_asked(tables: list[RawTable]) -> ContractError:
    """The question which column is the label, with those that look like one.

    Args:
        tables: the example files, as read.
    """
    columns = _common(tables)
    maybe = sorted(
        (name for name, counts in columns.items() if _may_be_a_label(counts)),
        key=lambda name: _rank(name, columns[name]),
    )
    asked = "No column was named as the label, which says what rows are faults"
    if not maybe:
        return ContractError(
            asked + ", and none has few enough different entries to be one",
            received={"columns": list(columns)},
            where=listed([table.file for table in tables], most=_SHOWN),
            remedy="Add a column with 0 for normal and 1 for fault, and name it: --label COLUMN; "
            "where it is a tag of its own, name that tag",
        )
    return ContractError(
        asked,
        received={name: _spelt(columns[name]) for name in maybe[:_SHOWN]},
        where=listed([table.file for table in tables], most=_SHOWN),
        remedy=f"Name it, for example --label {shlex.quote(maybe[0])}",
    )


def _common(tables: list[RawTable]) -> dict[str, pd.Series]:
    """By column that all files have, how often each entry stands in it."""
    names = [name for name in tables[0].names if all(name in table.names for table in tables)]
    return {name: _counts([table.frame[name] for table in tables]) for name in names}


def _counts(cells: list[pd.Series]) -> pd.Series:
    entries = pd.concat(cells, ignore_index=True).str.strip()
    return entries[entries != ""].value_counts()


def _may_be_a_label(counts: pd.Series) -> bool:
    """Whether few entries come again and again."""
    return 2 <= len(counts) <= min(_MOST_SPELLINGS, counts.sum() / 2)


def _rank(name: str, counts: pd.Series) -> tuple[bool, bool, int]:
    """Columns named like a label first, then those whose entries are two usual classes."""
    classes = classes_of(pd.Series(counts.index, dtype="str"))
    two_classes = bool(classes.notna().all()) and classes.nunique() == 2
    return not named_like_a_label(name), not two_classes, len(counts)


def _spelt(counts: pd.Series) -> str:
    entries = [f"{text} ({counted(int(rows), 'row')})" for text, rows in counts.items()]
    return listed(entries, most=_SHOWN)
