"""Check CSV files against a data contract."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.contract.schema import load_contract
from faultxfer.outputs import QUARANTINE
from faultxfer.steps.intake import CheckedRows, check_files
from faultxfer.stopping import heeded
from flows.publish import progress_in_the_log, publish_findings

check_rows = task(name="check rows against the contract")(check_files)


@flow(name="validate")
def validate(
    csv: list[str],
    contract: str,
    quarantine: str = str(QUARANTINE),
    data_docs: str | None = None,
    equipment: str | None = None,
) -> CheckedRows:
    """Check files against a contract and set bad rows aside.

    Args:
        csv: Files or patterns, for example `data/*.csv`.
        contract: The contract's YAML file.
        quarantine: Folder for rows set aside.
        data_docs: Folder for Great Expectations' Data Docs; not written if left out.
        equipment: Check only this machine's rows; all rows if left out.
    """
    docs = Path(data_docs) if data_docs else None
    with heeded(), progress_in_the_log():
        rows = check_rows(
            csv,
            load_contract(contract),
            work=None,
            quarantine=Path(quarantine),
            labelled=None,
            equipment=equipment,
            data_docs=docs,
        )
    publish_findings(rows, docs=rows.docs)
    return rows
