"""A champion whose sensors die one after the other: by file, over pyfunc, and in a watched folder."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import World
from mlflow.exceptions import MlflowException

from faultxfer.cli import main
from faultxfer.landing.events import Event
from faultxfer.landing.watching import watch
from faultxfer.requests import WatchRequest

OPTIONS = {
    "strategy": "fine_tune",
    "steps": 40,
    "epochs": 5,
    "split": {"folds": 2},
    "gate": {"value": {"pr_auc": {"min": 0.01}}},
}


@dataclass(frozen=True)
class Twin:
    """Which sensor dies, which cannot be done without, and what the machine calls its columns."""

    dies: str
    needed: str
    tags: dict[str, str] = field(default_factory=dict)

    def tag(self, name: str) -> str:
        return self.tags.get(name, name)


TWINS = {
    "names of the contract": Twin("winding_temperature_c", "speed_rpm"),
    "tags of its own": Twin(
        "flow_m3h", "motor_current_a", {"flow_m3h": "FT 101", "motor_current_a": "II-7.PV"}
    ),
}


@dataclass
class Machine:
    """A machine of a small world with its files beside it, and a champion made of them."""

    twin: Twin
    world: World
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> dict[str, Any]:
        with pytest.raises(SystemExit) as left:
            main([*words, "--json"])
        printed = self.capsys.readouterr()
        answer: dict[str, Any] = json.loads(printed.out)
        answer["exit"] = int(left.value.code or 0)
        return answer

    def retrain(self, command: str) -> dict[str, Any]:
        """The command that was printed, with options that take seconds."""
        name, *words = shlex.split(command)
        assert name == "faultxfer"
        return self.run(*words, "--config", "quick.yaml", "--override-gate", "a sensor died")

    def rows(self) -> pd.DataFrame:
        return pd.read_csv(self.world.new_rows, dtype=str).rename(columns=self.twin.tags)

    def score(self, rows: pd.DataFrame, *more: str, name: str = "week") -> dict[str, Any]:
        rows.to_csv(f"{name}.csv", index=False)
        machine = ("--model", "pumps", "--equipment", self.world.equipment)
        return self.run("score", f"{name}.csv", *machine, "--out", f"{name}-scores.csv", *more)

    def scores(self, name: str = "week") -> pd.DataFrame:
        return pd.read_csv(f"{name}-scores.csv", keep_default_na=False)


@pytest.fixture(params=TWINS)
def machine(
    request: pytest.FixtureRequest, world: World, capsys: pytest.CaptureFixture[str]
) -> Machine:
    twin = TWINS[request.param]
    contract = yaml.safe_load(Path(world.contract).read_text())
    contract["sensors"][twin.needed]["impute"] = False
    if twin.tags:
        aliases = {tag: name for name, tag in twin.tags.items()}
        contract["equipment"] = {world.equipment: {"aliases": aliases}}
    Path("pumps.yaml").write_text(yaml.safe_dump(contract, sort_keys=False))
    Path("quick.yaml").write_text(yaml.safe_dump(OPTIONS))
    rows = pd.read_csv(world.target, dtype=str).rename(columns=twin.tags)
    rows.to_csv("labelled.csv", index=False)
    made = Machine(twin, world, capsys)
    words = ("labelled.csv", "--contract", "pumps.yaml", "--model", "pumps")
    champion = made.run(
        "transfer", *words, "--equipment", world.equipment, "--config", "quick.yaml"
    )
    assert champion["outcome"] == "promoted"
    return made


def test_a_champion_goes_on_until_a_version_without_the_sensor_is_there(machine: Machine) -> None:
    twin, rows = machine.twin, machine.rows()
    before = machine.score(rows, name="before")
    assert (before["lost_sensors"], before["lost_note"]) == ([], "")
    assert "imputed" not in machine.scores("before")

    # Lost half-way through.
    half = len(rows) // 2
    fewer = rows.copy()
    fewer.loc[half:, twin.tag(twin.dies)] = ""
    answer = machine.score(fewer)
    (lost,) = answer["lost_sensors"]
    assert (lost["sensor"], lost["filled_in"], lost["rows"]) == (twin.dies, True, len(rows) - half)
    assert (lost["share"], lost["judged_share"], lost["lasting"]) == (0.5, 0.0, True)
    assert lost["since"] == rows["timestamp"][half]
    assert "the metrics of its report do not hold" in answer["lost_note"]
    scores = machine.scores()
    assert scores["imputed"].tolist() == [""] * half + [twin.dies] * (len(rows) - half)
    whole = machine.scores("before")["fault_probability"]
    given = scores["fault_probability"]
    np.testing.assert_allclose(given[:half], whole[:half], rtol=0, atol=1e-9)

    # Lost whole: no column, or known to be broken.
    gone = machine.score(rows.drop(columns=twin.tag(twin.dies)), name="gone")
    assert [one["code"] for one in gone["rows"]["findings"]] == ["SENSOR-GONE"]
    assert (machine.scores("gone")["imputed"] == twin.dies).all()
    broken = machine.score(rows, "--without", twin.dies, name="broken")
    assert broken["lost_sensors"][0]["share"] == gone["lost_sensors"][0]["share"] == 1.0
    told = [machine.scores(name)["fault_probability"] for name in ("gone", "broken")]
    np.testing.assert_allclose(*told, rtol=0, atol=1e-9)

    # Retrained by the command that was printed last, from the rows that made the champion.
    command = gone["next"][-1]["command"]
    assert command == answer["next"][-1]["command"] == broken["next"][-1]["command"]
    assert "labelled.csv --contract pumps.yaml --model pumps" in command
    again = machine.retrain(command)
    assert (again["outcome"], again["version"]) == ("promoted", "2")
    assert again["report"]["sensor_change"]["missing"] == [twin.dies]
    after = machine.score(rows.drop(columns=twin.tag(twin.dies)), name="after")
    assert (after["model_version"], after["lost_note"]) == ("2", "")
    assert after["rows"]["findings"] == []
    assert "imputed" not in machine.scores("after")
    named = machine.score(rows, "--without", twin.dies, name="named")
    assert (named["model_version"], named["rows"]["findings"]) == ("2", [])
    assert "imputed" not in machine.scores("named")


def test_a_sensor_that_cannot_be_done_without_leads_to_the_command_that_does(
    machine: Machine,
) -> None:
    twin, rows = machine.twin, machine.rows()
    half = len(rows) // 2
    fewer = rows.copy()
    fewer.loc[half:, twin.tag(twin.needed)] = ""
    answer = machine.score(fewer)
    assert answer["rows"]["accepted"] == len(machine.scores()) == half
    assert answer["rows"]["quarantined"] == len(rows) - half
    (lost,) = answer["lost_sensors"]
    assert (lost["sensor"], lost["filled_in"], lost["share"]) == (twin.needed, False, 0.5)
    assert lost["since"] == f"line {half + 2} of week.csv"
    assert "the version cannot score these rows without it" in answer["lost_note"]

    refused = machine.score(rows.drop(columns=twin.tag(twin.needed)), name="gone")
    assert (refused["outcome"], refused["exit"]) == ("error", 2)
    command = refused["next"]["command"]
    assert f"`{command}`" in refused["error"]["message"]
    assert command == answer["next"][-1]["command"]
    broken = machine.score(rows, "--without", twin.needed, name="broken")
    assert (broken["outcome"], broken["next"]["command"]) == ("error", command)

    again = machine.retrain(command)
    assert again["outcome"] == "promoted"
    after = machine.score(rows.drop(columns=twin.tag(twin.needed)), name="after")
    assert after["rows"]["accepted"] == len(rows)


def test_the_served_champion_takes_rows_without_the_column(machine: Machine) -> None:
    twin, rows = machine.twin, machine.rows()
    name = f"pumps--fault--{machine.world.equipment}"
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    schema = model.metadata.get_input_schema()
    assert twin.tag(twin.dies) in schema.optional_input_names()
    assert schema.required_input_names() == [twin.tag(twin.needed)]
    machine.score(rows.drop(columns=twin.tag(twin.dies)))
    scores = machine.scores()
    answer = model.predict(rows.drop(columns=twin.tag(twin.dies)))
    assert (answer["imputed"] == twin.dies).all()
    np.testing.assert_allclose(
        answer["fault_probability"], scores["fault_probability"], rtol=0, atol=1e-9
    )
    with pytest.raises(MlflowException, match=twin.tag(twin.needed)):
        model.predict(rows.drop(columns=twin.tag(twin.needed)))


def test_a_watched_file_without_the_column_is_scored_and_the_ledger_says_so(
    machine: Machine,
) -> None:
    twin, rows = machine.twin, machine.rows()
    landing = Path("landing")
    landing.mkdir()
    rows.drop(columns=twin.tag(twin.dies)).to_csv(landing / "gone.csv", index=False)
    rows.drop(columns=twin.tag(twin.needed)).to_csv(landing / "needed.csv", index=False)
    rows.to_csv(landing / "whole.csv", index=False)
    said: dict[str, Event] = {}
    request = WatchRequest(landing=landing, contract="pumps.yaml", model="pumps", settle=0.01)
    watch(request, tell=lambda event: said.update({event.file: event}))
    assert {name: one.outcome for name, one in said.items()} == {
        "gone.csv": "scored", "needed.csv": "refused", "whole.csv": "scored"
    }  # fmt: skip
    assert said["whole.csv"].next is None
    assert f"{twin.dies} is filled in for 100% of the rows" in said["gone.csv"].message
    for name, sensor in (("gone.csv", twin.dies), ("needed.csv", twin.needed)):
        then = said[name].next
        assert then is not None
        assert then.command.startswith("faultxfer transfer labelled.csv")
        assert then.command.endswith(f"--without {sensor}")
    kept = [json.loads(path.read_text()) for path in (landing / ".faultxfer").glob("*.json")]
    told = {one["name"]: one["parts"][0]["told"] for one in kept}
    assert "the metrics of its report do not hold for these rows" in told["gone.csv"]
    assert "filled in" not in told["whole.csv"]


def test_the_screen_ends_with_the_command(machine: Machine) -> None:
    twin = machine.twin
    machine.rows().drop(columns=twin.tag(twin.dies)).to_csv("week.csv", index=False)
    words = ("--model", "pumps", "--equipment", machine.world.equipment, "--out", "scores.csv")
    with pytest.raises(SystemExit):
        main(["score", "week.csv", *words])
    lines = machine.capsys.readouterr().out.splitlines()
    assert any(f"{twin.dies} is filled in for 100% of the rows" in line for line in lines)
    assert lines[-2].startswith(f"Next: Make a version without {twin.dies}")
    assert lines[-1].endswith(f"--without {twin.dies}")
