"""Would more labels help? What labelled rows of a machine bring with the source and without it."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from faultxfer.config import CurveOptions
from faultxfer.learning_curves.measuring import (
    LearningResult,
    draw_rows,
    measure_learning,
    report_learning,
)
from faultxfer.outputs import LEARNING_CURVE, QUARANTINE, workspace
from faultxfer.steps.intake import check_files
from faultxfer.steps.preflight import check_learning_request
from faultxfer.steps.sources import fetch_models
from faultxfer.stopping import heeded
from flows.publish import progress_in_the_log, publish_findings, publish_learning

fetch = task(name="load source and champion from the registry")(fetch_models)
check_rows = task(name="check rows against the contract")(check_files)
draw = task(name="hold out and draw rows")(draw_rows)
measure = task(name="fit at every count")(measure_learning)
report = task(name="curves and answers")(report_learning)


@flow(name="learning-curve")
def learning_curve(
    csv: list[str],
    contract: str,
    model: str,
    equipment: str,
    options: CurveOptions | None = None,
    out: str = str(LEARNING_CURVE),
    quarantine: str = str(QUARANTINE),
    data_docs: str | None = None,
) -> LearningResult:
    """Measure what labelled rows of a machine bring with the source and without it; registers nothing.

    Args:
        csv: Labelled files of the machine.
        contract: The contract's YAML file, the one the source model was trained with.
        model: Registered source model.
        equipment: The machine; only its rows are used.
        options: Which counts, how many draws.
        out: Folder for figures, answers and picture.
        quarantine: Folder for rows set aside.
        data_docs: Folder for Great Expectations' Data Docs; not written if left out.
    """
    options = options or CurveOptions()
    agreed = check_learning_request(csv, contract, model, equipment, out)
    with heeded(), workspace() as work, progress_in_the_log():
        fetched = fetch(model, equipment, work=work)
        rows = check_rows(
            csv,
            agreed,
            work=work,
            quarantine=Path(quarantine),
            labelled=True,
            equipment=equipment,
            data_docs=Path(data_docs) if data_docs else None,
            source=fetched.classes,
        )
        publish_findings(rows, docs=rows.docs)
        draws = draw(rows, fetched, agreed, options)
        heard = measure(rows, draws, fetched, options)
        result = report(
            rows, draws, heard, options, model=model, equipment=equipment, out=Path(out)
        )
    publish_learning(result)
    return result
