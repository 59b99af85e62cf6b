"""The work that the trials of the registry break off, and what they look at afterwards."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import registry_trials as trials

if TYPE_CHECKING:
    from faultxfer.registry.store import Registry

MODEL, EQUIPMENT = "pumps", "pump-9"
NAME = f"{MODEL}--{EQUIPMENT}"
# What a trial does: promote a version, let one wait for approval, or approve it.
PROMOTE, WAIT, APPROVE = "promote", "waiting", "approve"


@dataclass(frozen=True)
class Trial:
    """What is done, and broken off.

    Attributes:
        store: where.
        bundle: the prepared candidate, with ``report`` beside it.
        features: its sensors.
        fleet: the simulated files; None for a bundle of :func:`inert_bundle`.
    """

    store: trials.Store
    bundle: Path
    features: tuple[str, ...]
    fleet: Path | None

    def begin(self) -> None:
        """Work in this process from here on."""
        trials.at(self.store)
        if self.fleet is None:
            without_smoke_test()

    def work(self, *, whole: bool = False, what: str = PROMOTE) -> str | None:
        """Begin, then register the prepared candidate or do a whole transfer.

        Gives back the version.
        """
        self.begin()
        return self.go_on(whole=whole, what=what)

    def go_on(self, *, whole: bool = False, what: str = PROMOTE) -> str | None:
        """The work itself, in a process that has begun."""
        if whole and self.fleet is not None:
            return transfer(self.fleet)
        if what == APPROVE:
            return approve_what_waits()
        return register_prepared(self.bundle, self.features, action=what)

    def champion_scores(self, *, first: bool = False) -> str | None:
        """What is wrong with the champion.

        None if it loads and scores as it did when it was made.
        """
        from faultxfer.registry.smoke import check_version
        from faultxfer.registry.store import open_registry

        self.begin()
        registry = open_registry()
        champion = registry.champion(NAME)
        if champion is None:
            return None if first else "no champion"
        if self.fleet is None:
            downloads(registry, champion)
        else:
            check_version(registry, champion)
        return None

    def aftermath(
        self, *, whole: bool = False, first: bool = False, what: str = PROMOTE
    ) -> dict[str, Any]:
        """Champion, doctor, the same work again.

        Each None or empty where all is well, but for ``doctor``.
        """
        from faultxfer.registry.checking import verify_registry
        from faultxfer.registry.doctor import repair_registry
        from faultxfer.registry.store import open_registry

        champion_wrong = self.champion_scores(first=first)
        found = repair_registry(None, None, apply=True, upload_days=0)
        again = repair_registry(None, None, dry_run=True, upload_days=0)["found"]
        left = leftovers()
        version = self.work(whole=whole, what=what)
        alias = "challenger" if what == WAIT else "champion"
        named = open_registry().aliases(NAME).get(alias)
        verified = verify_registry(None, None, None)
        return {
            "champion": champion_wrong,
            "doctor": [one["code"] for one in found["found"]],
            "doctor again": again,
            "left": {name: count for name, count in left.items() if count},
            "rerun": None if version == named else f"version {version}, {alias} {named}",
            "verify": [problem for model in verified["models"] for problem in model["problems"]],
        }


def prepared(kind: str, folder: Path, store: trials.Store, *, inert: bool) -> Trial:
    """A trial in ``store`` with its candidate in ``folder``."""
    place = folder / f"{kind}-candidate"
    if inert:
        return Trial(store, inert_bundle(place), ("flow", "pressure"), None)
    features = trials.in_child(lambda: _prepare(place, store))
    return Trial(store, place / "candidate" / "bundle", tuple(features), place / "fleet")


def _prepare(folder: Path, store: trials.Store) -> list[str]:
    """Simulate, pretrain, and keep a candidate's bundle; gives back its sensors."""
    from faultxfer import PretrainOptions, pipeline
    from faultxfer.bundle.bundle import load_bundle
    from faultxfer.config import NetworkOptions
    from faultxfer.registry.store import open_registry
    from faultxfer.simulation.simulator import write_pump_fleet

    trials.at(store)
    fleet = write_pump_fleet(folder / "fleet", source_pumps=3, runs_per_pump=24, rows_per_run=30)
    network = NetworkOptions(hidden=(16,), members=1, synthetic_rows=500, epochs=2)
    pipeline.pretrain(
        [str(path) for path in fleet.source_csvs],
        fleet.contract,
        MODEL,
        PretrainOptions(network=network),
    )
    registry = open_registry()
    source = registry.champion(MODEL)
    bundle = registry.download_bundle(source, folder / "download")
    shutil.copytree(bundle, folder / "candidate" / "bundle")
    (folder / "candidate" / "report").mkdir()
    (folder / "candidate" / "report" / "report.md").write_text("trial")
    return list(load_bundle(bundle).features)


def transfer(fleet: Path) -> str | None:
    """A whole transfer, as small as it can be; the version that came of it, now or before."""
    from faultxfer import GateOptions, TransferOptions, pipeline
    from faultxfer.config import Limit
    from faultxfer.strategies import rivals

    rivals.RIVALS.clear()
    gate = GateOptions(value={"pr_auc": Limit(min=0.0)})
    options = TransferOptions(
        strategy="fine_tune", steps=1, epochs=1, split={"folds": 2}, gate=gate
    )
    result = pipeline.transfer(
        [str(fleet / "pump-9.csv")],
        fleet / "pumps.yaml",
        MODEL,
        EQUIPMENT,
        options,
        override_gate="trial",
    )
    return result.version


def register_prepared(
    bundle: Path,
    features: tuple[str, ...],
    name: str = NAME,
    head: str | None = None,
    source: str | None = None,
    action: str = "promote",
    details: dict[str, Any] | None = None,
) -> str:
    """Register a prepared bundle as champion, as provisional or to wait; gives its version."""
    import numpy as np

    from faultxfer.registry import identity, names
    from faultxfer.registry.data_sets import DataSet
    from faultxfer.registry.promotion import Promotion
    from faultxfer.registry.registering import NewVersion, register
    from faultxfer.registry.runs import RunRecord
    from faultxfer.registry.store import open_registry

    contract = json.loads((bundle / "manifest.json").read_text())["lineage"].get("contract")
    detects = identity.identity_in(contract)
    tags = _tags(
        name, detects.family if detects else None, detects.label if detects else "", source
    )
    record = RunRecord(
        name="trial",
        tags={"faultxfer.model": name, names.GATE: "promote", **tags, **_marks(action)},
        params={"strategy": "prepared"},
        metrics={"pr_auc": 0.9},
        curves={},
        data=(DataSet("rows.csv", "0" * 64, "target"),),
        files=bundle.parent / "report",
        note="trial",
        judged=DataSet("rows that judged", "1" * 64, "judged"),
    )
    candidate = NewVersion(name, tags, bundle, features, np.ones((2, len(features))))
    why = Promotion("trial", {"seed": 0, **(details or {})}, head, action)
    return register(open_registry(), record, candidate, why).version


def approve_what_waits() -> str:
    """Approve the newest version that waited, as another person; one that was approved stays so.

    Gives its version.
    """
    from faultxfer.registry import approving, journal
    from faultxfer.registry.store import open_registry

    os.environ["FAULTXFER_ACTOR"] = "another person"
    chain = journal.read_journal(open_registry().client, NAME)
    number = list(chain.waits)[-1]
    if chain.champion == number:
        return number
    return str(approving.approve_version(NAME, None, int(number), "trial")["to"])


def _marks(action: str) -> dict[str, str]:
    """Tags of a run whose candidate is registered as provisional, or waits."""
    from faultxfer.registry import journal, names

    if action == journal.WAITING:
        return {names.REGISTERED_AS: names.WAITING}
    if action != journal.PROVISIONAL:
        return {}
    return {names.GATE: "not enough evidence", names.REGISTERED_AS: names.PROVISIONAL}


def placed(
    registry: Registry,
    name: str,
    family: str | None = "pumps",
    label: str = "fault",
    *,
    source: str | None = None,
) -> str:
    """A champion with its journal, in as few calls as it takes.

    Of its files there is a manifest alone.

    Args:
        registry: a store on this machine.
        name: registered model; made if need be.
        family: of the contract in the manifest; None for a release that kept no contract, nor tags
            of it.
        label: its label column.
        source: the source model of a machine's version; None for the one in the model's name.

    Returns:
        The version's number.
    """
    from faultxfer.registry import journal, names
    from faultxfer.registry.model_files import files_sha256

    folder = Path("mlruns", "artifacts", uuid.uuid4().hex).absolute()
    _write_manifest(folder / "data" / "bundle", family, label)
    tags = _tags(name, family, label, source)
    client = registry.client
    if not registry.is_registered(name):
        client.create_registered_model(name, tags)
        client.create_registered_model(names.journal_name(name), {names.KIND: names.JOURNAL_KIND})
    chain = journal.read_journal(client, name)
    files = files_sha256(folder)
    of_version = {**tags, names.FILES: files, names.STATE: names.REGISTERED}
    number = str(client.create_model_version(name, folder.as_uri(), tags=of_version).version)
    entry = journal.Entry(
        name, journal.PROMOTE, chain.champion, number, "placed", files, chain.head
    )
    client.create_model_version(
        names.journal_name(name), "faultxfer:///placed", tags={journal._TEXT: entry.text()}
    )
    for key, value in ((names.ENTRY, entry.sha256), (names.PROMOTED, entry.at)):
        client.set_model_version_tag(name, number, key, value)
    client.set_registered_model_alias(name, names.CHAMPION, number)
    return number


def _tags(name: str, family: str | None, label: str, source: str | None) -> dict[str, str]:
    """Of a registered model and its versions."""
    from faultxfer.registry import names

    tags = {names.KIND: names.kind_of(name)}
    if family is not None:
        tags |= {names.FAMILY: family, names.LABEL: label}
    if tags[names.KIND] == names.TARGET_KIND:
        tags[names.SOURCE_MODEL] = source or names.source_in(name) or MODEL
        tags[names.EQUIPMENT] = str(names.equipment_of(name))
    return tags


def _write_manifest(bundle: Path, family: str | None, label: str) -> None:
    """What a bundle says of its contract."""
    from faultxfer.bundle.manifest import manifest_sha256

    bundle.mkdir(parents=True)
    contract = {"family": family, "label": {"column": label}}
    manifest: dict[str, Any] = {"lineage": {"contract": contract} if family else {}, "sha256": {}}
    manifest["sha256"]["manifest.json"] = manifest_sha256(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def inert_bundle(folder: Path, family: str | None = "pumps", label: str = "fault") -> Path:
    """Files that are uploaded and compared, of which only the manifest is parsed.

    For trials without TensorFlow.

    Args:
        folder: is made; ``bundle`` and ``report`` come to lie in it.
        family: of the contract in the manifest; None for a bundle of a release that kept no
            contract.
        label: its label column.
    """
    bundle = folder / "bundle"
    _write_manifest(bundle, family, label)
    (bundle / "network.keras").write_bytes(os.urandom(200_000))
    (folder / "report").mkdir()
    (folder / "report" / "report.md").write_text("trial")
    return bundle


def without_smoke_test() -> None:
    """For inert bundles: what a smoke test downloads is still compared with what was registered."""
    from faultxfer.registry import maintenance, registering

    registering.smoke_test = maintenance.smoke_test = downloads  # type: ignore[assignment]


def downloads(registry: Any, version: Any) -> None:
    """Download a version, which compares its files with what was registered."""
    with tempfile.TemporaryDirectory() as folder:
        registry.download_model(version, Path(folder))


def leftovers() -> dict[str, int]:
    """Counted without the doctor's help: what belongs to no champion, past or present."""
    from faultxfer.registry import journal, names
    from faultxfer.registry.store import open_registry

    registry = open_registry()
    client = registry.client
    experiments = [
        found.experiment_id for found in [client.get_experiment_by_name(names.EXPERIMENT)] if found
    ]
    versions, used = 0, set()
    for known in registry.models():
        chain = journal.read_journal(client, known["name"])
        promoted = {entry.to_version for entry in chain.entries.values()} | set(chain.waits)
        for version in registry.versions(known["name"]):
            versions += version.version not in promoted
            used.add(version.model_id)
    running = (
        client.search_runs(experiments, "attributes.status = 'RUNNING'") if experiments else []
    )
    uploads = client.search_logged_models(experiments, max_results=1000) if experiments else []
    return {
        "versions": versions,
        "runs": len(running),
        "uploads": sum(upload.model_id not in used for upload in uploads),
        "models": sum(not registry.versions(known["name"]) for known in registry.models()),
    }


def forget(store: trials.Store) -> None:
    """Delete the machine's model and journal, so that the next trial begins anew."""
    from faultxfer.registry import names
    from faultxfer.registry.store import open_registry

    trials.at(store)
    client = open_registry().client
    for version in open_registry().versions(NAME):
        client.delete_logged_model(version.model_id)
    for name in (NAME, names.journal_name(NAME)):
        if client.search_registered_models(f"name = '{name}'"):
            client.delete_registered_model(name)


def first_transfers(
    store: trials.Store, bundles: dict[str, Path], times: int = 1
) -> list[tuple[str, int]]:
    """The first transfers of one machine, at once and from several sources.

    Args:
        store: where the source models are registered.
        bundles: by source model, what its transfer makes.
        times: processes for each source model.

    Returns:
        Of each process the version, and how often another promotion came first.
    """
    children = [
        trials.start(lambda source=source, bundle=bundle: _first_transfer(store, source, bundle))
        for source, bundle in bundles.items()
        for _ in range(times)
    ]
    answers = [trials.finish(*child) for child in children]
    return [(answer[0], answer[1]) for status, answer in answers if status == 0]


def _first_transfer(store: trials.Store, source: str, bundle: Path) -> tuple[str, int]:
    """Look the machine up, and register as a transfer does.

    Judged again where another one came first.
    """
    from faultxfer.errors import ChampionMovedError
    from faultxfer.registry import machines
    from faultxfer.registry.identity import Identity
    from faultxfer.registry.promotion import standing
    from faultxfer.registry.store import open_registry

    trials.at(store)
    without_smoke_test()
    registry = open_registry()
    for moved in itertools.count():
        name = machines.name_for(registry, source, EQUIPMENT, Identity("pumps", "fault"))
        head = standing(registry, name).head
        with contextlib.suppress(ChampionMovedError):
            return register_prepared(
                bundle, ("flow", "pressure"), name, head=head, source=source
            ), moved
    raise AssertionError("unreachable")
