"""Text cells as 1 and 0: what yes and no are called in the languages of plants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faultxfer.reading.cells import missing_cells

if TYPE_CHECKING:
    import pandas as pd

    from faultxfer.reading.dialect import Dialect

# Not `open` and `closed`: an open valve is on, an open contact is off.
_WORDS = {
    1.0: "true yes on t y wahr ja ein an vrai oui marche verdadero sí si encendido vero sì acceso verdadeiro sim "
    "ligado waar aan",
    0.0: "false no off f n falsch nein aus faux non arrêt arret falso apagado spento não nao desligado onwaar nee uit",
}
_DIGITS = {1.0: ("1", "1.0", "1,0"), 0.0: ("0", "0.0", "0,0")}
_MEANING = {word: value for value, words in _WORDS.items() for word in words.split()}
_MEANING |= {digits: value for value, spellings in _DIGITS.items() for digits in spellings}


def truths(text: pd.Series, dialect: Dialect) -> pd.Series:
    """Cells as float64 1 and 0; NaN where a cell is missing or says neither."""
    cells = text.str.strip().str.lower()
    meant = cells.map({cell: _MEANING.get(cell) for cell in cells.unique()}).astype("float64")
    return meant.mask(missing_cells(text, dialect))
