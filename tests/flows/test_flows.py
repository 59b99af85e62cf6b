"""The flows on Prefect's own temporary server.

The same results as the pipeline, and pages a person can read.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY, SMALL_NETWORK, World, models_of

from faultxfer import CurveOptions, GateOptions, PretrainOptions, TransferOptions, pipeline, steps
from faultxfer.bundle.bundle import load_bundle
from faultxfer.config import Limit
from faultxfer.errors import DataError

pytestmark = pytest.mark.slow

FLOWS = REPOSITORY / "flows"

OPTIONS = TransferOptions(
    strategy="fine_tune",
    steps=40,
    epochs=5,
    split={"folds": 2},
    gate=GateOptions(value={"pr_auc": Limit(min=0.01)}),
)


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """The temporary server that the command line starts."""
    from flows.server import start_in_background

    start_in_background()()
    yield
    from prefect.server.api.server import SubprocessASGIServer

    SubprocessASGIServer().stop()


def run(flow: Any, *arguments: Any, **options: Any) -> tuple[Any, Any]:
    """Result and flow run id."""
    state = flow(*arguments, **options, return_state=True)
    return state.result(), state.state_details.flow_run_id


def tasks_of(flow_run_id: Any, expected: int) -> list[str]:
    """Names of the run's tasks in the order they started.

    The server records them a moment later.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    end = time.monotonic() + 60
    while True:
        with get_client(sync_client=True) as client:
            found = client.read_task_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
            )
        if len(found) >= expected or time.monotonic() > end:
            # By creation: a start that the server hears of after the end has no time.
            in_order = sorted(found, key=lambda task: task.expected_start_time or task.created)
            return [task.name.rsplit("-", 1)[0] for task in in_order]
        time.sleep(0.5)


def log_of(flow_run_id: Any, wanted: str) -> list[str]:
    """Lines of the run's log; they arrive in batches."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

    end = time.monotonic() + 60
    while True:
        with get_client(sync_client=True) as client:
            found = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id])))
        lines = [line.message for line in found]
        if any(wanted in line for line in lines) or time.monotonic() > end:
            return lines
        time.sleep(0.5)


def artifact(key: str) -> Any:
    from prefect.artifacts import Artifact

    return Artifact.get(key)


def test_transfer_runs_its_steps_in_order_and_publishes_the_report(
    world: World, server: None
) -> None:
    from flows.pipeline import transfer

    result, run_id = run(
        transfer, [world.target], world.contract, "pumps", world.equipment, OPTIONS
    )
    assert result.outcome == "promoted"
    assert tasks_of(run_id, 10) == [
        "look at the request",
        "load source and champion from the registry",
        "check rows against the contract",
        "look for the same request",
        "look for copies among the runs",
        "divide the rows into those that train, calibrate and judge",
        "scale, freeze, adapt, and put the rivals through the same rows",
        "measure candidate, champion and rivals on the same rows",
        "ask the gate, and write down what it decides",
        "register and promote the candidate, or keep its report",
    ]
    assert any("Gate: promote" in line for line in log_of(run_id, "Gate: promote"))
    page = artifact("transfer-pumps-pump-9")
    assert page.flow_run_id == run_id
    for said in (
        "GATE-VALUE",
        "gradient boosting, target rows",
        "version 1",
        "rivals.png",
        "data_docs/index.html",
    ):
        assert said in page.data


def test_a_learning_curve_runs_its_steps_and_publishes_the_answers(
    world: World, server: None
) -> None:
    from flows.pipeline import learning_curve

    options = CurveOptions(counts=(30, 45, 60, 90), repeats=2)
    result, run_id = run(
        learning_curve, [world.target], world.contract, "pumps", world.equipment, options
    )
    assert tasks_of(run_id, 7) == [
        "look at the request",
        "load source and champion from the registry",
        "check rows against the contract",
        "look for copies among the runs",
        "hold out and draw rows",
        "fit at every count",
        "fit the curves and answer",
    ]
    page = artifact("learning-curve-pumps-pump-9").data
    assert all(answer in page for answer in result.answers)


def test_the_flow_and_the_plain_pipeline_give_the_same_weights(world: World, server: None) -> None:
    from flows.pipeline import transfer

    weights = []
    for number, call in enumerate((transfer, pipeline.transfer)):
        args = ([world.target], world.contract, "pumps", world.equipment, OPTIONS)
        result = call(*args, override_gate="compare", force=True)
        assert result.outcome == "promoted"
        fetched = models_of(world, name=f"look-{number}")
        assert fetched.champion_bundle is not None
        weights.append(load_bundle(fetched.champion_bundle).network.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_refusal_reaches_the_run_page_and_registers_nothing(world: World, server: None) -> None:
    from flows.pipeline import transfer

    hard = OPTIONS.model_copy(update={"gate": GateOptions(value={"pr_auc": Limit(min=0.999)})})
    result, run_id = run(transfer, [world.target], world.contract, "pumps", world.equipment, hard)
    assert (result.outcome, result.version) == ("refused", None)
    page = artifact("transfer-pumps-pump-9")
    assert page.flow_run_id == run_id
    assert "refused by the gate" in page.data


def test_findings_reach_the_run_page(world: World, server: None) -> None:
    from flows.pipeline import validate

    text = Path(world.target).read_text().splitlines()
    cells = text[3].split(",")
    cells[text[0].split(",").index("flow_m3h")] = "broken"
    Path("dirty.csv").write_text("\n".join([*text[:3], ",".join(cells), *text[4:]]) + "\n")
    rows, run_id = run(validate, ["dirty.csv"], world.contract, data_docs="docs")
    assert rows.quarantined == 1
    page = artifact("contract-findings")
    assert page.flow_run_id == run_id
    (line,) = json.loads(page.data)
    assert line["finding"] == "SENSOR-NOT-A-NUMBER"
    assert f"Data Docs: `{Path('docs/index.html').absolute()}`" in page.description


def test_data_docs_reach_the_run_page_of_good_files_too(world: World, server: None) -> None:
    from flows.pipeline import validate

    rows, run_id = run(
        validate, [world.target], world.contract, data_docs="docs", equipment=world.equipment
    )
    assert rows.findings == ()
    page = artifact("data-docs-contract")
    assert page.flow_run_id == run_id
    assert str(Path("docs/index.html").absolute()) in page.data


def test_bad_input_fails_the_flow_run_with_its_sentence(world: World, server: None) -> None:
    from flows.pipeline import pretrain

    state = pretrain(["nowhere.csv"], world.contract, "pumps", return_state=True)
    assert state.is_failed()
    with pytest.raises(DataError, match=r"csv='nowhere\.csv'"):
        state.result()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_flow_run_with_its_command(
    number: int, code: int, world: World, server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.sorting import FlowRunSort

    from faultxfer.cli.session import run_command
    from flows.pipeline import validate

    cleaned = []

    def check_rows(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        finally:
            os.kill(
                os.getpid(), signal.SIGTERM
            )  # as `timeout` sends it to the process and then to its group
            cleaned.append("up")

    monkeypatch.setattr(steps, "check_rows", check_rows)
    with pytest.raises(typer.Exit) as left:
        run_command(lambda: validate([world.target], world.contract), json_output=True, render=None)
    assert (left.value.exit_code, cleaned) == (code, ["up"])
    with get_client(sync_client=True) as client:
        (run_of_now,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    assert run_of_now.state_name == "Crashed"


def test_the_temporary_server_leads_a_session_of_its_own_and_is_watched(server: None) -> None:
    from prefect.server.api.server import SubprocessASGIServer

    from faultxfer import children

    process = SubprocessASGIServer().server_process
    assert process is not None
    assert (
        os.getsid(process.pid) == process.pid
    )  # no Ctrl-C ends it before the end of the flow run is written
    assert process.pid in children._WATCHER._told


def test_pretrain_and_score_run_as_flows(world: World, server: None) -> None:
    from flows.pipeline import pretrain, score

    network = PretrainOptions(network=SMALL_NETWORK)
    trained, run_id = run(pretrain, world.sources, world.contract, "fresh", network)
    assert trained.version == "1"
    assert str(trained.rows.docs) in artifact("data-docs-fresh").data
    assert tasks_of(run_id, 5) == [
        "look at the request",
        "check rows against the contract",
        "look for copies among the runs",
        "train the source network",
        "register the source model as champion",
    ]
    pipeline.transfer([world.target], world.contract, "pumps", world.equipment, OPTIONS)
    scored, run_id = run(score, [world.new_rows], "pumps", world.equipment, "scores.csv")
    assert scored.out.is_file()
    assert len(tasks_of(run_id, 4)) == 4


@pytest.mark.parametrize("name", ["validate", "pretrain", "transfer", "score", "learning_curve"])
def test_the_form_has_a_title_and_a_description_for_each_field_of_the_request(name: str) -> None:
    import flows.pipeline
    from faultxfer.cli.pipelines import REQUESTS
    from flows.forms import added, may_be_left_out

    schema = getattr(flows.pipeline, name).parameters.model_dump()
    kind = REQUESTS[name]
    more = {field: one.field for field, one in added(kind).items()}
    assert set(schema["properties"]) == {*kind.model_fields, *more}
    for field, info in {**kind.model_fields, **more}.items():
        assert schema["properties"][field]["title"] == info.title
        assert schema["properties"][field]["description"] == info.description
    required = {field for field, info in kind.model_fields.items() if info.is_required()}
    assert set(schema["required"]) == required - may_be_left_out(kind)
    if name == "transfer":
        assert {"TransferOptions", "GateOptions", "SplitOptions"} <= set(schema["definitions"])


def test_deployments_of_the_first_release_start_with_their_own_parameters(
    world: World, server: None
) -> None:
    from prefect.flows import load_flow_from_entrypoint

    former = load_flow_from_entrypoint(f"{FLOWS}/validate.py:validate")
    rows, run_id = run(former, csv=[world.target], contract=world.contract, quarantine="aside")
    assert rows.accepted > 0
    assert tasks_of(run_id, 2) == ["look at the request", "check rows against the contract"]
    schema = load_flow_from_entrypoint(f"{FLOWS}/transfer.py:transfer").parameters.model_dump()
    assert set(schema["required"]) == {"csv", "contract", "model", "equipment"}
    stored = {"csv": ["a.csv"], "contract": "c.yaml", "options": None, "quarantine": None}
    asked = {
        "transfer": {"model": "pumps", "equipment": "pump-9"},
        "pretrain": {"model": "pumps"},
        "learning_curve": {"model": "pumps", "equipment": "pump-9", "out": None},
    }
    for name, more in asked.items():
        flow = load_flow_from_entrypoint(f"{FLOWS}/{name}.py:{name}")
        assert flow.validate_parameters({**stored, **more})["options"] is None


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Address of a web server that is not Prefect."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/api", "http://127.0.0.1:abc/api", "something else"]
)
def test_a_prefect_server_that_is_not_there_is_said_in_one_sentence(
    address: str, elsewhere: str
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from faultxfer.errors import ConfigError
    from flows.server import start_in_background

    with (
        temporary_settings(
            {PREFECT_API_URL: elsewhere if address == "something else" else address}
        ),
        pytest.raises(ConfigError) as caught,
    ):
        start_in_background()()
    assert "PREFECT_API_URL" in str(caught.value)


@pytest.mark.parametrize(("banner", "pages"), [("", 0), ("Version 1 is provisional.", 1)])
def test_scores_of_no_champion_are_marked_on_the_page_of_the_run(
    banner: str, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import publish

    shown: list[dict[str, str]] = []
    monkeypatch.setattr(publish, "create_markdown_artifact", lambda **given: shown.append(given))
    result: Any = SimpleNamespace(banner=banner, model="pumps", equipment=None)
    publish.PUBLISHED["score_rows"](result)
    assert [banner in one["markdown"] for one in shown] == [True] * pages


def test_a_fleet_is_one_run_that_shows_its_machines_the_worst_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: None
) -> None:
    from flows.endings import UnfitError
    from flows.fleet import fleet

    monkeypatch.chdir(tmp_path)
    Path("pumps.yaml").write_text("family: pumps\nlabel: {column: fault}\nsensors: {flow: {}}\n")
    Path("good.csv").write_text("flow,fault\n" + "".join(f"{n}.5,{n % 2}\n" for n in range(40)))
    Path("bad.csv").write_text("")
    Path("fleet.yaml").write_text("machines: {P1: good.csv, P2: bad.csv}")
    state = fleet("validate", "fleet.yaml", contract="pumps.yaml", workers=1, return_state=True)
    made = state.result(raise_on_failure=False)
    assert state.is_failed()
    assert isinstance(made, UnfitError)
    assert state.message.startswith("Validate of 2 machines: 1 unfit, 1 accepted. P2: ")
    shown = artifact("fleet-validate").data
    assert shown.index("P2") < shown.index("P1")
    assert str(made.made.page) in shown
