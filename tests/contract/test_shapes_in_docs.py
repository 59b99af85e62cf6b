"""Each shape of exports in the document has a file and a contract that accept each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY

from faultxfer.contract.schema import parse_contract
from faultxfer.steps.intake import check_files

DOCUMENT = (REPOSITORY / "docs" / "data-contracts.md").read_text(encoding="utf-8")
TITLED = re.findall(r"^#### (.+?)\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
# Sections of words alone show no file.
SECTIONS = [(title, text) for title, text in TITLED if "```csv" in text]


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_the_contract_shown_accepts_the_file_shown(title: str, text: str, tmp_path: Path) -> None:
    names = re.findall(r"^`([\w.]+)`:\n\n```csv", text, re.MULTILINE)
    names = names or [f"{number}.csv" for number, _ in enumerate(blocks("csv", text))]
    files = [tmp_path / name for name in names]
    for path, content in zip(files, blocks("csv", text), strict=True):
        path.write_text(content, encoding="utf-8")
    (contract,) = blocks("yaml", text)
    told = check_files(
        [str(path) for path in files],
        parse_contract(yaml.safe_load(contract), where=title),
        work=None,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert {finding.severity for finding in told.findings} <= {"warn"}
    assert told.accepted == told.read == 2
    named = {finding.code.lower() for finding in told.findings}
    assert named <= set(re.findall(r"\(#([a-z-]+)\)", text))
