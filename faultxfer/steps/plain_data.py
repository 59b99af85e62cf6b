"""What a step returned as plain data for JSON."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def plain_fields(result: DataclassInstance) -> dict[str, Any]:
    """The fields by name, in their order.

    Not :func:`dataclasses.asdict`: what says by ``as_dict`` how it is shown is asked, and paths
    become text.
    """
    return {field.name: _plain(getattr(result, field.name)) for field in fields(result)}


def _plain(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
