"""The examples in docstrings say what the code does."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _modules_with_examples() -> list[str]:
    paths = [*(REPOSITORY / "faultxfer").rglob("*.py"), *(REPOSITORY / "flows").glob("*.py")]
    with_examples = [path for path in paths if ">>> " in path.read_text(encoding="utf-8")]
    return sorted(
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in with_examples
    )


@pytest.mark.parametrize("name", _modules_with_examples())
def test_examples_give_what_they_show(name: str) -> None:
    module = importlib.import_module(name.removesuffix(".__init__"))
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
