"""The five made-up families are what they were when the mapper was not written yet."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from families import FAMILIES, Family

from faultxfer.contract.schema import load_contract
from faultxfer.contract.units import conversion
from faultxfer.reading.read_csv import read_csv

# Of the families, which must not change to suit the mapper; ``right`` and ``alike`` are in it.
_SHA256 = "eeb4c76f0b50eeb4c10c7161c09139a0a1a4f37071a35ac848b0da97dc81266e"

families = pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))


def test_the_families_have_not_changed() -> None:
    text = (Path(__file__).parent / "families.py").read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == _SHA256


@families
def test_files_hold_what_the_right_mapping_says(family: Family, tmp_path: Path) -> None:
    contract, old, new = family.write(tmp_path)
    assert load_contract(contract).features == tuple(family.units)
    assert set(family.units) < set(read_csv(old).names)
    table = read_csv(new)
    tags = {tag for tag in family.right.values() if tag}
    assert set(table.names) == {"time", "run", "fault", *tags, *family.new}
    numbers = [table.numbers(tag).to_numpy() for tag in tags]
    assert all(np.isfinite(values).all() for values in numbers)


@families
def test_written_units_are_those_of_the_readings(family: Family) -> None:
    for name, how in family.written.items():
        factor, offset = conversion(family.units[name], how.unit)
        given = np.array([0.0, 1.0, 50.0])
        assert np.allclose(how.convert(given), given * factor + offset, rtol=1e-5), name


@families
def test_sensors_that_are_alike_are_known(family: Family) -> None:
    for group in family.alike:
        assert len(group) > 1
        assert group <= set(family.written)
