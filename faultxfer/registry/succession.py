"""Who may be champion again."""

from __future__ import annotations

from collections.abc import Collection
from itertools import takewhile

from faultxfer.registry.journal import MERGE, RESTORE, RETIRE, ROLLBACK, VERSION, Chain, Entry

# Actions by which a champion is left for another one, or for nobody.
_LEAVING = (RETIRE, ROLLBACK)


def earlier_champions(chain: Chain, sound: Collection[str]) -> list[str]:
    """Numbers of versions that were champion before the present one, latest first, each once.

    Args:
        chain: the journal.
        sound: those that can be used.
    """
    numbers: list[str | None] = []
    for entry in reversed(chain.changes):
        numbers += [entry.to_version, entry.from_version]
    earlier = [number for number in dict.fromkeys(numbers) if number != chain.champion]
    return [number for number in earlier if number is not None and number in sound]


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
    if entry.from_version is None or entry.action not in _LEAVING:
        return False
    leaves_nobody = entry.to_version is None
    is_its_own = entry.details.get(VERSION) == entry.from_version
    return leaves_nobody or is_its_own or entry.is_by_doctor


def replaced_by_doctor(chain: Chain) -> str | None:
    """The champion that the doctor's latest changes took away; None if a person acted since.

    Unlike :func:`ended_by_retirement` it needs no retirement, as the doctor may be about to write
    one, and a restored version ends the row. The first of the doctor's steps in a row counts.

    Args:
        chain: the journal.
    """
    steps = list(takewhile(_is_step_of_doctor, reversed(chain.changes)))
    return steps[-1].from_version if steps else None


def _is_step_of_doctor(entry: Entry) -> bool:
    return entry.is_by_doctor and entry.action in _LEAVING
