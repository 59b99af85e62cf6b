"""The commands of the tutorials, typed one after the other in one folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from conftest import REPOSITORY, SMALL_NETWORK

from faultxfer.cli import main
from faultxfer.config import PretrainOptions
from faultxfer.requests import PretrainRequest
from faultxfer.simulation import simulator

pytestmark = pytest.mark.slow

TUTORIALS = REPOSITORY / "docs" / "tutorials"
# In the order in which they build on each other.
IN_ORDER = ("from-your-csv-to-alarms.md", "reviewing-a-version.md")
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXIT_CODE = re.compile(r"# exit code (\d+)")


@dataclass(frozen=True)
class Line:
    """A line of a tutorial, and the exit code that the page announces."""

    page: str
    text: str

    @property
    def code(self) -> int:
        announced = _EXIT_CODE.search(self.text)
        return int(announced[1]) if announced else 0

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, comments=True)


def lines_of(page: str) -> list[Line]:
    blocks = _BLOCK.findall((TUTORIALS / page).read_text())
    return [Line(page, line) for block in blocks for line in block.splitlines()]


@pytest.fixture
def small_world(
    tmp_path: Path, migrated_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty folder; the same commands on a smaller fleet, with a network that learns sooner."""
    monkeypatch.chdir(tmp_path)
    small = partial(simulator.write_pump_fleet, source_pumps=5, runs_per_pump=16, rows_per_run=30)
    monkeypatch.setattr(simulator, "write_pump_fleet", small)
    quick = PretrainOptions(network=SMALL_NETWORK)
    monkeypatch.setattr(PretrainRequest.model_fields["options"], "default", quick)
    PretrainRequest.model_rebuild(force=True)
    yield tmp_path
    monkeypatch.undo()
    PretrainRequest.model_rebuild(force=True)


def test_every_command_does_what_the_page_says(
    small_world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line for page in IN_ORDER for line in lines_of(page)]
    assert len(lines) >= 15
    for line in lines:
        command, *arguments = line.words
        if command == "export":
            name, value = arguments[0].split("=")
            monkeypatch.setenv(name, value)
            continue
        assert command == "faultxfer", line
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        assert ended.value.code == line.code, f"{line}\n{said.out}\n{said.err}"
    assert (small_world / "scores.csv").is_file()
    assert (small_world / "pump-10-scores.csv").is_file()
    assert "sound: " in said.out  # what `registry verify`, the last of them, ends with


def test_every_tutorial_is_typed() -> None:
    assert sorted(IN_ORDER) == sorted(page.name for page in TUTORIALS.glob("*.md"))
