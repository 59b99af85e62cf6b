"""The README's first command in a process of its own, and what it leaves behind.

One run serves all tests of this file: it takes about two minutes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

from faultxfer.strategies.rivals import RIVALS

pytestmark = pytest.mark.slow

# Loaded by every Python process below, Prefect's server among them: writes down and refuses what
# leaves the machine.
GUARD = """
import os, socket

def _refuse(address):
    with open(os.environ["NETWORK_LOG"], "a") as log:
        log.write(f"{address!r}\\n")
    raise OSError(f"this test allows no network: {address!r}")

_connect, _lookup = socket.socket.connect, socket.getaddrinfo
_HOME = ("127.0.0.1", "::1", "localhost", "0.0.0.0", None, "", b"localhost", socket.gethostname())

def connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _HOME:
        _refuse(address)
    return _connect(self, address)

def getaddrinfo(host, *more, **options):
    if host not in _HOME:
        _refuse(host)
    return _lookup(host, *more, **options)

socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
"""


@dataclass(frozen=True)
class Demo:
    folder: Path
    environment: dict[str, str]
    done: subprocess.CompletedProcess[str]
    network_log: Path

    @property
    def result(self) -> Any:
        return json.loads(self.done.stdout)


def faultxfer(*arguments: str) -> list[str]:
    """The command as installed beside this interpreter."""
    return [str(Path(sys.executable).parent / "faultxfer"), *arguments]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    guard = tmp_path_factory.mktemp("guard")
    (guard / "sitecustomize.py").write_text(GUARD)
    log = guard / "network.log"
    telemetry = (
        "DO_NOT_TRACK",
        "PREFECT_SERVER_ANALYTICS_ENABLED",
        "MLFLOW_DISABLE_TELEMETRY",
        "GX_ANALYTICS_ENABLED",
    )
    environment = {name: value for name, value in os.environ.items() if name not in telemetry}
    environment |= {
        "PYTHONPATH": str(guard),
        "NETWORK_LOG": str(log),
        "PREFECT_HOME": str(folder / "prefect"),
    }
    done = subprocess.run(
        faultxfer("demo", "--json"),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Demo(folder, environment, done, log)


def test_the_demo_ends_with_a_promoted_version_and_its_pictures(demo: Demo) -> None:
    assert demo.done.returncode == 0, demo.done.stderr
    transfer = demo.result["transfer"]
    assert (transfer["outcome"], transfer["version"]) == ("promoted", "1")
    rivals = [
        entry["name"] for entry in transfer["report"]["contestants"] if entry["role"] == "rival"
    ]
    assert rivals == list(RIVALS)
    for picture in transfer["pictures"].values():
        assert Path(picture).read_bytes().startswith(b"\x89PNG")


def test_in_a_pipe_the_demo_says_nothing_but_its_result(demo: Demo) -> None:
    assert demo.done.stderr == ""
    assert demo.done.stdout.count("\n") == 1


def test_the_demo_reaches_for_no_network(demo: Demo) -> None:
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    subprocess.run(
        [sys.executable, "-c", probe], env=demo.environment, capture_output=True, timeout=60
    )
    assert (
        demo.network_log.read_text() == "'192.0.2.1'\n"
    )  # the guard works, and the demo met it nowhere


def test_mlflow_in_a_new_process_gives_the_probabilities_of_score(demo: Demo) -> None:
    new_rows = pd.read_csv(demo.folder / "faultxfer-demo" / "pump-9-new-rows.csv")
    shuffled = new_rows[list(reversed(new_rows.columns))].assign(remark="not a sensor")
    shuffled.to_csv(demo.folder / "shuffled.csv", index=False)
    program = (
        "import sys, json, pandas, mlflow.pyfunc\n"
        "model = mlflow.pyfunc.load_model('models:/pumps--fault--pump-9@champion')\n"
        "rows = pandas.read_csv('shuffled.csv')\n"
        "given = model.predict(rows)['fault_probability'].tolist()\n"
        "without = model.predict(rows.drop(columns='flow_m3h'))\n"
        "missing = without['imputed'].unique().tolist()\n"
        "json.dump({'given': given, 'missing': missing}, sys.stdout)\n"
    )
    environment = demo.environment | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{demo.folder / 'mlruns' / 'mlflow.db'}"
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=demo.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    scores = pd.read_csv(demo.folder / demo.result["score"]["out"])
    np.testing.assert_allclose(said["given"], scores["fault_probability"], atol=1e-6, rtol=0)
    # A column that the version fills in may be left out, and the answer says so.
    assert said["missing"] == ["flow_m3h"]


@pytest.fixture(scope="module")
def served(demo: Demo) -> Iterator[str]:
    """``mlflow models serve`` on the demo's champion."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "models",
        "serve",
        "-m",
        "models:/pumps--fault--pump-9@champion",
        "--env-manager",
        "local",
    ]
    environment = demo.environment | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{demo.folder / 'mlruns' / 'mlflow.db'}"
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    log = demo.folder / "serve.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=demo.folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/ping", process, log)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


def test_mlflow_models_serve_scores_raw_rows(demo: Demo, served: str) -> None:
    scores = pd.read_csv(demo.folder / demo.result["score"]["out"])
    rows = pd.read_csv(demo.folder / "faultxfer-demo" / "pump-9-new-rows.csv")
    predicted = invoked(served, {"dataframe_split": rows.to_dict(orient="split")})["predictions"]
    given = [row["fault_probability"] for row in predicted]
    np.testing.assert_allclose(given, scores["fault_probability"], atol=1e-6, rtol=0)
    # Without their times rows have nothing before them.
    few = rows.head(3).drop(columns=["timestamp"]).astype({"speed_rpm": float})
    few.loc[1, "speed_rpm"] = 1e6
    records, units = few.to_dict(orient="records"), {"units": {"speed_rpm": "RPM"}}
    answer = invoked(served, {"dataframe_records": records, "params": units})["predictions"]
    assert [row["remark"] for row in answer] == [
        "",
        "set aside: SENSOR-OUT-OF-RANGE (speed_rpm)",
        "",
    ]
    assert answer[1]["fault_probability"] is answer[1]["alarm"] is None
    alone = few.tail(1).to_dict(orient="records")
    (again,) = invoked(served, {"dataframe_records": alone, "params": units})["predictions"]
    assert answer[2]["fault_probability"] == pytest.approx(again["fault_probability"], abs=1e-6)


def test_what_the_served_model_refuses_is_one_sentence(served: str) -> None:
    rows = pd.read_csv(REPOSITORY / "tests" / "kept_bundles" / "rows.csv").head(4)
    pascals = rows.assign(suction_pressure_bar=rows["suction_pressure_bar"] * 1e5 + 1e5)
    for asked, said in (
        ({"dataframe_split": pascals.to_dict(orient="split")}, "Every reading of column 'suction_"),
        (
            {
                "dataframe_split": rows.to_dict(orient="split"),
                "params": {"units": {"suction_pressure_bar": "Pa"}},
            },
            "takes column 'suction_pressure_bar' in bar, not in Pa",
        ),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            invoked(served, asked)
        assert refused.value.code == 400
        told = json.load(refused.value)
        assert said in told["message"]
        assert "stack_trace" not in told


def invoked(address: str, asked: dict[str, object]) -> dict[str, list[dict[str, Any]]]:
    """The served model's answer, strict about JSON."""
    request = urllib.request.Request(
        address, data=json.dumps(asked).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, list[dict[str, Any]]] = json.loads(
            response.read(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
        )
    return answer
