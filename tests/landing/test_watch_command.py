"""`faultxfer watch` as it is typed: settings, output and exit codes; nothing can score here."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from inert_workers import Inert

from faultxfer.cli import main
from faultxfer.deployments import Deployments
from faultxfer.errors import ConfigError
from faultxfer.landing import watching
from faultxfer.landing.families import watch_of

CONTRACT = """\
family: {name}
equipment_column: asset
label: {{column: state, normal: [ok], fault: [leak]}}
sensors:
  flow: {{unit: m3/h}}
"""
ROWS = "asset,flow\nM,1.5\n"


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two families with a folder each, and workers that load nothing."""
    monkeypatch.chdir(tmp_path)
    settings = ["families:"]
    for name in ("pumps", "fans"):
        Path(f"{name}.yaml").write_text(CONTRACT.format(name=name))
        Path(f"in/{name}").mkdir(parents=True)
        settings.append(f"  {name}: {{contract: {name}.yaml, landing: in/{name}}}")
    Path("deployments.yaml").write_text("\n".join(settings) + "\n")
    inert = Inert(unfit={"bad.csv"})
    actual = watching.watch

    def watch(request: Any, workers: Any = None, tell: Any = lambda _: None) -> Any:
        return actual(request, inert.workers, tell)

    monkeypatch.setattr(watching, "watch", watch)
    return tmp_path


def typed(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["watch", *words, "--settle", "0.01", "--no-prefect"])
    return int(left.value.code or 0)


def test_a_look_prints_each_file_and_ends_with_counts(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plant / "in/pumps/a.csv").write_text(ROWS)
    assert typed("--family", "pumps", "--once") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("scored: a.csv (M): 1 row scored with champion version 1, 0 alarms")
    assert lines[-1] == "watched in/pumps: 1 file scored"


def test_a_refused_file_ends_with_exit_code_two_and_what_to_type(
    plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (plant / "in/fans/bad.csv").write_text(ROWS)
    assert typed("--family", "fans", "--once", "--json") == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["command"], answer["outcome"]) == ("watch", "watched")
    (file,) = answer["files"]
    assert (file["outcome"], file["file"], file["machine"]) == ("refused", "bad.csv", "M")
    assert file["next"]["command"] == "faultxfer validate in/fans/bad.csv --contract fans.yaml"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Several families are deployed, and none was named"),
        (("--family", "pump"), "pumps"),
        (("nowhere", "--family", "pumps"), "There is no such folder to watch"),
    ],
)
def test_what_cannot_be_watched_is_said_in_a_sentence(
    words: tuple[str, ...], said: str, plant: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(*words, "--once") == 2
    assert said in capsys.readouterr().err


def test_settings_of_the_family_go_into_the_watch(plant: Path) -> None:
    Path("gate.yaml").write_text("value: {pr_auc: {min: 0.4}}\n")
    Path("options.yaml").write_text("steps: 7\n")
    family = {
        "contract": "pumps.yaml",
        "landing": "in/pumps",
        "transfer_labelled": True,
        "policy": "manual",
        "approval_days": 3,
        "gate": "gate.yaml",
        "options": "options.yaml",
    }
    settings = Deployments.model_validate({"families": {"pumps": family}})
    request = watch_of(settings, None, every=2.0)
    assert (request.model, request.transfer_labelled, request.policy) == ("pumps", True, "manual")
    assert (request.options.steps, request.approval_days, request.every) == (7, 3, 2.0)
    assert request.options.gate.value["pr_auc"].min == 0.4
    with pytest.raises(ConfigError, match="Nothing says which folder is watched"):
        watch_of(
            Deployments.model_validate({"families": {"pumps": {"contract": "pumps.yaml"}}}), None
        )


def test_without_once_it_goes_on_until_the_time_is_over(plant: Path) -> None:
    from faultxfer.requests import WatchRequest

    path = plant / "in/pumps/late.csv"
    request = WatchRequest(
        landing=plant / "in/pumps",
        contract=plant / "pumps.yaml",
        model="pumps",
        minutes=0.1,
        every=0.1,
        settle=0.2,
    )
    writer = threading.Timer(1.0, lambda: path.write_text(ROWS))
    writer.start()
    result = watching.watch(request)
    writer.join()
    assert [one.outcome for one in result.events] == ["scored"]
