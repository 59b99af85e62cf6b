"""The corpus itself: large, without repetition, of every code; its contracts serve the command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml
from cases import Bad, Valid
from checking import name_of, stored
from write import BAD, VALID, write_corpus

from faultxfer.contract import codes
from faultxfer.pipeline import validate


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    assert len(BAD) >= 200
    assert len(VALID) >= 200
    names = Counter(case.name for case in (*BAD, *VALID))
    files = Counter(name.lower() for case in (*BAD, *VALID) for name, _ in case.files)
    assert [name for name, count in (names + files).items() if count > 1] == []


def test_no_case_of_the_corpus_is_written_twice() -> None:
    counts = Counter(_content(case) for case in (*BAD, *VALID))
    assert max(counts.values()) == 1


def _content(case: Bad | Valid) -> tuple[object, ...]:
    asked = (case.labelled, case.equipment) if isinstance(case, Bad) else ()
    files = tuple((name.removeprefix(case.name), content) for name, content in case.files)
    return files, repr(case.contract), asked


def test_the_script_writes_every_file(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    for folder, cases in (("bad", BAD), ("valid", VALID)):
        written = {path.name for path in (tmp_path / folder).iterdir()}
        assert {name for case in cases for name, _ in case.files} < written


def test_every_code_has_bad_files() -> None:
    counts = Counter(case.code for case in BAD)
    # What is too large depends on the machine: tests/reading/test_reading_columns.py has that one.
    known = (
        {*codes.FIXED, *codes.CONFIGURABLE, "SENSOR-OUT-OF-RANGE"}
        - codes.AT_TRANSFER
        # Models fill readings in: test_corpus_missing.py has files of which rows are, and
        # tests/contract/test_gone_sensors.py has some that lack a column.
        - {"FILE-TOO-LARGE", "SENSOR-IMPUTED", "SENSOR-GONE"}
        # What machines lack is a matter of several files: tests/contract/test_lacking_sensors.py.
        - {"SENSOR-PRESENT", "SENSOR-NOWHERE"}
        # A log of faults lies beside the files: tests/contract/test_fault_log.py has twenty.
        - {code for code in codes.CONFIGURABLE if code.startswith("LOG-")}
    )
    assert set(counts) == known
    assert [code for code, count in counts.items() if count < 2] == []


@pytest.mark.parametrize("case", [BAD[0], VALID[0]], ids=name_of)
def test_a_contract_of_the_corpus_serves_the_command(case: Bad | Valid, tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(yaml.safe_dump(case.contract, allow_unicode=True), encoding="utf-8")
    told = validate(stored(case, tmp_path), contract, quarantine=tmp_path / "quarantine")
    assert told.refused == isinstance(case, Bad)
