"""The first step of every pipeline: look up what the request names, before any work is done for it.

What the registry will be asked for at the end is asked here too, so that nobody trains for minutes
to learn that they may not write. In a registry of this machine's own that takes milliseconds; a
server is asked through MLflow. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from faultxfer.config import STRATEGY_OPTIONS, TransferOptions
from faultxfer.contract.schema import Contract, load_contract
from faultxfer.contract.verdicts import how_to_read
from faultxfer.errors import ConfigError
from faultxfer.network.size import require_room
from faultxfer.outputs import alarms_beside, docs_folder, quarantine_of_scores
from faultxfer.reading.read_csv import find_files
from faultxfer.registry import connect, names
from faultxfer.registry.rights import require_before_work
from faultxfer.registry.source_models import require_source
from faultxfer.requests import (
    CurveRequest,
    PretrainRequest,
    ScoreRequest,
    TransferRequest,
    ValidateRequest,
)
from faultxfer.spelling import asking

AnyRequest = ValidateRequest | PretrainRequest | TransferRequest | ScoreRequest | CurveRequest
# How many sensors an error lists.
_SHOWN = 24
Asked = TypeVar("Asked", bound=AnyRequest, covariant=True)


@dataclass(frozen=True)
class Opened(Generic[Asked]):
    """A request of which everything that it names is there.

    Attributes:
        request: what was asked.
        work: folder for what passes between steps.
        labelled: whether each row needs a label; None checks labels where a file has them.
        equipment: only this machine's rows are used; all rows where None.
        quarantine: folder for rows set aside.
        data_docs: folder for Data Docs, or None.
    """

    request: Asked
    work: Path
    labelled: bool | None
    equipment: str | None
    quarantine: Path
    data_docs: Path | None


@dataclass(frozen=True)
class Job(Opened[Asked]):
    """An opened request that brings its contract, parsed, and as the file that it was read from.

    Attributes:
        contract: without what the machine asked for lacks.
        contract_file: as it was given.
        lacks: sensors that the machine lacks by the contract; readings of them are asked about.
    """

    contract: Contract
    contract_file: bytes = b""
    lacks: tuple[str, ...] = ()


def open_validate(request: ValidateRequest, work: Path) -> Job[ValidateRequest]:
    """Look at the request.

    Raises:
        UserError: a file is missing, or the contract cannot be read.
    """
    contract, lacks = _contract_of(request)
    require_files(request.files)
    return Job(
        *(request, work, None, request.equipment, request.quarantine, request.data_docs),
        contract=contract,
        lacks=lacks,
    )


def open_pretrain(request: PretrainRequest, work: Path) -> Job[PretrainRequest]:
    """Look at the request.

    Raises:
        UserError: a file is missing, the contract cannot be read, or the registry cannot be
            written.
    """
    contract = _load(request)
    require_room(len(contract.features), request.options.network, str(request.contract))
    require_files(request.files)
    require_before_work(names.registered_name(request.model), creating=True)
    machine = contract.machine_of_unnamed_rows
    docs = docs_folder(request.data_docs, work)
    return Job(request, work, True, machine, request.quarantine, docs, contract, _as_given(request))


def open_transfer(request: TransferRequest, work: Path) -> Job[TransferRequest]:
    """Look at the request.

    A dry run writes nothing to the registry, and needs no right to.

    Raises:
        UserError: a file is missing, the contract cannot be read, the strategy or the gate's rules
            are not for this request, or the registry cannot be written.
    """
    contract, lacks = _contract_of(request)
    require_files(request.files)
    _require_rules_for(contract, request)
    uri = connect.tracking_uri()
    if request.dry_run:
        connect.require_registry(uri)
    else:
        _require_rights(request, contract)
    require_source(uri, request.model)
    _require_strategy(request)
    docs = docs_folder(request.data_docs, work)
    return Job(
        request,
        work,
        True,
        request.equipment,
        request.quarantine,
        docs,
        contract,
        _as_given(request),
        lacks,
    )


def _load(request: ValidateRequest | PretrainRequest | TransferRequest | CurveRequest) -> Contract:
    """The contract, which says how the log of faults is read where one is named."""
    contract = load_contract(request.contract)
    if request.events is None:
        return contract
    if not request.events.is_file():
        raise ConfigError(
            "There is no such log of faults",
            received={"events": str(request.events)},
            remedy="Name the CSV that has a line for each interval of a fault",
        )
    how_to_read(request.events, contract)
    return contract


def _contract_of(
    request: ValidateRequest | TransferRequest | CurveRequest,
) -> tuple[Contract, tuple[str, ...]]:
    """The contract as it is for the machine asked for, without sensors that the request names.

    Returns:
        It, and the sensors that the machine lacks by the contract.

    Raises:
        ConfigError: the contract has no such sensor, or rows cannot be read without it.
    """
    contract = _load(request)
    require_can_lack(contract, request.without, str(request.contract))
    machine = request.equipment or contract.machine_of_unnamed_rows
    lacks = () if machine is None else contract.lacking(machine)
    asked = tuple(name for name in lacks if name not in request.without)
    gone = (*asked, *request.without)
    if problem := contract.why_needed(gone):
        raise ConfigError(
            f"Rows cannot be read without these sensors: {problem}",
            received={"lacks": list(lacks), "without": list(request.without)},
            where=str(request.contract),
            remedy="Name fewer sensors after `--without`",
        )
    return contract.without_sensors(gone), asked


def require_can_lack(contract: Contract, without: tuple[str, ...], where: str) -> None:
    """Look whether rows can be read without sensors that a request names.

    Args:
        contract: what the rows must look like.
        without: names of sensors.
        where: the contract is written.

    Raises:
        ConfigError: the contract has no such sensor, or rows cannot be read without it.
    """
    strange = [name for name in without if name not in contract.sensors]
    if strange:
        known = ", ".join(contract.features[:_SHOWN])
        more = len(contract.features) - _SHOWN
        raise ConfigError(
            "`--without` names what is no sensor of the contract",
            received={"without": strange},
            where=where,
            remedy=asking(
                strange[0],
                contract.features,
                f"The sensors are {known}{f' and {more} more' if more > 0 else ''}",
            ),
        )
    if problem := contract.why_needed(without):
        raise ConfigError(
            f"Rows cannot be read without these sensors: {problem}",
            received={"without": list(without)},
            where=where,
            remedy="Name fewer sensors after `--without`",
        )


def _as_given(request: PretrainRequest | TransferRequest) -> bytes:
    """The contract's file, which the run keeps."""
    return request.contract.read_bytes()


def open_score(request: ScoreRequest, work: Path) -> Opened[ScoreRequest]:
    """Look at the request.

    The contract comes with the detector, in the next step.

    Raises:
        UserError: a file is missing, the scores would overwrite it, or there is no registry.
    """
    files = require_files(request.files)
    _require_no_input(request, files)
    uri, machine = connect.tracking_uri(), _machine_of(request)
    connect.require_registry(uri)
    if machine is None:
        require_source(uri, request.model)
    quarantine = quarantine_of_scores(request.quarantine, request.out)
    return Opened(request, work, False, machine, quarantine, request.data_docs)


def _require_no_input(request: ScoreRequest, files: list[Path]) -> None:
    """Neither scores nor alarms nor state may take the place of what is scored, or of another."""
    inputs = [path.resolve() for path in files]
    written = [request.out, alarms_beside(request.out)]
    for path in written:
        if path.resolve() in inputs:
            raise ConfigError(
                "`--out` must not overwrite an input file",
                received={"out": str(request.out)},
                where=str(path),
                remedy="Choose another --out",
            )
    taken = [*inputs, *(path.resolve() for path in written)]
    if request.state is not None and request.state.resolve() in taken:
        raise ConfigError(
            "`--state` must be a file of its own",
            received={"state": str(request.state)},
            remedy="Choose another --state",
        )


def _machine_of(request: ScoreRequest) -> str | None:
    """The machine asked for, else that of the whole name of a machine's model.

    Raises:
        ConfigError: the model is a machine's, and its name does not show which one.
    """
    if request.equipment is not None or names.kind_of(request.model) != names.TARGET_KIND:
        return request.equipment
    machine = names.equipment_of(request.model)
    if machine is None:
        raise ConfigError(
            "The name of this machine's model does not show which machine it is of",
            received={"model": request.model},
            remedy="Name the machine with --equipment",
        )
    return machine


def open_curve(request: CurveRequest, work: Path) -> Job[CurveRequest]:
    """Look at the request.

    Minutes of work must find a folder to go to.

    Raises:
        UserError: a file is missing, the contract cannot be read, there is no registry, or the
            results could not be written.
    """
    contract, lacks = _contract_of(request)
    require_files(request.files)
    _require_writable(request.out)
    uri = connect.tracking_uri()
    connect.require_registry(uri)
    require_source(uri, request.model)
    return Job(
        *(request, work, True, request.equipment, request.quarantine, request.data_docs),
        contract=contract,
        lacks=lacks,
    )


def require_files(files: tuple[str, ...]) -> list[Path]:
    """The files that paths, folders and patterns name.

    Raises:
        UserError: nothing is named, or nothing is there.
    """
    if not files:
        raise ConfigError(
            "No file to read was named",
            received={"files": list(files)},
            remedy="Name at least one CSV file, folder or pattern",
        )
    return find_files(list(files))


def _require_rules_for(contract: Contract, request: TransferRequest) -> None:
    family = request.options.gate.family
    if family not in (None, contract.family):
        raise ConfigError(
            f"The gate's rules are for another family than the contract's, {contract.family!r}",
            received={"family": family},
            where=str(request.contract),
            remedy="Take the rules of this family, or leave `family` out of rules that are for all",
        )


def _require_strategy(request: TransferRequest) -> None:
    options = request.options.model_dump(include=set(STRATEGY_OPTIONS))
    if options == TransferOptions().model_dump(include=set(STRATEGY_OPTIONS)):
        return
    # Last, as it is the one question that loads TensorFlow.
    from faultxfer.strategies import chosen_strategy

    chosen_strategy(request.options)


def _require_rights(request: TransferRequest, contract: Contract) -> None:
    # A machine's model has its former name or the one that follows from the contract.
    former = names.registered_name(request.model, request.equipment)
    now = names.detector_name(contract.family, contract.label.column, request.equipment)
    require_before_work(former, now, source=request.model)


def _require_writable(out: Path) -> None:
    path = out.absolute()
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ConfigError(
            "Cannot write the results to this folder",
            received={"out": str(out)},
            where=str(there),
            remedy="Choose another --out",
        )
