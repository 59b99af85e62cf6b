"""Say before the work what can be said without it: nothing here imports tensorflow.

What the registry will be asked for at the end is asked here too, so that nobody trains for minutes
to hear that they may not write. Over a registry of this machine's own that takes milliseconds; a
server is asked through MLflow.
"""

from __future__ import annotations

import os
from pathlib import Path

from faultxfer.contract.schema import Contract, load_contract
from faultxfer.errors import ConfigError
from faultxfer.registry import connect, names
from faultxfer.registry.rights import require_before_work


def check_validate_request(csv: list[str], contract: Path | str) -> None:
    """Contract and files are there.

    Raises:
        UserError: the first of them that is not.
    """
    load_contract(contract)
    _check_files(csv)


def check_pretrain_request(csv: list[str], contract: Path | str, model: str) -> Contract:
    """Contract of a request whose names, files and tracking store are all there.

    Raises:
        UserError: the first of them that is not.
    """
    name = names.registered_name(model)
    agreed = _common(csv, contract)
    require_before_work(name, creating=True)
    return agreed


def check_transfer_request(
    csv: list[str],
    contract: Path | str,
    model: str,
    equipment: str,
    override_gate: str | None = None,
    family: str | None = None,
    *,
    dry_run: bool = False,
) -> Contract:
    """As :func:`check_pretrain_request`, for a transfer.

    An override needs a reason, and gate rules for one family are for no other. A dry run writes nothing to the
    registry, and needs no right to.
    """
    name = names.registered_name(model, equipment)
    if override_gate is not None and not override_gate.strip():
        raise ConfigError(
            "A reason for overriding the gate was expected",
            received={"override_gate": override_gate},
            remedy="Say why in a few words: it stays with the version",
        )
    agreed = _common(csv, contract)
    if family not in (None, agreed.family):
        raise ConfigError(
            f"Gate rules for the family {agreed.family!r} were expected",
            received={"family": family},
            where=str(contract),
            remedy="Take the rules of this family, or leave `family` out of rules that are meant for all",
        )
    if dry_run:
        connect.require_registry(connect.tracking_uri())
    else:
        # A machine's model has its former name or the one that follows from the contract.
        now = names.detector_name(agreed.family, agreed.label.column, equipment)
        require_before_work(name, now, source=model)
    return agreed


def check_learning_request(
    csv: list[str], contract: Path | str, model: str, equipment: str, out: Path | str
) -> Contract:
    """As :func:`check_transfer_request`, for a learning curve: minutes of work must find a folder to go to."""
    names.registered_name(model, equipment)
    there = next(
        path for path in (Path(out).absolute(), *Path(out).absolute().parents) if path.exists()
    )
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ConfigError(
            "A folder that can be written was expected for the results",
            received={"out": str(out)},
            where=str(there),
            remedy="Choose another --out",
        )
    agreed = _common(csv, contract)
    connect.require_registry(connect.tracking_uri())
    return agreed


def check_score_request(csv: list[str], model: str, equipment: str, out: Path | str) -> None:
    """As :func:`check_pretrain_request`, for scoring; the scores may not overwrite what is scored."""
    names.check_asked(model, equipment)
    if Path(out).resolve() in [path.resolve() for path in _check_files(csv)]:
        raise ConfigError(
            "Another file for the scores than the one they are made from was expected",
            received={"out": str(out)},
            remedy="Choose another --out",
        )
    connect.require_registry(connect.tracking_uri())


def _common(csv: list[str], contract: Path | str) -> Contract:
    agreed = load_contract(contract)
    _check_files(csv)
    return agreed


def _check_files(csv: list[str]) -> list[Path]:
    from faultxfer.reading.read_csv import find_files

    if not csv:
        raise ConfigError(
            "At least one CSV file was expected",
            received={"csv": csv},
            remedy="Name the files to read",
        )
    return find_files(csv)
