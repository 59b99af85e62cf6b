"""Columns that divide rows into parts: they travel beside the sensors, and no model sees them."""

from __future__ import annotations

import numpy as np
import pytest
from check_rows import CONTRACT, cells, check

from faultxfer.contract.schema import parse_contract
from faultxfer.data.dataset import dataset_from
from faultxfer.errors import ContractError
from faultxfer.reading import columns


def test_columns_that_the_contract_names_travel_with_the_accepted_rows() -> None:
    contract = CONTRACT.model_copy(update={"slices": ("mode", "pump", "elsewhere")})
    frame = cells().assign(mode=[" idle ", "full"] * 10)
    checked = check(frame, contract)
    assert not checked.findings
    data = dataset_from(checked.accepted, contract.features)
    assert data.take(np.array([0, 1])).slices["mode"].tolist() == ["idle", "full"]
    assert set(data.slices["pump"]) == {"p1"}
    assert set(data.slices["elsewhere"]) == {""}  # this file does not have it
    assert dataset_from(check(cells()).accepted, CONTRACT.features).slices == {}


def test_a_sensor_cannot_take_the_name_under_which_a_part_travels() -> None:
    content = CONTRACT.model_dump() | {"sensors": {columns.SLICE + "mode": {}}}
    with pytest.raises(ContractError, match="kept for bookkeeping"):
        parse_contract(content, where="test")
