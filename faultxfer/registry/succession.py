"""Who may be champion again."""

from __future__ import annotations

from collections.abc import Collection

from faultxfer.registry.journal import MERGE, RESTORE, RETIRE, ROLLBACK, VERSION, Chain, Entry


def earlier_champions(chain: Chain, sound: Collection[str]) -> list[str]:
    """Numbers of versions that were champion before the present one, latest first, each once.

    Args:
        chain: the journal.
        sound: those that can be used.
    """
    now = chain.champion
    entries = reversed(chain.changes)
    numbers = [
        number for entry in entries for number in (entry.to_version, entry.from_version) if number
    ]
    return [number for number in dict.fromkeys(numbers) if number != now and number in sound]


def next_in_line(chain: Chain, sound: Collection[str]) -> list[str]:
    """Those that the present champion took over from, the latest first.

    A version that somebody went back from is not among them: there was a reason to leave it.

    Args:
        chain: the journal.
        sound: those that can be used.
    """
    line: list[str] = []
    before: list[str] = []  # the line that a restored champion goes back to
    for entry in chain.changes:
        number = entry.to_version
        if entry.action == MERGE:
            continue  # whoever stepped down for another model comes back to where it stood
        if number is None:
            line, before = [], before or line
        elif entry.action == RESTORE and number in before:
            line, before = before[: before.index(number) + 1], []
        elif entry.action == ROLLBACK and number in line:
            line, before = line[: line.index(number) + 1], before or line
        else:
            line, before = [*(other for other in line if other != number), number], []
    return [number for number in reversed(line[:-1]) if number in sound]


def ended_by_retirement(chain: Chain) -> list[str]:
    """Champions that the latest changes ended by retirement, the first of them first.

    A version that somebody went back from, and that was retired later, is none of them: the
    retirement took nothing.

    Args:
        chain: the journal.
    """
    ended: list[str] = []
    for entry in chain.changes:
        if _ends_by_retirement(entry):
            ended.append(str(entry.from_version))
        elif entry.action == RESTORE and entry.to_version in ended:
            ended = ended[: ended.index(entry.to_version)]
        else:
            ended = []
    return [number for number in ended if number in chain.retirements]


def _ends_by_retirement(entry: Entry) -> bool:
    if entry.from_version is None or entry.action not in (RETIRE, ROLLBACK):
        return False
    return (
        entry.to_version is None
        or entry.details.get(VERSION) == entry.from_version
        or entry.is_by_doctor
    )


def replaced_by_doctor(chain: Chain) -> str | None:
    """The champion that the doctor's latest changes took away; None if a person acted since.

    The doctor may have gone back more than once: the first of its steps in a row counts.

    Args:
        chain: the journal.
    """
    found = None
    for entry in reversed(chain.changes):
        if not (entry.is_by_doctor and entry.action in (RETIRE, ROLLBACK)):
            break
        found = entry.from_version
    return found
