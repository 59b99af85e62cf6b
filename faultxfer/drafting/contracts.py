"""Draft a contract from example files, compare two, and write the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.schema import load_contract, parse_contract, schema_text
from faultxfer.drafting.draft_options import advised, pins_of
from faultxfer.drafting.infer import infer_contract
from faultxfer.errors import ConfigError, DataError
from faultxfer.outputs import writing
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import find_files, read_csv
from faultxfer.reading.table import RawTable


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
    **pins: object,
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
        pins: by field of ``csv``, how the files are written; None where it is detected. The draft pins them too.

    Raises:
        ConfigError: ``out`` exists already, or cannot be written; ``columns`` or ``pins`` are none.
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
    given = pins_of(columns, pins)
    try:
        text = infer_contract(
            [_read(path, given) for path in find_files(csv)],
            label=label,
            family=out.stem,
            equipment_column=equipment_column,
            run_column=run_column,
            time_column=time_column,
            csv=given,
        )
    except DataError as error:
        raise advised(error, given) from error
    contract = parse_contract(yaml.safe_load(text), where=str(out))
    with writing("out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return {"out": str(out), "sensors": list(contract.features), "ignored": list(contract.ignore)}


def _read(path: Path, pins: Csv) -> RawTable:
    """An example file under its own header, or under the names given.

    Raises:
        DataError: as :func:`read_csv`; or the file has another number of columns, or a header of its own.
    """
    table = read_csv(path, pins)
    header = list(pins.columns)
    if header and len(table) and [cell.strip() for cell in table.frame.iloc[0]] == header:
        raise DataError(
            "A file without a header row was expected, but its first row holds the very names given",
            received={"first row": header},
            where=path.name,
            remedy="Leave --columns out",
        )
    return table


def compare_contracts(old: Path, new: Path) -> dict[str, Any]:
    """What changed from one contract file to the other, and whether old models remain valid.

    Raises:
        ContractError: a file cannot be read or does not follow the schema.
    """
    return {"old": str(old), "new": str(new)} | diff_contracts(
        load_contract(old), load_contract(new)
    ).as_dict()


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
