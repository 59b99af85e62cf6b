"""The contract check alone; loads neither TensorFlow nor MLflow."""

from __future__ import annotations

from pathlib import Path

from faultxfer.contract.schema import load_contract
from faultxfer.outputs import QUARANTINE
from faultxfer.steps.intake import CheckedRows, check_files


def validate(
    csv: list[str],
    contract: Path | str,
    *,
    equipment: str | None = None,
    quarantine: Path | str = QUARANTINE,
    data_docs: Path | str | None = None,
) -> CheckedRows:
    """Check files against a contract; labels are checked where a file has them.

    Args:
        csv: files and glob patterns.
        contract: contract file.
        equipment: check only this machine's rows; all rows if left out.
        quarantine: folder for rows set aside.
        data_docs: folder for Data Docs; not written if left out.

    Raises:
        DataError, ContractError: something cannot be read. A refused file is a finding of the result.
    """
    docs = Path(data_docs) if data_docs else None
    return check_files(
        csv,
        load_contract(contract),
        work=None,
        quarantine=Path(quarantine),
        labelled=None,
        equipment=equipment,
        data_docs=docs,
    )
