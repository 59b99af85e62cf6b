"""Propose which columns of another machine's file are which sensors of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.errors import ConfigError
from faultxfer.following import Next, typed, typed_files
from faultxfer.mapping.alike import AlikeSensors
from faultxfer.mapping.checking import (
    Question,
    doubting_what_stands,
    present_mapping,
    questions_of,
)
from faultxfer.mapping.matching import Known
from faultxfer.mapping.proposing import Proposal, Proposals, propose
from faultxfer.mapping.rows import Columns, read_columns, read_source
from faultxfer.mapping.statistics import Basis, SensorStatistics
from faultxfer.mapping.writing import write_entry
from faultxfer.outputs import writing, written_whole
from faultxfer.progress import progress
from faultxfer.reading.read_csv import find_files

_BASES = {
    "model": "Compared with what the source model keeps of its normal rows.",
    "kept rows": "The source model is of an older release: compared with the source rows kept "
    "with its run.",
    "like": "Compared with the normal rows of the files given by --like.",
    "names": "Compared by names and units alone: neither --model nor --like gives rows of the "
    "source, so ranges and correlations say nothing. Check every line.",
}


@dataclass(frozen=True)
class MappedSensors:
    """What is proposed for a machine; nothing was applied.

    Attributes:
        contract: its file.
        equipment: the machine.
        files: as they were typed.
        basis: what the columns were compared with.
        proposals: for each sensor.
        questions: in which the contract as it is does not seem right.
        left_out: by column, why it cannot be a sensor.
        draft: the entry under ``equipment``, as YAML.
        out: where it was written; None where it is shown.
    """

    contract: Path
    equipment: str
    files: tuple[str, ...]
    basis: Basis
    proposals: Proposals
    questions: tuple[Question, ...]
    left_out: dict[str, str]
    draft: str
    out: Path | None

    @property
    def next(self) -> tuple[Next, ...]:
        """What to type once the entry is in the contract."""
        return (_next(self.files, self.contract, self.equipment),)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "contract": str(self.contract),
            "equipment": self.equipment,
            "files": list(self.files),
            "compared_with": self.basis,
            "sensors": [_of_proposal(one) for one in self.proposals.sensors],
            "new": list(self.proposals.new),
            "missing": list(self.proposals.missing),
            "indistinguishable": [_of_group(group) for group in self.proposals.alike],
            "questions": [question.as_dict() for question in self.questions],
            "left_out": dict(self.left_out),
            "draft": self.draft,
            "out": str(self.out) if self.out else None,
            "next": [one.as_dict() for one in self.next],
        }


def _of_proposal(proposal: Proposal) -> dict[str, Any]:
    factor, offset = proposal.to_contract
    return {
        "sensor": proposal.sensor,
        "tag": proposal.tag,
        "unit": proposal.writing.unit or None,
        "scale": proposal.writing.scale,
        "factor": factor,
        "offset": offset,
        "sure": proposal.sure,
        "doubt": proposal.doubt,
        "evidence": list(proposal.evidence),
    }


def _of_group(group: AlikeSensors) -> dict[str, Any]:
    return {"sensors": list(group.sensors), "tags": list(group.tags), "margin": group.margin}


def map_sensors(
    files: list[str],
    contract: Path,
    equipment: str,
    *,
    model: str | None = None,
    like: list[str] | None = None,
    out: Path | None = None,
    force: bool = False,
) -> MappedSensors:
    """Propose a machine's tags, units and scales, and compare them with what the contract says.

    Args:
        files: of the machine; all have the same columns.
        contract: its file, which stays as it is.
        equipment: name of the machine.
        model: source model that keeps what its sensors look like.
        like: files of a machine that the contract fits, instead.
        out: where to write the draft.
        force: overwrite ``out``.

    Raises:
        ConfigError: both ``model`` and ``like`` are given, or ``out`` exists or is an input.
        ContractError, DataError: contract or files cannot be read.
        RegistryError: there is no such model, or the registry cannot be reached.
    """
    if model is not None and like:
        raise ConfigError(
            "Two sources are named, and the columns are compared with one",
            received={"--model": model, "--like": like},
            remedy="Leave one of them out",
        )
    paths = find_files(files)
    _require_free(out, [*paths, contract], force=force)
    agreed = load_contract(contract)
    columns = read_columns(paths, agreed, equipment)
    basis, source = _source(agreed, model, like)
    known = _known(agreed)
    progress.info(
        "Comparing %d columns with %d sensors", len(columns.known.names), len(known.names)
    )
    proposals = propose(known, columns.known, source, columns.rows)
    questions = _questions(agreed, equipment, columns, proposals, source)
    proposals = doubting_what_stands(agreed, equipment, proposals)
    head = _head(contract, equipment, basis, columns, files)
    draft = write_entry(equipment, proposals, questions, head)
    if out is not None:
        with written_whole("out", out) as part:
            part.write_text(draft, encoding="utf-8")
    return MappedSensors(
        contract,
        equipment,
        tuple(files),
        basis,
        proposals,
        tuple(questions),
        columns.left_out,
        draft,
        out,
    )


def _require_free(out: Path | None, inputs: list[Path], *, force: bool) -> None:
    if out is None:
        return
    with writing("out", out):
        if out.resolve() in {path.resolve() for path in inputs}:
            raise ConfigError(
                "`--out` must not overwrite an input file",
                received={"out": str(out)},
                remedy="Name another file: a person reads the draft before it is taken over",
            )
        exists = out.exists()
    if exists and not force:
        raise ConfigError(
            "The file to be written exists already",
            received={"out": str(out)},
            remedy="Choose another name, or overwrite it with --force",
        )


def _known(contract: Contract) -> Known:
    units = {name: sensor.unit for name, sensor in contract.sensors.items() if sensor.unit}
    return Known(contract.features, units, {})


def _source(
    contract: Contract, model: str | None, like: list[str] | None
) -> tuple[Basis, SensorStatistics | None]:
    """What the columns are compared with, and where it comes from."""
    if like:
        return "like", read_source(find_files(like), contract)
    if model is None:
        return "names", None
    # Only a model needs the registry and the libraries of models, which take seconds to load.
    from faultxfer.steps.source_sensors import sensors_of_model

    return sensors_of_model(contract, model)


def _questions(
    contract: Contract,
    equipment: str,
    columns: Columns,
    proposals: Proposals,
    source: SensorStatistics | None,
) -> list[Question]:
    present = present_mapping(contract, equipment, columns.every)
    target = (columns.known, columns.rows)
    return questions_of(contract, equipment, present, proposals, source, target)


def _head(
    contract: Path, equipment: str, basis: Basis, columns: Columns, files: list[str]
) -> list[str]:
    """What stands above the draft."""
    after = _next(tuple(files), contract, equipment)
    rows = f"{columns.rows.rows} {'normal rows' if columns.labelled else 'rows, of which no label'}"
    looked = rows if columns.labelled else f"{rows} says which are normal"
    return [
        f"Draft of the entry of {equipment} under `equipment` in {contract}.",
        "Nothing was applied. Read each line, take what is right into the contract, and then type",
        f"  {after.command}",
        f"{_BASES[basis]} Looked at: {looked}.",
        "Ranges are the middle eight tenths of the readings; `goes with` are rank correlations.",
    ]


def _next(files: tuple[str, ...], contract: Path, equipment: str) -> Next:
    check = typed(
        "validate", *typed_files(files), "--contract", str(contract), "--equipment", equipment
    )
    return Next("Once the entry is in the contract, check the files", check)
