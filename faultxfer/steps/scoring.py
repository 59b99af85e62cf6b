"""Score new rows with a registered version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.bundle.calibration import estimated_prevalence
from faultxfer.bundle.manifest import read_manifest
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.data.dataset import sensor_matrix
from faultxfer.errors import DataError, RegistryError
from faultxfer.evaluate.alarms import AlarmStretch
from faultxfer.following import ASKED, Next, transfer_without
from faultxfer.outputs import alarms_beside, written_whole
from faultxfer.progress import NOTE, progress
from faultxfer.reading import columns
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.requests import ScoreRequest
from faultxfer.steps.completing import Completing, learnt_by
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.lost_sensors import (
    LostSensor,
    lost_note,
    lost_sensors,
    names_of_lost,
    still_note,
)
from faultxfer.steps.next_commands import after_scores
from faultxfer.steps.opening import Opened, require_can_lack
from faultxfer.steps.plain_data import plain_fields
from faultxfer.steps.scorers import PROVISIONAL, SOURCE, find_scorer
from faultxfer.steps.sources import find_source
from faultxfer.steps.speaking import as_table, find_alarms
from faultxfer.wording import counted, percent

# Fewer rows than this give no share of faults, and odds that differ by less than this factor are no
# news.
_FEWEST_FOR_SHARE = 100
_OTHER_ODDS = 4.0

# What is no champion, and nobody named: marked wherever scores are shown.
_MARKED = (PROVISIONAL, SOURCE)


@dataclass(frozen=True)
class Detector:
    """A downloaded version, the folder of its bundle, and the contract it was trained under.

    Attributes:
        kind: ``champion``, ``version``, ``provisional`` or ``source``.
    """

    version: Version
    bundle: Path
    contract: Contract
    kind: str
    # A score is no place to ask whether faults are as frequent as they were.
    classes: None = None

    def completing(self, contract: Contract) -> Completing | None:
        """By what the version keeps."""
        return learnt_by(self.bundle, contract, adapt=False)

    def without(self, sensors: tuple[str, ...], request: ScoreRequest) -> Next:
        """The transfer that makes a version which does without some sensors."""
        asked = read_manifest(self.bundle).lineage.get(ASKED, {})
        return transfer_without(sensors, asked, request.model, request.equipment)


@dataclass(frozen=True)
class ScoreResult:
    """What ``score`` did.

    Attributes:
        out: the file of scores.
        model, equipment: as asked for; the machine is None where the source model scored all rows.
        model_version: number of the version that scored.
        alarms: stretches of neighbouring rows that raise one, with the sensors that speak.
        alarm_rows: how many rows raised one.
        alarms_out: the file of these stretches.
        note: where the rows look like another share of faults; empty elsewhere.
        rows: counts and findings of the contract check.
        scored_with: ``champion``, ``version``, ``provisional`` or ``source``.
        banner: what must not be overlooked about the version that scored; empty for a champion.
        next: what to type now.
        lost_sensors: sensors that are missing clearly more often than when the version was judged.
        lost_note: a sentence that says so; empty where there are none.
    """

    out: Path
    model: str
    equipment: str | None
    model_version: str
    alarms: tuple[AlarmStretch, ...]
    alarm_rows: int
    alarms_out: Path
    note: str
    rows: CheckedRows
    scored_with: str
    banner: str = ""
    next: tuple[Next, ...] = ()
    lost_sensors: tuple[LostSensor, ...] = ()
    lost_note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"outcome": "scored", **plain_fields(self)}


@reported("the tracking store")
def fetch_detector(opened: Opened[ScoreRequest]) -> Detector:
    """Load the detector from the registry.

    It is the champion of the machine, or the version asked for; for want of a champion the
    provisional version; and the source model where no machine is named.

    Raises:
        RegistryError: the machine is unknown (lists those known), has nothing to score with, or
            not that version.
        ConfigError: it is to go on without what is no sensor of it.
    """
    request, machine = opened.request, opened.equipment
    progress.info("Loading the detector of %s from the registry", machine or request.model)
    registry = open_registry()
    if machine is None:
        found, kind = _find_source(registry, request.model, request.version), SOURCE
    else:
        found, kind = find_scorer(registry, request.model, machine, request.version)
    folder = opened.work / "detector"
    folder.mkdir()
    bundle = registry.download_bundle(found, folder)
    contract = _contract_of(bundle, found)
    # What the version does without anyway may still be named, as by a schedule of before.
    needed = tuple(name for name in request.without if name not in contract.ignore)
    require_can_lack(contract, needed, found.uri)
    return Detector(found, bundle, contract, kind)


def _contract_of(bundle: Path, version: Version) -> Contract:
    recorded = read_manifest(bundle).lineage.get("contract")
    if recorded is None:
        raise RegistryError(
            "This version keeps no contract, so nothing shows what its files must look like",
            where=version.uri,
            remedy="It was made by an older release: pretrain or transfer again",
        )
    return parse_contract(recorded, where=version.uri)


def score_rows(opened: Opened[ScoreRequest], detector: Detector, rows: CheckedRows) -> ScoreResult:
    """Score the rows.

    The file has one line per accepted row, in input order; it appears whole or not at all. Rows
    outside the contract's `where` stand in it without a score. A file beside it has a line for each
    stretch of alarms.

    Raises:
        DataError: a file was refused.
        ConfigError: ``out`` cannot be written.
    """
    request, out = opened.request, opened.request.out
    accepted = _accepted(rows, detector, request)
    bundle = load_bundle(detector.bundle)
    progress.info("Scoring %d rows", len(accepted))
    machine = opened.equipment
    table = _table(accepted, bundle, detector, machine, several=len(rows.reading) > 1)
    probabilities, alarms = table["fault_probability"].to_numpy(), table["alarm"].to_numpy()
    found = find_alarms(bundle, accepted, probabilities, alarms, machine)
    used = table[_unmarked(table)]
    fault_share = bundle.calibrator.fault_share
    share = share_note(used["fault_probability"].to_numpy(dtype=float), fault_share)
    alarm_rows = int(alarms.sum())
    unscored = unscored_rows(rows, detector, machine)
    alarms_out = alarms_beside(out)
    _write(as_table(found.stretches, several=len(rows.reading) > 1), alarms_out)
    _write(in_input_order(table, unscored, rows), out)
    remarks = remark_note(len(table) - len(used), len(unscored))
    still = still_note(accepted, bundle)
    note = " ".join(filter(None, (still, share, remarks, found.note)))
    banner = _banner(detector, request.model, machine)
    lost = lost_sensors(accepted, rows, detector.contract, bundle.lineage)
    for text in filter(None, (note, lost_note(lost), banner)):
        progress.info(text, extra=NOTE)
    return ScoreResult(
        out=out,
        model=request.model,
        equipment=machine,
        model_version=detector.version.version,
        alarms=found.stretches,
        alarm_rows=alarm_rows,
        alarms_out=alarms_out,
        note=note,
        rows=rows,
        scored_with=detector.kind,
        banner=banner,
        next=(
            *after_scores(
                request, alarm_rows, detector.version.name, detector.version.version, detector.kind
            ),
            *_without(lost, detector, request),
        ),
        lost_sensors=lost,
        lost_note=lost_note(lost),
    )


def _accepted(rows: CheckedRows, detector: Detector, request: ScoreRequest) -> pd.DataFrame:
    """The rows to score.

    Raises:
        DataError: a file was refused; where sensors are all that it lacks, with the command that
            makes a version without them.
    """
    try:
        return pd.read_feather(require_accepted(rows))
    except DataError as error:
        if not error.absent:
            raise
        command = detector.without(error.absent, request).command
        raise DataError(
            error.expected,
            received=error.received,
            where=error.where,
            remedy=f"{error.remedy}. The whole command: `{command}`",
            absent=error.absent,
            way_on=command,
        ) from error


def _without(
    lost: tuple[LostSensor, ...], detector: Detector, request: ScoreRequest
) -> tuple[Next, ...]:
    """The transfer that goes on without lost sensors, where there are some."""
    return (detector.without(names_of_lost(lost), request),) if lost else ()


def _banner(detector: Detector, model: str, machine: str | None) -> str:
    """What must not be overlooked about the version that scored; empty for a champion."""
    version = detector.version.version
    if detector.kind == PROVISIONAL:
        return (
            f"Version {version} of {machine} is provisional: the labelled rows did not suffice to "
            "show that it is good enough, and nobody has promoted it."
        )
    if detector.kind == SOURCE:
        return (
            f"Scored with the source model {model!r} as it is, version {version}: it was not "
            "adapted to any new machine, nobody measured it on these rows, and they were read by "
            "the contract that it was trained with."
        )
    return ""


def share_note(probabilities: np.ndarray, fault_share: float | None) -> str:
    """A sentence where the rows look like another prevalence than the probabilities hold for.

    Args:
        probabilities: (n,) of a fault.
        fault_share: prevalence that they are stated for; None where it is not known.

    Returns:
        The sentence, or an empty one.
    """
    if fault_share is None or len(probabilities) < _FEWEST_FOR_SHARE:
        return ""
    found = estimated_prevalence(probabilities, fault_share)
    odds = (
        max(found / (1 - found), 1 / len(probabilities)) if found < 1 else float(len(probabilities))
    )
    if abs(np.log(odds * (1 - fault_share) / fault_share)) < np.log(_OTHER_ODDS):
        return ""
    return (
        f"These rows look like a fault share of {percent(found)}; the probabilities hold for "
        f"{percent(fault_share)}. Alarms are not touched by it. If such rows are usual, transfer "
        "again with `--fault-share`; if not, look for a change of operation or a sensor."
    )


def remark_note(marked: int, unscored: int) -> str:
    """A sentence on rows that the contract does not use; empty where there are none.

    >>> remark_note(3, 0)
    'Scored but excluded by the contract: 3 rows; `remark` says why.'
    >>> remark_note(0, 1)
    'Outside `where` of the contract and not scored: 1 row; `remark` says why.'
    """
    said = []
    if marked:
        said.append(f"Scored but excluded by the contract: {counted(marked, 'row')}")
    if unscored:
        said.append(f"Outside `where` of the contract and not scored: {counted(unscored, 'row')}")
    return f"{'. '.join(said)}; `remark` says why." if said else ""


def _find_source(registry: Registry, model: str, version: int | None) -> Version:
    source = find_source(registry, model)
    return source if version is None else registry.version(source.name, version)


def _table(
    accepted: pd.DataFrame,
    bundle: Bundle,
    detector: Detector,
    equipment: str | None,
    *,
    several: bool,
) -> pd.DataFrame:
    probabilities = bundle.probabilities(sensor_matrix(accepted, bundle.features))
    scores = {
        **_who_and_when(accepted, detector, equipment),
        "fault_probability": probabilities,
        "alarm": bundle.alarms(probabilities),
        "model_version": detector.version.version,
        **_imputed(accepted),
        **({"scored_with": detector.kind} if detector.kind in _MARKED else {}),
    }
    if columns.REMARK in accepted:
        scores["remark"] = accepted[columns.REMARK]
    return pd.DataFrame({"file": accepted[columns.FILE], **scores} if several else scores)


def _imputed(accepted: pd.DataFrame) -> dict[str, pd.Series]:
    """By row the sensors that were filled in, where some were."""
    if columns.IMPUTED not in accepted:
        return {}
    listed = accepted[columns.IMPUTED].astype(str)
    return {"imputed": listed.str.replace(columns.BETWEEN, ", ", regex=False)}


def _who_and_when(rows: pd.DataFrame, detector: Detector, equipment: str | None) -> dict[str, Any]:
    time_column = detector.contract.time_column
    return {
        "row": rows[columns.ROW],
        "equipment": rows[columns.EQUIPMENT] if equipment is None else equipment,
        **({time_column: rows[columns.TIME_TEXT]} if time_column else {}),
    }


def _unmarked(table: pd.DataFrame) -> np.ndarray:
    """(n,) bool: rows that the contract does not exclude."""
    if "remark" not in table:
        return np.ones(len(table), dtype=bool)
    unmarked: np.ndarray = table["remark"].fillna("").eq("").to_numpy(dtype=bool)
    return unmarked


def unscored_rows(rows: CheckedRows, detector: Detector, equipment: str | None) -> pd.DataFrame:
    """Rows outside `where`, as they stand in the file of scores."""
    if rows.unscored is None:
        return pd.DataFrame()
    outside = pd.read_feather(rows.unscored)
    shown = _who_and_when(outside, detector, equipment)
    file = {"file": outside[columns.FILE]} if len(rows.reading) > 1 else {}
    return pd.DataFrame({**file, **shown, "remark": outside[columns.REMARK]})


def in_input_order(table: pd.DataFrame, unscored: pd.DataFrame, rows: CheckedRows) -> pd.DataFrame:
    """All rows of the file of scores; those without a score have blank cells."""
    if unscored.empty:
        return table
    # Blank cells would turn the column of true and false into one of numbers.
    every = pd.concat([table.astype({"alarm": object}), unscored], ignore_index=True)
    every["remark"] = every["remark"].fillna("")
    if "file" not in every:
        return every.sort_values("row", kind="stable")
    place = {name: number for number, (name, _) in enumerate(rows.files)}
    order = np.lexsort((every["row"], every["file"].map(place)))
    return every.iloc[order]


def _write(table: pd.DataFrame, out: Path) -> None:
    with written_whole("out", out) as part:
        table.to_csv(part, index=False)
