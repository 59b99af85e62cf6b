"""Which part of the names of files or tags is the tag and which the machine, by content."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from faultxfer.reading.name_pattern import TAG, matched

_SEPARATORS = "_-. /"
# Not every machine has every tag.
_FILLED = 0.7
# Dates and numbers at the end of a name, of exports in pieces.
_PIECE = re.compile(
    r"(?<=[^/])[_\-. ]+(?:\d{4}[-_.]?\d{2}(?:[-_.]?\d{2})?|\d{1,4}|[A-Za-z]{4}\d+)$"
)


@dataclass(frozen=True)
class Named:
    """One name, and what is known of its readings.

    Attributes:
        text: the name.
        level: the logarithm of the size of its readings; NaN where they are labels.
        first, last: when they begin and end; NaN where unknown.
    """

    text: str
    level: float
    first: float
    last: float


class Pattern(NamedTuple):
    """Where tag and machine stand in names, and which tags there are."""

    text: str
    tags: frozenset[str]


def pattern_of(names: Sequence[Named], label: str, machine: str) -> Pattern:
    """The pattern that tells tag and machine in the names.

    Args:
        names: of all files with readings.
        label: the tag of the label, which may be among them.
        machine: what to call the machine's part.
    """
    whole, piece = _without_pieces(names)
    distinct = list({each.text: each for each in whole}.values())
    splits = [split for split in _splits(distinct) if split.fits(label)]
    if splits:
        best = min(splits, key=lambda split: split.order(label))
        return Pattern(best.pattern(machine) + piece, frozenset(best.tags))
    tags = [each.text for each in distinct if each.text != label]
    text = _with_common_ends(tags, machine) + piece
    found = [matched(text, each.text) for each in names]
    return Pattern(text, frozenset(one[TAG] for one in found if one))


def _without_pieces(names: Sequence[Named]) -> tuple[list[Named], str]:
    """Names without the date or number of a piece, where the pieces follow each other in time."""
    if not all(_PIECE.search(each.text) for each in names):
        return list(names), ""
    cut = [Named(_PIECE.sub("", n.text), n.level, n.first, n.last) for n in names]
    by_text: dict[str, list[Named]] = defaultdict(list)
    for each in cut:
        by_text[each.text].append(each)
    several = [group for group in by_text.values() if len(group) > 1]
    if not several or not all(map(_follow, several)):
        return list(names), ""
    found = _PIECE.search(names[0].text)
    return cut, f"{found[0][0] if found else '_'}*"


def _follow(pieces: list[Named]) -> bool:
    """Whether each piece begins when the one before it has ended."""
    ordered = sorted(pieces, key=lambda piece: piece.first)
    return all(one.last <= other.first for one, other in pairwise(ordered))


@dataclass(frozen=True)
class _Split:
    """All names cut at one place.

    Attributes:
        separator: the character between.
        words: how many words the machine has.
        before: whether the machine stands before the tag.
        machines, tags: of each name.
        levels: (n,) of each name.
    """

    separator: str
    words: int
    before: bool
    machines: tuple[str, ...]
    tags: tuple[str, ...]
    levels: np.ndarray

    def fits(self, label: str) -> bool:
        """Whether several machines have several tags each, nearly all the same ones."""
        machines, tags = set(self.machines), set(self.tags)
        pairs = len(set(zip(self.machines, self.tags, strict=True)))
        full = pairs == len(self.tags) and pairs >= _FILLED * len(machines) * len(tags)
        return full and len(machines) > 1 and len(tags) > 1 and label not in machines

    def order(self, label: str) -> tuple[bool, bool, int]:
        """Better splits first: the label is a tag, and readings of a tag are alike."""
        by_tag, by_machine = self._spread(self.tags), self._spread(self.machines)
        return label not in self.tags, by_tag > by_machine, self.words

    def _spread(self, groups: tuple[str, ...]) -> float:
        """How far the levels of a group lie apart, in the mean."""
        apart = []
        for name in set(groups):
            levels = self.levels[np.array([group == name for group in groups])]
            levels = levels[~np.isnan(levels)]
            if len(levels) > 1:
                apart.append(float(levels.max() - levels.min()))
        return float(np.mean(apart)) if apart else 0.0

    def pattern(self, machine: str) -> str:
        """The split as a pattern."""
        parts = [f"{{{machine}}}", f"{{{TAG}}}"]
        return self.separator.join(parts if self.before else parts[::-1])


def _splits(names: list[Named]) -> Iterator[_Split]:
    """All ways to cut all names at one kind of place."""
    levels = np.array([each.level for each in names])
    for separator in _SEPARATORS:
        words = [each.text.split(separator) for each in names]
        shortest = min(map(len, words), default=0)
        for count in range(1, shortest):
            for before in (True, False):
                cut = [_cut(one, count, separator, before=before) for one in words]
                machines, tags = zip(*cut, strict=True)
                yield _Split(separator, count, before, machines, tags, levels)


def _cut(words: list[str], count: int, separator: str, *, before: bool) -> tuple[str, str]:
    """Machine and tag of one name."""
    place = count if before else len(words) - count
    first, last = separator.join(words[:place]), separator.join(words[place:])
    return (first, last) if before else (last, first)


def _with_common_ends(texts: list[str], machine: str) -> str:
    """A pattern of names of one machine: what they all begin or end with is no part of the tag."""
    begin, texts = _common_begin(texts)
    turned = _common_begin([text[::-1] for text in texts])[0]
    end = f"{turned[::-1][0]}*" if turned else ""
    if begin and re.search(r"\d", begin):
        begin = f"{{{machine}}}{begin[-1]}"
    return f"{begin}{{{TAG}}}{end}"


def _common_begin(texts: list[str]) -> tuple[str, list[str]]:
    """What all texts begin with, up to a separator, and what is left of each."""
    if len(set(texts)) < 2:
        return "", texts
    shared = 0
    for letters in zip(*texts, strict=False):
        if len(set(letters)) > 1:
            break
        shared += 1
    begin = texts[0][:shared]
    while begin and begin[-1] not in _SEPARATORS:
        begin = begin[:-1]
    if not all(text[len(begin) :].strip(_SEPARATORS) for text in texts):
        return "", texts
    return begin, [text[len(begin) :] for text in texts]
