"""How much two names of sensors say that they are the same: words, abbreviations, numbers."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np

from faultxfer.mapping.words import (
    EMPTY,
    ISA_FIRST,
    ISA_LATER,
    OPPOSITES,
    QUANTITIES,
    SIGNS,
    WORDS,
)

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
# Words of fewer letters are not looked for inside longer ones, at the ends even shorter ones are.
_INSIDE, _AT_AN_END = 4, 3
# Words that nobody knows are the same if this share of their letters is, or if one, of at least
# three letters, begins the other.
_LIKE, _SHORTEST = 0.8, 3
_LIKE_WEIGHT = 0.8
# Two names that contradict each other in what is measured, or in where.
_AGAINST_QUANTITY, _AGAINST_PLACE = 0.5, 0.35
# A prefix stands before this share of the tags.
_COMMON = 0.8
_ENDS = ((r"\bnon drive end\b", "nde"), (r"\bdrive end\b", "drend"), (r"\bde$", "drend"))


@dataclass(frozen=True)
class Words:
    """What a name is made of.

    Attributes:
        text: the name without accents, capitals and what stands around it.
        meanings: what its known words mean.
        quantity: what it says is measured, where it does.
        others: words that nobody knows, and numbers.
    """

    text: str
    meanings: frozenset[str]
    quantity: frozenset[str]
    others: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Meanings and other words, each once."""
        return (*sorted(self.meanings), *self.others)


def plain(name: str) -> str:
    """A name in small letters without accents, its words with single spaces between them.

    >>> plain("P9.MotorTemp_Öl [°C]"), plain("TT-103A")
    ('p 9 motor temp oel', 'tt 103 a')
    """
    without = re.sub(r"[\[(][^\])]*[\])]\s*$", " ", name)
    parted = re.sub(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-Þ])", " ", without)
    parted = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", parted)
    letters = parted.casefold().translate(_UMLAUTS)
    bare = "".join(
        one for one in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(one)
    )
    return " ".join(re.findall(r"[a-z]+|\d+", bare))


def words_of(name: str, quantity: str = "", description: str = "") -> Words:
    """The words of a name and of what describes it.

    Args:
        name: without prefix.
        quantity: what its unit measures; empty where it has none.
        description: words beside it in the file.
    """
    meanings, others = _read(name)
    if description:
        told, more = _read(description)
        meanings, others = meanings | told, [*others, *more]
    measured = meanings & set(QUANTITIES)
    if quantity:
        # The unit is surer than a word: `motor_speed_a` in A is a current.
        meanings, measured = (meanings - measured) | {quantity}, {quantity}
    return Words(
        plain(name), frozenset(meanings), frozenset(measured), tuple(dict.fromkeys(others))
    )


def _read(name: str) -> tuple[set[str], list[str]]:
    """Meanings of the known words of a name, and its other words."""
    text = plain(name)
    for pattern, word in _ENDS:
        text = re.sub(pattern, word, text)
    meanings: set[str] = set()
    others: list[str] = []
    words = text.split()
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        found = _meanings_of(word, first=place == 0, tag=following.isdigit())
        if found:
            meanings |= found
        elif word not in EMPTY:
            others.append(word.lstrip("0") or word)
    return meanings, others


def _meanings_of(word: str, *, first: bool, tag: bool) -> set[str]:
    if word in WORDS:
        return {WORDS[word]}
    if first and word in SIGNS:
        return {SIGNS[word]}
    letters = word.upper()
    if tag and 2 <= len(word) <= 4 and set(letters[1:]) <= ISA_LATER | {"D"}:
        return _isa(letters)
    return set(_inside(word))


def _isa(letters: str) -> set[str]:
    found = {ISA_FIRST[letters[0]]} if letters[0] in ISA_FIRST else set()
    return found | ({"difference"} if "D" in letters[1:] else set())


@lru_cache(maxsize=4096)
def _inside(word: str) -> tuple[str, ...]:
    """Meanings of known words that a longer one is put together from."""
    found: list[str] = []
    place, bound = 0, True
    while place < len(word):
        part = _part(word, place, bound=bound)
        if part:
            found.append(WORDS[part])
        place += len(part) or 1
        bound = bool(part)
    return tuple(found)


def _part(word: str, place: int, *, bound: bool) -> str:
    """The longest known word that stands here in a longer one; empty where none does.

    Args:
        word: the longer one.
        place: where to look.
        bound: whether the word, or another known one, ends just before.
    """
    for length in range(len(word) - place, _AT_AN_END - 1, -1):
        part = word[place : place + length]
        at_an_end = bound or place + length == len(word)
        if part in WORDS and (length >= _INSIDE or at_an_end):
            return part
    return ""


# Prefixes


def without_prefix(tags: Sequence[str]) -> list[str]:
    """Tags without what nearly all of them begin and end with.

    >>> without_prefix(["P9.FT-101.PV", "P9.PT-101.PV", "P9.LT-100.PV"])
    ['FT-101', 'PT-101', 'LT-100']
    """
    parts = [re.findall(r"[^\W_]+|[\W_]+", tag) for tag in tags]
    if len(tags) < 2:
        return list(tags)
    parts = _cut(parts)
    turned = _cut([one[::-1] for one in parts])
    return ["".join(one[::-1]) or tag for one, tag in zip(turned, tags, strict=True)]


def _cut(parts: list[list[str]]) -> list[list[str]]:
    """Names without first words that most of them have; none is cut away whole."""
    while True:
        first = Counter(one[0] for one in parts if len(one) > 1)
        if not first:
            return parts
        word, times = first.most_common(1)[0]
        if times < _COMMON * len(parts):
            return parts
        parts = [one[1:] if len(one) > 1 and one[0] == word else one for one in parts]


# Likeness


def likeness(sources: Sequence[Words], targets: Sequence[Words]) -> np.ndarray:
    """(d, t) how much names say that two sensors are the same, from -0.5 (not) over 0 to 1.

    The cosine of their words, of which rare ones weigh more (inverse document frequency), less what
    speaks against it. 0 where the names say nothing.
    """
    weights = _weights([*sources, *targets])
    found = np.zeros((len(sources), len(targets)))
    for row, source in enumerate(sources):
        for column, target in enumerate(targets):
            found[row, column] = _alike(source, target, weights)
    return found


def _weights(every: Iterable[Words]) -> dict[str, float]:
    counted = Counter(word for one in every for word in one.all)
    return {word: 1.0 / np.sqrt(times) for word, times in counted.items()}


def _alike(source: Words, target: Words, weights: dict[str, float]) -> float:
    if source.text and source.text == target.text:
        return 1.0
    against = _against(source, target)
    shared = sum(weights[word] ** 2 for word in source.meanings & target.meanings)
    shared += _shared_others(source, target, weights, enough=shared > 0)
    if not shared:
        return -against
    norms = [np.sqrt(sum(weights[word] ** 2 for word in one.all)) for one in (source, target)]
    return float(shared / (norms[0] * norms[1])) - against


def _against(source: Words, target: Words) -> float:
    """How much speaks against two names that name different quantities or sides."""
    against = 0.0
    if source.quantity and target.quantity and not source.quantity & target.quantity:
        against += _AGAINST_QUANTITY
    for group in OPPOSITES:
        one, other = source.meanings & group, target.meanings & group
        if one and other and not one & other:
            against += _AGAINST_PLACE
    return against


def _shared_others(
    source: Words, target: Words, weights: dict[str, float], *, enough: bool
) -> float:
    """What words that nobody knows have in common; numbers count where something else does too."""
    shared, numbers = 0.0, 0.0
    for word in source.others:
        same = max((_same(word, other) for other in target.others), default=0.0)
        if word.isdigit():
            numbers += same * weights[word] ** 2
        else:
            shared += same * weights[word] ** 2
    return shared + (numbers if enough or shared else 0.0)


@lru_cache(maxsize=65536)
def _same(word: str, other: str) -> float:
    """1 for the same word, less for one that is nearly the same or short for the other."""
    if word == other:
        return 1.0
    if word.isdigit() or other.isdigit() or min(len(word), len(other)) < _SHORTEST:
        return 0.0
    if word.startswith(other) or other.startswith(word):
        return _LIKE_WEIGHT
    close = SequenceMatcher(None, word, other, autojunk=False).ratio() >= _LIKE
    return _LIKE_WEIGHT if close else 0.0
