"""Great Expectations' Data Docs: a page for each file, and a first page with all findings."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from faultxfer.contract.expectations import docs_index, docs_page
from faultxfer.contract.outcome import Checked
from faultxfer.contract.schema import Contract
from faultxfer.errors import ConfigError

INDEX = "index.html"
PAGES = "files"
# Stands in our own first page, so that nobody else's is overwritten.
MARK = 'content="faultxfer data docs"'


def write_data_docs(checked: list[tuple[str, Checked]], contract: Contract, folder: Path) -> Path:
    """Write the site.

    Beside each page lies the validation result it was made from, in Great Expectations' own JSON.

    Args:
        checked: name and outcome of each file.
        contract: what they were checked against.
        folder: made if needed; Data Docs written there before are replaced.

    Returns:
        The first page.

    Raises:
        ConfigError: the folder holds something else.
    """
    _clear(folder)
    (folder / PAGES).mkdir(parents=True)
    entries = [_entry(folder, number, *item) for number, item in enumerate(checked, 1)]
    page = docs_index(family=contract.family, contract=contract.digest(), files=entries)
    index = folder / INDEX
    index.write_text(page, encoding="utf-8")
    return index


def _clear(folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not _ours(folder / INDEX):
        found = sorted(item.name for item in folder.iterdir())
        raise ConfigError(
            "The folder for Data Docs holds something else",
            received={"data-docs": str(folder), "found": found[:5]},
            remedy="Choose another --data-docs: a new or empty folder, or one with Data Docs of "
            "faultxfer",
        )
    shutil.rmtree(folder / PAGES, ignore_errors=True)


def _ours(index: Path) -> bool:
    return index.is_file() and MARK in index.read_text(encoding="utf-8", errors="replace")


def _entry(folder: Path, number: int, name: str, outcome: Checked) -> dict[str, Any]:
    """What the first page says of a file."""
    validation = outcome.validation
    evaluated = validation.evaluated if validation else 0
    failed = [item.sentence() for item in validation.failed] if validation else []
    return {
        "name": name,
        "refused": outcome.refused,
        "read": outcome.read,
        "accepted": len(outcome.accepted),
        "set_aside": len(outcome.rejected),
        "findings": [finding.as_dict() for finding in outcome.findings],
        "page": _write_page(folder, number, name, outcome),
        "evaluated": evaluated,
        "kept": evaluated - len(failed),
        "failed": failed,
    }


def _write_page(folder: Path, number: int, name: str, outcome: Checked) -> str | None:
    """Address of the page as seen from the first one."""
    if outcome.validation is None:
        return None
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80]
    # Files of two folders may have one name.
    path = folder / PAGES / f"{number}-{plain}.html"
    path.write_text(docs_page(outcome.validation, file=name), encoding="utf-8")
    result = json.dumps(outcome.validation.as_dict(), indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(result, encoding="utf-8")
    return f"{PAGES}/{path.name}"
