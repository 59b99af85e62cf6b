"""A stack as files: numbers and names in the manifest, arrays in one NPZ, trees as LightGBM text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.members import Member, Stack
from faultxfer.bundle.plain_files import TEXT_BYTES, load_arrays, read_text

ARRAYS = "stack.npz"
_PLAIN = (
    "family",
    "name",
    "kind",
    "blocks",
    "base",
    "link",
    "constants",
    "slope",
    "offset",
    "weight",
)


def save_stack(stack: Stack, folder: Path) -> dict[str, Any]:
    """Write arrays and trees; returns what belongs into the manifest."""
    arrays: dict[str, np.ndarray] = {}
    members = []
    for number, member in enumerate(stack.members):
        arrays |= {f"{number}.{name}": values for name, values in member.arrays.items()}
        if member.text:
            (folder / _trees_of(number)).write_text(member.text, encoding="utf-8")
        plain = {name: getattr(member, name) for name in _PLAIN}
        members.append({**plain, "arrays": sorted(member.arrays), "trees": bool(member.text)})
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
    maps = {
        name: {"gain": one.gain.tolist(), "offset": one.offset.tolist()}
        for name, one in stack.maps.items()
    }
    return {"members": members, "maps": maps}


def files_of(stored: dict[str, Any]) -> list[str]:
    """Names of the files that belong to a stack."""
    return [
        ARRAYS,
        *(_trees_of(number) for number, member in enumerate(stored["members"]) if member["trees"]),
    ]


def load_stack(stored: dict[str, Any], folder: Path) -> Stack:
    """The inverse of :func:`save_stack`; hashes of the files are checked before.

    Raises:
        KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile: something else was stored.
    """
    arrays = load_arrays(folder / ARRAYS)
    members = tuple(
        _member(number, one, arrays, folder) for number, one in enumerate(stored["members"])
    )
    maps = {
        name: InputMap(
            np.array(one["gain"], dtype=np.float64), np.array(one["offset"], dtype=np.float64)
        )
        for name, one in stored["maps"].items()
    }
    return Stack(members, maps)


def _member(
    number: int, stored: dict[str, Any], arrays: dict[str, np.ndarray], folder: Path
) -> Member:
    plain: dict[str, Any] = {name: _as_tuple(stored[name]) for name in _PLAIN}
    text = read_text(folder / _trees_of(number), TEXT_BYTES) if stored["trees"] else ""
    return Member(
        **plain, arrays={name: arrays[f"{number}.{name}"] for name in stored["arrays"]}, text=text
    )


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _trees_of(number: int) -> str:
    return f"member_{number}.txt"
