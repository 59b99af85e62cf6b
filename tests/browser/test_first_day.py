"""A first day in the browser, on real servers: a form, a version that waits, an approval, a wrong value.

Nobody types a path, and a transfer is started in six clicks from the page of deployments.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import move_artifacts
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.slow

# A busy machine draws a page within this.
PATIENCE = 90_000
RUN_SECONDS = 600.0
MACHINE = "pumps--fault--pump-9"
OPTIONS = "strategy: fine_tune\nsteps: 40\nepochs: 5\nsplit: {folds: 2}\n"
GATE = "value: {pr_auc: {min: 0.01}}\n"
SETTINGS = """\
families:
  pumps:
    contract: pumps.yaml
    landing: landing
    policy: manual
    options: options.yaml
    gate: gate.yaml
"""


@dataclass
class Servers:
    """What `faultxfer up --json` says, and the folder in which it runs."""

    folder: Path
    mlflow: str
    prefect: str
    deployments: dict[str, str]
    models: dict[str, str]

    def ask(self, path: str, **asked: Any) -> Any:
        """Prefect's API."""
        request = urllib.request.Request(
            f"{self.prefect}/api/{path}",
            json.dumps(asked).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def runs_of(self, deployment: str) -> list[dict[str, Any]]:
        """Runs of one deployment, newest first."""
        wanted = {"name": {"any_": [deployment]}}
        return list(
            self.ask("flow_runs/filter", deployments=wanted, sort="EXPECTED_START_TIME_DESC")
        )

    def aliases(self) -> dict[str, str]:
        """Of the machine's model, by name."""
        address = f"{self.mlflow}/api/2.0/mlflow/registered-models/get?name={MACHINE}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            model = json.load(answer)["registered_model"]
        return {one["alias"]: one["version"] for one in model.get("aliases", [])}

    def end_of(self, deployment: str) -> dict[str, Any]:
        """The state in which the newest run of a deployment ended."""
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            (newest, *_) = self.runs_of(deployment)
            if newest["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return dict(newest["state"])
            time.sleep(1)
        raise AssertionError(f"the run of {deployment} did not end: {newest['state']}")


@dataclass
class Hand:
    """A person at a page, whose clicks are counted.

    Attributes:
        typed: what was typed, by field.
    """

    page: Page
    clicks: int = 0
    typed: dict[str, str] = field(default_factory=dict)

    def click(self, what: Locator) -> None:
        what.click(timeout=PATIENCE)
        self.clicks += 1

    def choose(self, title: str, option: str) -> None:
        """Open the choices of a field, and take one."""
        self.click(self.page.get_by_label(f"Select {title}"))
        self.click(self.page.get_by_role("option", name=option).first)

    def type(self, title: str, text: str) -> None:
        self.page.get_by_label(title, exact=True).first.fill(text, timeout=PATIENCE)
        self.typed[title] = text


@pytest.fixture(scope="module")
def servers(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """`faultxfer up` in a folder with one family, its source model, and one labelled file."""
    folder = tmp_path_factory.mktemp("first-day")
    shutil.copytree(trained_folder / "mlruns", folder / "mlruns")
    move_artifacts(folder / "mlruns" / "mlflow.db", trained_folder, folder)
    (folder / "landing").mkdir()
    shutil.copy(trained_folder / "fleet" / "pump-9.csv", folder / "landing")
    shutil.copy(trained_folder / "fleet" / "pumps.yaml", folder)
    for name, text in {"options": OPTIONS, "gate": GATE, "deployments": SETTINGS}.items():
        (folder / f"{name}.yaml").write_text(text)
    with _up(folder) as running:
        yield running


@contextlib.contextmanager
def _up(folder: Path) -> Iterator[Servers]:
    command = [Path(sys.executable).parent / "faultxfer", "up", "--json"]
    command += ["--mlflow-port", "0", "--prefect-port", "0"]
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect")}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Servers(folder, **json.loads(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture
def hand(page: Page) -> Hand:
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return Hand(page)


def open_form(hand: Hand, servers: Servers, deployment: str) -> None:
    """From the page of deployments to a deployment's form: three clicks."""
    hand.page.goto(f"{servers.prefect}/v2/deployments")
    hand.click(hand.page.get_by_role("link", name=deployment).first)
    hand.click(hand.page.get_by_role("button", name="Run", exact=True))
    hand.click(hand.page.get_by_role("menuitem", name="Custom run"))


def submit(hand: Hand) -> None:
    hand.click(hand.page.get_by_role("button", name="Submit"))


def test_a_transfer_is_started_in_six_clicks_and_waits(servers: Servers, hand: Hand) -> None:
    open_form(hand, servers, "transfer-pumps")
    hand.choose("Sensor files", "landing/pump-9.csv")
    hand.page.keyboard.press("Escape")
    submit(hand)
    expect(hand.page.get_by_role("link", name="View run")).to_be_visible()

    assert hand.clicks <= 6
    assert hand.typed == {}
    state = servers.end_of("transfer-pumps")
    assert state["type"] == "COMPLETED", state["message"]
    assert servers.aliases() == {"challenger": "1"}  # it waits, and nobody is champion


def test_another_name_approves_it_in_the_form(servers: Servers, hand: Hand) -> None:
    open_form(hand, servers, "approve-pumps")
    hand.choose("Version", "pump-9")
    hand.choose("Decision", "approve")
    hand.type("Reason", "The alarms of last week are all in it")
    hand.type("Your name", "Anna of maintenance")
    submit(hand)
    expect(hand.page.get_by_role("link", name="View run")).to_be_visible()

    state = servers.end_of("approve-pumps")
    assert state["type"] == "COMPLETED", state["message"]
    assert servers.aliases() == {"champion": "1"}


def test_mlflow_shows_who_approved_the_champion(servers: Servers, page: Page) -> None:
    page.goto(f"{servers.mlflow}/#/models/{MACHINE}/versions/1")
    expect(page.get_by_text("champion").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Anna of maintenance").first).to_be_visible(timeout=PATIENCE)


def test_a_wrong_value_is_refused_before_a_run_is_made(servers: Servers, hand: Hand) -> None:
    before = len(servers.runs_of("transfer-pumps"))
    open_form(hand, servers, "transfer-pumps")
    hand.click(hand.page.get_by_text("Change", exact=True))
    hand.type("Days to approve (Optional)", "-3")
    submit(hand)

    expect(
        hand.page.get_by_text("minimum").or_(hand.page.get_by_text("greater")).first
    ).to_be_visible()
    assert len(servers.runs_of("transfer-pumps")) == before
