"""What became of each column, in one short table for the screen."""

from __future__ import annotations

from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME, Draft
from faultxfer.wording import listed

_KEYS = {TIME: "time", EQUIPMENT: "machine", RUN: "run"}
_OPTION = {TIME: "--time-column", EQUIPMENT: "--equipment-column", RUN: "--run-column"}
_NAMED = "a usual name"
# Names that one line lists.
_SHOWN = 6


def roles_of(draft: Draft) -> list[dict[str, str | None]]:
    """One line each for keys, label and columns left out, and one for all plain sensors.

    Returns:
        Plain data with ``role``, ``column`` (None where there is none) and ``why``.
    """
    lines = [_key(draft, role) for role in _KEYS]
    lines.append(line("label", draft.label, _spellings(draft)))
    lines += _held(draft)
    told = {name for name, seen in draft.sensors.items() if seen.note or seen.nothing or seen.hold}
    plain = [name for name in draft.sensors if name not in told]
    if plain:
        lines.append(line("sensor", _listed(plain), f"{len(plain)} measured"))
    for name, seen in draft.sensors.items():
        if seen.note or seen.nothing:
            lines.append(line("sensor, look at it", name, _question(seen.note, seen.nothing)))
    lines += [line("quality", name, reason) for name, reason in draft.qualities.items()]
    lines += [line("left out", name, reason) for name, reason in draft.ignore.items()]
    return lines


def shape_of(sentence: str) -> list[dict[str, str | None]]:
    """A line on the shape of the files; none for rows of moments."""
    return [line("files", None, sentence)] if sentence else []


def _held(draft: Draft) -> list[dict[str, str | None]]:
    """A line for sensors with times of their own, for each length that they are held."""
    by_length: dict[tuple[str, str], list[str]] = {}
    for name, seen in draft.sensors.items():
        if seen.hold:
            by_length.setdefault((seen.hold, seen.every), []).append(name)
    return [
        line(
            "sensor, held",
            _listed(names),
            f"times of its own, a reading every {every}: `hold: {hold}`, two of these",
        )
        for (hold, every), names in by_length.items()
    ]


def line(role: str, column: str | None, why: str) -> dict[str, str | None]:
    """One line of the table, as plain data."""
    return {"role": role, "column": column, "why": why}


def _key(draft: Draft, role: str) -> dict[str, str | None]:
    name = draft.keys[role]
    if name is not None:
        return line(_KEYS[role], name, draft.why.get(role, _NAMED))
    maybe = draft.looks_like.get(role)
    if maybe is None:
        return line(_KEYS[role], None, f"nothing looks like one; name it with {_OPTION[role]}")
    return line(_KEYS[role], None, f"{maybe!r} looks like one: {_OPTION[role]} {maybe!r}")


def _spellings(draft: Draft) -> str:
    """By class its spellings, each with its number of rows where there are any."""
    classes: dict[str, list[str]] = {}
    for one in draft.spellings.as_listed():
        rows = f" ({one['rows']:,} row{'' if one['rows'] == 1 else 's'})" if one["rows"] else ""
        classes.setdefault(one["class"], []).append(f"{one['spelling']}{rows}")
    return "; ".join(f"{name}: {_listed(texts)}" for name, texts in classes.items())


def _question(note: str, nothing: tuple[str, ...]) -> str:
    words = [f"{', '.join(nothing)} may stand for no reading: `csv.missing`"] if nothing else []
    return "; ".join([*words, *filter(None, [note])])


def _listed(names: list[str]) -> str:
    return listed(names, most=_SHOWN)
