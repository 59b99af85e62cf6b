"""Fetch what a transfer starts from and what it must beat."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from faultxfer.bundle.manifest import read_manifest
from faultxfer.contract.changes import NOTHING, Change
from faultxfer.contract.class_share import Classes
from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.errors import ContractError
from faultxfer.progress import progress
from faultxfer.registry import machines, names
from faultxfer.registry.identity import Identity, identity_in
from faultxfer.registry.journal import BEGINNING
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.promotion import Standing, standing
from faultxfer.registry.smoke import expect_smoke_test
from faultxfer.registry.source_models import no_source
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.requests import CurveRequest, TransferRequest
from faultxfer.steps.completing import Completing, learnt_by
from faultxfer.steps.opening import Job
from faultxfer.strategies.narrowing import SensorChange, sensors_between
from faultxfer.temporary import temporary_folder

SOURCE_ROWS = "source_rows.npz"
# Some of the rows that judged the source: they fitted nothing.
JUDGING_ROWS = "judging_rows.npz"


@dataclass(frozen=True)
class Models:
    """Local copies of what the registry holds.

    Attributes:
        source: the source model's champion. source_bundle: its folder. source_rows: its kept rows,
            or None. judging_rows: some that judged it, where the machine lacks sensors of it.
        champion: the machine's present champion, or None. champion_bundle: its folder, or None.
        head: the journal's entry that made the champion.
        name: the machine's registered model, or what a first one is to be called.
        identity: the family and the label that the machine's model is for.
        classes: of the rows that the source model was made from; None where an older release did
            not record them.
    """

    source: Version
    source_bundle: Path
    source_rows: Path | None
    champion: Version | None
    champion_bundle: Path | None
    head: str
    classes: Classes | None
    name: str
    identity: Identity
    judging_rows: Path | None = None

    def completing(self, contract: Contract) -> Completing | None:
        """By what the source learnt, taken to the machine's readings."""
        return learnt_by(self.source_bundle, contract, adapt=True)


class _KeptSources:
    """Source models that this process has fetched, in a folder that is gone when it ends."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._folder = self._open.enter_context(temporary_folder("sources"))
        self._found: dict[tuple[str, str | None], tuple[Path, Path | None]] = {}
        atexit.register(self._open.close)

    def files(self, registry: Registry, source: Version) -> tuple[Path, Path | None]:
        """Those of a version, fetched once: what is known by its address and its hashes."""
        key = (f"{registry.address} {source.uri}", source.tags.get(names.FILES))
        if key not in self._found:
            work = _folder(self._folder, str(len(self._found)))
            self._found[key] = _fetched(registry, source, work)
        return self._found[key]


_KEPT: list[_KeptSources] = []


def keep_sources() -> None:
    """Fetch each source model once in this process: it works for many machines of one."""
    if not _KEPT:
        _KEPT.append(_KeptSources())


def _files_of_source(registry: Registry, source: Version, work: Path) -> tuple[Path, Path | None]:
    """Folder of the bundle, and file of the kept rows."""
    return _KEPT[0].files(registry, source) if _KEPT else _fetched(registry, source, work)


def _fetched(registry: Registry, source: Version, work: Path) -> tuple[Path, Path | None]:
    bundle = registry.download_bundle(source, _folder(work, "source"))
    rows = registry.download_run_file(source.run_id, SOURCE_ROWS, _folder(work, "rows"))
    return bundle, rows


@reported("the tracking store")
def fetch_models(job: Job[TransferRequest] | Job[CurveRequest]) -> Models:
    """Load source and champion from the registry.

    The rows that were kept with the source model are loaded too.

    Raises:
        RegistryError: the store cannot be reached, or has no source model of that name; or a
            transfer could not be judged because the machine has two champions.
    """
    request = job.request
    transfer = isinstance(request, TransferRequest)
    progress.info("Loading source model %s from the registry", request.model)
    registry = open_registry()
    with registry.as_it_is_now(everything=False):
        source = find_source(registry, request.model)
        source_bundle, rows = _files_of_source(registry, source, job.work)
        identity = _identity(source_bundle, job.contract if transfer else None)
        asked = (registry, request.model, request.equipment, identity)
        name = _machine_name(*asked, transfer=transfer)
    # A promotion may come in between: versions have to be as new as the journal.
    stands = standing(registry, name)
    if isinstance(request, TransferRequest) and not request.dry_run and _is_first(stands):
        expect_smoke_test()  # nothing was promoted that this could repeat
    return Models(
        source=source,
        source_bundle=source_bundle,
        source_rows=rows,
        champion=stands.champion,
        champion_bundle=_champion_bundle(registry, stands, job.work),
        head=stands.head,
        classes=recorded_classes(source_bundle),
        name=name,
        identity=identity,
        judging_rows=_judging_rows(registry, source, source_bundle, job),
    )


def _is_first(stands: Standing) -> bool:
    return stands.champion is None and stands.head == BEGINNING


@reported("the tracking store")
def fetch_champion(job: Job[TransferRequest], models: Models) -> Models:
    """Load the champion that there is by now.

    It may be in another registered model: two may have been merged. The source stays the same.
    """
    request = job.request
    registry = open_registry()
    name = machines.name_for(registry, request.model, request.equipment, models.identity)
    stands = standing(registry, name)
    bundle = _champion_bundle(registry, stands, job.work)
    return dataclasses.replace(
        models, champion=stands.champion, champion_bundle=bundle, head=stands.head, name=name
    )


def _judging_rows(
    registry: Registry,
    source: Version,
    bundle: Path,
    job: Job[TransferRequest] | Job[CurveRequest],
) -> Path | None:
    if set(read_manifest(bundle).features) <= set(job.contract.features):
        return None  # nothing is lacking that they could judge
    return registry.download_run_file(source.run_id, JUDGING_ROWS, _folder(job.work, "rows"))


def _identity(source_bundle: Path, contract: Contract | None) -> Identity:
    """Family and label of the contract given, else of the source model's own."""
    if contract is not None:
        return Identity(contract.family, contract.label.column)
    # An older release kept no contract.
    return identity_in(read_manifest(source_bundle).lineage.get("contract")) or Identity("", "")


def _machine_name(
    registry: Registry, model: str, equipment: str, identity: Identity, *, transfer: bool
) -> str:
    """The machine's registered model, or what its first one is to be called."""
    if transfer:
        return machines.name_for(registry, model, equipment, identity)
    found = machines.look_up(registry, model, equipment)
    return found or names.detector_name(identity.family, identity.label, equipment)


def _champion_bundle(registry: Registry, stands: Standing, work: Path) -> Path | None:
    return (
        registry.download_bundle(stands.champion, _folder(work, "champion"))
        if stands.champion
        else None
    )


def recorded_classes(bundle: Path) -> Classes | None:
    """Classes of the rows that a source bundle was made from; None where it does not say."""
    recorded = read_manifest(bundle).lineage.get("classes")
    if recorded is None:
        progress.info(
            "The source model does not say how many faults it learnt from: the share is not "
            "compared"
        )
        return None
    return Classes(rows=int(recorded["rows"]), faults=int(recorded["faults"]))


def find_source(registry: Registry, model: str) -> Version:
    """The champion of a source model.

    Raises:
        RegistryError: there is none; lists those there are.
    """
    found = registry.champion(names.registered_name(model))
    if found is None:
        known = [
            str(entry["name"]) for entry in registry.models() if entry["kind"] == names.SOURCE_KIND
        ]
        raise no_source(model, known, registry.address)
    return found


def sensor_change(contract: Contract, features: tuple[str, ...]) -> SensorChange:
    """How the machine's sensors differ from the source model's; their order may.

    Args:
        contract: as it is for the machine.
        features: of the source model.

    Raises:
        ContractError: they have nothing in common, so that nothing can be transferred.
    """
    change = sensors_between(features, contract.features)
    if change.common:
        return change
    raise ContractError(
        "The contract has no sensor of the source model, so nothing can be transferred",
        received={"sensors of the model": sorted(features), "of the contract": change.new},
        where=f"contract {contract.family!r}",
        remedy="Where they are the same under other names, let `faultxfer contract map` propose "
        "which is which; else pretrain with this contract",
    )


def require_same_meaning(contract: Contract, bundle: Path) -> None:
    """Sensors and labels must mean what they meant when the model was trained.

    Numbers in another unit look sound.

    Raises:
        ContractError: with the sensors whose unit is another one, and label spellings that changed
            sides.
    """
    recorded = read_manifest(bundle).lineage.get("contract")
    if recorded is None:
        return
    then = parse_contract(recorded, where="the model's own contract")
    changed = [
        change
        for change in diff_contracts(then, contract).changes
        if change.ends == "all" and change.kind in ("units", "label spellings") and _told(change)
    ]
    if changed:
        raise ContractError(
            "Units or label spellings are not those that the model was trained with",
            received={change.field: f"{change.old} → {change.new}" for change in changed},
            where=f"contract {contract.family!r}",
            remedy="Keep the contract's units, and name the unit of this machine's file under "
            "`equipment`; "
            "or pretrain with the new contract",
        )


def _told(change: Change) -> bool:
    """A unit that is written down later, or not any more, is no other unit."""
    return change.kind != "units" or NOTHING not in (change.old, change.new)


def _folder(work: Path, name: str) -> Path:
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
