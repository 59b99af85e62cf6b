"""Sort the spellings of a label column into normal and fault."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from faultxfer.errors import ContractError

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
    """

    normal: tuple[str, ...]
    fault: tuple[str, ...]
    faulty: pd.Series

    def note(self, label: int) -> str:
        """A comment where no example row has the class."""
        return (
            "" if (self.faulty == label).any() else "  # assumed: no example row is of this class"
        )


def sort_spellings(cells: pd.Series, *, column: str, where: str) -> LabelSpellings:
    """Sort what stands in the label column.

    Args:
        cells: stripped text cells of the label column.
        column: its name.
        where: the files, for the message.

    Raises:
        ContractError: no row is labelled, or a spelling is neither a usual one of normal nor of
            fault.
    """
    seen = [text for text in cells.unique() if text.lower() not in _UNLABELLED]
    classes = {text: _class_of(text) for text in seen}
    unknown = [text for text, label in classes.items() if label is None]
    if unknown or not seen:
        raise ContractError(
            "The label column does not have two classes with usual names "
            "(0/1, normal/fault, ok/nok, …)",
            received={"cannot be sorted": unknown} if unknown else {"labelled rows": 0},
            where=f"column {column!r} of {where}",
            remedy="Write 0 for normal and 1 for fault in that column, or write the contract by "
            "hand "
            "from `docs/data-contracts.md` and name the spellings under `label`",
        )
    normal = [text for text in seen if classes[text] == 0]
    fault = [text for text in seen if classes[text] == 1]
    return LabelSpellings(
        normal=_completed(normal, fault, ("0", "0.0")),
        fault=_completed(fault, normal, ("1", "1.0")),
        faulty=classes_of(cells),
    )


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
    if any(_is_number(text) for text in spellings):
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
