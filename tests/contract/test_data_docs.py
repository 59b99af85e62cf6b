"""Data Docs: a site that a person can open without a network.

And that names every file and failed expectation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from check_rows import CONTRACT, blank_flow, broken, cells, check

from faultxfer.contract import data_docs
from faultxfer.contract.data_docs import write_data_docs
from faultxfer.contract.expectations import Validation, docs_page
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.contract.tallies import tallies
from faultxfer.errors import ConfigError
from faultxfer.pipeline import validate

OUT_OF_RANGE = broken("flow", _3="900", _4="900", _5="-7")


def site(folder: Path, *checked: Checked) -> str:
    files = [(f"file-{number}.csv", outcome) for number, outcome in enumerate(checked, 1)]
    return write_data_docs(files, CONTRACT, folder).read_text()


def test_the_index_names_each_file_and_each_failed_expectation(tmp_path: Path) -> None:
    many_blank = blank_flow(12)
    index = site(tmp_path, check(cells()), check(OUT_OF_RANGE), check(many_blank))
    for name in ("file-1.csv", "file-2.csv", "file-3.csv"):
        assert name in index
    assert index.count("No findings.") == 1
    assert "expect_column_values_to_be_between(flow): 3 of 20 rows" in index
    assert "expect_column_values_to_not_be_null(flow): 12 of 20 rows" in index
    assert "SENSOR-OUT-OF-RANGE" in index


def test_each_file_has_a_page_and_its_result_as_json(tmp_path: Path) -> None:
    index = site(tmp_path, check(cells()), check(OUT_OF_RANGE))
    pages = re.findall(r'href="(files/[^"]+)">4 of 4|href="(files/[^"]+)">3 of 4', index)
    good, bad = ["".join(found) for found in pages]
    assert "file-1.csv" in (tmp_path / good).read_text()
    text = (tmp_path / bad).read_text()
    assert "900" in text
    assert "flow" in text
    result = json.loads((tmp_path / bad).with_suffix(".json").read_text())
    assert (result["success"], result["statistics"]["unsuccessful_expectations"]) == (False, 1)


def test_a_file_refused_before_great_expectations_saw_it_is_not_shown_as_passed(
    tmp_path: Path,
) -> None:
    index = site(tmp_path, check(cells(0)), check(blank_flow(20)))
    assert index.count("not checked") == 2
    assert "FILE-EMPTY" in index
    assert "SENSOR-ALL-MISSING" in index
    assert list((tmp_path / "files").iterdir()) == []


def test_the_pages_need_nothing_from_the_network(tmp_path: Path) -> None:
    site(tmp_path, check(OUT_OF_RANGE))
    for page in tmp_path.rglob("*.html"):
        text = page.read_text()
        assert "http" not in text
        assert "<script" not in text
        assert not re.search(r"<(link|img|iframe)\b|@import|url\(", text)


def test_names_and_values_of_a_file_are_text_and_no_markup(tmp_path: Path) -> None:
    name = 'flow "<script>alert(1)</script>'
    contract = Contract.model_validate(
        {"family": "<i>", "label": {"column": "y"}, "sensors": {name: {"min": 0}}}
    )
    frame = pd.DataFrame({name: [1.0, -1.0], "y": ["<img src=x onerror=alert(1)>", "0"]})
    found = tallies({name: frame[name].to_numpy()}, contract, labels=frame["y"])
    page = docs_page(Validation(contract, found), file="<b>.csv")
    assert not re.search(r"<script|<img|<b>|<i>", page)
    assert "alert(1)" in page


def test_many_bad_rows_put_few_values_into_the_site() -> None:
    rows = 20_000
    values = {"flow": np.arange(rows) + 1000.25, "speed": np.ones(rows)}
    validation = Validation(CONTRACT, tallies(values, CONTRACT))
    assert validation.tallies[1].unmet == rows
    assert len(json.dumps(validation.as_dict())) < 5000
    assert len(docs_page(validation, file="a.csv")) < 30_000
    (failed,) = validation.failed
    assert (failed.column, failed.unexpected, failed.rows) == ("flow", rows, rows)


def test_a_second_run_replaces_the_pages_of_the_first(tmp_path: Path) -> None:
    site(tmp_path, check(cells()), check(cells()))
    site(tmp_path, check(cells()))
    assert len(list((tmp_path / "files").glob("*.html"))) == 1


@pytest.mark.parametrize("name", ["index.html", "report.txt"])
def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="--data-docs"):
        site(tmp_path, check(cells()))
    assert [item.name for item in tmp_path.iterdir()] == [name]


def test_nothing_is_written_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, home, docs = (tmp_path / name for name in ("work", "home", "docs"))
    work.mkdir()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    Path("a.csv").write_text("flow,fault\n" + "1,0\n2,1\n" * 20)
    Path("c.yaml").write_text(
        "{version: 1, family: f, label: {column: fault}, sensors: {flow: {max: 1.5}}}"
    )
    assert validate(["a.csv"], "c.yaml").docs is None
    rows = validate(["a.csv"], "c.yaml", quarantine=tmp_path / "quarantine", data_docs=docs)
    assert rows.docs == str(docs / "index.html")
    assert rows.as_dict()["data_docs"] == rows.docs
    assert sorted(item.name for item in docs.rglob("*")) == [
        "1-a-csv.html",
        "1-a-csv.json",
        "files",
        "index.html",
    ]
    assert list(home.iterdir()) == []
    assert {item.name for item in work.iterdir()} == {"a.csv", "c.yaml", "quarantine"}


def test_great_expectations_is_imported_in_one_file() -> None:
    package = Path(data_docs.__file__).parents[1]
    importing = [
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import|from) great_expectations", path.read_text(), re.MULTILINE)
    ]
    assert importing == ["expectations.py"]
