"""Sort the spellings of a label column into normal and fault.

What is neither by a usual name is asked about, with how often it occurs, and never guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from faultxfer.contract.schema import LabelClass
from faultxfer.contract.selection import as_spelt
from faultxfer.errors import ContractError

# By class, the spellings that somebody gave.
Given = Mapping[LabelClass, tuple[str, ...]]

# Normal spelling → its opposite, in lower case. The opposite stands in where the examples have one
# class only; of two normal spellings with one opposite it is the last.
_OPPOSITE = {
    "no fault": "fault", "no_fault": "fault", "none": "fault", "nominal": "fault",
    "normal": "fault",
    "0": "1", "0.0": "1.0", "false": "true", "f": "t", "no": "yes", "n": "y", "ok": "nok",
    "good": "bad",
    "pass": "fail", "passed": "failed", "healthy": "faulty", "negative": "positive",
    # Dutch, German, French, Spanish, Italian, Portuguese.
    "nee": "ja", "onwaar": "waar", "goed": "fout", "nein": "ja", "falsch": "wahr", "i.o.": "n.i.o.",
    "io": "nio",
    "gut": "schlecht", "fehlerfrei": "fehlerhaft", "non": "oui", "faux": "vrai", "bon": "mauvais",
    "falso": "verdadero",
    "nao": "sim", "não": "sim", "bueno": "malo", "buono": "difettoso", "bom": "mau",
    "normale": "anomalia",
}  # fmt: skip
_OTHER_FAULTS = {
    "anomaly": "normal", "anomalous": "normal", "abnormal": "normal", "failure": "normal",
    "defect": "normal",
    "defective": "normal", "alarm": "normal", "broken": "normal", "not ok": "ok", "not_ok": "ok",
    "error": "ok",
    "sí": "no", "si": "no", "sì": "no", "vero": "falso", "verdadeiro": "falso",
    "störung": "normal", "stoerung": "normal", "fehler": "normal", "defekt": "normal",
    "schaden": "normal",
    "ausfall": "normal", "anomalie": "normal", "panne": "normal", "défaut": "normal",
    "defaut": "normal",
    "défaillance": "normal", "falla": "normal", "fallo": "normal", "avería": "normal",
    "averia": "normal",
    "anomalía": "normal", "guasto": "normal", "falha": "normal", "defeito": "normal",
    "storing": "normal",
}  # fmt: skip
_BACK = {fault: normal for normal, fault in _OPPOSITE.items()} | _OTHER_FAULTS
# A cell like these says that nobody labelled the row.
_UNLABELLED = frozenset({"", "-", "nan", "na", "n/a", "null", "#n/a", "<na>"})


@dataclass(frozen=True)
class LabelSpellings:
    """Spellings of the two classes.

    Attributes:
        normal, fault: spellings, at least one each.
        faulty: for each row 1.0 (fault), 0.0 (normal) or NaN (not labelled).
        exclude: spellings that are never used, as they were given.
        unknown: spellings of rows without a label: those given, and those that nobody knows.
        asked: by spelling that nobody knows, its number of rows.
        blank: rows without anything in the column.
        counts: by spelling, its number of rows.
    """

    normal: tuple[str, ...]
    fault: tuple[str, ...]
    faulty: pd.Series
    exclude: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    asked: Mapping[str, int] = field(default_factory=dict)
    blank: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_listed(self) -> list[dict[str, Any]]:
        """Each spelling with its class and its number of rows, as plain data for JSON."""
        classes = {
            "normal": self.normal,
            "fault": self.fault,
            "unknown": self.unknown,
            "exclude": self.exclude,
        }
        return [
            {"spelling": text, "class": name, "rows": self.counts.get(text, 0)}
            for name, texts in classes.items()
            for text in texts
        ]

    @property
    def questions(self) -> list[str]:
        """What a person has to decide, a sentence each."""
        said = [
            f"{text!r} in {_rows(rows)}: normal, fault, unknown or exclude? It stands under "
            "`unknown`, so these rows are not learnt from."
            for text, rows in self.asked.items()
        ]
        if self.blank:
            said.append(
                f"Blank in {_rows(self.blank)}, of which nobody knows what they are: they are left "
                "out. `blank: normal` is for exports that write faults alone."
            )
        return said

    def note(self, label: int) -> str:
        """A comment where no example row has the class."""
        return (
            "" if (self.faulty == label).any() else "  # assumed: no example row is of this class"
        )


def sort_spellings(
    cells: pd.Series, *, column: str, where: str, given: Given | None = None
) -> LabelSpellings:
    """Sort what stands in the label column.

    Args:
        cells: stripped text cells of the label column.
        column: its name.
        where: the files, for the message.
        given: by class, spellings that are known to belong to it.

    Raises:
        ContractError: no row is labelled, or spellings that are neither usual ones of normal nor
            of fault leave a class without one.
    """
    given = given or {}
    named = [text for texts in given.values() for text in texts]
    cells = as_spelt(cells, named)
    counts = cells.value_counts()
    seen = [text for text in cells.unique() if text.lower() not in _UNLABELLED or text in named]
    classes = _classes(seen, given)
    asked = {text: int(counts[text]) for text in seen if classes[text] is None}
    normal = _of_class(0, classes, given.get("normal", ()))
    fault = _of_class(1, classes, given.get("fault", ()))
    if not seen or (asked and not (normal and fault)) or not _can_be_completed(normal, fault):
        raise _not_sorted(asked, column, where)
    return LabelSpellings(
        normal=_completed(normal, fault, ("0", "0.0")),
        fault=_completed(fault, normal, ("1", "1.0")),
        faulty=cells.map(classes).astype("float64"),
        exclude=tuple(given.get("exclude", ())),
        unknown=(*given.get("unknown", ()), *asked),
        asked=asked,
        blank=int(cells.isin([text for text in cells.unique() if text not in seen]).sum()),
        counts={str(text): int(rows) for text, rows in counts.items()},
    )


def _classes(seen: list[str], given: Given) -> dict[str, float | None]:
    """By spelling 0 (normal), 1 (fault), NaN (given as neither) or None (nobody knows)."""
    known: dict[str, float | None] = {text: _usual_class(text, seen) for text in seen}
    meant = {"normal": 0.0, "fault": 1.0}
    for name, texts in given.items():
        known.update({text: meant.get(name, math.nan) for text in texts if text in known})
    return known


def _usual_class(text: str, seen: list[str]) -> int | None:
    """The class of a usual spelling; a 1 among other numbers is a code, not a fault."""
    codes = all(map(_is_finite, seen)) and any(_class_of(other) is None for other in seen)
    return None if codes else _class_of(text)


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _of_class(number: int, classes: dict[str, float | None], given: tuple[str, ...]) -> list[str]:
    """Spellings of a class: those given, and those seen."""
    found = [text for text, one in classes.items() if one == number]
    return list(dict.fromkeys([*given, *found]))


def _can_be_completed(normal: list[str], fault: list[str]) -> bool:
    """Whether a class without a spelling can have the opposites of the other one's."""
    if normal and fault:
        return True
    return all(_class_of(text) is not None for text in (normal or fault))


def _not_sorted(asked: Mapping[str, int], column: str, where: str) -> ContractError:
    counts = [f"{text} ({_rows(rows)})" for text, rows in asked.items()]
    return ContractError(
        "The label column does not have two classes with usual names "
        "(0/1, normal/fault, ok/nok, …)",
        received={"cannot be sorted": counts} if counts else {"labelled rows": 0},
        where=f"column {column!r} of {where}",
        remedy="Write 0 for normal and 1 for fault in that column, or say what its spellings mean: "
        "`--normal A --fault B,C`, and `--exclude D` or `--unknown E` for rows that are neither",
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"


def classes_of(cells: pd.Series) -> pd.Series:
    """For each text cell 1.0 (a usual spelling of fault), 0.0 (of normal) or NaN (neither).

    >>> classes_of(pd.Series(["ok", "Fault", "?"])).tolist()
    [0.0, 1.0, nan]
    """
    return cells.map({text: _class_of(text) for text in cells.unique()}).astype("float64")


def _class_of(text: str) -> int | None:
    known = text.lower()
    if known in _OPPOSITE or known in _BACK:
        return int(known in _BACK)
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number in (0, 1) else None


def _completed(own: list[str], other: list[str], numbers: tuple[str, ...]) -> tuple[str, ...]:
    """Spellings seen, or the opposites of the other class.

    0 and 0.0 go together, as programs swap them at will.
    """
    spellings = list(own) or [_opposite(text) for text in other]
    if any(_is_number(text) and _class_of(text) is not None for text in spellings):
        spellings += numbers
    return tuple(dict.fromkeys(spellings))


def _is_number(text: str) -> bool:
    return text[0] in "0123456789+-."


def _opposite(text: str) -> str:
    found = _OPPOSITE.get(text.lower()) or _BACK.get(text.lower())
    if found is None:
        return "0" if float(text) else "1"
    if text.isupper():
        return found.upper()
    return found.capitalize() if text[0].isupper() else found
