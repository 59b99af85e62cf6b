"""Forms of the deployments: what they show, what they refuse, and the request that comes of them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY
from prefect.utilities.schema_tools.validation import validate

from faultxfer import requests
from faultxfer.config import GateOptions, TransferOptions
from faultxfer.deployments import Deployed, Deployments, load_deployments
from faultxfer.errors import ConfigError
from flows.choices import Registered, Waiting, choices_of
from flows.deployed import PLANS, Deployment, deployments_of
from flows.forms import machines_in, settled
from flows.prefect_file import as_text
from flows.serving import as_runner_deployment

CONTRACT = """\
family: {family}
label: {{column: broken}}
equipment_column: {machine}
sensors: {{flow: {{min: 0, max: 9}}}}
"""


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plant(family: str, machine: str, separator: str, files: dict[str, str], more: str = "") -> None:
    """A contract, its settings, and files that landed: by name the machines of their rows."""
    Path("in").mkdir()
    Path("c.yaml").write_text(CONTRACT.format(family=family, machine=machine))
    Path("deployments.yaml").write_text(
        f"families: {{{family}: {{contract: c.yaml, landing: in, {more}}}}}"
    )
    for name, machines in files.items():
        rows = [["1", one, "0"] for one in machines.split()]
        lines = [separator.join(row) for row in [["flow", machine, "broken"], *rows]]
        Path("in", name).write_text("\n".join(lines) + "\n")


def made(registered: Registered | None = None) -> dict[str, Deployment]:
    settings = load_deployments()
    choices = {name: choices_of(one, registered) for name, one in settings.families.items()}
    return {one.flow: one for one in deployments_of(settings, choices)}


def problems(one: Deployment, **parameters: Any) -> list[str]:
    """What Prefect's server says of parameters before a run is made."""
    found = validate({**one.parameters, **parameters}, one.schema)
    return [f"{problem.json_path}: {problem.message}" for problem in found]


TWINS = [
    ("pumps", "equipment", ",", {"a.csv": "pump-9 pump-9", "b.csv": "pump-8"}),
    ("fans", "Asset", ";", {"x.CSV": "F1", "y.csv": "F2 F2"}),
    ("Kälte 2", "unit name", "\t", {"w.csv": "k1", "v.csv": "k2 k2 k2"}),
]


@pytest.mark.parametrize(("family", "machine", "separator", "files"), TWINS)
def test_a_form_is_short_and_offers_what_landed(
    family: str, machine: str, separator: str, files: dict[str, str]
) -> None:
    plant(family, machine, separator, files)
    Path("in/half.csv.part").touch()
    Path("in/.hidden.csv").touch()
    form = made()["transfer"].schema["properties"]
    assert list(form) == ["files", "equipment", "dry_run", "more"]
    assert sorted(form["files"]["items"]["enum"]) == sorted(f"in/{name}" for name in files)
    machines = sorted({one for names in files.values() for one in names.split()})
    assert form["equipment"]["enum"] == machines
    assert [one["position"] for one in form.values()] == [0, 1, 2, 3]


@pytest.mark.parametrize(("family", "machine", "separator", "files"), TWINS)
def test_the_only_machine_of_the_files_need_not_be_named(
    family: str, machine: str, separator: str, files: dict[str, str]
) -> None:
    plant(family, machine, separator, files)
    given = made()["transfer"].parameters
    first, names = next(iter(files.items()))
    values = settled(requests.TransferRequest, {**given, "files": [f"in/{first}"]})
    assert requests.make_request(requests.TransferRequest, **values).equipment == names.split()[0]
    with pytest.raises(ConfigError, match="Choose a machine"):
        settled(requests.TransferRequest, given)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"files": ["in/c.csv"]}, "files[0]"),
        ({"files": []}, "files"),
        ({"equipment": "pump-7"}, "pump-8"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"more": {"contract": 7}}, "more.contract"),
        ({"more": {"policy": "managed"}}, "'policy' was unexpected"),
        ({"more": {"self_approval": True}}, "'self_approval' was unexpected"),
        (
            {"more": {"options": {"gate": {"self_approval": True}}}},
            "'self_approval' was unexpected",
        ),
        ({"more": {"options": {"false_alarm_rate": 2}}}, "more.options.false_alarm_rate"),
        ({"more": {"options": {"gate": {"tie": -2}}}}, "more.options.gate.tie"),
        ({"more": {"options": {"strategy": "stak"}}}, "'stack'"),
    ],
)
def test_wrong_values_are_refused_before_a_run(wrong: dict[str, Any], said: str) -> None:
    plant(*TWINS[0])
    transfer = made()["transfer"]
    assert any(said in one for one in problems(transfer, **wrong))


def test_what_prefects_pages_send_is_accepted() -> None:
    plant(*TWINS[0])
    transfer = made()["transfer"]
    assert problems(transfer) == []
    unfolded = {"contract": "c.yaml", "model": "pumps", "options": {}, "quarantine": "aside"}
    sent = {"dry_run": True, "files": ["in/a.csv"], "more": {}}
    assert problems(transfer, **sent) == []
    assert problems(transfer, **sent | {"more": unfolded}) == []
    values = settled(requests.TransferRequest, {**transfer.parameters, **sent, "more": unfolded})
    request = requests.make_request(requests.TransferRequest, **values)
    assert (request.dry_run, request.equipment, request.quarantine) == (
        True,
        "pump-9",
        Path("aside"),
    )


@pytest.mark.parametrize("tie", [0.01, 0.03, 0.2])
def test_files_with_rules_and_options_are_used_and_shown(tie: float) -> None:
    plant(*TWINS[0], more="gate: g.yaml, options: o.yaml")
    Path("g.yaml").write_text(f"tie: {tie}\n")
    Path("o.yaml").write_text("{steps: 77, gate: {tie: 0.5}}\n")
    one = made()["transfer"]
    shown = one.schema["definitions"]
    assert shown["GateOptions"]["properties"]["tie"]["default"] == tie
    assert shown["TransferOptions"]["properties"]["steps"]["default"] == 77
    rest = shown["Rest"]["properties"]
    assert (rest["gate_file"]["default"], rest["options_file"]["default"]) == ("g.yaml", "o.yaml")
    assert set(rest["gate_file"]["enum"]) >= {"g.yaml", "o.yaml"}
    given = {**one.parameters, "files": ["in/a.csv"]}
    options = settled(requests.TransferRequest, given)["options"]
    assert (options.gate.tie, options.steps) == (tie, 77)
    changed = {**given, "more": {"options": {"steps": 5}}}
    assert settled(requests.TransferRequest, changed)["options"].steps == 5


def test_a_file_with_rules_that_is_not_there_is_said_before_anything_is_deployed() -> None:
    plant(*TWINS[0], more="gate: nowhere.yaml")
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        made()


def test_a_schedule_runs_for_each_machine_unless_it_names_one() -> None:
    plant(
        *TWINS[0],
        more='schedules: {transfer: "0 3 * * 1", validate: "5 4 * * *", score: '
        '{cron: "0 5 * * *", parameters: {equipment: pump-8}}}',
    )
    found = made()
    by_machine = {n: s.parameters["equipment"] for n, s in found["transfer"].schedules.items()}
    assert by_machine == {"transfer-1-pump-8": "pump-8", "transfer-1-pump-9": "pump-9"}
    assert [s.parameters for s in found["score"].schedules.values()] == [{"equipment": "pump-8"}]
    for one in found.values():
        for schedule in one.schedules.values():
            assert problems(one, **schedule.parameters) == []


def test_what_waits_is_offered_and_described() -> None:
    plant(*TWINS[0])
    waiting = tuple(Waiting(f"pump-{n}, version 3", f"finds {n} faults") for n in (7, 9))
    approve = made(Registered(("pump-7",), waiting))["approve"]
    assert approve.schema["properties"]["waiting"]["enum"] == [one.choice for one in waiting]
    assert approve.schema["required"] == ["waiting", "decision", "reason", "name"]
    assert all(one.shown in approve.description for one in waiting)
    assert problems(approve, waiting="pump-7, version 3", decision="approve", reason="", name="A")


def test_scores_have_a_file_of_their_own_where_none_is_named() -> None:
    given = {"files": ["a.csv"], "model": "pumps", "equipment": "pump-9"}
    values = settled(requests.ScoreRequest, given)
    assert re.fullmatch(r"scores/pump-9-\d{8}-\d{6}\.csv", str(values["out"]))
    assert settled(requests.ScoreRequest, {**given, "out": "s.csv"})["out"] == "s.csv"


def test_a_request_of_python_is_as_it_was() -> None:
    options = TransferOptions(steps=3, gate=GateOptions(tie=0.3))
    given = {
        **{"files": ["a.csv"], "contract": "c.yaml", "model": "pumps", "equipment": "pump-9"},
        **{"options": options, "policy": None, "more": None, "gate_file": None},
    }
    assert settled(requests.TransferRequest, given)["options"] is options


@pytest.mark.parametrize("text", ["", "equipment\n", "other\n1\n", "\x00\xff"])
def test_a_file_without_machines_names_none(text: str) -> None:
    Path("odd.csv").write_bytes(text.encode("latin-1"))
    assert machines_in([Path("odd.csv"), Path("nowhere.csv")], "equipment") == []


def test_every_kind_of_deployment_that_settings_can_name_is_there() -> None:
    from typing import get_args

    assert set(PLANS) <= set(get_args(Deployed))


def test_the_file_for_work_pools_is_what_the_settings_of_this_repository_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert Path("prefect.yaml").read_text() == as_text(load_deployments(), "faultxfer")


def test_a_worker_and_up_are_given_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    listed = {
        one["name"]: one for one in yaml.safe_load(Path("prefect.yaml").read_text())["deployments"]
    }
    served = {one.name: as_runner_deployment(one) for one in made().values()}
    assert set(listed) == set(served)
    for name, one in served.items():
        there = listed[name]
        assert (there["entrypoint"], there["parameters"]) == (one.entrypoint, one.parameters)
        assert there["tags"] == one.tags
        assert there.get("concurrency_limit", {}).get("limit") == one.concurrency_limit


@pytest.mark.parametrize("name", [one for one in PLANS if "upkeep" not in PLANS[one].entrypoint])
def test_the_flow_takes_what_its_deployment_gives(name: str) -> None:
    plan = PLANS[name]
    module, _, function = plan.entrypoint.rpartition(".")
    flow = getattr(importlib.import_module(module), function)
    taken = set(flow.parameters.model_dump()["properties"])
    plant(*TWINS[0], more="policy: manual, approval_days: 3, options: o.yaml, self_approval: true")
    Path("o.yaml").write_text("steps: 3\n")
    one = made()[name]
    assert set(one.parameters) | set(one.schema["properties"]) <= taken


def test_landing_folders_of_several_families_lie_below_one() -> None:
    families = {name: {"contract": "c.yaml"} for name in ("pumps", "fans")}
    settings = Deployments.model_validate({"families": families}).with_landing(Path("in"))
    assert {str(one.landing) for one in settings.families.values()} == {"in/pumps", "in/fans"}
