"""The contract check alone; loads neither TensorFlow nor MLflow."""

from __future__ import annotations

from pathlib import Path

from faultxfer.contract.schema import load_contract
from faultxfer.steps.intake import CheckedRows, check_files
from faultxfer.steps.outputs import QUARANTINE, workspace


def validate(csv: list[str], contract: Path | str, *, quarantine: Path | str = QUARANTINE) -> CheckedRows:
    """Check files against a contract; labels are checked where a file has them.

    Args:
        csv: files and glob patterns.
        contract: contract file.
        quarantine: folder for rows set aside.

    Raises:
        DataError, ContractError: something cannot be read. A refused file is a finding of the result.
    """
    with workspace() as work:
        return check_files(csv, load_contract(contract), work=work, quarantine=Path(quarantine), labelled=None)
