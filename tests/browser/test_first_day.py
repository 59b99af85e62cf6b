"""A first day in the browser, on real servers: a form, a version that waits, an approval, a wrong value.

Nobody types a path, and a transfer is started in six clicks from the page of deployments. Pictures
for the docs are taken where the environment variable FAULTXFER_PICTURES names a folder.
"""

from __future__ import annotations

import contextlib
import io
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
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotShown

pytestmark = pytest.mark.slow

# A busy machine draws a page within this.
PATIENCE = 90_000
RUN_SECONDS = 600.0
BUSY = 503
# As often as a form is sent to a server that is busy.
TIMES_BUSY = 4
# A page that is drawn anew closes what was just opened on it; so often it is opened once more.
OPENED_MILLISECONDS = 15_000
TIMES_OPENED = 6
MACHINE = "pumps--fault--pump-9"
OPTIONS = "strategy: fine_tune\nsteps: 40\nepochs: 5\nsplit: {folds: 2}\n"
GATE = "value: {pr_auc: {min: 0.01}}\n"
STRICT = "value: {pr_auc: {min: 0.9999}}\n"  # which no model passes
SETTINGS = """\
families:
  pumps:
    contract: pumps.yaml
    landing: landing/pumps
    policy: manual
    options: options.yaml
    gate: gate.yaml
  strict:
    contract: pumps.yaml
    model: pumps
    landing: landing/strict
    options: options.yaml
    gate: strict.yaml
"""
FILES = {
    "options.yaml": OPTIONS,
    "gate.yaml": GATE,
    "strict.yaml": STRICT,
    "deployments.yaml": SETTINGS,
}
# MLflow's assistant opens by itself and hides a quarter of the page.
WITHOUT_ASSISTANT = """
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
"""


@dataclass
class Servers:
    """Their addresses, as `faultxfer up --json` says them."""

    mlflow: str
    prefect: str

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

    def wait_for_choice(self, deployment: str, choice: str) -> None:
        """The forms are written anew a while after a version came to wait."""
        wanted = {"name": {"any_": [deployment]}}
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            (form,) = self.ask("deployments/filter", deployments=wanted)
            if choice in json.dumps(form["parameter_openapi_schema"]):
                return
            time.sleep(1)
        raise AssertionError(f"the form of {deployment} does not offer {choice}")

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
        what.click()
        self.clicks += 1

    def choose(self, title: str, option: str) -> None:
        """Open the choices of a field, and take one."""
        choices = self.page.get_by_label(f"Select {title}")
        self.open_and_take(choices, self.page.get_by_role("option", name=option).first)

    def open_and_take(self, opener: Locator, what: Locator) -> None:
        """Two clicks: open a menu or choices, and take one of them.

        The page asks its server again every few seconds and may close what was opened in between.
        A person then opens it once more, which is counted as if it had stayed open.
        """
        for _ in range(TIMES_OPENED - 1):
            opener.click()
            with contextlib.suppress(NotShown):
                what.click(timeout=OPENED_MILLISECONDS)
                break
            self.page.keyboard.press("Escape")
        else:
            opener.click()
            what.click()
        self.clicks += 2

    def type(self, title: str, text: str) -> None:
        self.page.get_by_label(title, exact=True).first.fill(text)
        self.typed[title] = text


@pytest.fixture(scope="module")
def servers(trained_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """`faultxfer up` with two families of one source model, and a labelled file for each.

    The rules of the gate differ: those of the second refuse every candidate.
    """
    folder = tmp_path_factory.mktemp("first-day")
    shutil.copytree(trained_folder / "mlruns", folder / "mlruns")
    move_artifacts(folder / "mlruns" / "mlflow.db", trained_folder, folder)
    for landing in (folder / "landing" / "pumps", folder / "landing" / "strict"):
        landing.mkdir(parents=True)
        shutil.copy(trained_folder / "fleet" / "pump-9.csv", landing)
    shutil.copy(trained_folder / "fleet" / "pumps.yaml", folder)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with _up(folder) as running:
        yield running


@contextlib.contextmanager
def _up(folder: Path) -> Iterator[Servers]:
    command = [str(Path(sys.executable).parent / "faultxfer"), "up", "--json"]
    command += ["--mlflow-port", "0", "--prefect-port", "0"]
    environment = {**os.environ, "PREFECT_HOME": str(folder / "prefect")}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Servers(said["mlflow"], said["prefect"])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture
def page(page: Page) -> Page:
    """A page that waits for a busy machine."""
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return page


@pytest.fixture
def hand(page: Page) -> Hand:
    return Hand(page)


def open_form(hand: Hand, servers: Servers, deployment: str) -> None:
    """From the page of deployments that `up` prints to a deployment's form: two clicks."""
    hand.page.goto(f"{servers.prefect}/v2/deployments?limit=100")
    link = hand.page.get_by_role("link", name=deployment, exact=True)
    menu = hand.page.get_by_role("row").filter(has=link).get_by_role("button").last
    hand.open_and_take(menu, hand.page.get_by_role("menuitem", name="Custom run"))


def submit(hand: Hand) -> None:
    """Send the form, whatever it says."""
    hand.click(hand.page.get_by_role("button", name="Submit"))


def start(hand: Hand) -> None:
    """Send a form that is in order; once more where Prefect's server is busy, as a person would.

    A server on SQLite answers 503 where two transactions meet. Prefect's own clients then ask
    again, its form only says so; nothing was started. Clicks are counted as if none had met.
    """
    clicks = hand.clicks
    for _ in range(TIMES_BUSY):
        hand.clicks = clicks
        with hand.page.expect_response("**/create_flow_run", timeout=PATIENCE) as answer:
            submit(hand)
        if answer.value.status != BUSY:
            break
    expect(hand.page.get_by_role("link", name="View run")).to_be_visible()


def choose_file(hand: Hand, file: str) -> None:
    """The one field that a transfer needs."""
    hand.choose("Sensor files", file)
    hand.page.keyboard.press("Escape")


def open_details(page: Page, servers: Servers, deployment: str) -> None:
    """What Prefect shows of the newest run of a deployment."""
    (newest, *_) = servers.runs_of(deployment)
    page.goto(f"{servers.prefect}/v2/runs/flow-run/{newest['id']}?tab=Details")
    expect(page.get_by_text("State Message")).to_be_visible()


def open_version(page: Page, servers: Servers) -> None:
    """The machine's first version in MLflow, with all of its pictures."""
    page.add_init_script(WITHOUT_ASSISTANT)
    page.goto(f"{servers.mlflow}/#/models/{MACHINE}/versions/1?workflowType=machine_learning")
    expect(page.get_by_role("heading", name="Pictures")).to_be_visible()


def photograph(page: Page, name: str) -> None:
    """For the docs, where FAULTXFER_PICTURES names a folder."""
    if folder := os.environ.get("FAULTXFER_PICTURES"):
        page.set_viewport_size({"width": 1280, "height": 960})
        page.wait_for_timeout(2000)  # charts and choices move to their places
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        # As many colours as a page has.
        picture.quantize(64).save(Path(folder) / f"{name}.png", optimize=True)


def test_a_transfer_is_started_in_six_clicks_and_waits(servers: Servers, hand: Hand) -> None:
    open_form(hand, servers, "transfer-pumps")
    choose_file(hand, "landing/pumps/pump-9.csv")
    photograph(hand.page, "prefect_form")
    start(hand)

    assert hand.clicks <= 6
    assert hand.typed == {}
    state = servers.end_of("transfer-pumps")
    assert (state["type"], state["name"]) == ("COMPLETED", "Waiting"), state["message"]
    assert servers.aliases() == {"challenger": "1"}  # it waits, and nobody is champion
    open_details(hand.page, servers, "transfer-pumps")
    expect(hand.page.get_by_text("until somebody approves it")).to_be_visible()
    photograph(hand.page, "run_waiting")


def test_another_name_approves_it_in_the_form(servers: Servers, hand: Hand) -> None:
    servers.wait_for_choice("approve-pumps", "pump-9, version 1")
    open_form(hand, servers, "approve-pumps")
    hand.choose("Version", "pump-9")
    hand.choose("Decision", "approve")
    hand.type("Reason", "The alarms of last week are all in it")
    hand.type("Your name", "Anna of maintenance")
    photograph(hand.page, "form_approve")
    start(hand)

    state = servers.end_of("approve-pumps")
    assert state["type"] == "COMPLETED", state["message"]
    assert servers.aliases() == {"champion": "1"}


def test_mlflow_shows_the_card_of_the_champion(servers: Servers, page: Page) -> None:
    open_version(page, servers)

    expect(page.get_by_text("champion").first).to_be_visible()
    for text in (
        "Anna of maintenance",
        "The alarms of last week are all in it",
        "Finds ",
        "Do not trust it for:",
        "On alarms these sensors speak most:",
    ):
        expect(page.get_by_text(text).first).to_be_visible()
    photograph(page, "version_approved")


def test_mlflow_shows_every_picture_of_the_champion(servers: Servers, page: Page) -> None:
    open_version(page, servers)
    shown = page.locator("img[src*='get-artifact']")
    paths = [image.get_attribute("src") for image in shown.all()]

    assert len(paths) >= 3
    for path in paths:
        answer = page.request.get(f"{servers.mlflow}/{path}")
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png"), path
    links = page.locator("p", has_text="Pictures:").get_by_role("link")
    assert links.count() == len(paths)
    with page.context.expect_page() as opened:
        links.last.click()
    expect(opened.value.locator("img[src^='blob:']").first).to_be_visible()


def test_a_wrong_value_is_refused_before_a_run_is_made(servers: Servers, hand: Hand) -> None:
    before = len(servers.runs_of("transfer-pumps"))
    open_form(hand, servers, "transfer-pumps")
    changes = hand.page.get_by_text("Change", exact=True)
    hand.click(changes.first)  # everything else
    hand.click(changes.nth(1))  # the options of the transfer among it
    hand.type("Steps (Optional)", "-3")
    submit(hand)

    steps = hand.page.get_by_label("Steps (Optional)", exact=True)
    assert steps.evaluate("field => field.validity.rangeUnderflow")  # said by the browser itself
    hand.page.wait_for_timeout(1000)
    assert len(servers.runs_of("transfer-pumps")) == before


def test_a_refusal_is_shown_as_a_refusal(servers: Servers, hand: Hand) -> None:
    open_form(hand, servers, "transfer-strict")
    choose_file(hand, "landing/strict/pump-9.csv")
    start(hand)

    state = servers.end_of("transfer-strict")
    assert (state["type"], state["name"]) == ("COMPLETED", "Refused"), state["message"]
    assert servers.aliases() == {"champion": "1"}
    open_details(hand.page, servers, "transfer-strict")
    expect(hand.page.get_by_text("Refused", exact=True).first).to_be_visible()
    expect(hand.page.get_by_text(state["message"]).first).to_be_visible()
    photograph(hand.page, "run_refused")
