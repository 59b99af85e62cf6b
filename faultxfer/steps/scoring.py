"""Score new rows with a registered version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import load_bundle
from faultxfer.bundle.calibration import estimated_prevalence
from faultxfer.bundle.manifest import MANIFEST, read_manifest
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.contract.verdicts import kept_verdicts
from faultxfer.errors import DataError, RegistryError
from faultxfer.evaluate.alarms import AlarmStretch
from faultxfer.following import ASKED, Next, transfer_without
from faultxfer.outputs import alarms_beside, written_whole
from faultxfer.progress import NOTE, progress
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.requests import ScoreRequest
from faultxfer.rows_file import rows_file
from faultxfer.steps.accepted import AcceptedRows, RowsBetween
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
from faultxfer.steps.processors import give_memory_back
from faultxfer.steps.said_parts import Along
from faultxfer.steps.score_parts import ScoreTable, ScoreTally, write_scores
from faultxfer.steps.score_state import ScoreState, read_state
from faultxfer.steps.scorers import PROVISIONAL, SOURCE, find_scorer
from faultxfer.steps.sources import find_source
from faultxfer.steps.speaking import AlarmTable, Recordings, ToldAlarms
from faultxfer.wording import counted, percent

# Fewer rows than this give no share of faults, and odds that differ by less than this factor are no
# news.
_FEWEST_FOR_SHARE = 100
_OTHER_ODDS = 4.0

# Lines of the file of alarms that are made at a time.
_ALARMS = 4_096

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
        alarms: stretches of neighbouring rows that raise one, those with the highest probability
            with the sensors that speak; of more than 1,000 these surest ones.
        alarm_count: how many stretches there are.
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
    alarm_count: int
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
    accepted = AcceptedRows(_accepted(rows, detector, request), completed=rows.completed)
    bundle = load_bundle(detector.bundle)
    progress.info("Scoring %d rows", rows.accepted)
    give_memory_back()
    machine = opened.equipment
    several = len(rows.reading) > 1
    state = _state(request, detector, machine)
    whole = state is not None and detector.contract.run_column is None
    recordings = Recordings(machine, whole=whole)
    tally = ScoreTally(detector.contract.features, bundle, recordings, opened.work)
    between = RowsBetween(rows.unscored, [name for name, _ in rows.files])
    version = detector.version.version
    said = {"model_version": version}
    if detector.kind in _MARKED:
        said["scored_with"] = detector.kind
    table = ScoreTable(
        accepted.columns,
        machine,
        detector.contract.time_column,
        said,
        several=several,
        between=between.there,
    )
    alarms_out, along = alarms_beside(out), Along(recordings, state)
    with written_whole("out", out) as part:
        with rows_file(part, out) as file:
            write_scores(accepted, between, bundle, table, tally, file, along)
        give_memory_back()
        stretches = tally.stretches(accepted)
        before = along.alarms_before
        told = ToldAlarms(bundle, stretches, accepted.take, machine, before)
        lines = AlarmTable(version, kept_verdicts(alarms_out), several=several)
        alarms = _write_alarms(told, alarms_out, lines)
    if state is not None and request.state is not None:
        along.leave(told.still_on)
        state.write(request.state)
    share = share_note(tally.shares.means, bundle.calibrator.fault_share, tally.shares.counts)
    remarks = remark_note(tally.marked, between.handed_out)
    note = " ".join(filter(None, (still_note(tally.still), share, remarks, told.note)))
    banner = _banner(detector, request.model, machine)
    lost = lost_sensors(tally.gaps, rows, detector.contract, bundle.lineage)
    for text in filter(None, (note, lost_note(lost), banner)):
        progress.info(text, extra=NOTE)
    return ScoreResult(
        out=out,
        model=request.model,
        equipment=machine,
        model_version=version,
        alarms=alarms,
        alarm_count=len(told),
        alarm_rows=tally.alarm_rows,
        alarms_out=alarms_out,
        note=note,
        rows=rows,
        scored_with=detector.kind,
        banner=banner,
        next=(
            *after_scores(request, tally.alarm_rows, detector.version.name, version, detector.kind),
            *_without(lost, detector, request),
        ),
        lost_sensors=lost,
        lost_note=lost_note(lost),
    )


def _state(request: ScoreRequest, detector: Detector, machine: str | None) -> ScoreState | None:
    """What an earlier score left; None where nothing is gone on from.

    Raises:
        ConfigError: it is no state, or another version or machine left it.
    """
    if request.state is None:
        return None
    scorer = {
        "model": detector.version.name,
        "version": str(detector.version.version),
        "sha256": read_manifest(detector.bundle).sha256[MANIFEST],
        "machine": machine,
    }
    return read_state(request.state, scorer)


def _write_alarms(told: ToldAlarms, out: Path, lines: AlarmTable) -> tuple[AlarmStretch, ...]:
    """Write a line for each stretch; returns those that the answer lists."""
    listed, kept = set(told.listed.tolist()), []
    with written_whole("out", out) as part, part.open("w", encoding="utf-8", newline="") as file:
        for begin in range(0, max(len(told), 1), _ALARMS):
            some = tuple(told.stretches(begin, min(begin + _ALARMS, len(told))))
            kept += [one for place, one in enumerate(some, start=begin) if place in listed]
            lines.lines(some).to_csv(file, index=False, header=not begin)
        lines.rest().to_csv(file, index=False, header=False)
    return tuple(kept)


def _accepted(rows: CheckedRows, detector: Detector, request: ScoreRequest) -> Path:
    """The file of the rows to score.

    Raises:
        DataError: a file was refused; where sensors are all that it lacks, with the command that
            makes a version without them.
    """
    try:
        return require_accepted(rows)
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


def share_note(
    probabilities: np.ndarray, fault_share: float | None, counts: np.ndarray | None = None
) -> str:
    """A sentence where the rows look like another prevalence than the probabilities hold for.

    Args:
        probabilities: (n,) of a fault.
        fault_share: prevalence that they are stated for; None where it is not known.
        counts: (n,) of how many rows each stands for; 1 if left out.

    Returns:
        The sentence, or an empty one.
    """
    rows = len(probabilities) if counts is None else int(counts.sum())
    if fault_share is None or rows < _FEWEST_FOR_SHARE:
        return ""
    found = estimated_prevalence(probabilities, fault_share, counts)
    odds = max(found / (1 - found), 1 / rows) if found < 1 else float(rows)
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
