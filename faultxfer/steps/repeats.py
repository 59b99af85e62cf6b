"""The same request again: said so, and nothing done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from faultxfer.digest import digest_of
from faultxfer.evaluate.gate.check import NEEDS_APPROVAL, NOT_ENOUGH
from faultxfer.following import Next
from faultxfer.registry import names
from faultxfer.registry.connect import Access
from faultxfer.registry.journal import EXPIRED, PROVISIONAL, Chain, read_journal
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.promotion import follow_journal
from faultxfer.registry.provenance import code
from faultxfer.registry.smoke import expect_smoke_test
from faultxfer.registry.store import Registry, open_registry
from faultxfer.registry.waiting import end_expired
from faultxfer.requests import TransferRequest
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.next_commands import after_repeat
from faultxfer.steps.opening import Job
from faultxfer.steps.plain_data import plain_fields
from faultxfer.steps.sources import Models

UNCHANGED = "unchanged"
_PROMOTED, _REFUSED = "promoted", "refused"


@dataclass(frozen=True)
class Unchanged:
    """A transfer that was made before, from the same data, configuration and source.

    Attributes:
        outcome: ``unchanged``.
        before: what came of it then: ``promoted``, ``provisional``, ``waiting``, ``rejected``,
            ``replaced`` or ``refused``.
        reason: in a sentence, with what to do to have it done again.
        registered: name of the registered model of then; version: what was registered then, or
            None.
        champion: the version that production scores with now, or None.
        run_id, tracking_uri: where the report of then lies.
        next: what to type now.
    """

    outcome: str
    before: str
    reason: str
    model: str
    equipment: str
    registered: str
    version: str | None
    champion: str | None
    run_id: str
    tracking_uri: str
    next: tuple[Next, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return plain_fields(self)


def request_sha256(job: Job[TransferRequest], models: Models, rows: CheckedRows) -> str:
    """SHA-256 (hex) of all that decides what a transfer makes.

    That is data, contract, options, source and release. The champion is none of it: after a
    rollback the same data would make the version again that was rolled back.

    Args:
        job: contract and options.
        models: the source.
        rows: the data.
    """
    source = models.source
    options = job.request.options.model_dump(mode="json") | {"gate": job.request.rules.said()}
    request = {
        "data": sorted(digest for _, digest in rows.sources),
        "contract": job.contract.digest(),
        "options": options,
        "override": job.request.override_gate,
        **({} if job.request.healthy is None else {"healthy": job.request.healthy}),
        "source": [source.name, source.version, source.tags.get(names.FILES)],
        "release": code()["release"],
    }
    return digest_of(request)


@reported("the tracking store")
def find_repeat(job: Job[TransferRequest], models: Models, rows: CheckedRows) -> Unchanged | None:
    """Look for the same request.

    Returns:
        What came of it before; None where it is new, is asked for again with ``force``, or would
        write nothing.
    """
    request = job.request
    if request.dry_run:
        return None
    if request.force:
        expect_smoke_test()
        return None
    found = _repeated(job, models, rows)
    if found is None:
        expect_smoke_test()
    return found


def _repeated(job: Job[TransferRequest], models: Models, rows: CheckedRows) -> Unchanged | None:
    request = job.request
    registry = open_registry(access=Access.CHANGING)
    end_expired(registry, models.name)
    chain = read_journal(registry.client, models.name)
    nobody = chain.champion is None and chain.provisional is None
    if chain.last is not None and nobody and not chain.waits:
        # nobody is champion: what was refused beside one may well be the first to follow it
        return None
    digest = request_sha256(job, models, rows)
    found = _find(registry, models.name, digest, request, chain)
    champion = chain.champion if chain.last else registry.alias(models.name)
    if found is None or not _holds(found, champion, chain):
        return None
    follow_journal(registry, models.name)  # the alias may be all that is left to do
    return Unchanged(
        outcome=UNCHANGED,
        before=found.outcome,
        reason=f"The same data, configuration and source were transferred at {found.when} and "
        f"{found.told()}; "
        "--force does it again",
        model=request.model,
        equipment=request.equipment,
        registered=found.name,
        version=found.version,
        champion=registry.alias(models.name),
        run_id=found.run_id,
        tracking_uri=registry.address,
        next=after_repeat(request, found.outcome, found.name, found.version),
    )


@dataclass(frozen=True)
class _Before:
    """What came of a request before.

    Attributes:
        name: the registered model it was made for; version: what was registered, or None.
        merged_into: the model that has this one's champion by now, or None.
        gate: of a refusal, what the gate decided.
        holds: whether it would be the same today, as far as this alone shows.
    """

    outcome: str
    when: str
    name: str
    version: str | None
    run_id: str
    merged_into: str | None = None
    gate: str = ""
    holds: bool = True

    def told(self) -> str:
        """In half a sentence."""
        version = f" as version {self.version}" if self.version else ""
        merged = (
            f" of {self.name}, which was merged into {self.merged_into}" if self.merged_into else ""
        )
        return f"{self.outcome}{version}{merged}"


def _find(
    registry: Registry, name: str, digest: str, request: TransferRequest, chain: Chain
) -> _Before | None:
    """What came of the request of this digest, under either name of the machine's model."""
    found = _registered(registry, name, digest, chain) or _refused(registry, name, digest)
    former = names.registered_name(request.model, request.equipment)
    if found is None and former != name:
        return _under_the_former_name(registry, former, digest)
    return found


def _under_the_former_name(registry: Registry, former: str, request: str) -> _Before | None:
    """What came of it while the model had the name that releases to 0.1.0 gave it.

    It was merged away since.
    """
    chain = read_journal(registry.client, former)
    found = _registered(registry, former, request, chain) if chain.merged_into else None
    return found or _refused(registry, former, request)


def _registered(registry: Registry, name: str, request: str, chain: Chain) -> _Before | None:
    usable = {
        one.version
        for one in registry.versions(name)
        if one.tags.get(names.REQUEST) == request and not one.is_retired
    }
    promoted = {entry.to_version for entry in chain.changes}
    for entry in reversed(chain.entries.values()):
        number = entry.concerns
        if entry.details.get("request_sha256") == request and number in usable:
            wait = None if number in promoted else chain.waits.get(str(number))
            outcome = _PROMOTED if number in promoted else PROVISIONAL
            outcome = wait.outcome if wait else outcome
            # Whoever waited too long, or was overtaken, is judged again, against who is champion.
            holds = wait is None or not (wait.is_overtaken or wait.outcome == EXPIRED)
            run_id = str(entry.details.get("run_id"))
            merged = chain.merged_into
            return _Before(outcome, entry.at, name, number, run_id, merged, holds=holds)
    return None


def _refused(registry: Registry, name: str, request: str) -> _Before | None:
    for refusal in registry.refusals(name, request):
        gate, run_id = str(refusal["gate"]), refusal["run_id"]
        return _Before(_REFUSED, refusal["created"], name, None, run_id, gate=gate)
    return None


def _holds(found: _Before, champion: str | None, chain: Chain) -> bool:
    """Whether a refusal would be one today: without a champion there is less to beat.

    Releases to 0.2.0 refused for want of evidence what is registered as provisional today, and
    what waits for approval today.
    """
    if not found.holds or found.gate == NEEDS_APPROVAL:
        return False
    if found.outcome != _REFUSED or champion is not None:
        return True
    return not chain.changes and found.gate != NOT_ENOUGH
