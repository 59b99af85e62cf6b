"""The columns of a file against those of its contract."""

from __future__ import annotations

from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract


def note_columns(notes: Notes, contract: Contract, labelled: bool) -> None:
    """Note an empty file, and columns that are missing or unknown."""
    if not len(notes.table):
        notes.file(
            "FILE-EMPTY",
            "The file has no data rows",
            "Check the export; at least a header and rows are needed",
        )
        return
    present = notes.table.names
    needed = _needed(contract, labelled)
    missing = [name for name in needed if name not in present]
    if missing:
        notes.file(
            "COLUMN-MISSING",
            f"{len(missing)} column(s) of the contract are missing: {', '.join(missing[:8])}",
            "Rename the columns in the export, or name the machine's own tags under `equipment` in the contract",
            count=len(missing),
            expected=", ".join(needed),
            received=", ".join(present),
        )
    unknown = [name for name in present if name not in _known(contract)]
    if unknown:
        notes.file(
            "COLUMN-UNKNOWN",
            f"{len(unknown)} column(s) are not in the contract and are not used: {', '.join(unknown[:8])}",
            "Name them under `ignore` to silence this",
            count=len(unknown),
        )


def _needed(contract: Contract, labelled: bool) -> list[str]:
    keys = [contract.equipment_column, contract.run_column, contract.time_column]
    needed = [*contract.features, *([contract.label.column] if labelled else [])]
    # Without a run column a file to be scored is one recording; time is only copied to the output.
    needed += (
        [key for key in keys if key]
        if labelled
        else [contract.equipment_column or contract.features[0]]
    )
    return list(dict.fromkeys(needed))


def _known(contract: Contract) -> set[str]:
    keys = {contract.equipment_column, contract.run_column, contract.time_column} - {None}
    others = (contract.label.column, *(key for key in keys if key))
    return {*contract.features, *contract.ignore, *contract.slices, *others}
