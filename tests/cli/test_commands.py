"""The commands as a person or a program calls them: output, JSON, exit codes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
import yaml
from conftest import World

from faultxfer.cli import main
from faultxfer.registry.store import open_registry
from faultxfer.requests import TransferRequest
from faultxfer.steps import next_commands

QUICK = {"steps": 40, "epochs": 5, "split": {"folds": 2}}
PASSES = {"value": {"pr_auc": {"min": 0.01}}}
REFUSES = {"value": {"pr_auc": {"min": 0.999}}}


def call(*arguments: str) -> int:
    """Run the command line in this process and give back its exit code."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on stdout."""
    return json.loads(capsys.readouterr().out)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The error on stderr, which must be one sentence long enough to act on, and no traceback."""
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.startswith("Error: ")
    return said.err


def move(
    world: World, *more: str, gate: dict[str, object] = PASSES, csv: str | None = None
) -> list[str]:
    Path("options.yaml").write_text(yaml.safe_dump({**QUICK, "gate": gate}))
    return [
        *("transfer", csv or world.target, "--contract", world.contract, "--model", "pumps"),
        *("--equipment", world.equipment, "--config", "options.yaml", "--no-prefect", *more),
    ]


def test_help_reads_like_a_table_of_contents(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    text = capsys.readouterr().out
    names = (
        "Start here",
        "see the main job",
        "the main path",
        "adapt the source model",
        "look",
        "what is registered",
    )
    places = [text.lower().index(name.lower()) for name in names]
    assert places == sorted(places)
    assert "10 the gate refused" in text


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["contract", "infer"],
        ["contract", "diff"],
        ["contract", "schema"],
        ["validate"],
        ["pretrain"],
        ["transfer"],
        ["learning-curve"],
        ["score"],
        ["registry", "list"],
        ["registry", "show"],
        ["registry", "history"],
        ["registry", "journal"],
        ["registry", "promote"],
        ["registry", "rollback"],
        ["registry", "verify"],
        ["registry", "doctor"],
        ["registry", "prune"],
        ["deployments", "refresh"],
        ["deployments", "write"],
        ["up"],
        ["ui"],
    ],
)
def test_every_command_has_help_and_json(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*command, "--help") == 0
    assert "--json" in capsys.readouterr().out


def test_transfer_promotes_with_exit_code_0(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world), "--details") == 0
    said = capsys.readouterr()
    first = said.out.splitlines()[0]
    assert first == "promoted: pumps--fault--pump-9 version 1 scores pump-9 from now on"
    assert "best rival with the source" in said.out
    assert "best rival without the source" in said.out
    pictures = re.findall(r"(/\S+\.png)", said.out)
    assert len(pictures) == 4  # a stack has no training curves
    score = "faultxfer score " + world.target
    assert score in said.out.splitlines()[-1]
    assert all(Path(picture).is_file() for picture in pictures)
    (registry,) = said.err.splitlines()  # quiet in a pipe, but for this
    assert registry.startswith("Registry: sqlite:///")


def test_a_refusal_is_exit_code_10_and_says_why(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the source as it is were better on these rows, so that its command is the next one.
    monkeypatch.setattr(next_commands, "_is_source_better", lambda _: True)
    assert call(*move(world, "--json", gate=REFUSES)) == 10
    result = answer(capsys)
    assert result["outcome"] == "refused"
    assert "PR-AUC" in result["reason"]
    assert result["version"] is None
    assert call("registry", "history", "pumps", "--equipment", "pump-9", "--json") == 0
    (entry,) = answer(capsys)["history"]
    assert entry["outcome"] == "refused"
    assert "source model as it is does better" in result["next"][-1]["why"]
    assert call(*typed(result), "--no-prefect", "--json") == 0
    said = capsys.readouterr()
    scored = json.loads(said.out)
    assert (scored["scored_with"], scored["equipment"]) == ("source", None)
    assert "ATTENTION" in said.err
    assert scored["banner"] in said.err
    table = pd.read_csv("scores.csv")
    assert set(table["scored_with"]) == {"source"}
    assert set(table["equipment"]) == {world.equipment}


def typed(result: Any, place: int = -1) -> list[str]:
    """The words of a command that a transfer ends with."""
    name, *words = shlex.split(result["next"][place]["command"])
    assert name == "faultxfer"
    return words


def test_too_little_evidence_leaves_a_provisional_version_that_a_person_promotes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    lacks = {**PASSES, "min_faults": 100_000}
    assert call(*move(world, "--json", gate=lacks)) == 10
    result = answer(capsys)
    assert (result["outcome"], result["version"]) == ("provisional", "1")
    assert call(*move(world, "--json", gate=lacks)) == 10
    assert answer(capsys)["before"] == "provisional"

    assert call(*typed(result), "--no-prefect", "--json") == 0
    said = capsys.readouterr()
    scored = json.loads(said.out)
    assert (scored["scored_with"], scored["model_version"]) == ("provisional", "1")
    assert scored["banner"] in said.err
    assert set(pd.read_csv("scores.csv")["scored_with"]) == {"provisional"}
    whole = ["--model", "pumps--fault--pump-9", "--out", "scores.csv", "--no-prefect"]
    assert call("score", world.new_rows, *whole) == 0
    assert " with provisional version 1, " in capsys.readouterr().out
    model = "models:/pumps--fault--pump-9@provisional"
    assert len(mlflow.pyfunc.load_model(model).predict(pd.read_csv(world.new_rows)))

    assert call("registry", "list") == 0
    assert "1 (provisional)" in capsys.readouterr().out
    assert call("registry", "journal", "pumps", "--equipment", "pump-9") == 0
    assert "provisional 1" in capsys.readouterr().out
    assert call(*typed(result, 0)) == 0
    assert "no champion → version 1" in capsys.readouterr().out
    assert call(*typed(result), "--no-prefect", "--json") == 0
    said = capsys.readouterr()
    assert (json.loads(said.out)["scored_with"], said.err) == ("champion", "")
    assert "scored_with" not in pd.read_csv("scores.csv")
    # Beside a champion, too little evidence is a refusal as before.
    assert call(*move(world, "--json", "--force", gate=lacks)) == 10
    again = answer(capsys)
    assert (again["outcome"], again["version"]) == ("refused", None)
    assert again["report"]["champion_version"] == "1"


def test_an_override_promotes_and_shows_its_reason(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world, "--override-gate", "agreed with the shift lead", gate=REFUSES)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "promoted by override: pumps--fault--pump-9 version 1" in said
    assert "agreed with the shift lead" in said
    assert call("registry", "show", "pumps", "--equipment", "pump-9", "--json") == 0
    assert answer(capsys)["tags"]["faultxfer.override_reason"] == "agreed with the shift lead"


def test_a_false_alarm_rate_is_promised_or_refused(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = ["--strategy", "feature_reuse", "--dry-run"]
    assert (
        call(*move(world, *quick, "--false-alarm-rate", "0.001", "--alarm-confidence", "0.95")) == 2
    )
    assert "lowest rate they may promise=" in one_line(capsys)
    promise = ["--false-alarm-rate", "0.3", "--alarm-confidence", "0.9", "--fault-share", "0.02"]
    promise.append("--details")
    assert call(*move(world, *quick, *promise)) in (0, 10)
    shown = " ".join(capsys.readouterr().out.split())
    assert "The false-alarm rate in new runs is at most 30%, with 90% confidence" in shown
    assert "stated for a fault share of 2% in use" in shown


def test_one_network_is_asked_for_by_a_flag_that_no_other_strategy_goes_with(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world, "--single-network", "--strategy", "fine_tune")) == 2
    assert "--strategy='fine_tune', --single-network=True" in one_line(capsys)
    assert (
        call(
            *move(
                world,
                "--single-network",
                "--false-alarm-rate",
                "0.001",
                "--alarm-confidence",
                "0.95",
            )
        )
        == 2
    )
    assert "lowest rate they may promise=" in one_line(capsys)


def test_a_dry_run_registers_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*move(world, "--dry-run", "--report", "here", "--json")) == 0
    result = answer(capsys)
    assert (result["outcome"], result["version"]) == ("dry run", None)
    assert sorted(path.name for path in Path("here").glob("*.png"))[0] == "precision_recall.png"
    # The command would not show the options, which are in a file: this is what is there now.
    assert call(*typed(result), "--json") == 0
    assert [entry["name"] for entry in answer(capsys)["models"]] == ["pumps"]
    # Without such a file it is the transfer itself, which is given the options here to be quick.
    request = TransferRequest(
        files=(world.target,), contract=world.contract, model="pumps", equipment=world.equipment
    )
    shown = {"next": [one.as_dict() for one in next_commands.after_dry_run(request)]}
    assert call(*typed(shown), "--config", "options.yaml", "--no-prefect", "--json") == 0
    done = answer(capsys)
    assert (done["outcome"], done["version"]) == ("promoted", "1")
    assert done["report"]["contestants"] == result["report"]["contestants"]


def test_score_and_the_registry_commands(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*move(world)) == 0
    score = ["score", world.new_rows, "--model", "pumps", "--equipment", "pump-9", "--no-prefect"]
    assert call(*score, "--out", "scores.csv") == 0
    scores = pd.read_csv("scores.csv")
    assert f"scored: {len(scores)} rows with version 1, " in capsys.readouterr().out
    assert call("registry", "list") == 0
    listed = capsys.readouterr().out
    assert "pumps--fault--pump-9" in listed
    assert call("registry", "show", "pumps", "--equipment", "pump-9") == 0
    shown = capsys.readouterr().out
    assert "source_version" in shown
    assert "data_sha256" in shown
    assert "weighted stack" in shown
    assert call("registry", "history", "pumps", "--equipment", "pump-9") == 0
    assert "champion" in capsys.readouterr().out


def test_the_same_request_again_is_said_and_does_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world, gate=REFUSES)) == 10
    capsys.readouterr()
    assert call(*move(world, "--json", gate=REFUSES)) == 10
    assert answer(capsys)["outcome"] == "unchanged"
    assert call(*move(world)) == 0
    capsys.readouterr()
    assert call(*move(world)) == 0
    assert "--force" in capsys.readouterr().out
    assert call(*move(world, "--json")) == 0
    again = answer(capsys)
    assert (again["outcome"], again["before"], again["version"]) == ("unchanged", "promoted", "1")
    files = open_registry().version("pumps--fault--pump-9", 1).model_id
    (manifest,) = Path("mlruns/artifacts").rglob(f"*{files}*/**/manifest.json")
    manifest.write_text("{}")
    assert call("registry", "doctor", "pumps", "--equipment", "pump-9") == 2
    assert call("registry", "doctor", "pumps", "--equipment", "pump-9", "--apply") == 2
    assert call(*move(world)) == 0  # what came of the request cannot be used any more
    assert open_registry().alias("pumps--fault--pump-9") == "2"


def test_rollback_scores_bit_for_bit_as_before_and_stands_in_the_journal(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = ["--equipment", "pump-9"]
    score = ["score", world.new_rows, "--model", "pumps", *machine, "--no-prefect", "--out"]
    assert call(*move(world, "--strategy", "fine_tune")) == 0
    assert call(*score, "before.csv") == 0
    assert (
        call(
            *move(
                world,
                "--strategy",
                "fine_tune",
                "--seed",
                "5",
                "--override-gate",
                "a second version",
            )
        )
        == 0
    )
    capsys.readouterr()
    assert (
        call("registry", "rollback", "pumps", *machine, "--reason", "too many alarms", "--json")
        == 0
    )
    done = answer(capsys)
    assert (done["outcome"], done["from"], done["to"]) == ("rolled back", "2", "1")
    assert call(*score, "after.csv") == 0
    assert Path("before.csv").read_bytes() == Path("after.csv").read_bytes()
    capsys.readouterr()
    assert call("registry", "journal", "pumps", *machine, "--json") == 0
    entries = answer(capsys)["journal"]
    assert [entry["action"] for entry in entries] == ["rollback", "promote", "promote"]
    assert entries[0]["reason"] == "too many alarms"
    assert call("registry", "promote", "pumps", "2", *machine, "--reason", "checked by hand") == 0
    assert "version 1 → version 2" in capsys.readouterr().out
    assert (
        call("registry", "verify", "--head", entries[0]["sha256"]) == 0
    )  # one of the journals has it
    assert call("registry", "verify", "--head", "0" * 64) == 2
    assert (
        call("registry", "verify", "pumps", "--head", entries[0]["sha256"]) == 2
    )  # the source's has no such entry
    assert call("registry", "verify", "pumps", *machine, "--head", entries[0]["sha256"]) == 0
    assert call("registry", "doctor") == 0
    assert "Nothing is half done" in capsys.readouterr().out
    assert call("registry", "rollback", "pumps", *machine, "--reason", " ") == 2


def test_scoring_an_unknown_machine_lists_the_known_ones(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world)) == 0
    capsys.readouterr()
    score = ["score", world.new_rows, "--model", "pumps", "--equipment", "pump-77", "--no-prefect"]
    assert call(*score, "--out", "scores.csv") == 2
    assert "'pump-9'" in one_line(capsys)
    assert not Path("scores.csv").exists()


def test_validate_shows_findings_and_writes_the_quarantine(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_csv(world.target, dtype=str)
    frame.loc[4, "flow_m3h"] = "#VALUE!"
    frame.to_csv("dirty.csv", index=False)
    assert (
        call("validate", "dirty.csv", "--contract", world.contract, "--no-prefect", "--json") == 0
    )
    result = answer(capsys)
    assert (result["quarantined"], result["accepted"]) == (1, len(frame) - 1)
    (finding,) = [item for item in result["findings"] if item["severity"] == "quarantine"]
    assert (finding["code"], finding["line"], finding["column"]) == (
        "SENSOR-MISSING",
        6,
        "flow_m3h",
    )
    assert pd.read_csv(result["quarantine"], dtype=str).loc[0, "flow_m3h"] == "#VALUE!"
    assert call("validate", "dirty.csv", "--contract", world.contract, "--no-prefect") == 0
    shown = capsys.readouterr().out
    assert "SENSOR-MISSING" in shown
    assert "dirty.csv: UTF-8, ',' between columns, decimal point, times: year first," in shown
    (reading,) = result["reading"]
    assert (reading["file"], reading["encoding"], reading["rows"]) == (
        "dirty.csv",
        "utf-8",
        len(frame),
    )


def test_validate_checks_the_rows_of_one_machine(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    check = ["validate", world.target, "--contract", world.contract, "--no-prefect", "--json"]
    rows = pd.read_csv(world.target)
    assert call(*check, "--equipment", "pump-9") == 0
    assert answer(capsys)["accepted"] == (rows["equipment"] == "pump-9").sum()
    assert call(*check, "--equipment", "pump-77") == 2
    assert answer(capsys)["findings"][0]["code"] == "EQUIPMENT-ABSENT"


def test_a_refused_file_is_exit_code_2_with_its_findings(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(world.target).drop(columns="flow_m3h").to_csv("narrow.csv", index=False)
    assert (
        call("validate", "narrow.csv", "--contract", world.contract, "--no-prefect", "--json") == 2
    )
    result = answer(capsys)
    assert result["refused"] is True
    assert result["findings"][0]["code"] == "COLUMN-MISSING"
    assert not Path("quarantine").exists()


def test_a_check_without_a_column_ends_with_the_command_that_goes_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(world.target).drop(columns="flow_m3h").to_csv("narrow.csv", index=False)
    check = ("validate", "narrow.csv", "--contract", world.contract, "--equipment", world.equipment)
    assert call(*check) == 2
    program, *command = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert (program, command) == ("faultxfer", [*check, "--without", "flow_m3h"])
    assert call(*command, "--json") == 0
    assert answer(capsys)["accepted"] > 0


def test_a_transfer_without_a_column_says_how_to_go_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.read_csv(world.target).drop(columns="flow_m3h").to_csv("narrow.csv", index=False)
    command = move(world, "--dry-run", csv="narrow.csv")
    assert call(*command, "--json") == 2
    then = shlex.split(answer(capsys)["next"]["command"])
    assert sorted(then) == sorted(["faultxfer", *command, "--without", "flow_m3h"])


def test_a_sensor_to_go_on_without_is_known_before_anything_is_loaded(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*move(world, "--without", "flow_mh3")) == 2
    assert "Did you mean 'flow_m3h'?" in one_line(capsys)


def test_contract_infer_writes_a_contract_that_fits_its_file(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    infer = ["contract", "infer", world.target, "--out", "drafted.yaml", "--label", "fault"]
    assert call(*infer, "--equipment-column", "equipment", "--run-column", "run") == 0
    assert "Read it before you use it" in capsys.readouterr().out
    assert (
        call("validate", world.target, "--contract", "drafted.yaml", "--no-prefect", "--json") == 0
    )
    assert answer(capsys)["quarantined"] == 0
    assert call(*infer) == 2
    assert "--force" in one_line(capsys)


def test_contract_infer_names_the_columns_of_a_file_without_header(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{row},p 1,{20 + row % 7}.5,{row / 10},{row // 20}" for row in range(40)]
    Path("bare.csv").write_text("\n".join(rows) + "\n")
    infer = ["contract", "infer", "bare.csv", "--out", "drafted.yaml", "--label", "fault"]
    assert call(*infer, "--columns", 'time,machine,"flow, m3/h",no,fault') == 0
    drafted = yaml.safe_load(Path("drafted.yaml").read_text())
    assert drafted["csv"] == {
        "header": False,
        "columns": ["time", "machine", "flow, m3/h", "no", "fault"],
    }
    assert (drafted["time_column"], drafted["equipment_column"]) == ("time", "machine")
    capsys.readouterr()
    assert call("validate", "bare.csv", "--contract", "drafted.yaml", "--no-prefect", "--json") == 0
    result = answer(capsys)
    assert (result["read"], result["accepted"], result["findings"]) == (40, 40, [])


BARE = "0,1.5,0\n1,2.5,1\n"
WITHOUT_HEADER = {
    "numbers alone": (BARE, [], "first row holds only numbers", "--columns a,b,c"),
    "text among the numbers": (
        "p1,1.5,0\np1,2.5,1\n",
        [],
        "no column named 'fault'",
        "name the 3 columns with --columns",
    ),
    "too few names": (
        BARE,
        ["--columns", "time,fault"],
        "as many cells",
        "every column of the file with --columns",
    ),
    "one name twice": (
        BARE,
        ["--columns", "flow,flow,fault"],
        "Different names",
        "flow,flow,fault",
    ),
    "a blank name": (BARE, ["--columns", "time,,fault"], "Different names", "--columns time,flow"),
    "no names": (BARE, ["--columns", " "], "Different names", "--columns time,flow"),
    "a header of its own": (
        "a,b,fault\n" + BARE,
        ["--columns", "a, b,fault"],
        "very names",
        "Leave --columns out",
    ),
    "names without the label": (
        BARE,
        ["--columns", "a,b,c"],
        "no column named 'fault'",
        "Check the spelling",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_HEADER)
def test_contract_infer_says_what_to_do_about_a_missing_header(
    name: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, more, said, remedy = WITHOUT_HEADER[name]
    Path("bare.csv").write_text(text)
    assert (
        call("contract", "infer", "bare.csv", "--out", "drafted.yaml", "--label", "fault", *more)
        == 2
    )
    error = one_line(capsys)
    assert said in error
    assert remedy in error
    assert not Path("drafted.yaml").exists()


AMBIGUOUS = {
    "separators": (
        "x,y;flow;fault\n1,2;3;0\n1,2;4;1\n",
        'Pin the right one: `--separator ";"`',
        ["--separator", ";"],
        {"separator": ";"},
    ),
    "a decimal mark": (
        "flow;fault\n1,234;0\n1,235;1\n",
        '`--decimal ","`, or `--decimal "." --thousands ","`',
        ["--decimal", ","],
        {"decimal": ","},
    ),
    "thousands": (
        "flow;fault\n1,234;0\n1,235;1\n",
        '`--decimal ","`, or `--decimal "." --thousands ","`',
        ["--decimal", ".", "--thousands", ","],
        {"decimal": ".", "thousands": ","},
    ),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_contract_infer_takes_pins_for_files_that_do_not_tell(
    name: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, said, more, pinned = AMBIGUOUS[name]
    Path("a.csv").write_text(text)
    infer = ["contract", "infer", "a.csv", "--out", "drafted.yaml", "--label", "fault"]
    assert call(*infer) == 2
    error = one_line(capsys)
    assert said in error
    assert "in the contract" not in error
    assert call(*infer, *more) == 0
    assert yaml.safe_load(Path("drafted.yaml").read_text())["csv"] == pinned
    assert call("validate", "a.csv", "--contract", "drafted.yaml", "--no-prefect") == 0


@pytest.mark.parametrize(
    ("cells", "more", "pinned"),
    [
        (["03/04/2026", "04/04/2026"], ["--day-first"], {"day_first": True}),
        (["03/04/2026", "04/04/2026"], ["--month-first"], {"day_first": False}),
        (["26-03-01", "26-03-02"], ["--time-format", "%y-%m-%d"], {"time_format": "%y-%m-%d"}),
    ],
    ids=str,
)
def test_contract_infer_takes_pins_for_times(
    cells: list[str],
    more: list[str],
    pinned: dict[str, object],
    store: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("a.csv").write_text(f"time\tflow\tfault\n{cells[0]}\t1\t0\n{cells[1]}\t2\t1\n")
    infer = [
        "contract",
        "infer",
        "a.csv",
        "--out",
        "drafted.yaml",
        "--label",
        "fault",
        "--separator",
        r"\t",
    ]
    assert call(*infer, *more) == 0
    drafted = yaml.safe_load(Path("drafted.yaml").read_text())
    assert (drafted["time_column"], drafted["csv"]) == ("time", {"separator": "\t", **pinned})
    assert call("validate", "a.csv", "--contract", "drafted.yaml", "--no-prefect") == 0


def test_contract_infer_refuses_pins_that_are_none(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.csv").write_text("flow,fault\n1,0\n2,1\n")
    assert (
        call("contract", "infer", "a.csv", "--out", "d.yaml", "--label", "fault", "--decimal", "x")
        == 2
    )
    assert "--decimal" in one_line(capsys)


USAGE_ERRORS = {
    "no such command": ["retrain"],
    "an option without its value": ["score", "x.csv", "--model"],
    "a missing option": ["validate", "x.csv"],
    "a version that is not a number": [
        "score",
        "x.csv",
        "--model",
        "m",
        "--equipment",
        "e",
        "--version",
        "new",
    ],
}


@pytest.mark.parametrize("name", USAGE_ERRORS)
def test_wrong_usage_is_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*USAGE_ERRORS[name]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert call(*USAGE_ERRORS[name], "--json") == 2
    assert answer(capsys)["error"]["type"] == "UsageError"


BAD_REQUESTS = {
    "a missing file": (["--csv", "nowhere.csv"], "nowhere.csv"),
    "a missing contract": (["--contract", "nowhere.yaml"], "nowhere.yaml"),
    "an unknown source model": (["--model", "fans"], "pumps"),
    "a model name that is a path": (["--model", "../pumps"], "../pumps"),
    "an equipment name that is a path": (["--equipment", "../../etc"], "../../etc"),
    "an unknown strategy": (["--strategy", "magic"], "fine_tune"),
    "an unknown input map": (["--input-map", "robust"], "input_map"),
    "an input map for the stack": (["--input-map", "target"], "fine_tune"),
    "too many trainable layers": (
        ["--strategy", "fine_tune", "--trainable-layers", "9"],
        "trainable_layers=9",
    ),
    "shares that leave nothing to train on": (["--config", "greedy.yaml"], "0.9 together"),
    "an override without a reason": (["--override-gate", " "], "reason"),
    "a missing options file": (["--config", "nowhere.yaml"], "nowhere.yaml"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_one_sentence_and_exit_code_2(
    world: World, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, said = BAD_REQUESTS[name]
    Path("greedy.yaml").write_text("split: {calibration_share: 0.45, test_share: 0.7}")
    arguments = move(world)
    if changes[0] == "--csv":
        arguments[1] = changes[1]
    else:
        arguments += changes
    assert call(*arguments) == 2
    error = one_line(capsys)
    assert said in error
    assert "Received: " in error
    assert call(*arguments, "--json") == 2
    assert answer(capsys)["exit_code"] == 2


NO_ADDRESSES = ("http://localhost:abc", "http://localhost:99999", "http://[::1")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9",
        "sqlite:////proc/none/mlflow.db",
        "ftp://example.invalid",
        *NO_ADDRESSES,
    ],
)
def test_an_unreachable_tracking_server_is_exit_code_2(
    world: World, address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for arguments in (
        move(world),
        [
            "pretrain",
            *world.sources,
            "--contract",
            world.contract,
            "--model",
            "pumps",
            "--no-prefect",
        ],
        [
            "score",
            world.new_rows,
            "--model",
            "pumps",
            "--equipment",
            "p",
            "--out",
            "s.csv",
            "--no-prefect",
        ],
        ["registry", "list"],
    ):
        assert call(*arguments) == 2
        assert "MLFLOW_TRACKING_URI" in one_line(capsys)


def test_a_password_in_the_address_is_not_shown(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:hush@127.0.0.1:9")
    assert call("registry", "list", "--json") == 2
    said = capsys.readouterr()
    assert "hush" not in said.out + said.err


def test_an_internal_error_is_exit_code_1_and_keeps_its_traceback_in_a_file(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("faultxfer.registry.catalog.list_models", broken)
    assert call("registry", "list") == 1
    error = one_line(capsys)
    log = Path(error.strip().rsplit(" ", 1)[-1])
    assert "ZeroDivisionError: a defect" in log.read_text()
    log.unlink()


def test_a_place_that_cannot_be_written_is_said(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a-file").write_text("")
    assert call(*move(world, "--dry-run", "--report", "a-file/report")) == 2
    assert "--report" in one_line(capsys)
    assert call(*move(world)) == 0
    capsys.readouterr()
    score = ["score", world.new_rows, "--model", "pumps", "--equipment", "pump-9", "--no-prefect"]
    assert call(*score, "--out", "a-file/scores.csv") == 2
    assert "--out" in one_line(capsys)


def test_a_path_the_system_cannot_follow_is_said(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "a" * 300 + ".csv"
    assert call("validate", name, "--contract", world.contract, "--no-prefect") == 2
    assert "too long" in one_line(capsys)
    assert call("contract", "infer", world.target, "--label", "fault", "--out", name) == 2
    assert "--out" in one_line(capsys)


def test_an_empty_registry_says_how_to_start(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("registry", "list") == 0
    assert "faultxfer demo" in capsys.readouterr().out
    assert call("registry", "show", "pumps") == 2
    assert "registry list" in one_line(capsys)
