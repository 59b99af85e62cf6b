"""Pins for files that are read before there is a contract, and how errors ask for them."""

from __future__ import annotations

import re
from csv import reader as csv_reader

import yaml
from pydantic import ValidationError

from faultxfer.errors import ConfigError, DataError
from faultxfer.reading.csv_options import Csv

# As errors write them for people who have a contract.
_SNIPPET = re.compile(r"`csv: (\{.*?\})`")


def pins_of(columns: str | None, given: dict[str, object]) -> Csv:
    """Pins from the options of the command line; those that are None are not given.

    Raises:
        ConfigError: they are none.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if named.get("separator") in (r"\t", "tab"):
        named["separator"] = "\t"
    if columns is not None:
        named |= {"header": False, "columns": _names(columns)}
    try:
        return Csv.model_validate(named)
    except ValidationError as error:
        raise ConfigError(
            "Options that say how the files are written were expected",
            received={
                _option(str(item["loc"][0]) if item["loc"] else "csv"): item["msg"]
                for item in error.errors()
            },
            remedy="See the table of `csv` in `docs/data-contracts.md`",
        ) from error


def _names(columns: str) -> tuple[str, ...]:
    """Column names from ``a,b,c``; a name with a comma stands in quotes."""
    (names,) = (
        csv_reader([columns.replace("\n", " ")], skipinitialspace=True)
        if columns.strip()
        else ([],)
    )
    names = [name.strip() for name in names]
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigError(
            "Different names of all columns, in the order of the file, were expected",
            received={"columns": columns},
            remedy="Write them with commas between them: --columns time,flow,pressure,fault",
        )
    return tuple(names)


def advised(error: DataError, pins: Csv) -> DataError:
    """The same error for someone without a contract: it names options in place of pins."""
    cells = error.received.get("first row")
    if error.code == "FILE-NO-HEADER" and isinstance(cells, list):
        remedy = f"Name all columns in their order: --columns a,b,c (the first row has {len(cells)} filled cells)"
    elif error.code == "FILE-SHAPE" and pins.columns:
        remedy = "Name every column of the file with --columns, in the order of the file"
    else:
        remedy = _with_options(error.remedy or "")
    return DataError(
        error.expected,
        received=error.received,
        where=error.where,
        remedy=remedy or None,
        code=error.code,
        line=error.line,
        column=error.column,
    )


def _with_options(remedy: str) -> str:
    if not _SNIPPET.search(remedy):
        return remedy
    return _SNIPPET.sub(lambda found: _options(yaml.safe_load(found.group(1))), remedy).replace(
        " in the contract", ""
    )


def _options(pins: dict[str, object]) -> str:
    return f"`{' '.join(_spelt(name, value) for name, value in pins.items() if name != 'header')}`"


def _spelt(name: str, value: object) -> str:
    if name == "day_first":
        return "--day-first" if value else "--month-first"
    if isinstance(value, list):
        return f"{_option(name)} {','.join(map(str, value))}"
    shown = {"\t": r"\t"}.get(str(value), str(value))
    return (
        f"{_option(name)} {shown}"
        if re.fullmatch(r"[\w-]+", shown)
        else f'{_option(name)} "{shown}"'
    )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
