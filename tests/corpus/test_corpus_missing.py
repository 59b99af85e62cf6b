"""Files with empty cells are completed, or their rows set aside, by the contract and the model.

Every plant of the corpus in every spelling: other names, separators, marks and order of columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cases import Valid, valid
from checking import name_of, stored
from grid import GERMAN, PIPE, TAB, Spelling
from plants import ALL, Changes, Plant

from faultxfer.bundle.imputer import Imputer, fit_imputer
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.data.dataset import sensor_matrix
from faultxfer.reading import columns
from faultxfer.steps.completing import Completing
from faultxfer.steps.intake import CheckedRows, check_files

SPELLINGS = {
    "commas": (Spelling(), ""),
    "german": (GERMAN, "#NV"),
    "tabs": (TAB, "Bad Input"),
    "pipes": (PIPE, "NULL"),
}
# Lines of the empty cells, by the place of the sensor in the contract.
LINES = {0: 5, 1: 9}


def with_gaps(policy: str, changes: Changes) -> Iterator[Valid]:
    for number, plant in enumerate(ALL):
        for name, (spelling, cell) in SPELLINGS.items():
            grid = plant.grid
            for place, line in LINES.items():
                grid = grid.put(plant.sensors[place], {line: cell})
            header = grid.header[number:] + grid.header[:number]
            tolerant = {sensor: {"max_missing": 0.5} for sensor in plant.sensors}
            yield valid(
                f"{policy}-{number}-{name}",
                "two empty cells",
                plant,
                grid.select(list(header)),
                spelling=spelling,
                contract={"sensors": tolerant, **changes},
            )


def knowing(plant: Plant, contract: Contract) -> Completing:
    """What a model that learnt from the plant's clean rows fills in."""
    cells = [[float(cell) for cell in plant.grid.column(name)] for name in plant.sensors]
    imputer = fit_imputer(np.array(cells).T)

    def learn(accepted: pd.DataFrame) -> Imputer:
        return imputer.for_machine(sensor_matrix(accepted, contract.features))

    return Completing(contract.features, imputer, learn)


def completed(case: Valid, folder: Path) -> CheckedRows:
    contract = parse_contract(case.contract, where=case.name)
    return check_files(
        stored(case, folder),
        contract,
        work=folder,
        quarantine=folder / "quarantine",
        labelled=True,
        completing=knowing(case.plant, contract),
    )


@pytest.mark.parametrize("case", [*with_gaps("filled", {})], ids=name_of)
def test_empty_cells_are_filled_in_and_marked(case: Valid, tmp_path: Path) -> None:
    rows = completed(case, tmp_path)
    assert {finding.code for finding in rows.findings} == {"SENSOR-IMPUTED"}
    assert (rows.accepted, rows.imputed, rows.quarantined) == (len(case.truth.rows), 2, 0)
    assert rows.table is not None
    accepted = pd.read_feather(rows.table)
    for place, line in LINES.items():
        name = case.plant.sensors[place]
        truth = np.array([float(cell) for cell in case.truth.column(name)])
        gap = np.arange(len(truth)) == line - 2
        np.testing.assert_allclose(accepted[name][~gap], truth[~gap], rtol=1e-9, atol=1e-9)
        assert accepted[columns.IMPUTED][gap].tolist() == [name]
        assert truth.min() - truth.std() < accepted[name][gap].item() < truth.max() + truth.std()


@pytest.mark.parametrize("case", [*with_gaps("none", {"max_imputed": 0})], ids=name_of)
def test_with_max_imputed_0_the_rows_are_set_aside(case: Valid, tmp_path: Path) -> None:
    rows = completed(case, tmp_path)
    assert {finding.code for finding in rows.findings} == {"SENSOR-MISSING"}
    assert (rows.imputed, rows.quarantined) == (0, 2)
    assert rows.quarantine is not None
    assert pd.read_csv(rows.quarantine)["_line"].tolist() == sorted(LINES.values())
