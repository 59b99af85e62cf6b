"""Checks the files of a case in a folder of their own."""

from __future__ import annotations

from pathlib import Path

from cases import Bad, Valid

from faultxfer.contract.schema import parse_contract
from faultxfer.steps.intake import CheckedRows, check_files


def name_of(case: Bad | Valid) -> str:
    """The id of its test."""
    return case.name


def stored(case: Bad | Valid, folder: Path) -> list[str]:
    """Write the files; their paths."""
    for name, content in case.files:
        (folder / name).write_bytes(content)
    return [str(folder / name) for name, _ in case.files]


def checked(case: Bad | Valid, folder: Path) -> CheckedRows:
    """Outcome of the check against the contract of the case."""
    return check_files(
        stored(case, folder),
        parse_contract(case.contract, where=case.name),
        work=folder,
        quarantine=folder / "quarantine",
        labelled=case.labelled if isinstance(case, Bad) else None,
        equipment=case.equipment if isinstance(case, Bad) else None,
    )
