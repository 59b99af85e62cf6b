"""A file that is checked part by part has the verdict of its check as a whole, row by row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
from checking import stored
from write import BAD, VALID

from faultxfer.contract.schema import parse_contract
from faultxfer.reading import columns
from faultxfer.steps.checked_parts import Asked, accepted_in_parts
from faultxfer.steps.intake import check_files

NONE: frozenset[str] = frozenset()


# Of the corpus every so many cases, as each is cut, checked and written: all of them take minutes.
EVERY = 4


def test_every_row_has_the_verdict_that_validate_gives_it(tmp_path: Path) -> None:
    in_parts: Counter[str] = Counter()
    for number, case in enumerate((*BAD, *VALID)[::EVERY]):
        if len(case.files) > 1:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        (file,) = map(Path, stored(case, folder))
        contract = parse_contract(case.contract, where=case.name)
        equipment = getattr(case, "equipment", None)
        rows = folder / "parts.arrow"
        size = max(file.stat().st_size // 3, 1)
        found = accepted_in_parts(
            file, file.name, Asked(contract, equipment, None, NONE, NONE), rows, size
        )
        if found is None:
            continue  # it is checked as a whole, as `validate` does
        in_parts[type(case).__name__] += 1
        whole = check_files(
            [str(file)],
            contract,
            work=folder,
            quarantine=folder / "quarantine",
            labelled=False,
            equipment=equipment,
        )
        assert whole.table is not None, case.name
        assert (whole.read, whole.accepted, whole.quarantined) == (found.rows, found.accepted, 0)
        expected = pd.read_feather(whole.table)
        pd.testing.assert_frame_equal(
            pd.read_feather(rows)[list(expected)], expected, check_dtype=False
        )
        codes = Counter(finding.code for finding in whole.findings)
        assert Counter(finding.code for finding in found.findings) == codes, case.name
        assert expected[columns.ROW].is_monotonic_increasing
    assert in_parts["Valid"] > 50 / EVERY
    assert in_parts["Bad"] < len(BAD) / 2 / EVERY


def test_a_file_that_is_only_checked_is_judged_in_parts_as_a_whole(tmp_path: Path) -> None:
    in_parts: Counter[str] = Counter()
    for number, case in enumerate((*BAD, *VALID)[::EVERY]):
        if len(case.files) > 1:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        (file,) = map(Path, stored(case, folder))
        contract = parse_contract(case.contract, where=case.name)
        equipment = getattr(case, "equipment", None)
        asked = Asked(contract, equipment, None, NONE, NONE, labelled=None)
        size = max(file.stat().st_size // 3, 1)
        found = accepted_in_parts(file, file.name, asked, folder / "rows", size)
        if found is None:
            continue
        in_parts[type(case).__name__] += 1
        whole = check_files(
            [str(file)],
            contract,
            work=None,
            quarantine=folder / "quarantine",
            labelled=None,
            equipment=equipment,
        )
        assert found.findings == whole.findings, case.name
        counts = (found.rows, found.accepted, found.quarantined)
        assert counts == (whole.read, whole.accepted, whole.quarantined), case.name
        assert (dict(whole.unused), whole.unmeasured) == ({}, ()), case.name
        rejected = found.rejected.read_text() if found.rejected else None
        assert rejected == (whole.quarantine.read_text() if whole.quarantine else None), case.name
    assert in_parts["Valid"] > 200 / EVERY
    assert in_parts["Bad"] > 50 / EVERY
