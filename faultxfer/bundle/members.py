"""A fitted stack as plain data, the function that scores from it, and its files.

Numbers and names of the members stand in the bundle's manifest, their arrays in one NPZ file, and
their trees in files of LightGBM text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.frozen import OVER_WINDOWS, Block, FrozenSource, Views
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.member_kinds import adapted, constant, identity, linear, trees
from faultxfer.bundle.plain_files import TEXT_BYTES, load_arrays, read_text
from faultxfer.data.windows import widened

IDENTITY, LINEAR, TREES, CONSTANT, ADAPTED = "identity", "linear", "trees", "constant", "adapted"
# How members of each kind score, and how they are put into a graph.
KINDS = {
    IDENTITY: identity.KIND,
    LINEAR: linear.KIND,
    TREES: trees.KIND,
    CONSTANT: constant.KIND,
    ADAPTED: adapted.KIND,
}
ARRAYS = "stack.npz"
# Key for maps of readings and windows, where a stack has some.
WINDOW_MAPS = "window_maps"
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
# Fields of a member that are blocks, which are stored as words.
_BLOCKS = ("blocks", "base")


@dataclass(frozen=True)
class Member:
    """One fitted learner of the stack.

    Attributes:
        family: what it is averaged with first.
        name: of the learner.
        kind: ``identity`` (a block is the logit), ``linear``, ``trees``, ``constant`` or
            ``adapted`` (the source network on readings with a gain and an offset of its own).
        blocks: blocks of :class:`~faultxfer.bundle.frozen.Views` that are its features, in order.
        arrays: ``coef`` (k,) and ``intercept`` (1,) of a linear head; ``edges`` (d, b + 1) where
            sensors are encoded by bins beside the blocks; ``gain`` and ``offset`` (d,) of an
            adapted member; ``base`` (j + 1,) weights and offset of the logit that trees are added
            to.
        base: blocks of that logit.
        text: trees as LightGBM text.
        link: what the trees give: a ``logit``, or a ``share`` of faults.
        constants: values of constant features behind the blocks, as the domain flag.
        slope, offset: Platt scaling of the member's logit.
        weight: in the stack.
        over_windows: whether it reads readings and windows side by side, through maps of their own.
    """

    family: str
    name: str
    kind: str
    blocks: tuple[Block, ...] = ()
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    base: tuple[Block, ...] = ()
    text: str = ""
    link: str = trees.LOGIT
    constants: tuple[float, ...] = ()
    slope: float = 1.0
    offset: float = 0.0
    weight: float = 1.0
    over_windows: bool = False


@dataclass(frozen=True)
class Stack:
    """Members, and the maps from the target's readings to source units that their blocks name.

    Attributes:
        members: fitted.
        maps: of the readings.
        window_maps: of readings and windows side by side, which some members look through.
    """

    members: tuple[Member, ...]
    maps: dict[str, InputMap]
    window_maps: dict[str, InputMap] = field(default_factory=dict)

    @property
    def reads_windows(self) -> bool:
        """Whether some members do."""
        return any(member.over_windows for member in self.members)

    def of_rows(self) -> Stack:
        """The members that read the readings of a row alone."""
        own = [member for member in self.members if not member.over_windows]
        return Stack(tuple(own), self.maps)

    def of_windows(self) -> Stack:
        """The members that read windows, as a stack by itself."""
        own = [replace(one, over_windows=False) for one in self.members if one.over_windows]
        return Stack(tuple(own), self.window_maps)


def logits(
    stack: Stack, source: FrozenSource, X: np.ndarray, windows: np.ndarray | None = None
) -> np.ndarray:
    """(n, d) target readings and their (n, 3, c) windows to (n,) calibrated logits.

    The weighted sum of the members' calibrated logits. Windows may be None where no member reads
    them.
    """
    if windows is None or source.over_windows is None:
        return _of_one_kind(stack, source, X)
    wide = widened(X, windows)
    of_windows = _of_one_kind(stack.of_windows(), source.over_windows, wide)
    return np.asarray(_of_one_kind(stack.of_rows(), source, X) + of_windows)


def _of_one_kind(stack: Stack, source: FrozenSource, X: np.ndarray) -> np.ndarray:
    views = Views(source, stack.maps, X)
    used = [block for one in stack.members for block in (*one.blocks, *one.base)]
    views.hidden = any(block.kind == "hidden" for block in used)
    scored = [member_logits(member, views) for member in stack.members]
    return together(stack, scored) if scored else np.zeros(len(X), dtype=np.float64)


def together(stack: Stack, scored: list[np.ndarray]) -> np.ndarray:
    """(n,) weighted sum of what the members say, (n,) uncalibrated logits of each."""
    total = np.zeros(len(scored[0]))
    for member, own in zip(stack.members, scored, strict=True):
        total += member.weight * (member.slope * own + member.offset)
    return total


def member_logits(member: Member, views: Views) -> np.ndarray:
    """(n,) uncalibrated logits of one member."""
    return KINDS[member.kind].score(member, views)


def save_stack(stack: Stack, folder: Path) -> dict[str, Any]:
    """Write arrays and trees; returns what belongs into the manifest."""
    arrays: dict[str, np.ndarray] = {}
    members = []
    for number, member in enumerate(stack.members):
        arrays |= {f"{number}.{name}": values for name, values in member.arrays.items()}
        if member.text:
            (folder / _trees_of(number)).write_text(member.text, encoding="utf-8")
        plain = {name: getattr(member, name) for name in _PLAIN}
        plain |= {name: [str(block) for block in getattr(member, name)] for name in _BLOCKS}
        over = {OVER_WINDOWS: True} if member.over_windows else {}
        members.append(
            {**plain, **over, "arrays": sorted(member.arrays), "trees": bool(member.text)}
        )
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
    stored = {"members": members, "maps": _plain_maps(stack.maps)}
    if stack.reads_windows:
        stored[WINDOW_MAPS] = _plain_maps(stack.window_maps)
    return stored


def _plain_maps(maps: dict[str, InputMap]) -> dict[str, Any]:
    return {
        name: {"gain": one.gain.tolist(), "offset": one.offset.tolist()}
        for name, one in maps.items()
    }


def _maps_from(stored: dict[str, Any]) -> dict[str, InputMap]:
    maps = {}
    for name, plain in stored.items():
        gain, offset = (np.array(plain[key], dtype=np.float64) for key in ("gain", "offset"))
        maps[name] = InputMap(gain, offset)
    return maps


def files_of(stored: dict[str, Any]) -> list[str]:
    """Names of the files that belong to a stack."""
    names = [ARRAYS]
    for number, member in enumerate(stored["members"]):
        if member["trees"]:
            names.append(_trees_of(number))
    return names


def load_stack(stored: dict[str, Any], folder: Path) -> Stack:
    """The inverse of :func:`save_stack`; hashes of the files are checked before.

    Raises:
        KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile: something else was stored.
    """
    arrays = load_arrays(folder / ARRAYS)
    members = []
    for number, plain in enumerate(stored["members"]):
        text = read_text(folder / _trees_of(number), TEXT_BYTES) if plain["trees"] else ""
        own = {name: arrays[f"{number}.{name}"] for name in plain["arrays"]}
        numbers: dict[str, Any] = {name: _as_tuple(plain[name]) for name in _PLAIN}
        numbers |= {name: tuple(map(Block.parse, plain[name])) for name in _BLOCKS}
        over = bool(plain.get(OVER_WINDOWS, False))
        members.append(Member(**numbers, arrays=own, text=text, over_windows=over))
    window_maps = _maps_from(stored.get(WINDOW_MAPS, {}))
    return Stack(tuple(members), _maps_from(stored["maps"]), window_maps)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _trees_of(number: int) -> str:
    return f"member_{number}.txt"
