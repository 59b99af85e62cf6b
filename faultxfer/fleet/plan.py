"""What is asked for each machine: the command's own request, one a machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.contract.schema import load_contract
from faultxfer.errors import ConfigError, FaultxferError
from faultxfer.fleet.found import found_machines
from faultxfer.fleet.manifest import Listed, Problems, is_pattern, read_manifest
from faultxfer.fleet.tasks import Request
from faultxfer.outputs import alarms_beside
from faultxfer.requests import (
    FleetRequest,
    ScoreRequest,
    TransferRequest,
    ValidateRequest,
    make_request,
)

SCORES, ASIDE = "scores", "quarantine"
_KINDS: dict[str, type[Request]] = {
    "transfer": TransferRequest,
    "score": ScoreRequest,
    "validate": ValidateRequest,
}
# What a machine's line may say for each task, beside its files.
_FIELDS = {
    "transfer": ("contract", "events", "model", "without"),
    "score": ("model", "without", "version", "out"),
    "validate": ("contract", "events", "without"),
}
# Of another task, and no reason to refuse a manifest that is for several.
_NEEDED = {"transfer": ("contract", "model"), "score": ("model",), "validate": ("contract",)}


@dataclass(frozen=True)
class Planned:
    """A machine and what is asked for it.

    Attributes:
        request: None where a file that a pattern found shows no machine.
    """

    listed: Listed
    request: Request | None


def plan_of(request: FleetRequest) -> list[Planned]:
    """A request for each machine, in the order of the manifest.

    Raises:
        ConfigError: the manifest cannot be used: names every problem with its line.
        DataError: a pattern matches no file.
    """
    if is_pattern(request.manifest):
        listed = found_machines(request.manifest, request.contract)
        problems = Problems(", ".join(request.manifest))
    else:
        listed, problems = read_manifest(request.manifest[0])
    _note_needed(listed, request, problems)
    planned = [Planned(one, _request(one, request, problems)) for one in listed]
    _note_bad_contracts(planned, problems)
    _note_absent_logs(planned, problems)
    _note_shared_files(planned, problems)
    problems.raise_any()
    return planned


def _request(one: Listed, asked: FleetRequest, problems: Problems) -> Request | None:
    if one.problem is not None or not one.files:
        return None
    fields = _fields(one, asked)
    if any(not fields.get(name) for name in _NEEDED[asked.task]):
        return None
    try:
        made: Request = make_request(_KINDS[asked.task], **fields)
        return made
    except ConfigError as error:
        said = "; ".join(f"{name}: {value}" for name, value in error.received.items())
        problems.add(one.line, f"{one.name!r}: {error.expected} ({said})")
        return None


def _note_needed(listed: list[Listed], asked: FleetRequest, problems: Problems) -> None:
    """Note what no machine can do without; once where nothing names it for any."""
    for name in _NEEDED[asked.task]:
        lacking = [one for one in listed if not (one.fields.get(name) or getattr(asked, name))]
        if lacking and len(lacking) == len(listed):
            problems.add(0, f"nothing names the {name}; --{name} names one for all machines")
            continue
        for one in lacking:
            problems.add(one.line, f"nothing names the {name} of {one.name!r}")


def _fields(one: Listed, asked: FleetRequest) -> dict[str, Any]:
    own = {name: one.fields[name] for name in _FIELDS[asked.task] if name in one.fields}
    shared = ("contract", "events", "model")
    common: dict[str, Any] = {name: getattr(asked, name) for name in shared}
    common = {name: value for name, value in common.items() if name in _FIELDS[asked.task]}
    fields = {
        **common,
        **own,
        "files": _absolute(one.files, asked),
        "equipment": one.name,
        "quarantine": asked.out / ASIDE / one.name,
    }
    if asked.task == "score":
        fields["out"] = Path(own.get("out", asked.out / SCORES / f"{one.name}.csv"))
    if asked.task == "transfer":
        policy = {"policy": asked.policy, "dry_run": asked.dry_run, "force": asked.again}
        fields |= {"options": asked.options, **policy}
    if asked.dask is not None:  # workers elsewhere have another working folder
        places = ("quarantine", "out", "contract", "events")
        fields |= {name: Path(fields[name]).absolute() for name in places if fields.get(name)}
    return fields


def _absolute(files: tuple[str, ...], asked: FleetRequest) -> tuple[str, ...]:
    return tuple(str(Path(name).absolute()) for name in files) if asked.dask else files


def _note_bad_contracts(planned: list[Planned], problems: Problems) -> None:
    """Each contract is read once, and named where it is used first."""
    seen: set[Path] = set()
    for one in planned:
        contract = getattr(one.request, "contract", None)
        if contract is None or contract in seen:
            continue
        seen.add(contract)
        try:
            load_contract(contract)
        except FaultxferError as error:
            problems.add(one.listed.line, str(error))


def _note_absent_logs(planned: list[Planned], problems: Problems) -> None:
    """Each log of faults is looked for once, and named where it is used first."""
    lines = {
        one.request.events: one.listed.line
        for one in reversed(planned)
        if isinstance(one.request, TransferRequest | ValidateRequest) and one.request.events
    }
    for log, line in lines.items():
        if not log.is_file():
            problems.add(line, f"there is no log of faults {str(log)!r}")


def _note_shared_files(planned: list[Planned], problems: Problems) -> None:
    """No two machines' scores may go to the same file, nor to one that is read."""
    taken: dict[Path, str] = {}
    for one in planned:
        if not isinstance(one.request, ScoreRequest):
            continue
        for path in (one.request.out, alarms_beside(one.request.out)):
            other = taken.setdefault(path.resolve(), one.listed.name)
            if other != one.listed.name:
                problems.add(
                    one.listed.line, f"{one.listed.name!r} and {other!r} are both written to {path}"
                )
