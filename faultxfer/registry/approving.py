"""Approve or reject a version that waits, and show before that what a person decides on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faultxfer.errors import RegistryError
from faultxfer.registry import journal
from faultxfer.registry.journal import Chain, Entry, Wait
from faultxfer.registry.maintenance import opened, promote_by_hand, require_reason
from faultxfer.registry.mlflow_errors import reported
from faultxfer.registry.promotion import note, standing
from faultxfer.registry.store import Registry
from faultxfer.registry.waiting import end_expired, require_another_name, require_open
from faultxfer.temporary import temporary_folder
from faultxfer.wording import listed

# What a transfer writes among the artifacts of its run: for programs, and for people.
_REPORT, _PAGE = "report.json", "report.html"
_MOST_NAMED = 5


@reported("the tracking store")
def read_review(model: str, equipment: str | None, number: int) -> dict[str, Any]:
    """What a person should see before deciding on a version that waits.

    Returns:
        ``started_by``, ``since`` and ``until``; ``told``, ``worst_slice`` and ``data`` in
        sentences; ``metrics`` with bounds; ``report`` and ``pictures`` by address.

    Raises:
        RegistryError: it does not wait, or whoever asks started it.
    """
    registry, name = opened(model, equipment)
    chain, wait = _waiting(registry, name, number)
    require_another_name(wait)
    version = registry.version(name, number)
    said = _said_when_judged(registry, version.run_id)
    shown = {_PAGE: Path(_PAGE), **{file: Path(file) for file in said.get("pictures", ())}}
    addresses = _addresses(registry, version.run_id, shown)
    return {
        "registered": name,
        "version": version.version,
        "uri": version.uri,
        "champion": chain.champion,
        "started_by": wait.entry.actor,
        "since": wait.entry.at,
        "until": wait.until.isoformat() if wait.until else None,
        "told": said.get("told", [wait.entry.reason]),
        "metrics": said.get("metrics", []),
        "worst_slice": said.get("worst_slice"),
        "data": _what_changed(chain, wait),
        "report": addresses.pop(_PAGE, None),
        "pictures": addresses,
        "run_id": version.run_id,
    }


@reported("the tracking store")
def approve_version(model: str, equipment: str | None, number: int, reason: str) -> dict[str, Any]:
    """Make a version champion that waits for it.

    Raises:
        RegistryError: it does not wait, the champion changed since it was judged, or whoever
            started it would approve it.
        BundleError: as loaded from the registry it does not score as it did.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else promoted meanwhile.
    """
    require_reason(reason)
    registry, name = opened(model, equipment)
    chain, _ = _waiting(registry, name, number)
    return promote_by_hand(registry, name, number, reason, head=chain.head)


@reported("the tracking store")
def reject_version(model: str, equipment: str | None, number: int, reason: str) -> dict[str, Any]:
    """Let a version wait no more; the champion stays.

    Raises:
        RegistryError: it does not wait, or whoever started it would reject it.
        ConfigError: no reason is given.
        ChampionMovedError: somebody else settled it meanwhile.
    """
    require_reason(reason)
    registry, name = opened(model, equipment)
    chain, wait = _waiting(registry, name, number)
    details = {journal.VERSION: wait.version, journal.APPROVAL: require_another_name(wait)}
    note(registry, name, journal.REJECT, reason, chain.head, details)
    return {
        "outcome": journal.REJECTED,
        "registered": name,
        "version": wait.version,
        "from": chain.champion,
        "to": chain.champion,
        "uri": _uri_of_champion(registry, name),
    }


def _uri_of_champion(registry: Registry, name: str) -> str | None:
    champion = standing(registry, name).champion
    return champion.uri if champion else None


def _waiting(registry: Registry, name: str, number: int) -> tuple[Chain, Wait]:
    """The journal, and the wait of a version that can be settled."""
    end_expired(registry, name)
    chain = journal.read_whole(registry.client, name)
    registry.version(name, number)  # raises an error where there is no such version
    return chain, require_open(chain, name, str(number))


def _said_when_judged(registry: Registry, run_id: str) -> dict[str, Any]:
    """The review that was written with the report; empty where the run is gone."""
    with temporary_folder("review") as folder:
        try:
            path = registry.download_run_file(run_id, _REPORT, folder)
            content = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (RegistryError, OSError, ValueError):
            return {}
    return dict(content.get("review") or {})


def _addresses(registry: Registry, run_id: str, files: dict[str, Path]) -> dict[str, str]:
    try:
        return registry.artifact_addresses(run_id, files)
    except RegistryError:
        return {}


def _what_changed(chain: Chain, wait: Wait) -> list[str]:
    """What the version was made from, beside what the present champion was made from."""
    now = wait.entry.details
    before = _made_champion(chain)
    if before is None:
        return [f"{_files(now)}. No journal says what the champion was made from, if there is one."]
    then = before.details
    said = [_changed_files(now.get("data"), then.get("data"))]
    if now.get("contract_sha256") != then.get("contract_sha256"):
        said.append("The contract is not the one that the champion was made with.")
    if now.get("source_files_sha256") != then.get("source_files_sha256"):
        said.append(f"It comes from {now.get('source')}, the champion from {then.get('source')}.")
    return said


def _made_champion(chain: Chain) -> Entry | None:
    """The entry that says what the present champion was made from; None where none does."""
    number = chain.champion
    of_champion = [entry for entry in chain.changes if number and entry.to_version == number]
    return next((entry for entry in reversed(of_champion) if "data" in entry.details), None)


def _files(details: dict[str, Any]) -> str:
    data = details.get("data")
    if not isinstance(data, dict) or not _is_by_name(data):
        return "Its files are too many to be named"
    return f"Made from {listed(list(data), most=_MOST_NAMED)}"


def _is_by_name(data: dict[str, Any]) -> bool:
    """Whether the files are named: of very many, the journal keeps a number and one digest."""
    return set(data) != {"files", "sha256"} or not isinstance(data["files"], int)


def _changed_files(now: Any, then: Any) -> str:
    if not all(isinstance(one, dict) and _is_by_name(one) for one in (now, then)):
        same = "the same files as" if now == then else "other files than"
        return f"Made from {same} the champion."
    new = [file for file, digest in now.items() if digest not in then.values()]
    gone = [file for file, digest in then.items() if digest not in now.values()]
    if not new and not gone:
        return "Made from the same files as the champion."
    said = [f"{len(now) - len(new)} of its {len(now)} files are the champion's"]
    if new:
        said.append(f"new: {listed(new, most=_MOST_NAMED)}")
    if gone:
        said.append(f"not used any more: {listed(gone, most=_MOST_NAMED)}")
    return f"{'; '.join(said)}."
