"""Draft a contract from example files, compare two, and write the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.infer import infer_contract
from faultxfer.contract.json_schema import schema_text
from faultxfer.contract.schema import load_contract, parse_contract
from faultxfer.data.read_csv import find_files, read_csv
from faultxfer.errors import ConfigError
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
) -> dict[str, Any]:
    """Write a first contract and say what is in it.

    Raises:
        ConfigError: ``out`` exists already, or cannot be written.
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
    tables = [read_csv(path) for path in find_files(csv)]
    text = infer_contract(
        tables,
        label=label,
        family=out.stem,
        equipment_column=equipment_column,
        run_column=run_column,
        time_column=time_column,
    )
    contract = parse_contract(yaml.safe_load(text), where=str(out))
    with writing("out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    return {"out": str(out), "sensors": list(contract.features), "ignored": list(contract.ignore)}


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
