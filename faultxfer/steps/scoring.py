"""Score new rows with a registered version."""

from __future__ import annotations

import glob
import os
import time
from contextlib import suppress
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
from faultxfer.errors import RegistryError
from faultxfer.outputs import writing
from faultxfer.progress import progress
from faultxfer.reading import columns
from faultxfer.registry import machines
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.requests import ScoreRequest
from faultxfer.steps.intake import CheckedRows, require_accepted
from faultxfer.steps.opening import Opened
from faultxfer.steps.plain_data import plain_fields

# Fewer rows than this give no share of faults, and odds that differ by less than this factor are no
# news.
_FEWEST_FOR_SHARE = 100
_OTHER_ODDS = 4.0
_PART_SECONDS = 86_400


@dataclass(frozen=True)
class Detector:
    """A downloaded version: where its bundle lies, and the contract it was trained under."""

    version: Version
    bundle: Path
    contract: Contract


@dataclass(frozen=True)
class ScoreResult:
    """What ``score`` did."""

    out: Path
    model: str
    equipment: str
    model_version: str
    alarms: int
    note: str
    rows: CheckedRows

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"outcome": "scored", **plain_fields(self)}


@reported("the tracking store")
def fetch_detector(opened: Opened[ScoreRequest]) -> Detector:
    """Load the detector from the registry.

    It is the champion of the machine, or the version asked for.

    Raises:
        RegistryError: the machine is unknown (lists those known), has no champion, or not that
            version.
    """
    request = opened.request
    progress.info("Loading the detector of %s from the registry", request.equipment)
    registry = open_registry()
    found = _find(registry, request.model, request.equipment, request.version)
    folder = opened.work / "detector"
    folder.mkdir()
    bundle = registry.download_bundle(found, folder)
    contract = parse_contract(read_manifest(bundle).lineage["contract"], where=found.uri)
    return Detector(found, bundle, contract)


def score_rows(opened: Opened[ScoreRequest], detector: Detector, rows: CheckedRows) -> ScoreResult:
    """Score the rows.

    The file has one line per accepted row, in input order; it appears whole or not at all.

    Raises:
        DataError: a file was refused.
        ConfigError: ``out`` cannot be written.
    """
    request = opened.request
    out, equipment = request.out, request.equipment
    accepted = pd.read_feather(require_accepted(rows))
    bundle = load_bundle(detector.bundle)
    progress.info("Scoring %d rows", len(accepted))
    table = _table(accepted, bundle, detector, equipment, several=len(rows.files) > 1)
    _write_whole(table, out)
    note = share_note(table["fault_probability"].to_numpy(), bundle.calibrator.fault_share)
    if note:
        progress.info(note)
    return ScoreResult(
        out,
        request.model,
        equipment,
        detector.version.version,
        int(table["alarm"].sum()),
        note,
        rows,
    )


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
        f"These rows look like a fault share of {found:.1%}; the probabilities hold for "
        f"{fault_share:.1%}. Alarms are "
        "not touched by it. If such rows are usual, transfer again with `--fault-share`; if not, "
        "look for a change of "
        "operation or a sensor."
    )


def _find(registry: Registry, model: str, equipment: str, version: int | None) -> Version:
    name = machines.look_up(registry, model, equipment)
    if name is None:
        raise RegistryError(
            f"No model of this machine is registered that comes from {model!r}",
            received={"equipment": equipment, "known": machines.equipments(registry, model)},
            where=registry.address,
            remedy="Check --equipment and --model, or run `faultxfer transfer` for it first",
        )
    if version is not None:
        return registry.version(name, version)
    champion = registry.champion(name)
    if champion is None:
        raise RegistryError(
            f"The machine {equipment!r} has no champion",
            received={"champion": None},
            remedy="Name a version with --version, or run `faultxfer transfer` until one passes "
            "the gate",
        )
    return champion


def _table(
    accepted: pd.DataFrame, bundle: Bundle, detector: Detector, equipment: str, *, several: bool
) -> pd.DataFrame:
    probabilities = bundle.probabilities(sensor_matrix(accepted, bundle.features))
    scores = {
        "row": accepted[columns.ROW],
        "equipment": equipment,
        **(
            {detector.contract.time_column: accepted[columns.TIME_TEXT]}
            if detector.contract.time_column
            else {}
        ),
        "fault_probability": probabilities,
        "alarm": bundle.alarms(probabilities),
        "model_version": detector.version.version,
    }
    return pd.DataFrame({"file": accepted[columns.FILE], **scores} if several else scores)


def _write_whole(table: pd.DataFrame, out: Path) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with writing("out", out):
            out.parent.mkdir(parents=True, exist_ok=True)
            _remove_parts_of_killed_processes(out)
            table.to_csv(part, index=False)
            part.replace(out)
    finally:
        with suppress(OSError):  # the folder itself may be the problem
            part.unlink(missing_ok=True)


def _remove_parts_of_killed_processes(out: Path) -> None:
    """Half-written files beside ``out``: nobody writes one for a day, on this host or another."""
    for part in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _PART_SECONDS:
                part.unlink()
