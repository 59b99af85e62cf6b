"""Both servers for real.

Started by ``faultxfer up``, worked against over HTTP, stopped by signals.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import psutil
import pytest
import registry_work as work
from conftest import REPOSITORY, SMALL_NETWORK, World, models_of

from faultxfer import GateOptions, PretrainOptions, TransferOptions, pipeline
from faultxfer.bundle.manifest import read_manifest
from faultxfer.cli import main
from faultxfer.config import Limit
from faultxfer.registry import journal
from faultxfer.registry.store import open_registry
from faultxfer.simulation.pump_fleet import differing_sensors
from faultxfer.simulation.simulator import write_pump_fleet
from faultxfer.temporary import dead_folders

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Pages:
    mlflow: str
    prefect: str
    process: subprocess.Popen[str]
    deployments: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)


def start(folder: Path, command: str = "ui") -> Pages:
    process = subprocess.Popen(
        [
            Path(sys.executable).parent / "faultxfer",
            command,
            "--mlflow-port",
            "0",
            "--prefect-port",
            "0",
            "--json",
        ],
        cwd=folder,
        env={
            **os.environ,
            "PREFECT_HOME": str(folder / "prefect"),
            "TMPDIR": tempfile.gettempdir(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    answer = json.loads(line) if line else {}
    if "mlflow" not in answer:
        said = process.communicate(timeout=30)[1]
        raise AssertionError(line or said)
    assert (answer.pop("schema_version"), answer.pop("command")) == (1, "up")
    return Pages(**answer, process=process)


def folder_of(pages: Pages) -> Path:
    """Where it was started."""
    return Path(f"/proc/{pages.process.pid}/cwd").resolve()


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=20) as response:
        return response.read().decode()


def deploy(folder: Path) -> None:
    """Settings of one family, whose landing folder holds rows of one machine."""
    (folder / "landing").mkdir()
    land(folder, "monday.csv")
    contract = REPOSITORY / "data_contracts" / "pumps.yaml"
    (folder / "deployments.yaml").write_text(
        f"families: {{served: {{contract: {contract}, landing: landing, "
        'schedules: {validate: "0 3 1 1 *"}}}\n'
    )


def land(folder: Path, name: str) -> None:
    """A file without rows that the contract would accept."""
    text = "equipment,run,timestamp,flow_m3h\npump-9,1,2026-01-01,1\npump-9,1,2026-01-02,2\n"
    (folder / "landing" / name).write_text(text)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("ui")
    shutil.copytree(migrated_folder, folder / "mlruns")
    deploy(folder)
    running = start(folder, "up")
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        assert running.process.communicate(timeout=60) == ("", "")
        assert running.process.returncode == 0
        wait_until_nobody_listens(running)


def test_both_pages_answer(pages: Pages) -> None:
    assert "MLflow" in get(pages.mlflow)
    assert "Prefect" in get(pages.prefect)
    assert get(f"{pages.prefect}/api/health") == "true"


def test_the_main_path_over_http_with_runs_on_the_prefect_server(
    pages: Pages, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.pipeline import pretrain, transfer

    monkeypatch.setenv("MLFLOW_TRACKING_URI", pages.mlflow)
    options = TransferOptions(
        strategy="fine_tune",
        steps=40,
        epochs=5,
        split={"folds": 2},
        gate=GateOptions(value={"pr_auc": Limit(min=0.01)}),
    )
    with temporary_settings({PREFECT_API_URL: f"{pages.prefect}/api"}):
        network = PretrainOptions(network=SMALL_NETWORK)
        pretrain(world.sources, world.contract, "served", network)
        first = transfer([world.target], world.contract, "served", world.equipment, options)
        again = transfer(
            [world.target],
            world.contract,
            "served",
            world.equipment,
            options,
            override_gate="again",
        )
        state = transfer(
            ["nowhere.csv"], world.contract, "served", world.equipment, options, return_state=True
        )
    assert (first.version, again.version) == ("1", "2")
    assert first.tracking_uri == pages.mlflow
    registry = open_registry()
    champion = registry.champion("pumps--fault--pump-9")
    assert champion is not None
    assert champion.tags["faultxfer.previous_champion"] == "1"
    assert {item.path for item in registry.client.list_artifacts(str(first.run_id))} >= {
        "rivals.png",
        "report.md",
        "report.json",
    }
    assert state.is_failed()
    assert _flow_runs(pages) == ["Completed", "Completed", "Completed", "Failed"]
    # A command is a flow run where the environment names a server.
    monkeypatch.setenv("PREFECT_API_URL", f"{pages.prefect}/api")
    command = ["validate", world.target, "--contract", world.contract, "--equipment", "pump-9"]
    with (
        temporary_settings({PREFECT_API_URL: f"{pages.prefect}/api"}),
        pytest.raises(SystemExit) as left,
    ):
        main(command)
    assert (left.value.code, len(_flow_runs(pages))) == (0, 5)
    monkeypatch.delenv("PREFECT_API_URL")
    pipeline.score([world.new_rows], "served", world.equipment, "scores.csv")
    model = mlflow.pyfunc.load_model("models:/pumps--fault--pump-9@champion")
    predicted = model.predict(pd.read_csv(world.new_rows))["fault_probability"]
    np.testing.assert_allclose(
        predicted, pd.read_csv("scores.csv")["fault_probability"], atol=1e-6, rtol=0
    )
    assert not (world.folder / "mlruns" / "artifacts" / "served").exists()
    assert_watched_and_scored(pages, world.new_rows, "scores.csv")


def test_a_fleet_whose_sensors_differ_over_http(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each machine lacks another sensor, and one has two more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", pages.mlflow)
    fleet = write_pump_fleet(
        tmp_path / "fleet",
        source_pumps=2,
        runs_per_pump=24,
        rows_per_run=20,
        target_equipment="pump-7",
        lacking=differing_sensors(("pump-1", "pump-2", "pump-7"), with_more="pump-1"),
    )
    options = TransferOptions(
        steps=40,
        epochs=5,
        split={"folds": 2},
        gate=GateOptions(value={"pr_auc": Limit(min=0.01)}),
    )
    files = [str(path) for path in fleet.source_csvs]
    small = PretrainOptions(network=SMALL_NETWORK)
    trained = pipeline.pretrain(files, fleet.contract, "differing", small)
    assert trained.fleet.lacking["pump-2"][0] == "motor_current_a"
    labelled, week = [str(fleet.target_csv)], [str(fleet.new_rows_csv)]
    moved = pipeline.transfer(labelled, fleet.contract, "differing", "pump-7", options)
    out = tmp_path / "scores.csv"
    scored = pipeline.score(week, "differing", "pump-7", out, version=moved.version)
    assert scored.rows.accepted == len(out.read_text().splitlines()) - 1


def assert_watched_and_scored(pages: Pages, rows: str, expected: str) -> None:
    """What was registered over MLflow's server scores what lands, in a flow run that names none."""
    landing = folder_of(pages) / "landing"
    shutil.copy(rows, landing / "new-rows.csv")
    scores = landing / "scores" / "pump-9" / "new-rows.csv"
    end = time.monotonic() + 300
    while not scores.exists():
        assert time.monotonic() < end
        time.sleep(0.5)
    found, wanted = (pd.read_csv(path)["fault_probability"] for path in (scores, expected))
    np.testing.assert_allclose(found, wanted, atol=1e-6, rtol=0)


def test_a_provisional_version_over_http(
    pages: Pages, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = models_of(world)
    (fetched.source_bundle.parent / "report").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", pages.mlflow)
    name, sensors = "pumps--pump-8", read_manifest(fetched.source_bundle).features
    action = journal.PROVISIONAL
    assert work.register_prepared(fetched.source_bundle, sensors, name, action=action) == "1"
    registry = open_registry()
    assert registry.aliases(name) == {"provisional": "1"}
    alias = f"{pages.mlflow}/api/2.0/mlflow/registered-models/alias?name={name}&alias=provisional"
    assert json.loads(get(alias))["model_version"]["version"] == "1"
    assert journal.read_journal(registry.client, name).provisional == "1"
    rows = pd.read_csv(world.new_rows).assign(equipment="pump-8")
    rows.to_csv("rows.csv", index=False)
    scored = pipeline.score(["rows.csv"], "pumps", "pump-8", "scores.csv").as_dict()
    assert (scored["scored_with"], scored["model_version"]) == ("provisional", "1")
    assert set(pd.read_csv("scores.csv")["scored_with"]) == {"provisional"}


def deployment(pages: Pages, name: str) -> Any:
    return json.loads(get(f"{pages.prefect}/api/deployments/name/{name}"))


def post(pages: Pages, path: str, content: dict[str, Any]) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{pages.prefect}/api/{path}",
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json"},
    )
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            # As Prefect's own client does: its SQLite file was busy.
            if error.code != 503 or time.monotonic() > end:
                return error.code, json.load(error)
            time.sleep(1)


def started(pages: Pages, name: str, **parameters: Any) -> str:
    number = deployment(pages, name)["id"]
    given = {"parameters": parameters}
    status, run = post(pages, f"deployments/{number}/create_flow_run", given)
    assert status == 201, run
    return str(run["id"])


def state_of(pages: Pages, run: str, wanted: set[str]) -> dict[str, Any]:
    end = time.monotonic() + 180
    while True:
        state: dict[str, Any] = json.loads(get(f"{pages.prefect}/api/flow_runs/{run}"))["state"]
        if state["type"] in wanted:
            return state
        assert time.monotonic() < end, state
        time.sleep(0.5)


def test_every_deployment_of_the_family_is_served(pages: Pages) -> None:
    from flows.deployed import PLANS

    assert set(pages.deployments) == {f"{kind}-served" for kind in PLANS}
    assert pages.models == {"served": f"{pages.mlflow}/#/models?searchFilter=served"}
    for name, address in pages.deployments.items():
        there = deployment(pages, f"{name.removesuffix('-served')}/{name}")
        assert there["id"] in address
        assert (there["status"], there["tags"]) == ("READY", ["served"])
    schedules = deployment(pages, "validate/validate-served")["schedules"]
    assert [one["schedule"]["cron"] for one in schedules] == ["0 3 1 1 *"]


def test_a_wrong_value_is_refused_before_the_run(pages: Pages) -> None:
    number = deployment(pages, "transfer/transfer-served")["id"]
    for wrong in ({"equipment": "pump-7"}, {"more": {"options": {"seed": -1}}}):
        status, said = post(pages, f"deployments/{number}/create_flow_run", {"parameters": wrong})
        assert (status, "Validation failed" in said["detail"]) == (409, True)


def test_a_file_that_lands_is_offered_by_the_form(pages: Pages) -> None:
    land(folder_of(pages), "tuesday.csv")
    end = time.monotonic() + 60
    while True:
        there = deployment(pages, "transfer/transfer-served")["parameter_openapi_schema"]
        if "landing/tuesday.csv" in there["properties"]["files"]["items"]["enum"]:
            break
        assert time.monotonic() < end
        time.sleep(0.5)
    assert there["properties"]["equipment"]["default"] == "pump-9"


def test_a_run_that_fails_says_why_in_one_sentence(pages: Pages) -> None:
    run = started(pages, "score/score-served", files=["landing/monday.csv"])
    message = state_of(pages, run, {"FAILED"})["message"]
    assert "Traceback" not in message
    assert "Received: " in message


def _flow_runs(pages: Pages) -> list[str]:
    """States of the runs that a test began on the server, oldest first.

    The watch folder scores what landed there as soon as it sees a version, at a time of its own.
    """
    asked = {
        "sort": "START_TIME_ASC",
        "flows": {"name": {"any_": ["pretrain", "transfer", "validate"]}},
    }
    request = urllib.request.Request(
        f"{pages.prefect}/api/flow_runs/filter",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return [run["state_name"] for run in json.load(response)]


def wait_until_nobody_listens(pages: Pages) -> None:
    """Nobody, be it a child or a grandchild, holds one of the ports any more."""
    ports = [int(str(address).rpartition(":")[2]) for address in (pages.mlflow, pages.prefect)]
    end = time.monotonic() + 30
    while any(is_taken(port) for port in ports):
        assert time.monotonic() < end
        time.sleep(0.2)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_run_under_way_is_cancelled_and_no_process_is_left(store: Path) -> None:
    deploy(store)
    running = start(store, "up")
    run = started(running, "doctor/doctor-served")
    state_of(running, run, {"RUNNING", "COMPLETED", "FAILED"})
    below = psutil.Process(running.process.pid).children(recursive=True)
    assert len(below) >= 4
    running.process.send_signal(signal.SIGTERM)
    assert running.process.communicate(timeout=90) == ("", "")
    assert running.process.returncode == 0
    assert psutil.wait_procs(below, timeout=10)[1] == []
    with sqlite3.connect(store / "prefect" / "prefect.db") as database:
        states = database.execute("select state_type from flow_run where id = ?", [run]).fetchall()
        states += database.execute("select distinct state_type from flow_run").fetchall()
    assert not {"RUNNING", "PENDING", "CANCELLING"} & {state for (state,) in states}


@pytest.mark.parametrize("sign", [signal.SIGHUP, signal.SIGKILL])
def test_no_server_is_left_where_the_terminal_is_closed_or_the_process_killed(
    store: Path, sign: signal.Signals
) -> None:
    running = start(store)
    running.process.send_signal(sign)
    out, err = running.process.communicate(timeout=60)
    assert (out, err) == ("", "")
    assert running.process.returncode == (0 if sign == signal.SIGHUP else -signal.SIGKILL)
    wait_until_nobody_listens(running)
    folders = temporary_folders(running.process.pid)
    assert len(folders) == (0 if sign == signal.SIGHUP else 1)
    for path, remove in dead_folders():
        if path in folders:
            remove()
    assert not temporary_folders(running.process.pid)


def temporary_folders(process: int) -> list[Path]:
    """Those that name a process as their owner."""
    owners = Path(tempfile.gettempdir()).glob("faultxfer-*/owner")
    return [owner.parent for owner in owners if f":{process}:" in owner.read_text()]


def test_the_pages_of_a_tracking_server_are_those_of_mlflow(
    pages: Pages, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", pages.mlflow.replace("//", "//me:secret@"))
    running = start(store)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.communicate(timeout=60)[1] == ""
    assert running.process.returncode == 0
    assert not is_taken(int(running.prefect.rpartition(":")[2]))
    assert running.mlflow == pages.mlflow


def test_the_log_of_a_server_that_fails_stays_to_be_read(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "nothing://that/can/be/opened")
    with pytest.raises(AssertionError) as caught:
        start(store)
    answer = json.loads(str(caught.value))
    assert answer["exit_code"] == 2
    log = Path(re.search(r"See (\S+\.log)", answer["error"]["message"])[1])  # type: ignore[index]
    assert log.read_text()
    log.unlink()


def test_a_taken_port_is_said_at_once(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from faultxfer.cli import main

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as left:
            main(["ui", "--mlflow-port", str(port)])
    assert left.value.code == 2
    assert "--mlflow-port" in capsys.readouterr().err
