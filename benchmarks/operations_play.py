"""Play one situation: the damage, the commands that people type, the mend, and what is left."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from operations_look import (
    ANYBODY,
    SOMEBODY,
    Originals,
    Snapshot,
    champions_wrong,
    digests,
    snapshot,
)
from operations_plant import FOREIGN, HURT, MODELS, Answer, Plant

BOTH = frozenset({"sqlite", "http"})
SQLITE, HTTP, SIGNED_IN = frozenset({"sqlite"}), frozenset({"http"}), frozenset({"signed in"})
ITSELF, COMMAND, PERSON, NEVER = "itself", "command", "person", "never"
SOUND, WRONG, UNCHECKED = 0, 2, 3
# Second or third word of commands that a person would type to bring something back.
_BRING_BACK = {
    "restore",
    "relocate",
    "promote",
    "rollback",
    "merge",
    "doctor",
    "runs",
    "experiments",
}
# Seconds after which somebody who waits for a database should have been told.
_PATIENCE = 40.0

Act = Callable[[Plant], Any]


@dataclass(frozen=True)
class Situation:
    """A day of ordinary operation.

    Attributes:
        name: in the table.
        kind: heading.
        damage: what happens.
        mend: the original files or database come back, or the cause ends; None where it is for
            good.
        verify: exit codes that tell the truth about it.
        champions: who is champion in the end, where it is not version 2.
        person: whether only a person can bring back what was, and the trial does not.
        stores: where it is played.
        days: how often a schedule runs the doctor meanwhile.
        typed: what is typed meanwhile; None for verify, doctor, doctor --apply, verify.
        nobody: whether it is true meanwhile that the machine has no champion.
        also: more that is to come back; gives back what has not.
        applied: whether what is typed takes away.
        check: more to be looked at in the end; gives back what is wrong.
    """

    name: str
    kind: str
    damage: Act
    mend: Act | None = None
    verify: tuple[int, ...] = (UNCHECKED,)
    champions: dict[str, str] = field(default_factory=dict)
    person: bool = False
    stores: frozenset[str] = BOTH
    days: int = 1
    typed: Callable[[Plant], Iterable[int]] | None = None
    nobody: bool = False
    applied: bool = False
    also: Callable[[Plant], list[str]] | None = None
    check: Callable[[Plant], list[str]] | None = None

    @property
    def wanted(self) -> dict[str, str]:
        """Who is champion in the end."""
        return {**dict.fromkeys(MODELS, "2"), **self.champions}

    @property
    def truth(self) -> dict[str, str]:
        """What verify says by *sound* while the damage is there.

        Every model has a champion that loads.
        """
        anybody = {model: one for model, one in self.champions.items() if one == ANYBODY}
        if self.nobody:
            anybody[HURT] = ANYBODY
        return {**dict.fromkeys(MODELS, SOMEBODY), **anybody}


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        verify: exit code while the damage was there.
        after: and after the doctor had been.
        owed: whether what is to be took `doctor --apply`, typed by a person.
        back: how what was came back: by itself, by a command, by a person, never.
        command: the one that did it.
        end: exit code of verify in the end.
        lost: what is lost for good.
        wrong: where the product did not do what it shall.
        seconds: how long it took.
    """

    verify: int
    after: int = -1
    owed: bool = False
    back: str = NEVER
    command: str = ""
    end: int = -1
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Table:
    """What every play needs.

    The plant, what was registered, and whether the doctor knows ``--apply``.
    """

    plant: Plant
    files: Originals
    applies: bool


def play(situation: Situation, table: Table) -> Outcome:
    """Play it from a fresh plant."""
    begun = time.monotonic()
    plant = table.plant
    plant.reset()
    situation.damage(plant)
    before = snapshot(plant)
    outcome, said = _meanwhile(situation, table, before)
    if situation.mend is not None:
        situation.mend(plant)
    _come_back(situation, table, outcome, said)
    outcome.lost += _lost(plant, table.files, before)
    if situation.check is not None:
        outcome.wrong += situation.check(plant)
    _judge(situation, outcome)
    outcome.seconds = time.monotonic() - begun
    return outcome


def _meanwhile(
    situation: Situation, table: Table, before: Snapshot | None
) -> tuple[Outcome, list[Answer]]:
    """While the damage is there.

    Verify, the doctor of each day, the doctor that applies, verify.
    """
    plant = table.plant
    look = partial(champions_wrong, files=table.files, wanted=situation.truth)
    daily = [["faultxfer", "registry", "verify"]]
    daily += situation.days * [["faultxfer", "registry", "doctor"]]
    answers, _ = plant.type_all(daily, lambda _: None)
    outcome = Outcome(answers[0].code)
    if table.applies:
        outcome.wrong += _taken(before, snapshot(plant))
    if situation.typed is not None:
        codes = list(situation.typed(plant))
        outcome.wrong += [
            f"exit code {code} of what was typed at once" for code in codes if code in (-1, 1)
        ]
    lines = [["faultxfer", "registry", "verify"]]
    if table.applies:
        outcome.owed = _owed(situation, table)
        lines.insert(0, ["faultxfer", "registry", "doctor", "--apply"])
    later, champions = plant.type_all(lines, look)
    outcome.after = later[-1].code
    if outcome.after == SOUND and champions:
        outcome.wrong.append(f"verify says sound after the doctor, but {champions[0]}")
    outcome.wrong += [problem for answer in (*answers, *later) for problem in _rude(answer)]
    told = situation.applied or any("--apply" in answer.text for answer in answers)
    if outcome.owed and not told:
        outcome.wrong.append("the doctor does not name --apply, and it takes that")
    if situation.person and table.applies and not any(answer.named for answer in later):
        outcome.wrong.append("the output names no command, and a person has to decide")
    return outcome, [*answers, *later]


def _owed(situation: Situation, table: Table) -> bool:
    """Whether the doctor that a schedule runs has left it to a person to type --apply."""
    if situation.mend is not None:
        return False
    missing, _ = _still_missing(situation, table, [])
    return bool(missing) or situation.applied


def _come_back(situation: Situation, table: Table, outcome: Outcome, said: list[Answer]) -> None:
    """Does what was come back by itself, by the next day's doctor.

    Or by a command that was named?
    """
    doctor, verify = ["faultxfer", "registry", "doctor"], ["faultxfer", "registry", "verify"]
    missing, answers = _still_missing(situation, table, [verify])
    if missing or answers[-1].code != SOUND:
        missing, answers = _still_missing(situation, table, [doctor, verify])
    outcome.end = answers[-1].code
    if not missing:
        outcome.back, outcome.command = _without_more(situation, outcome)
        return
    for line in _named([*answers, *said]):
        missing, answers = _still_missing(situation, table, [line, verify])
        outcome.end = answers[-1].code
        if not missing:
            outcome.back, outcome.command = COMMAND, shlex.join(line)
            return
    outcome.back = PERSON if situation.person else NEVER
    outcome.lost += [] if situation.person else missing


def _without_more(situation: Situation, outcome: Outcome) -> tuple[str, str]:
    """How it is back where nothing more was typed than the trial types anyway."""
    if situation.person:
        return PERSON, ""
    return (COMMAND, "faultxfer registry doctor --apply") if outcome.owed else (ITSELF, "")


def _still_missing(
    situation: Situation, table: Table, lines: list[list[str]]
) -> tuple[list[str], list[Answer]]:
    """Type something; what is not yet as it was, and the answers."""
    look = partial(champions_wrong, files=table.files, wanted=situation.wanted)
    answers, missing = table.plant.type_all(lines, look)
    also = situation.also(table.plant) if situation.also is not None else []
    return [*missing, *_shut_out(table), *also], answers


def _shut_out(table: Table) -> list[str]:
    """Versions that cannot be promoted, though their files are those that were registered."""
    seen = snapshot(table.plant)
    found = []
    for model, number in sorted(seen.shut_out if seen else ()):
        key = (model, number)
        if key in table.files.files and key in seen.versions and _sound(table, key):
            found.append(f"{model} {number} is {seen.shut_out[key]}, and its files are sound")
    return found


def _sound(table: Table, key: tuple[str, str]) -> bool:
    try:
        folder = table.plant.upload_folder(table.files.uploads[key])
    except ValueError:
        return False
    return digests(folder) == table.files.files[key]


def _named(answers: list[Answer]) -> list[list[str]]:
    """Commands that the output names and that bring something back, each once."""
    lines = list(dict.fromkeys(command for answer in answers for command in answer.named))
    back = [line for line in map(shlex.split, lines) if _BRING_BACK & set(line[1:3])]
    return sorted(back, key=lambda line: line[:3] == ["faultxfer", "registry", "doctor"])


def _taken(before: Snapshot | None, after: Snapshot | None) -> list[str]:
    """What a doctor that was not told to apply has taken away."""
    if before is None or after is None:
        return []
    shut_out = after.shut_out.keys() - before.shut_out.keys()
    taken = [f"doctor alone retired {name} {number}" for name, number in shut_out]
    gone = set(before.versions.values()) - set(after.versions.values())
    taken += [f"doctor alone deleted a version of {source}" for source in gone]
    taken += [f"doctor alone deleted upload {upload}" for upload in before.uploads - after.uploads]
    for (name, alias), number in after.aliases.items():
        was = before.aliases.get((name, alias), number)
        if number not in (was, "2") and (name, was) in after.versions:
            taken.append(f"doctor alone went back to version {number} of {name}")
    return sorted(taken)


def _lost(plant: Plant, files: Originals, before: Snapshot | None) -> list[str]:
    """What somebody named before the product did anything, and is deleted now."""
    after = snapshot(plant)
    if before is None or after is None:
        return [] if after else ["the database"]
    named = set(files.uploads.values())
    lost = [
        f"version {name} {number}"
        for name, number in before.versions.keys() - after.versions.keys()
        if name == FOREIGN or (name, number) in files.files
    ]
    lost += [f"files of {upload}" for upload in (before.uploads & named) - after.uploads]
    lost += [
        f"alias {alias} of {name}"
        for name, alias in before.aliases.keys() - after.aliases.keys()
        if alias != "champion"
    ]
    return sorted(lost)


def _rude(answer: Answer) -> list[str]:
    """Answers that no user should see."""
    if answer.code == 1 or "Traceback" in answer.error:
        return [f"`{answer.typed}` failed inside: {answer.text[:200]} {answer.error[-200:]}"]
    if answer.waited > _PATIENCE:
        return [f"`{answer.typed}` would have waited {answer.waited:.0f} s for the database"]
    return []


def _judge(situation: Situation, outcome: Outcome) -> None:
    """Compare with what the situation expects."""
    if outcome.verify not in situation.verify:
        wanted = " or ".join(str(code) for code in situation.verify)
        outcome.wrong.append(f"verify gave {outcome.verify}, the truth is {wanted}")
    if outcome.back == NEVER:
        outcome.wrong.append("what was champion did not come back")
    if outcome.end != SOUND and not situation.person:
        outcome.wrong.append(f"verify gave {outcome.end} in the end")
    if outcome.lost:
        outcome.wrong.append("something was lost")
