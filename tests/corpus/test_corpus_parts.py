"""A file that is checked part by part has the verdict of its check as a whole, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from checking import stored
from write import BAD, VALID

from faultxfer.contract.schema import parse_contract
from faultxfer.steps.in_parts import cutting
from faultxfer.steps.in_parts.asked import Accepted, Asked
from faultxfer.steps.in_parts.check import accepted_in_parts, dealt_out
from faultxfer.steps.intake import check_files

NONE: frozenset[str] = frozenset()


# Of the corpus every so many cases, as each is cut, checked and written: all of them take minutes.
@pytest.mark.parametrize(
    ("labelled", "check", "every", "most"),
    [
        (False, accepted_in_parts, 5, (110, 320)),
        (None, accepted_in_parts, 5, (110, 320)),
        (False, dealt_out, 20, (80, 180)),
    ],
)
def test_a_file_is_judged_in_parts_as_a_whole(
    labelled: bool | None,
    check: Callable[[Path, str, Asked, Path, int], Accepted | None],
    every: int,
    most: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "_DEALT", 1)
    in_parts: Counter[str] = Counter()
    for number, case in enumerate((*BAD, *VALID)[::every]):
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
        found = check(file, file.name, asked, rows, size)
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
        assert (found.unused, ()) == (dict(whole.unused), whole.unmeasured), case.name
        rejected = found.rejected.read_text() if found.rejected else None
        assert rejected == (whole.quarantine.read_text() if whole.quarantine else None), case.name
        for own, wanted in ((rows, whole.table), (found.unscored, whole.unscored)):
            if wanted is not None:
                assert own is not None, case.name
                kept = pd.read_feather(wanted)
                read = pd.read_feather(own)[list(kept)]
                pd.testing.assert_frame_equal(read, kept, check_dtype=False)
    assert in_parts["Bad"] > most[0] / every
    assert in_parts["Valid"] > most[1] / every
