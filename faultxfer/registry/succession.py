"""Who may be champion again."""

from __future__ import annotations

from collections.abc import Collection

from faultxfer.registry.journal import MERGE, ROLLBACK, Chain


def earlier_champions(chain: Chain, sound: Collection[str]) -> list[str]:
    """Numbers of versions that were champion before the present one, the latest first, without repeats.

    Args:
        chain: the journal.
        sound: those that can be used.
    """
    now = chain.last.to_version if chain.last else None
    entries = reversed(list(chain.entries.values()))
    numbers = [number for entry in entries for number in (entry.to_version, entry.from_version) if number]
    return [number for number in dict.fromkeys(numbers) if number != now and number in sound]


def next_in_line(chain: Chain, sound: Collection[str]) -> list[str]:
    """Those that the present champion took over from, the latest first.

    A version that somebody went back from is not among them: there was a reason to leave it.

    Args:
        chain: the journal.
        sound: those that can be used.
    """
    line: list[str] = []
    for entry in chain.entries.values():
        number = entry.to_version
        if entry.action == MERGE:
            continue  # whoever stepped down for another model comes back to where it stood
        if number is None:
            line = []
        elif entry.action == ROLLBACK and number in line:
            line = line[: line.index(number) + 1]
        else:
            line = [*(other for other in line if other != number), number]
    return [number for number in reversed(line[:-1]) if number in sound]
