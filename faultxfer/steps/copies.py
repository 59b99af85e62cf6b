"""Find runs that are copies before anything is divided, and let each recording count once."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from faultxfer.contract.lacking import lacking_cells
from faultxfer.contract.schema import Contract
from faultxfer.data.copies import copied_runs, rows_of_source
from faultxfer.data.dataset import Dataset, dataset_from, load_dataset
from faultxfer.data.recordings import Group, in_one_sentence, one_run_each
from faultxfer.errors import DataError
from faultxfer.findings import Finding
from faultxfer.outputs import writing
from faultxfer.progress import NOTE, progress
from faultxfer.reading import columns
from faultxfer.requests import CurveRequest, PretrainRequest, TransferRequest
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.opening import Job
from faultxfer.steps.sources import Models
from faultxfer.wording import counted

RUN_COPY, SOURCE_COPY = "RUN-COPY", "SOURCE-COPY"
# Rows of other machines agree in fewer sensors than this by chance.
_FEWEST_SENSORS = 3


def find_copies(
    job: Job[PretrainRequest] | Job[TransferRequest] | Job[CurveRequest],
    rows: CheckedRows,
    models: Models | None = None,
) -> CheckedRows:
    """Look for copies among the runs.

    Runs that are copies of one another, or of one recording, are one run from here on; runs that
    are the source's own say nothing of a transfer and are set aside.

    Args:
        job: the request, and the contract that says how grave a copy is.
        rows: the accepted rows.
        models: with the rows that were kept with the source model; left out where there is no
            source.

    Raises:
        DataError: every row is the source's own.
    """
    if rows.table is None:
        return rows
    accepted = pd.read_feather(rows.table)
    contract = job.contract.without_sensors(rows.unmeasured)
    data = _as_measured(dataset_from(accepted, contract.features), contract)
    groups = copied_runs(data.X, data.run, data.time)
    known = _of_source(data, groups, models)
    findings = _findings(groups, known, data, contract)
    if not findings:
        return rows
    for finding in findings:
        progress.info("%s: %s", finding.code, finding.message, extra=NOTE)
    rows = dataclasses.replace(rows, findings=(*rows.findings, *findings))
    if rows.refused:
        return dataclasses.replace(rows, table=None)
    merged = one_run_each(data, groups)
    accepted = accepted.assign(**{columns.RECORDING: merged.run, columns.TIME: merged.time})
    if known.any() and job.contract.severity(SOURCE_COPY) == "quarantine":
        rows = _set_aside(rows, accepted[known], job.quarantine)
        accepted = accepted[~known].reset_index(drop=True)
    table = job.work / "recordings.arrow"
    accepted.to_feather(table, compression="uncompressed")
    return dataclasses.replace(rows, table=table, accepted=len(accepted))


def _as_measured(data: Dataset, contract: Contract) -> Dataset:
    """The rows without draws: two copies of a row were given different ones."""
    lacked = lacking_cells(data.equipment, contract)
    if lacked is None:
        return data
    usual = np.nanmedian(np.where(lacked, np.nan, data.X), axis=0)
    return dataclasses.replace(data, X=np.where(lacked, usual, data.X))


def said_of_copies(rows: CheckedRows) -> list[str]:
    """What was found, in whole sentences for the report."""
    found = [finding for finding in rows.findings if finding.code in (RUN_COPY, SOURCE_COPY)]
    return [f"{finding.message}." for finding in found]


def _of_source(data: Dataset, groups: tuple[Group, ...], models: Models | None) -> np.ndarray:
    """(n,) which rows belong to runs of the source."""
    none = np.zeros(len(data), dtype=bool)
    if models is None or models.source_rows is None:
        return none
    source = load_dataset(models.source_rows)
    # A copied export may lack a column, or have got one more.
    common = tuple(name for name in data.features if name in source.features)
    if len(common) < min(_FEWEST_SENSORS, len(source.features)):
        return none
    return rows_of_source(data.with_sensors(common), source.with_sensors(common).X, groups)


def _findings(
    groups: tuple[Group, ...], known: np.ndarray, data: Dataset, contract: Contract
) -> list[Finding]:
    findings = []
    if groups:
        findings.append(
            Finding(
                RUN_COPY,
                contract.severity(RUN_COPY),
                in_one_sentence(groups),
                count=sum(group.rows for group in groups),
                expected="each recording once, under one name",
                examples=tuple(", ".join(group.runs[:5]) for group in groups[:5]),
                remedy="Export each recording once and under one name; until then the runs of a "
                "group train or judge together, and count as one",
            )
        )
    if known.any():
        findings.append(_source_finding(known, data, contract))
    return findings


def _source_finding(known: np.ndarray, data: Dataset, contract: Contract) -> Finding:
    runs = np.unique(data.run[known].astype(str))
    if known.all() and contract.severity(SOURCE_COPY) == "quarantine":
        raise DataError(
            "Every run is a copy of rows that the source model was trained on, so none can show "
            "what a transfer brings",
            received={"rows": len(known), "runs": len(runs)},
            where=f"equipment {min(data.equipment)!r}",
            remedy="Give recordings that the source model was not trained on; or set "
            f"`rules: {{{SOURCE_COPY}: warn}}` in the contract if the sensors are so coarse that "
            "other recordings look alike",
        )
    return Finding(
        SOURCE_COPY,
        contract.severity(SOURCE_COPY),
        f"{counted(int(known.sum()), 'row')} of {counted(len(runs), 'run')} are near copies of "
        "rows that the source model was trained on",
        count=int(known.sum()),
        expected="recordings that the source model was not trained on",
        examples=tuple(runs[:5].tolist()),
        remedy="Leave the source's recordings out of the machine's files",
    )


def _set_aside(rows: CheckedRows, left: pd.DataFrame, folder: Path) -> CheckedRows:
    """Keep the rows that are left out, beside those that broke a rule of the contract."""
    names = [name for name in left.columns if name not in columns.BOOKKEEPING]
    places = [columns.FILE, columns.LINE, columns.EQUIPMENT, columns.RUN, columns.FAULT]
    kept = left[[*(name for name in places if name in left), *names]].assign(_codes=SOURCE_COPY)
    digests = "".join(digest for _, digest in rows.files)
    name = hashlib.sha256(f"{digests}{len(left)}".encode()).hexdigest()[:8]
    path = folder / f"source-rows-{name}-rejected.csv"
    with writing("quarantine", folder):
        folder.mkdir(parents=True, exist_ok=True)
        kept.to_csv(path, index=False)
    return dataclasses.replace(
        rows,
        quarantined=rows.quarantined + len(left),
        quarantine=rows.quarantine or path,
    )
