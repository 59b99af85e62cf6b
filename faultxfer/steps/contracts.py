"""Draft a contract from example files, compare two, and write the schema for editors."""

from __future__ import annotations

from csv import reader as csv_reader
from pathlib import Path
from typing import Any

import yaml

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.infer import infer_contract
from faultxfer.contract.json_schema import schema_text
from faultxfer.contract.pins import Csv
from faultxfer.contract.schema import load_contract, parse_contract
from faultxfer.contract.table import RawTable
from faultxfer.data.read_csv import find_files, read_csv
from faultxfer.errors import ConfigError, DataError
from faultxfer.steps.outputs import writing


def draft_contract(
    csv: list[str],
    out: Path,
    *,
    label: str,
    force: bool = False,
    equipment_column: str | None = None,
    run_column: str | None = None,
    time_column: str | None = None,
    columns: str | None = None,
) -> dict[str, Any]:
    """Write a first contract and say what is in it.

    Args:
        csv: example files.
        out: the contract to write.
        label: the label column.
        force: overwrite ``out``.
        equipment_column: names the machine.
        run_column: names one recording.
        time_column: timestamp or sequence number.
        columns: names of all columns, separated by commas, for files without a header row.

    Raises:
        ConfigError: ``out`` exists already, or cannot be written; ``columns`` are no names.
        DataError, ContractError: the files cannot be read, or hold nothing a contract could be made of.
    """
    with writing("out", out):
        exists = out.exists()
    if exists and not force:
        raise ConfigError(
            "A contract file that does not exist yet was expected",
            received={"out": str(out)},
            remedy="Choose another name, or overwrite it with --force",
        )
    header = _names(columns)
    tables = [_read(path, header) for path in find_files(csv)]
    text = infer_contract(
        tables,
        label=label,
        family=out.stem,
        equipment_column=equipment_column,
        run_column=run_column,
        time_column=time_column,
        header=header,
    )
    contract = parse_contract(yaml.safe_load(text), where=str(out))
    with writing("out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return {"out": str(out), "sensors": list(contract.features), "ignored": list(contract.ignore)}


def _names(columns: str | None) -> tuple[str, ...]:
    """Column names from ``a,b,c``; a name with a comma stands in quotes."""
    if columns is None:
        return ()
    (names,) = csv_reader([columns.replace("\n", " ")], skipinitialspace=True) if columns.strip() else ([],)
    names = [name.strip() for name in names]
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigError(
            "Different names of all columns, in the order of the file, were expected",
            received={"columns": columns},
            remedy="Write them with commas between them: --columns time,flow,pressure,fault",
        )
    return tuple(names)


def _read(path: Path, header: tuple[str, ...]) -> RawTable:
    """An example file under its own header, or under the names given.

    Raises:
        DataError: as :func:`read_csv`; or the file has another number of columns, or a header of its own.
    """
    try:
        table = read_csv(path, Csv(header=False, columns=header) if header else None)
    except DataError as error:
        raise _advised(error, header) from error
    if header and len(table) and [cell.strip() for cell in table.frame.iloc[0]] == list(header):
        raise DataError(
            "A file without a header row was expected, but its first row holds the very names given",
            received={"first row": list(header)},
            where=path.name,
            remedy="Leave --columns out",
        )
    return table


def _advised(error: DataError, header: tuple[str, ...]) -> DataError:
    """The reader tells what to pin in the contract; there is none yet."""
    cells = error.received.get("first row")
    if error.code == "FILE-NO-HEADER" and isinstance(cells, list):
        remedy = f"Name all columns in their order: --columns a,b,c (the first row has {len(cells)} filled cells)"
    elif error.code == "FILE-SHAPE" and header:
        remedy = "Name every column of the file with --columns, in the order of the file"
    else:
        return error
    return DataError(
        error.expected,
        received=error.received,
        where=error.where,
        remedy=remedy,
        code=error.code,
        line=error.line,
        column=error.column,
    )


def compare_contracts(old: Path, new: Path) -> dict[str, Any]:
    """What changed from one contract file to the other, and whether old models remain valid.

    Raises:
        ContractError: a file cannot be read or does not follow the schema.
    """
    return {"old": str(old), "new": str(new)} | diff_contracts(load_contract(old), load_contract(new)).as_dict()


def write_schema(out: Path) -> dict[str, Any]:
    """Write the JSON Schema of contracts; an older one is replaced.

    Raises:
        ConfigError: ``out`` is no ``.json`` file, so it may be a contract, or cannot be written.
    """
    if out.suffix != ".json":
        raise ConfigError(
            "A file name that ends in .json was expected",
            received={"out": str(out)},
            remedy="Name it, for example, contract.schema.json",
        )
    with writing("out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(schema_text(), encoding="utf-8")
    return {"out": str(out)}
