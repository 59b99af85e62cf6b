"""Nobody changes a journal unseen.

And of two entries that follow the same one only the first counts.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultxfer.errors import RegistryError
from faultxfer.registry.journal import BEGINNING, PROMOTE, Entry, chained, require_whole

NAME = "pumps--pump-9"


def journal(length: int) -> list[tuple[int, str]]:
    entries: list[tuple[int, str]] = []
    previous, before = BEGINNING, None
    for number in range(1, length + 1):
        entry = Entry(
            NAME, PROMOTE, before, str(number), "better", "f" * 64, previous, actor="test"
        )
        entries.append((number, entry.text()))
        previous, before = entry.sha256, entry.to_version
    return entries


def test_a_journal_names_its_last_champion_and_comes_in_any_order() -> None:
    chain = chained(NAME, reversed(journal(5)))
    assert (chain.problems, chain.void) == ((), ())
    assert chain.last is not None
    assert chain.last.to_version == "5"
    assert chain.head == chain.last.sha256
    assert chained(NAME, []).head == BEGINNING


def test_of_two_entries_that_follow_the_same_one_the_first_counts() -> None:
    stored = journal(2)
    first = chained(NAME, stored)
    assert first.last is not None
    racing = [
        Entry(NAME, PROMOTE, "2", version, "better", None, first.head, actor="test")
        for version in ("3", "4")
    ]
    after = Entry(NAME, PROMOTE, "3", "5", "better", None, racing[0].sha256, actor="test")
    chain = chained(
        NAME, [*stored, (3, racing[0].text()), (4, racing[1].text()), (5, after.text())]
    )
    assert [entry.to_version for entry in chain.entries.values()] == ["1", "2", "3", "5"]
    assert (chain.void, chain.problems) == ((4,), ())


@given(st.data())
def test_any_change_before_the_last_entry_is_found(data: st.DataObject) -> None:
    stored = journal(data.draw(st.integers(2, 6)))
    place = data.draw(st.integers(0, len(stored) - 2))
    number, text = stored[place]
    position = data.draw(st.integers(0, len(text) - 1))
    changed = text[:position] + data.draw(st.characters(codec="utf-8")) + text[position + 1 :]
    chain = chained(NAME, [*stored[:place], (number, changed), *stored[place + 1 :]])
    assert bool(chain.problems) == (changed != text)


@given(st.data())
def test_entries_that_are_missing_or_swapped_are_found(data: st.DataObject) -> None:
    stored = journal(data.draw(st.integers(2, 6)))
    place = data.draw(st.integers(0, len(stored) - 2))
    assert chained(NAME, stored[:place] + stored[place + 1 :]).problems
    other = data.draw(st.integers(0, len(stored) - 1).filter(lambda number: number != place))
    texts = [text for _, text in stored]
    texts[place], texts[other] = texts[other], texts[place]
    assert chained(NAME, enumerate(texts, 1)).problems


def test_an_entry_of_another_journal_does_not_count() -> None:
    foreign = Entry("pumps--pump-8", PROMOTE, None, "1", "better", None, BEGINNING, actor="test")
    chain = chained(NAME, [(1, foreign.text())])
    assert chain.entries == {}
    with pytest.raises(RegistryError, match="entry 1 is not one of this journal"):
        require_whole(chain, NAME)


def test_the_hash_covers_every_field() -> None:
    entry = Entry(
        NAME, PROMOTE, "1", "2", "better", "f" * 64, BEGINNING, details={"seed": 0}, actor="test"
    )
    for field in dataclasses.fields(entry):
        value = {"seed": 1} if field.name == "details" else "x"
        assert dataclasses.replace(entry, **{field.name: value}).sha256 != entry.sha256
