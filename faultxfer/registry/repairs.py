"""What a repair writes into a model's journal."""

from __future__ import annotations

from faultxfer.registry import journal
from faultxfer.registry.mlflow_errors import asks_the_store
from faultxfer.registry.model_files import files_sha256
from faultxfer.registry.promotion import Promotion, adopt, promote, step_down, write_note
from faultxfer.registry.store import Registry, Version
from faultxfer.temporary import temporary_folder

_SOUND_AGAIN = "doctor: its files are those that were registered again"


def bring_back(registry: Registry, name: str, number: str, reason: str = _SOUND_AGAIN) -> None:
    """Take back a version's retirement."""
    write_note(registry, name, journal.RESTORE, number, reason)


def bring_back_champion(
    registry: Registry, name: str, number: str, reason: str = _SOUND_AGAIN
) -> None:
    """Make the version champion again that was champion until it was taken away."""
    head = journal.read_whole(registry.client, name).head
    why = Promotion(reason, head=head, action=journal.RESTORE)
    promote(registry, registry.version(name, number), why)


def retire(registry: Registry, name: str, number: str, problem: str) -> None:
    """Retire a version whose files changed."""
    details = {journal.DECIDED_BY: journal.DOCTOR}
    write_note(registry, name, journal.RETIRE, number, f"doctor: {problem}", details)


def replace_champion(
    registry: Registry, name: str, number: str, message: str, line: list[str]
) -> None:
    """Go back to the first version in line, or to nobody where the line is empty.

    Raises:
        ChampionMovedError: another version than ``number`` is champion by now.
    """
    chain = journal.read_whole(registry.client, name)
    if chain.champion != number:
        raise journal.moved(name)
    details = {journal.DECIDED_BY: journal.DOCTOR, journal.VERSION: number}
    if line:
        why = Promotion(f"doctor: {message}", details, head=chain.head, action=journal.ROLLBACK)
        promote(registry, registry.version(name, line[0]), why)
    else:
        reason = f"doctor: {message}, and there is none to go back to"
        step_down(registry, name, reason, chain.head, details=details)


@asks_the_store
def begin_missing_journal(registry: Registry, name: str) -> None:
    """Begin the journal of a model that has a champion and no journal: no note can be first.

    Whoever judged before that finds that the journal moved on, and judges again.
    """
    champion = registry.champion(name)
    if champion is not None and journal.read_journal(registry.client, name).last is None:
        begin_journal(registry, champion)


def begin_journal(registry: Registry, version: Version) -> None:
    """Begin the journal of a champion that is older than its journal."""
    with temporary_folder("doctor") as folder:
        adopt(registry, version, files_sha256(registry.download_model(version, folder)))
