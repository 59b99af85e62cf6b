"""A change from one contract to another: the field, its values, and what the change means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from faultxfer.contract.schema import Scale

# Which models a change makes invalid: all of them, those trained with rows of one machine, or none.
Ends = Literal["all", "machine", "none"]
Meaning = tuple[str, Ends]


# What stands for a value that is not there.
NOTHING = "–"


@dataclass(frozen=True)
class Change:
    """One field that differs.

    Attributes:
        field: where it stands in the contract, such as ``sensors.flow.max``.
        kind: what sort of field it is, such as limits.
        old, new: its values as text; a dash where there is none.
        meaning: what the change does, for a plant engineer.
        ends: which models are not valid any more.
        machine: the machine concerned, where it is one.
    """

    field: str
    kind: str
    old: str
    new: str
    meaning: str
    ends: Ends = "none"
    machine: str | None = None


def plain(
    old: Any, new: Any, fields: dict[str, str], kind: str, ends: Ends = "none"
) -> Iterator[Change]:
    """Changes of fields that need no judgement.

    Args:
        old: has the fields.
        new: has them too.
        fields: by name, what a change of it means.
        kind: what sort of fields they are.
        ends: which models are not valid where one of them changed.
    """
    for field, meaning in fields.items():
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield Change(field, kind, shown(before), shown(after), meaning, ends)


def under(parent: str, changes: Iterable[Change]) -> Iterator[Change]:
    """The same changes with the name of what they are a part of."""
    for change in changes:
        yield replace(change, field=f"{parent}.{change.field}")


def shown(value: Any) -> str:
    """A value as text for a table."""
    if value is None or value in ((), "", {}):
        return NOTHING
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Scale):
        return f"factor {value.factor:.12g}, offset {value.offset:.12g}"
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
