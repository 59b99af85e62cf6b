"""Each service of compose.yaml, started as a process of this machine by its own command and settings."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import composed
import local_postgresql
import pytest
from composed import PASSWORDS, ROOT, Plant
from needs import skip_without

# Rows of a pump that fit the contract, each with the pump's name.
_KEPT = (ROOT / "tests" / "kept_bundles" / "rows.csv").read_text().splitlines()
ROWS = "\n".join(["equipment," + _KEPT[0], *("pump-1," + line for line in _KEPT[1:])])
WRONG = {"MLFLOW_TRACKING_PASSWORD": "guessed", "PREFECT_API_AUTH_STRING": "faultxfer:guessed"}


@pytest.mark.parametrize("name", list(PASSWORDS))
def test_nothing_starts_without_its_password(name: str) -> None:
    with pytest.raises(KeyError, match=f"Set {name} in the file .env"):
        composed.composed({**PASSWORDS, name: ""})


def test_no_password_stands_in_a_file_of_the_repository() -> None:
    text = (ROOT / "compose.yaml").read_text() + (ROOT / "deploy" / "mlflow-users.ini").read_text()
    values = re.findall(r"(?i)\w*(?:password|secret_key|auth_string)\w* *[:=] *(.+)", text)
    assert values
    assert [value for value in values if "${" not in value] == []


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    if local_postgresql.programs() is None:
        skip_without("postgresql", "There is no PostgreSQL: `apt-get install postgresql` brings it")
    with composed.running(tmp_path_factory.mktemp("compose")) as running:
        (running.folder / "app" / "landing" / "rows.csv").write_text(ROWS)
        yield running


Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def answers(plant: Plant) -> dict[str, Done]:
    """What people with and without a password hear, asked at once."""
    look = ("faultxfer", "registry", "list")
    check = ("faultxfer", "validate", "landing/rows.csv", "--contract", "data_contracts/pumps.yaml")
    asked = {
        "look": (look, plant.signed_in),
        "look as a stranger": (look, plant.strangers),
        "look with a wrong password": (look, {**plant.signed_in, **WRONG}),
        "check as a stranger": (check, plant.strangers),
        "check with a wrong password": (check, {**plant.signed_in, **WRONG}),
    }
    with ThreadPoolExecutor(2) as people:
        waiting = {
            name: people.submit(plant.run, *command, environment=environment)
            for name, (command, environment) in asked.items()
        }
        return {name: one.result() for name, one in waiting.items()}


@pytest.mark.slow
def test_the_registry_answers_who_has_the_password(answers: dict[str, Done]) -> None:
    assert answers["look"].returncode == 0, answers["look"].stderr
    assert "Nothing is registered yet" in answers["look"].stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "sentence", "remedy"),
    [
        ("look as a stranger", "MLflow server does not accept", "MLFLOW_TRACKING_PASSWORD"),
        ("look with a wrong password", "MLflow server does not accept", "MLFLOW_TRACKING_PASSWORD"),
        ("check as a stranger", "Prefect server does not accept", "PREFECT_API_AUTH_STRING"),
        (
            "check with a wrong password",
            "Prefect server does not accept",
            "PREFECT_API_AUTH_STRING",
        ),
    ],
)
def test_strangers_are_refused_in_a_sentence(
    asked: str, sentence: str, remedy: str, answers: dict[str, Done]
) -> None:
    answer = answers[asked]
    assert answer.returncode == 2, answer.stderr
    assert sentence in answer.stderr
    assert remedy in answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr


@pytest.mark.slow
def test_the_worker_runs_a_deployment(plant: Plant) -> None:
    end = time.monotonic() + 240
    while " started!" not in plant.log("worker"):
        assert plant.processes["worker"].poll() is None, plant.log("worker")[-3000:]
        assert time.monotonic() < end, plant.log("worker")[-3000:]
        time.sleep(0.5)

    ask = ("prefect", "deployment", "run", "validate/validate-pumps", "--watch")
    done = plant.run(*ask, "--param", 'files=["landing/rows.csv"]', environment=plant.signed_in)

    assert done.returncode == 0, done.stdout + done.stderr + plant.log("worker")[-3000:]
    assert "Finished in state" in plant.log("worker")


@pytest.mark.slow
def test_the_accounts_of_the_docs_can_be_made(plant: Plant) -> None:
    text = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    script = script.replace("http://localhost:5000", plant.signed_in["MLFLOW_TRACKING_URI"])
    look = "print(server.get_user_permission('anna', 'registered_model', 'pumps').permission)"

    done = plant.run(sys.executable, "-c", script + look, environment=plant.signed_in)

    assert done.stdout.splitlines()[-1:] == ["EDIT"], done.stderr


@pytest.mark.slow
def test_tables_and_files_lie_where_compose_says(plant: Plant) -> None:
    assert not list(plant.folder.rglob("*.db"))  # all tables are PostgreSQL's
    for database, table in (
        ("mlflow", "experiments"),
        ("mlflow_users", "users"),
        ("prefect", "flow_run"),
    ):
        assert plant.cluster.has_table(database, table)


def test_the_image_has_what_the_services_name() -> None:
    services = composed.composed(PASSWORDS)["services"]
    assert set(services) == {"postgresql", "mlflow", "prefect", "worker"}
    for path in ("deploy/worker.sh", "deploy/mlflow-users.ini", "deploy/databases.sql"):
        assert Path(ROOT, path).is_file()
        assert path in (ROOT / "compose.yaml").read_text()
