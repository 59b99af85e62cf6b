"""What the documents say is what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from faultxfer.config import (
    CurveOptions,
    GateOptions,
    Limit,
    NetworkOptions,
    PretrainOptions,
    SplitOptions,
    TransferOptions,
)

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


def option_table(model: type[BaseModel]) -> str:
    """The table of ``docs/configuration.md`` for one model."""
    rows = [
        f"| `{name}` | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| option | default | meaning |", "|---|---|---|", *rows])


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, BaseModel):
        return "see below"
    if value in ({}, ""):
        return "none"
    if isinstance(value, dict):
        return "; ".join(f"`{key}` {_limit(limit)}" for key, limit in value.items())
    return "none" if value is None else f"`{list(value) if isinstance(value, tuple) else value}`"


def _limit(limit: Limit) -> str:
    bounds = limit.model_dump(exclude_none=True)
    return ", ".join(
        f"{name} {bound if name == 'proof' else format(bound, 'g')}"
        for name, bound in bounds.items()
    )


@pytest.mark.parametrize(
    "model",
    [
        TransferOptions,
        SplitOptions,
        GateOptions,
        Limit,
        PretrainOptions,
        NetworkOptions,
        CurveOptions,
    ],
)
def test_every_option_is_documented_with_its_default(model: type[BaseModel]) -> None:
    assert option_table(model) in (REPOSITORY / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_files_named_in_the_documents_exist(document: Path) -> None:
    named = re.findall(
        r"`((?:faultxfer|flows|docs|benchmarks|data_contracts|tests)/[\w./-]+\.\w+)`",
        document.read_text(),
    )
    missing = [name for name in named if not (REPOSITORY / name).exists()]
    assert missing == []


def test_every_command_of_the_readme_exists() -> None:
    import typer.main

    from faultxfer.cli.commands import commands

    named = re.findall(
        r"uv run faultxfer ((?:contract |registry |fleet )?[a-z-]+)",
        (REPOSITORY / "README.md").read_text(),
    )
    assert {"demo", "contract infer", "pretrain", "transfer", "score"} <= set(named)
    assert set(named) <= _commands(typer.main.get_command(commands))


def _commands(command: Any, words: tuple[str, ...] = ()) -> set[str]:
    """Every command below one, its words with spaces between them."""
    below = getattr(command, "commands", None)
    if below is None:
        return {" ".join(words)}
    return {found for name, other in below.items() for found in _commands(other, (*words, name))}


def test_the_source_files_named_in_docstrings_exist() -> None:
    for file in [*(REPOSITORY / "faultxfer").rglob("*.py"), *(REPOSITORY / "flows").rglob("*.py")]:
        for name in re.findall(r"docs/[\w./-]+\.md|docs/decisions/\d{4}", file.read_text()):
            found = list(REPOSITORY.glob(f"{name}*"))
            assert found, f"{file}: {name}"


def test_the_first_help_page_says_of_each_command_what_its_own_page_says() -> None:
    import typer.main

    from faultxfer.cli.app import COMMANDS
    from faultxfer.cli.commands import commands

    by_itself = typer.main.get_group(commands).commands
    assert {name: listed.does for name, listed in COMMANDS.items()} == {
        name: str(command.help) for name, command in by_itself.items() if not command.hidden
    }
