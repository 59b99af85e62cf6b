"""Find what broken-off or damaged registrations left, and repair it without destroying anything.

The journal decides: what it holds is finished. Everything is found first. Repairs that restore are
then applied. Repairs that take away are listed, and applied only where somebody asks for it
(``docs/decisions/0012``). The journal's entries are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from faultxfer.errors import FaultxferError
from faultxfer.registry import names
from faultxfer.registry.diagnosis import RESTORES, TAKES_AWAY, UNCHECKED, Diagnosis
from faultxfer.registry.graphs import examine_graphs
from faultxfer.registry.inspection import Inspection, inspect_files
from faultxfer.registry.journal import Chain
from faultxfer.registry.machine_models import double_champions
from faultxfer.registry.machines import wanted_names
from faultxfer.registry.merging import unfinished_merges
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.model_checks import examine_model
from faultxfer.registry.model_view import Inspect, ModelView
from faultxfer.registry.outside_edits import edited_machine_tags, left_alone, renamed_models
from faultxfer.registry.pending import pending_deletions
from faultxfer.registry.rights import open_to_change
from faultxfer.registry.store import Registry, Version, open_registry
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
        grace: how long a registration by a process on another host may take before it counts as
            broken off.
        kept: how long an upload that nothing names is kept.
        files: also read files that a server hands out; of the one model they are always read.
        graphs: whether versions without an ONNX graph get one.
    """

    name: str | None = None
    apply: bool = False
    dry_run: bool = False
    grace: timedelta = timedelta(minutes=60)
    kept: timedelta = timedelta(days=7)
    files: bool = True
    graphs: bool = False


@dataclass
class RepairResult:
    """What was found, each with what was done about it, and why the doctor stopped, if it did.

    ``not_read``: versions whose files a server hands out, and nobody asked to read.
    """

    found: list[tuple[Diagnosis, str]] = field(default_factory=list)
    stopped: str = ""
    not_read: set[str] = field(default_factory=set)

    @property
    def left(self) -> list[Diagnosis]:
        """What is not repaired."""
        return [one for one, done in self.found if not _is_done(done)]


def _is_done(done: str) -> bool:
    return done.startswith("done")


@reported("the tracking store")
def repair_registry(
    model: str | None,
    equipment: str | None,
    *,
    dry_run: bool = False,
    apply: bool = False,
    minutes: float = 60.0,
    upload_days: float = 7.0,
    files: bool = False,
    graphs: bool = False,
) -> dict[str, Any]:
    """Find what is half done or damaged, and repair it.

    Args:
        model: source model; None for everything that is registered.
        equipment: one of its machines.
        dry_run: only say what would be done.
        apply: also do what takes away: retire, go back to an earlier champion, delete.
        minutes: how old a registration by another host must be to count as broken off.
        upload_days: how long uploads that nothing names are kept.
        files: also read the files of every version that a server hands out; of one model that is
            asked for by name they are always read.
        graphs: also give versions without an ONNX graph one.

    Raises:
        RegistryError: the store does not answer, or the model is unknown.
    """
    registry = open_registry() if dry_run else open_to_change(repairing=True)
    name = None if model is None else wanted_names(registry, model, equipment)[0]
    grace, kept = timedelta(minutes=minutes), timedelta(days=upload_days)
    wanted = files or name is not None
    orders = Orders(name, apply, dry_run, grace, kept, wanted, graphs)
    return {"dry_run": dry_run, "apply": apply, **_as_data(repair(registry, orders))}


def repair(registry: Registry, orders: Orders) -> RepairResult:
    """Look at everything, then repair what the orders allow.

    Args:
        registry: where.
        orders: what to look at, and what may be done.

    Raises:
        RegistryError: the store does not answer.
    """
    result = RepairResult()
    inspect = _remembering()
    for _ in range(_ROUNDS):
        with registry.as_it_is_now(files=orders.files):
            found = list(_examined(registry, orders, inspect, result.not_read))
        result.stopped = result.stopped or _why_stop(found, orders)
        new = _resolved(result, found)
        done = [_treat(one, orders, stopped=bool(result.stopped)) for one in new]
        result.found += zip(new, done, strict=True)
        if orders.dry_run or not any(map(_is_done, done)):
            break
    return result


def findings_across_models(registry: Registry, only: str | None = None) -> list[Diagnosis]:
    """What no single journal shows: other names, edited tags, half-done merges, two champions.

    Args:
        registry: where.
        only: what concerns this registered model; None for everything.
    """
    elsewhere = renamed_models(registry, only)
    return [
        *elsewhere,
        *edited_machine_tags(registry, only, left_alone(elsewhere)),
        *unfinished_merges(registry, only),
        *double_champions(registry, only),
    ]


def _examined(
    registry: Registry, orders: Orders, inspect: Inspect, not_read: set[str]
) -> Iterator[Diagnosis]:
    across = findings_across_models(registry, orders.name)
    yield from across
    # Of a model nothing more can be said until its journal has its name again.
    unnamed = left_alone(across)
    in_use: list[Version] = []
    for name in registry.known_names() if orders.name is None else [orders.name]:
        if name in unnamed:
            continue
        view = ModelView(registry, name, orders.grace, inspect)
        yield from examine_model(view)
        yield from examine_graphs(view, add=orders.graphs)
        in_use += [version for version in view.versions.values() if not version.is_retired]
        not_read |= {names.version_uri(name, number) for number in view.not_read}
    yield from pending_deletions(registry, in_use)
    if orders.name is None:
        yield from unfinished_runs(registry, orders.grace)
        yield from unused_uploads(registry, orders.grace, orders.kept)
        yield from empty_models(registry, orders.grace)
        yield from temporary_left()


def _remembering() -> Inspect:
    """Files are read once for all rounds, unless what is registered changes meanwhile."""
    known: dict[tuple[str | None, ...], Inspection] = {}

    def inspect(registry: Registry, version: Version, chain: Chain) -> Inspection:
        number, tagged = version.version, version.tags.get(names.FILES)
        key = (version.name, number, tagged, chain.recorded_files(number))
        if key not in known:
            known[key] = inspect_files(registry, version, chain)
        return known[key]

    return inspect


def _resolved(result: RepairResult, found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """What is new in this round; what an earlier one left and is gone was repaired with others."""
    keys = {_key(one): one for one in found}
    for index, (one, done) in enumerate(result.found):
        if not _is_done(done) and _key(one) not in keys:
            result.found[index] = (one, "done: with the others")
    before = {_key(one) for one, _ in result.found}
    return [one for key, one in keys.items() if key not in before]


def _key(one: Diagnosis) -> tuple[str, str, str]:
    return one.code, one.where, one.message


def _treat(one: Diagnosis, orders: Orders, *, stopped: bool) -> str:
    """Repair, where the orders allow it; returns what was done, in words."""
    if one.repair is None:
        return one.kind
    if orders.dry_run:
        return f"would {one.remedy}"
    if one.kind == TAKES_AWAY and stopped:
        return f"stopped: would {one.remedy}"
    if one.kind == TAKES_AWAY and not orders.apply:
        return f"with --apply: {one.remedy}"
    try:
        with reported("the registry"):
            one.repair()
    except FaultxferError as error:
        return f"failed: {error}"
    return f"done: {one.remedy}"


def _why_stop(found: list[Diagnosis], orders: Orders) -> str:
    """Why nothing is taken away; empty where nothing speaks against it.

    A single model, asked for by name, is never a reason to stop.
    """
    if orders.name is not None:
        return ""
    taken = [one for one in found if one.kind == TAKES_AWAY]
    champions = sorted({str(one.model) for one in taken if one.ends_champion})
    whole = sorted({str(one.model) for one in taken if one.retires_the_last})
    if len(champions) > 1:
        what = f"{len(champions)} models would lose their champion"
    elif whole:
        what = f"All versions of {whole[0]} would be retired"
    else:
        return ""
    return (
        f"{what}. A cause outside is likelier: look at the disk, the mount and the backups first. "
        f"Nothing was taken away. To go on for one model: {_commands(champions or whole)}"
    )


def _commands(models: list[str]) -> str:
    """What to type for each of these models, the first three in full."""
    commands = [
        f"`faultxfer registry doctor {names.as_arguments(name)} --apply`" for name in models[:3]
    ]
    more = f", and {len(models) - 3} more" if len(models) > 3 else ""
    return ", ".join(commands) + more


def _as_data(result: RepairResult) -> dict[str, Any]:
    """The result as plain data for JSON."""
    left = result.left
    restored = [one for one, done in result.found if one.kind == RESTORES and _is_done(done)]
    return {
        "found": [{**one.as_dict(), "done": done} for one, done in result.found],
        "stopped": result.stopped,
        "sound": not left,
        "unchecked": sum(one.kind == UNCHECKED for one in left),
        "restored": len(restored),
        "files_not_read": len(result.not_read),
    }
