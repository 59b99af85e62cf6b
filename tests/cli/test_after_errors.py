"""An error ends with a command that shows more of it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from faultxfer.cli import main
from faultxfer.cli.after_errors import next_after
from faultxfer.errors import (
    BundleError,
    ConfigError,
    ContractError,
    DataError,
    DiskFullError,
    RegistryError,
    StrategyError,
    UnreadableError,
)

TRANSFER = ("transfer",)


@pytest.fixture
def given_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.chdir(tmp_path)
    Path("new week.csv").write_text("a\n1\n")
    Path("c.yaml").write_text("family: pumps\n")
    return {"files": ["new week.csv"], "contract": Path("c.yaml"), "equipment": "pump 9"}


@pytest.mark.parametrize("kind", [DataError, ContractError, StrategyError])
def test_rows_that_do_not_do_end_with_their_check(
    kind: type[DataError], given_files: dict[str, object]
) -> None:
    then = next_after(kind("The rows are too few"), TRANSFER, given_files)
    assert then is not None
    words = ["validate", "new week.csv", "--contract", "c.yaml", "--equipment", "pump 9"]
    assert shlex.split(then.command) == ["faultxfer", *words]


def test_a_strategy_that_needs_more_ends_with_the_same_command_and_another_one(
    given_files: dict[str, object],
) -> None:
    error = StrategyError("There are no source rows", remedy="Or choose `--strategy fine_tune`")
    typed = ("transfer", "new week.csv", "--model", "pumps")
    then = next_after(error, TRANSFER, given_files, typed)
    assert then is not None
    assert then.command == "faultxfer transfer 'new week.csv' --model pumps --strategy fine_tune"
    asked = next_after(error, TRANSFER, given_files, (*typed, "--strategy", "stack"))
    assert asked is not None
    assert "validate" in asked.command


@pytest.mark.parametrize("lacking", ["contract", "files"])
def test_a_file_that_is_not_there_ends_with_what_is(
    lacking: str, given_files: dict[str, object]
) -> None:
    absent: object = Path("data/none.yaml")
    given = {**given_files, lacking: [str(absent)] if lacking == "files" else absent}
    then = next_after(DataError("No such file"), TRANSFER, given)
    assert then is not None
    assert then.command == "ls data"


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (ConfigError("An option is wrong"), "faultxfer transfer --help"),
        (RegistryError("No such model"), "faultxfer registry list"),
        (
            RegistryError("Elsewhere", remedy="Run `faultxfer registry relocate`, which mends it"),
            "faultxfer registry relocate",
        ),
        (UnreadableError("It cannot be read"), "faultxfer registry doctor --dry-run"),
        (BundleError("It is damaged"), "faultxfer registry doctor --dry-run"),
        (DiskFullError("No room"), "df -h"),
        (ValueError("inside"), "faultxfer registry doctor --dry-run"),
    ],
)
def test_other_errors_end_by_their_kind(error: Exception, command: str) -> None:
    then = next_after(error, TRANSFER, {})
    assert then is not None
    assert then.command == command


def test_a_contract_that_is_wrong_itself_ends_with_what_it_may_say(
    given_files: dict[str, object],
) -> None:
    wrong = ContractError("It does not follow the schema", where="c.yaml")
    then = next_after(wrong, TRANSFER, given_files)
    assert then is not None
    assert then.command == "faultxfer contract schema"


def test_a_registry_in_a_folder_above_is_gone_to() -> None:
    above = UnreadableError("None here", received={"registry above": "/plant/my registry/mlruns"})
    then = next_after(above, TRANSFER, {})
    assert then is not None
    assert then.command == "cd '/plant/my registry'"


def test_nobody_is_sent_back_to_the_command_that_failed() -> None:
    assert next_after(RegistryError("None"), ("registry", "list"), {}) is None
    assert next_after(UnreadableError("None"), ("registry", "doctor"), {}) is None


def test_a_command_shows_it_to_people_and_to_programs(
    given_files: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["transfer", "none.csv", "--contract", "c.yaml", "--model", "m", "--equipment", "e"]
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit) as left:
            main([*words, "--no-prefect", *more])
        assert left.value.code == 2
    said = capsys.readouterr()
    assert said.err.splitlines()[-2].startswith("Next: ")
    assert said.err.endswith("  faultxfer contract schema\n")
    answer = json.loads(said.out)
    assert answer["next"]["command"] == said.err.splitlines()[-1].strip()


def test_where_no_registry_is_the_next_command_makes_one() -> None:
    remedy = (
        "Correct MLFLOW_TRACKING_URI, or make one with `faultxfer pretrain` or `faultxfer demo`"
    )
    error = UnreadableError("There is no registry at this address", remedy=remedy)
    then = next_after(error, ("transfer",), {})
    assert then is not None
    assert then.command == "faultxfer demo"
