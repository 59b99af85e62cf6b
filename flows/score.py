"""Score new rows with a registered version."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.outputs import QUARANTINE, quarantine_of_scores, workspace
from faultxfer.steps.intake import check_files
from faultxfer.steps.preflight import check_score_request
from faultxfer.steps.scoring import ScoreResult, fetch_detector, score_rows
from faultxfer.stopping import heeded
from flows.publish import progress_in_the_log, publish_findings

fetch = task(name="load the detector from the registry")(fetch_detector)
check_rows = task(name="check rows against the contract")(check_files)
write_scores = task(name="score")(score_rows)


@flow(name="score")
def score(
    csv: list[str],
    model: str,
    equipment: str,
    out: str,
    version: int | None = None,
    quarantine: str = str(QUARANTINE),
    data_docs: str | None = None,
) -> ScoreResult:
    """Score new rows of a machine.

    Args:
        csv: Files of the machine; labels are not needed.
        model: Source model the machine's detector descends from.
        equipment: The machine.
        out: CSV to write.
        version: Version to use; the champion if left out.
        quarantine: Folder for rows set aside.
        data_docs: Folder for Great Expectations' Data Docs; not written if left out.
    """
    check_score_request(csv, model, equipment, out)
    with heeded(), workspace() as work, progress_in_the_log():
        detector = fetch(model, equipment, version, work=work)
        rows = check_rows(
            csv,
            detector.contract,
            work=work,
            quarantine=quarantine_of_scores(quarantine, out),
            labelled=False,
            equipment=equipment,
            data_docs=Path(data_docs) if data_docs else None,
        )
        publish_findings(rows, docs=rows.docs)
        return write_scores(rows, detector, out=Path(out), model=model, equipment=equipment)
