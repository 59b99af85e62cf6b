"""A file that is checked part by part has the verdict of its check as a whole, row by row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from checking import stored
from write import BAD, VALID

from faultxfer.contract.schema import parse_contract
from faultxfer.steps.checked_parts import Asked, accepted_in_parts
from faultxfer.steps.intake import check_files

NONE: frozenset[str] = frozenset()
# Of the corpus every so many cases, as each is cut, checked and written: all of them take minutes.
EVERY = 4


@pytest.mark.parametrize("labelled", [False, None])
def test_a_file_is_judged_in_parts_as_a_whole(labelled: bool | None, tmp_path: Path) -> None:
    in_parts: Counter[str] = Counter()
    for number, case in enumerate((*BAD, *VALID)[::EVERY]):
        if len(case.files) > 1:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        (file,) = map(Path, stored(case, folder))
        contract = parse_contract(case.contract, where=case.name)
        equipment = getattr(case, "equipment", None)
        asked = Asked(contract, equipment, None, NONE, NONE, labelled=labelled)
        rows = folder / "parts.arrow"
        size = max(file.stat().st_size // 3, 1)
        found = accepted_in_parts(file, file.name, asked, rows, size)
        if found is None:
            continue  # it is checked as a whole
        in_parts[type(case).__name__] += 1
        whole = check_files(
            [str(file)],
            contract,
            work=folder if labelled is False else None,
            quarantine=folder / "quarantine",
            labelled=labelled,
            equipment=equipment,
        )
        assert found.findings == whole.findings, case.name
        counts = (found.rows, found.accepted, found.quarantined, found.left_out)
        expected = (whole.read, whole.accepted, whole.quarantined, whole.left_out)
        assert counts == expected, case.name
        assert (dict(whole.unused), whole.unmeasured) == ({}, ()), case.name
        rejected = found.rejected.read_text() if found.rejected else None
        assert rejected == (whole.quarantine.read_text() if whole.quarantine else None), case.name
        if whole.table is not None:
            wanted = pd.read_feather(whole.table)
            own = pd.read_feather(rows)[list(wanted)]
            pd.testing.assert_frame_equal(own, wanted, check_dtype=False)
    assert in_parts["Bad"] > 110 / EVERY
    assert in_parts["Valid"] > 320 / EVERY
