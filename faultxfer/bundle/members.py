"""A fitted stack as plain data, the function that scores from it, and its files.

Numbers and names of the members stand in the bundle's manifest, their arrays in one NPZ file, and
their trees in files of LightGBM text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.frozen import Block, Booster, FrozenSource, Views
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.plain_files import TEXT_BYTES, load_arrays, read_text

IDENTITY, LINEAR, TREES, CONSTANT, ADAPTED = "identity", "linear", "trees", "constant", "adapted"
LOGIT, SHARE = "logit", "share"
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
# Fields of a member that are blocks, which are stored as words.
_BLOCKS = ("blocks", "base")
# A forest's share of 0 or 1 among few rows is not certainty.
_SHARE_LIMIT = 0.005


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
    """

    family: str
    name: str
    kind: str
    blocks: tuple[Block, ...] = ()
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    base: tuple[Block, ...] = ()
    text: str = ""
    link: str = LOGIT
    constants: tuple[float, ...] = ()
    slope: float = 1.0
    offset: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True)
class Stack:
    """Members, and the maps from the target's readings to source units that their blocks name."""

    members: tuple[Member, ...]
    maps: dict[str, InputMap]


def logits(stack: Stack, source: FrozenSource, X: np.ndarray) -> np.ndarray:
    """(n, d) target readings to (n,) calibrated logits.

    The weighted sum of the members' calibrated logits.
    """
    views = Views(source, stack.maps, X)
    return together(stack, [member_logits(member, views) for member in stack.members])


def together(stack: Stack, scored: list[np.ndarray]) -> np.ndarray:
    """(n,) weighted sum of what the members say, (n,) uncalibrated logits of each."""
    total = np.zeros(len(scored[0]))
    for member, own in zip(stack.members, scored, strict=True):
        total += member.weight * (member.slope * own + member.offset)
    return total


def member_logits(member: Member, views: Views) -> np.ndarray:
    """(n,) uncalibrated logits of one member."""
    return _SCORERS[member.kind](member, views)


def features_of(member: Member, views: Views) -> np.ndarray:
    """(n, k) features of a linear head or of trees: blocks, then bins, then constants."""
    parts = [views.block(block) for block in member.blocks]
    if "edges" in member.arrays:
        parts.append(encode(views.X, member.arrays["edges"]))
    if member.constants:
        parts.append(np.tile(member.constants, (len(views), 1)))
    return np.hstack(parts)


def encode(X: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Piecewise-linear encoding of (n, d) sensors by (d, b + 1) edges.

    Gives (n, d * b) values between 0 and 1.

    Gorishniy et al., "On embeddings for numerical features in tabular deep learning", NeurIPS 2022.
    Each bin says how far the reading has come through it, and a bin of no width is a step:

    >>> encode(np.array([[2.0]]), np.array([[0.0, 1.0, 3.0, 9.0]])).tolist()
    [[1.0, 0.5, 0.0]]
    """
    low = edges[:, :-1]
    width = np.maximum(np.diff(edges, axis=1), 1e-12)
    through = (X[:, :, None] - low) / width
    return np.asarray(np.clip(through, 0, 1).reshape(len(X), -1))


def _identity(member: Member, views: Views) -> np.ndarray:
    return views.block(member.blocks[0])[:, 0]


def _constant(member: Member, views: Views) -> np.ndarray:
    return np.full(len(views), float(member.arrays["intercept"][0]))


def _linear(member: Member, views: Views) -> np.ndarray:
    (intercept,) = member.arrays["intercept"]
    return np.asarray(features_of(member, views) @ member.arrays["coef"] + intercept)


@lru_cache(maxsize=64)
def _booster(text: str) -> Booster:
    """Parsed once: a detector that is asked for one row at a time would do little else."""
    import lightgbm

    booster: Booster = lightgbm.Booster(model_str=text)
    return booster


def tree_sums(member: Member, features: np.ndarray) -> np.ndarray:
    """(n,) sums over all trees for (n, k) features, before the link."""
    predicted = _booster(member.text).predict(features, raw_score=True, num_threads=1)
    return np.asarray(predicted)


def trees_in(member: Member) -> int:
    """How many trees a member has."""
    return member.text.count("\nTree=")


def log_odds_of_share(share: np.ndarray) -> np.ndarray:
    """(n,) shares of faults among a forest's leaves as log-odds, none of them certain."""
    inside = np.clip(share, _SHARE_LIMIT, 1 - _SHARE_LIMIT)
    return np.asarray(np.log(inside / (1 - inside)))


def _trees(member: Member, views: Views) -> np.ndarray:
    features = features_of(member, views)
    if member.link == SHARE:
        # The raw score of a forest is a sum over its trees.
        share = _booster(member.text).predict(features, raw_score=False, num_threads=1)
        return log_odds_of_share(np.asarray(share))
    scores = tree_sums(member, features)
    if not member.base:
        return scores
    base = member.arrays["base"]
    weights, offset = base[:-1], base[-1]
    return np.asarray(scores + views.blocks(member.base) @ weights + offset)


def _adapted(member: Member, views: Views) -> np.ndarray:
    network = views.source.network
    if network is None:
        raise ValueError(f"There is no source network. Received: member={member.name}")
    adapted = InputMap(member.arrays["gain"], member.arrays["offset"])
    _, logits = network(adapted(views.X))
    return np.asarray(logits.astype(np.float64).mean(axis=1))


_SCORERS = {
    ADAPTED: _adapted,
    IDENTITY: _identity,
    LINEAR: _linear,
    TREES: _trees,
    CONSTANT: _constant,
}


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
        members.append({**plain, "arrays": sorted(member.arrays), "trees": bool(member.text)})
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)
    maps = {}
    for name, one in stack.maps.items():
        maps[name] = {"gain": one.gain.tolist(), "offset": one.offset.tolist()}
    return {"members": members, "maps": maps}


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
        members.append(Member(**numbers, arrays=own, text=text))
    maps = {}
    for name, plain in stored["maps"].items():
        gain, offset = (np.array(plain[key], dtype=np.float64) for key in ("gain", "offset"))
        maps[name] = InputMap(gain, offset)
    return Stack(tuple(members), maps)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _trees_of(number: int) -> str:
    return f"member_{number}.txt"
