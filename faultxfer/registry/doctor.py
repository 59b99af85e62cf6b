"""Find what broken-off or damaged registrations left, and mend it without destroying anything.

The journal decides: what stands in it is finished. Everything is found first. What restores is then applied; what
takes away is listed, and applied only where somebody asks for it (``docs/decisions/0012``). The journal's entries are
never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from faultxfer.errors import FaultxferError
from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, TAKES_AWAY, UNCHECKED, Diagnosis
from faultxfer.registry.inspection import Inspection, inspect_files
from faultxfer.registry.journal import Chain
from faultxfer.registry.machine_tags import tag_findings
from faultxfer.registry.machines import twice
from faultxfer.registry.merging import half_done
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_checks import Patient, examine_model
from faultxfer.registry.pending import pending_deletions
from faultxfer.registry.renamed import concerned, renamed
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.traces import (
    empty_models,
    temporary_left,
    unfinished_runs,
    unused_uploads,
)

# A repair may bring to light what it covered: an upload is unused once its version is gone.
_ROUNDS = 4


@dataclass(frozen=True)
class Orders:
    """What the doctor may do.

    Attributes:
        name: the one registered model to look at; None for all, and for what belongs to none.
        apply: also what takes away. dry_run: nothing at all.
        grace: how long a registration by a process on another host may take before it counts as broken off.
        kept: how long an upload that nothing names is kept.
    """

    name: str | None = None
    apply: bool = False
    dry_run: bool = False
    grace: timedelta = timedelta(minutes=60)
    kept: timedelta = timedelta(days=7)


@dataclass
class Repair:
    """What was found, each with what was done about it, and why the doctor stopped, if it did."""

    found: list[tuple[Diagnosis, str]] = field(default_factory=list)
    stopped: str = ""

    @property
    def left(self) -> list[Diagnosis]:
        """What is not mended."""
        return [one for one, done in self.found if not done.startswith("done")]


def repair(registry: Registry, orders: Orders) -> Repair:
    """Look at everything, then mend what the orders allow.

    Args:
        registry: where.
        orders: what to look at, and what may be done.

    Raises:
        RegistryError: the store does not answer.
    """
    result = Repair()
    inspect = _remembering()
    for _ in range(_ROUNDS):
        with registry.as_it_is_now():
            found = list(_examined(registry, orders, inspect))
        result.stopped = result.stopped or _why_stop(found, orders)
        new = _resolved(result, found)
        done = [_treat(one, orders, stopped=bool(result.stopped)) for one in new]
        result.found += zip(new, done, strict=True)
        if orders.dry_run or not any(one.startswith("done") for one in done):
            break
    return result


def _examined(
    registry: Registry, orders: Orders, inspect: Callable[..., Inspection]
) -> Iterator[Diagnosis]:
    elsewhere = renamed(registry, orders.name)
    yield from elsewhere
    left_alone = concerned(elsewhere)
    yield from tag_findings(registry, orders.name, left_alone)
    yield from half_done(registry, orders.name)
    for name in registry.known_names() if orders.name is None else [orders.name]:
        if name in left_alone:
            continue  # once its journal has its name again
        patient = Patient(registry, name, orders.grace, inspect)
        yield from examine_model(patient)
        for version in patient.versions.values():
            if not version.is_retired:
                yield from pending_deletions(registry, version)
    yield from twice(registry, orders.name)
    if orders.name is None:
        yield from unfinished_runs(registry, orders.grace)
        yield from unused_uploads(registry, orders.grace, orders.kept)
        yield from empty_models(registry, orders.grace)
        yield from temporary_left()


def _remembering() -> Callable[[Registry, Version, Chain], Inspection]:
    """Files are read once for all rounds, unless what is registered changes meanwhile."""
    known: dict[tuple[str, str, str | None, str | None], Inspection] = {}

    def inspect(registry: Registry, version: Version, chain: Chain) -> Inspection:
        key = (
            version.name,
            version.version,
            version.tags.get(names.FILES),
            chain.recorded_files(version.version),
        )
        if key not in known:
            known[key] = inspect_files(registry, version, chain)
        return known[key]

    return inspect


def _resolved(result: Repair, found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """What is new in this round; what an earlier round left and is gone now was mended with the others."""
    keys = {_key(one): one for one in found}
    for index, (one, done) in enumerate(result.found):
        if not done.startswith("done") and _key(one) not in keys:
            result.found[index] = (one, "done: with the others")
    before = {_key(one) for one, _ in result.found}
    return [one for key, one in keys.items() if key not in before]


def _key(one: Diagnosis) -> tuple[str, str, str]:
    return one.code, one.where, one.message


def _treat(one: Diagnosis, orders: Orders, *, stopped: bool) -> str:
    """Mend, where the orders allow it; gives back what was done, in words."""
    if one.mend is None:
        return one.kind
    if orders.dry_run:
        return f"would {one.remedy}"
    if one.kind == TAKES_AWAY and stopped:
        return f"stopped: would {one.remedy}"
    if one.kind == TAKES_AWAY and not orders.apply:
        return f"with --apply: {one.remedy}"
    try:
        with reported("the registry"):
            one.mend()
    except FaultxferError as error:
        return f"failed: {error}"
    return f"done: {one.remedy}"


def _why_stop(found: list[Diagnosis], orders: Orders) -> str:
    """Why nothing is taken away; empty where nothing speaks against it. One model, asked for by name, goes on."""
    if orders.name is not None:
        return ""
    champions = sorted(
        {str(one.model) for one in found if one.kind == TAKES_AWAY and one.ends_champion}
    )
    whole = sorted(_wholly_retired(found))
    if len(champions) < 2 and not whole:
        return ""
    if len(champions) > 1:
        what = f"{len(champions)} models would lose their champion"
    else:
        what = f"All versions of {whole[0]} would be retired"
    commands = [
        f"`faultxfer registry doctor {names.as_arguments(name)} --apply`"
        for name in champions or whole
    ]
    more = f", and {len(commands) - 3} more" if len(commands) > 3 else ""
    return (
        f"{what}. A cause outside is likelier: look at the disk, the mount and the backups first. Nothing was taken "
        f"away. To go on for one model: {', '.join(commands[:3])}{more}"
    )


def _wholly_retired(found: list[Diagnosis]) -> set[str]:
    """Models of which no version would be left that can be champion."""
    return {str(one.model) for one in found if one.kind == TAKES_AWAY and one.retires_the_last}


def as_data(result: Repair) -> dict[str, Any]:
    """The result as plain data for JSON."""
    left = result.left
    return {
        "found": [{**one.as_dict(), "done": done} for one, done in result.found],
        "stopped": result.stopped,
        "sound": not left,
        "unchecked": sum(one.kind == UNCHECKED for one in left),
        "restored": sum(
            one.kind == RESTORES and done.startswith("done") for one, done in result.found
        ),
    }
