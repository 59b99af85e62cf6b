"""Labels from a log of faults: twenty weeks of one reading each hour, each with its right labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from faultxfer.contract.intervals import read_log
from faultxfer.contract.log_labels import how_of, labelled_by_log
from faultxfer.contract.schema import Contract
from faultxfer.errors import ContractError, DataError, UserError
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable

DAY = "2026-02-01 {:02d}:00:00"
HEAD = "pump,from,to,what\n"
ENDS = {"start": "from", "end": "to", "equipment": "pump", "code": "what"}
# N normal, F fault, x neither, ? nobody knows.
LETTERS = {"0": "N", "1": "F", "left out by the log": "x", "not in the log": "?"}


@dataclass(frozen=True)
class Case:
    """A log beside rows of each full hour from midnight, and what it makes of them."""

    name: str
    log: str
    labels: str
    how: dict[str, Any] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    rows: str = ""
    contract: dict[str, Any] = field(default_factory=dict)


def line(start: str, end: str, what: str = "seal", pump: str = "P1") -> str:
    return f"{pump},{start},{end},{what}\n"


def hour(of: float) -> str:
    return f"2026-02-01 {int(of):02d}:{round(of % 1 * 60):02d}:00"


ZONE = {"csv": {"timezone": "Europe/Berlin"}}
UTC_ROWS = (
    "pump,time,flow\n"
    + "".join(f"P1,2026-10-24T{of:02d}:00:00Z,{of}.5\n" for of in range(22, 24))
    + "".join(f"P1,2026-10-25T{of:02d}:00:00Z,{of}.5\n" for of in range(4))
)
SPRING_ROWS = (
    "pump,time,flow\n"
    + "".join(f"P1,2026-03-28T{of:02d}:00:00Z,{of}.5\n" for of in range(23, 24))
    + "".join(f"P1,2026-03-29T{of:02d}:00:00Z,{of}.5\n" for of in range(3))
)

CASES = [
    Case("one fault", line(hour(2), hour(4)), "NNFFFNNN"),
    Case("its edges lie between rows", line(hour(1.5), hour(3.5)), "NNFFNNNN"),
    Case("not everything is in the log", line(hour(2), hour(4)), "??FFF???", {"complete": False}),
    Case("it still lasts", line(hour(5), ""), "NNNNNFFF", codes=("LOG-OPEN",)),
    Case(
        "nobody wrote down its end",
        line(hour(1), "") + line(hour(5), hour(6)),
        "NFxxxFFN",
        codes=("LOG-OPEN",),
    ),
    Case("overlapping codes", line(hour(1), hour(3)) + line(hour(2), hour(5), "belt"), "NFFFFFNN"),
    Case("a fault inside another", line(hour(1), hour(6)) + line(hour(2), hour(3)), "NFFFFFFN"),
    Case(
        "looked after while it lasts",
        line(hour(1), hour(4)) + line(hour(3), hour(6), "service"),
        "NFFxxxxN",
        {"exclude": ["service"]},
        ("LOG-OVERLAP",),
    ),
    Case(
        "standstill is neither", line(hour(2), hour(3), "stop"), "NNxxNNNN", {"exclude": ["stop"]}
    ),
    Case(
        "only some codes are faults",
        line(hour(1), hour(2)) + line(hour(5), hour(6), "new word"),
        "NFFNNxxN",
        {"fault": ["seal"]},
        ("LOG-CODE",),
    ),
    Case("begins and ends at once, on a row", line(hour(3), hour(3)), "NNNFNNNN"),
    Case("between two rows", line(hour(3.2), hour(3.4)), "NNNNNNNN", codes=("LOG-NO-ROWS",)),
    Case(
        "another machine's", line(hour(1), hour(2)) + line(hour(4), hour(6), pump="P2"), "NFFNNNNN"
    ),
    Case(
        "fuzzy starts and ends",
        line(hour(3), hour(4)),
        "NxxFFxNN",
        {"before": "2h", "after": "90min"},
    ),
    Case(
        "near one fault is inside another",
        line(hour(2), hour(3)) + line(hour(4), hour(5)),
        "NxFFFFxN",
        {"before": "1h", "after": "1h"},
    ),
    Case("ends before it begins", line(hour(4), hour(2)), "NNxxxNNN", codes=("LOG-BACKWARDS",)),
    Case("whole days", line("2026-02-01", "2026-02-01"), "FFFFFFFF"),
    Case(
        "how long it lasted",
        line(hour(2), "120"),
        "NNFFFNNN",
        {"end": None, "duration": "to", "duration_unit": "min"},
    ),
    Case(
        "how long, as a clock shows it",
        line(hour(2), "1:30"),
        "NNFFNNNN",
        {"end": None, "duration": "to"},
    ),
    # Berlin: 22 and 23 h UTC are 0 and 1 o'clock, 0 and 1 h UTC are both 2 o'clock, then 3 and 4.
    Case(
        "in autumn, from one o'clock to three",
        line("2026-10-25 01:00", "2026-10-25 03:00"),
        "NFFFFN",
        ZONE,
        rows=UTC_ROWS,
    ),
    Case(
        "in autumn, begun in the hour that comes twice",
        line("2026-10-25 02:00", "2026-10-25 03:00"),
        "NNxFFN",
        ZONE,
        rows=UTC_ROWS,
    ),
    # 23 h UTC is midnight, 0 h UTC one o'clock, 1 h UTC three o'clock.
    Case(
        "in spring, begun in the hour that is left out",
        line("2026-03-29 02:30", "2026-03-29 03:00"),
        "NNFN",
        ZONE,
        rows=SPRING_ROWS,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_have_the_labels_of_the_log(case: Case, tmp_path: Path) -> None:
    table = labelled(case, tmp_path)

    assert letters(table) == case.labels
    assert tuple(remark.code for remark in table.remarks) == case.codes


def labelled(case: Case, folder: Path) -> RawTable:
    rows = "pump,time,flow\n" + "".join(f"P1,{hour(of)},{of}.5\n" for of in range(8))
    (folder / "rows.csv").write_text(case.rows or rows)
    (folder / "log.csv").write_text(HEAD + case.log)
    contract = contract_of(case.how, **case.contract)
    log = read_log(folder / "log.csv", how_of(contract))
    (found,) = labelled_by_log([read_csv(folder / "rows.csv")], contract, log)
    return found


def contract_of(how: dict[str, Any], **fields: Any) -> Contract:
    return Contract.model_validate(
        {
            "family": "pumps",
            "label": {"column": "fault", "log": ENDS | {"complete": True} | how},
            "equipment_column": "pump",
            "time_column": "time",
            "sensors": {"flow": {}},
        }
        | fields
    )


def letters(table: RawTable) -> str:
    return "".join(LETTERS[cell] for cell in table.cells("fault"))


def test_types_of_fault_come_from_the_codes(tmp_path: Path) -> None:
    types = {"column": "fault", "fault": {"wear": ["seal"], "break": ["belt"]}}
    case = Case(
        "types",
        line(hour(1), hour(2)) + line(hour(4), hour(5), "belt"),
        "",
        contract={"label": types | {"log": ENDS | {"complete": True}}},
    )

    assert list(labelled(case, tmp_path).cells("fault")) == [
        *("0", "seal", "seal", "0", "belt", "belt", "0", "0")
    ]


def test_a_label_column_that_says_otherwise_is_found(tmp_path: Path) -> None:
    cells = ["0", "", "1", "0", "", "1", "0", "0"]
    rows = "pump,time,flow,fault\n" + "".join(
        f"P1,{hour(of)},{of}.5,{cell}\n" for of, cell in enumerate(cells)
    )
    table = labelled(Case("both", line(hour(2), hour(4)), "", rows=rows), tmp_path)

    assert letters(table) == "NNFxFxNN"
    assert [(remark.code, remark.count) for remark in table.remarks] == [("LOG-DISAGREES", 2)]


def test_a_fault_that_nobody_can_place_refuses_the_log(tmp_path: Path) -> None:
    table = labelled(Case("lost", line("soon", hour(4)) + line(hour(1), hour(2)), ""), tmp_path)

    (remark,) = table.remarks
    assert (remark.code, remark.line, remark.file) == ("LOG-UNREADABLE", 2, "log.csv")
    assert contract_of({}).severity("LOG-UNREADABLE") == "refuse"


@pytest.mark.parametrize(
    ("log", "how", "problem"),
    [
        (line(hour(1), hour(2), pump="P-1"), {}, "names none of the machines"),
        (line(hour(1) + "Z", hour(2) + "Z"), {}, "name their zone"),
        (line("1", "2"), {}, "do not count time alike"),
        (line(hour(1), hour(2)), {"start": "began"}, "has no such column"),
    ],
)
def test_a_log_that_cannot_be_laid_beside_the_rows(
    log: str, how: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=problem):
        labelled(Case("", log, "", how), tmp_path)


def test_a_contract_without_a_log_says_how_to_draft_one() -> None:
    contract = contract_of({}).model_copy(update={"label": contract_of({}).label.model_copy()})
    silent = contract.model_copy(update={"label": contract.label.model_copy(update={"log": None})})

    with pytest.raises(ContractError, match="contract infer CSV --events LOG"):
        how_of(silent)


@pytest.mark.parametrize(
    "how",
    [
        {"end": None},
        {"duration": "to"},
        {"fault": ["seal"], "exclude": ["seal"]},
        {"before": "soon"},
        {"exclude": ["stop"], "code": None},
    ],
)
def test_a_log_that_says_two_things_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, UserError)):
        contract_of(how)
