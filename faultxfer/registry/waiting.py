"""A version that waits for a person's approval: until when, who may settle it, and what then.

The journal decides, as it does of champions: ``docs/decisions/0028``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from faultxfer.errors import ChampionMovedError, RegistryError
from faultxfer.registry import journal, names
from faultxfer.registry.inspection import is_promoted
from faultxfer.registry.journal import Chain, Wait
from faultxfer.registry.mlflow_errors import asks_the_store
from faultxfer.registry.promotion import Promotion, note
from faultxfer.registry.provenance import actor, code
from faultxfer.registry.store import Registry, Version

# Of the details of an entry `waiting`: the transfer that made the version, as a command.
TRANSFER = "transfer"
# Details of that entry that are not those of a promotion.
_OF_THE_WAIT = (journal.VERSION, journal.APPROVAL, TRANSFER)


@asks_the_store
def end_expired(registry: Registry, name: str) -> bool:
    """Write into the journal that a version waits no more, where its time ran out.

    Returns:
        Whether there was one.

    Raises:
        RegistryError: the journal was changed from outside.
    """
    chain = journal.read_whole(registry.client, name)
    over = [wait for wait in chain.waits.values() if wait.is_over]
    for wait in over:
        reason = f"Nobody approved or rejected version {wait.version} until {wait.until:%Y-%m-%d}"
        # Whoever came first has ended it too, or writes this next time.
        with suppress(ChampionMovedError):
            about = {journal.VERSION: wait.version}
            note(registry, name, journal.EXPIRE, reason, chain.head, about)
    return bool(over)


def require_open(chain: Chain, name: str, number: str) -> Wait:
    """The wait of a version, which a person can settle.

    Raises:
        RegistryError: it does not wait; says what became of it, and what to type.
    """
    wait = chain.waits.get(number)
    if wait is None:
        raise RegistryError(
            "This version does not wait for approval",
            received={"version": number, "waiting": chain.waiting},
            where=name,
            remedy="See what does with `faultxfer registry list`; `faultxfer registry promote` "
            "takes any registered version",
        )
    if not wait.is_open:
        raise _settled(chain, name, wait)
    return wait


def _settled(chain: Chain, name: str, wait: Wait) -> RegistryError:
    """The error for a version that waited, and waits no more."""
    end, number = wait.end, wait.version
    if wait.is_overtaken:
        now = f"version {chain.champion}" if chain.champion else "nobody"
        what = f"The champion changed since version {number} was judged against it"
        return RegistryError(
            what,
            received={"judged against": wait.entry.to_version or "no champion", "champion": now},
            where=name,
            remedy=_judge_again(wait),
        )
    if wait.outcome == journal.REPLACED:
        return RegistryError(
            f"Another version was put in the place of version {number}, which waits no more",
            received={"version": number, "waiting": chain.waiting},
            where=name,
            remedy="See it with `faultxfer registry list`",
        )
    until = f"{wait.until:%Y-%m-%d}" if wait.until else None
    said: dict[str, object] = {"outcome": wait.outcome, "until": until}
    if end is not None:
        said |= {"by": end.actor, "at": end.at[:10], "reason": end.reason}
    again = wait.outcome == journal.EXPIRED
    journal_of = f"See `faultxfer registry journal {names.as_arguments(name)}`"
    remedy = _judge_again(wait) if again else journal_of
    return RegistryError(
        f"Version {number} waits for approval no more", received=said, where=name, remedy=remedy
    )


def _judge_again(wait: Wait) -> str:
    """The transfer that judges the same files against whoever is champion now."""
    asked = dict(wait.entry.details.get(TRANSFER) or {})
    command = asked.get("command")
    if not command:
        return "Transfer again: it is then judged against the champion of now"
    options = "" if asked.get("complete") else ", with the options of then"
    return f"Judge it against the champion of now{options}: `{command}`"


def require_another_name(wait: Wait) -> dict[str, Any]:
    """Whoever settles it must have another name than whoever started it, unless the rules say so.

    Names are claims, see ``docs/registry.md``.

    Returns:
        What the journal keeps of it.

    Raises:
        RegistryError: it is the same name.
    """
    mine, started_by = actor(), wait.entry.actor
    is_starter = _same(mine, started_by)
    if is_starter and not wait.rules.get("self_approval"):
        raise RegistryError(
            "Whoever started a transfer does not settle what came of it",
            received={"started by": started_by, "you": mine},
            where=names.version_uri(wait.entry.model, wait.version),
            remedy="Let another person type it; a scheduled transfer has a name of its own by "
            "FAULTXFER_ACTOR. Where one person does both, set `self_approval: true` in the gate "
            "file or the deployment, and transfer again",
        )
    return {"started_by": started_by, "self_approval": is_starter, "waiting": wait.entry.sha256}


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _was_champion_since(chain: Chain, wait: Wait) -> bool:
    """Whether a version became champion after it began to wait: somebody else saw to that."""
    entries = list(chain.entries.values())
    later = entries[entries.index(wait.entry) + 1 :]
    return any(entry.to_version == wait.version and not entry.is_note for entry in later)


def promotion_by_hand(chain: Chain, version: Version, reason: str, head: str) -> Promotion:
    """Why a person makes a version champion: an approval, where it waits for one.

    Args:
        chain: the journal.
        version: which; its time must not have run out unsaid.
        reason: in a sentence.
        head: the entry that the person decided on.

    Raises:
        RegistryError: it was never approved, and whoever started it would promote it.
    """
    wait = chain.waits.get(version.version)
    if wait is None or _was_champion_since(chain, wait) or not is_promoted(version, chain):
        return Promotion(reason, code(), head=head)
    settled = require_another_name(wait)
    if not wait.is_open:
        return Promotion(reason, code(), head=head)
    of_then = {key: value for key, value in wait.entry.details.items() if key not in _OF_THE_WAIT}
    details = {**of_then, journal.OUTCOME: journal.APPROVED, journal.APPROVAL: settled}
    return Promotion(reason, details, head=head)
