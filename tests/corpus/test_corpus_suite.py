"""On the whole corpus, what NumPy judges is what Great Expectations says of the contract's suite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from checking import checked
from write import BAD, VALID

from faultxfer.contract import judged_rows
from faultxfer.contract.tallies import Tally

sys.path.append(str(Path(__file__).parents[1] / "contract"))
from great_expectations_alone import Question, asked


def test_great_expectations_finds_the_same_rows_in_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours: list[Tally] = []
    questions: list[Question] = []
    judge = judged_rows.tallies

    def kept(values: Any, contract: Any, *, labels: Any, lacking: Any) -> list[Tally]:
        found = judge(values, contract, labels=labels, lacking=lacking)
        for tally in found:
            if tally.unmet:
                ours.append(tally)
                questions.append(Question(tally, values, contract, labels, lacking))
        return found

    monkeypatch.setattr(judged_rows, "tallies", kept)
    for number, case in enumerate((*BAD, *VALID)):
        (tmp_path / str(number)).mkdir()
        checked(case, tmp_path / str(number))
    assert len(ours) > 50
    theirs = [
        (result.result["unexpected_index_list"], result.success) for result in asked(questions)
    ]
    assert [(tally.places.tolist(), tally.passed) for tally in ours] == theirs
