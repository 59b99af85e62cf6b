"""Each machine by itself: what happens to one touches no other, and nothing is done twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from conftest import World

from faultxfer.config import GateOptions, Limit, TransferOptions
from faultxfer.errors import ConfigError
from faultxfer.fleet import room, tasks
from faultxfer.fleet.ledger import sole_fleet
from faultxfer.fleet.outcomes import FleetResult, Outcome
from faultxfer.fleet.running import Done, run_fleet
from faultxfer.fleet.tasks import Answer, HandedOver, Lost, Task, do
from faultxfer.registry.store import open_registry
from faultxfer.requests import FleetRequest

CONTRACT = "family: pumps\nlabel: {column: fault}\nsensors: {flow: {min: 0}}\n"


class InThisProcess:
    """Does what is submitted at once.

    Args:
        done: where answers go.
        by: what does it.
    """

    count = 1

    def __init__(self, done: Done, by: Callable[[Any], Answer] = do) -> None:
        self.done, self.by = done, by

    def submit(self, task: Task | HandedOver) -> None:
        self.done.put((task, self.by(task)))

    def close(self, *, at_once: bool = False) -> None:
        pass


def in_this_process(request: FleetRequest, machines: int, done: Done) -> InThisProcess:
    return InThisProcess(done)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four machines to validate; the third has an empty file."""
    monkeypatch.chdir(tmp_path)
    Path("pumps.yaml").write_text(CONTRACT)
    rows = "flow,fault\n" + "".join(f"{n}.5,{n % 2}\n" for n in range(40))
    listed = ["equipment,csv,note"]
    for number in range(1, 5):
        Path(f"{number}.csv").write_text("" if number == 3 else rows)
        listed.append(f"P{number},{number}.csv,hall {number}")
    Path("fleet.csv").write_text("\n".join(listed))
    return tmp_path


def asked(**given: Any) -> FleetRequest:
    return FleetRequest(task="validate", manifest="fleet.csv", contract="pumps.yaml", **given)


def outcomes(result: FleetResult) -> dict[str, str]:
    return {one.machine: one.outcome for one in result.machines}


def by_fake(told: list[str], stop_after: int = 99) -> Callable[..., InThisProcess]:
    """Workers that accept every machine, until the command is killed."""

    def accept(task: Task) -> Answer:
        if len(told) == stop_after:
            raise KeyboardInterrupt
        told.append(task.machine)
        return Outcome(task.machine, "done", "accepted", "Fits.")

    return lambda request, machines, done: InThisProcess(done, accept)


def test_a_command_that_was_killed_goes_on_where_it_stopped(plant: Path) -> None:
    first: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_fleet(asked(), start=by_fake(first, stop_after=2))
    # What was answered and not yet taken when it was killed is done again.
    kept = len([*Path("fleet/.faultxfer").glob("*.json")])
    then: list[str] = []
    lines: list[tuple[int, int, str]] = []
    result = run_fleet(
        asked(),
        lambda ended, of, one: lines.append((ended, of, one.before)),
        start=by_fake(then),
    )
    assert sorted(outcomes(result)) == ["P1", "P2", "P3", "P4"]
    assert len(then) == 4 - kept
    assert [ended for ended, _, _ in lines] == [1, 2, 3, 4]
    assert sum(bool(before) for _, _, before in lines) == kept
    assert f"{kept} of them before" in result.headline or not kept


def test_what_changed_is_done_again_and_all_of_it_where_asked(plant: Path) -> None:
    run_fleet(asked(), start=by_fake([]))
    Path("2.csv").write_text("flow,fault\n1.5,0\n")
    again: list[str] = []
    run_fleet(asked(), start=by_fake(again))
    assert again == ["P2"]
    over: list[str] = []
    run_fleet(asked(again=True), start=by_fake(over))
    assert over == ["P1", "P2", "P3", "P4"]


def test_a_machine_whose_workers_are_gone_is_begun_again_and_then_given_up(plant: Path) -> None:
    tries: list[str] = []

    def lose(task: Task) -> Answer:
        tries.append(task.machine)
        if task.machine == "P2" or (task.machine == "P1" and tries.count("P1") == 1):
            return Lost(task.machine, "its process ended by signal SIGKILL")
        return Outcome(task.machine, "done", "accepted", "Fits.")

    result = run_fleet(asked(), start=lambda request, machines, done: InThisProcess(done, lose))
    assert (tries.count("P1"), tries.count("P2")) == (2, 3)
    assert result.machines[0].machine == "P2"
    assert result.machines[0].internal
    assert "SIGKILL" in result.machines[0].told
    assert outcomes(result)["P1"] == "accepted"
    # It is nobody's fault for ever.
    assert outcomes(run_fleet(asked(), start=by_fake([])))["P2"] == "accepted"


def test_a_crash_of_one_machine_is_an_answer(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_check = tasks.of_check

    def crash(machine: str, rows: Any) -> Outcome:
        if machine == "P1":
            raise RuntimeError("a defect")
        return of_check(machine, rows)

    monkeypatch.setattr(tasks, "of_check", crash)
    result = run_fleet(asked(), start=in_this_process)
    assert outcomes(result) == {"P1": "failed", "P2": "accepted", "P3": "unfit", "P4": "accepted"}
    assert "RuntimeError: a defect" in next(m.told for m in result.machines if m.machine == "P1")


def test_one_command_works_in_a_folder_and_has_room_for_its_workers(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sole_fleet(Path("fleet")), pytest.raises(ConfigError, match="Another process works"):
        run_fleet(asked(), start=by_fake([]))
    monkeypatch.setattr(room, "available_memory", lambda: 2_100_000_000)
    assert room.workers_that_fit(8, 0.5, 100, 1) == 3
    with pytest.raises(ConfigError, match="too little memory for a worker"):
        run_fleet(asked(memory_per_worker=2.5))


@pytest.mark.slow
def test_a_killed_worker_process_is_replaced_and_no_machine_is_lost(
    plant: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from faultxfer.cli import main, telling

    def kill(self: Any, ended: int, of: int, one: Outcome) -> None:
        if ended > 1:
            return
        children = psutil.Process().children(recursive=True)
        workers = [child for child in children if "fleet.worker" in " ".join(child.cmdline())]
        assert len(workers) == 1
        os.kill(workers[0].pid, signal.SIGKILL)

    monkeypatch.setattr(telling.Telling, "__call__", kill)
    options = ["--contract", "pumps.yaml", "--workers", "1", "--no-prefect", "--json"]
    with pytest.raises(SystemExit) as left:
        main(["fleet", "validate", "fleet.csv", *options])
    answer = json.loads(capsys.readouterr().out)
    assert left.value.code == 2
    found = {one["machine"]: one["outcome"] for one in answer["machines"]}
    assert found == {"P1": "accepted", "P2": "accepted", "P3": "unfit", "P4": "accepted"}
    page = Path(answer["page"]).read_text()
    assert page.index("P3") < page.index("P1")
    assert "hall 3" in page


@pytest.mark.slow
def test_dask_does_the_same_on_a_cluster_of_this_machine(plant: Path) -> None:
    pytest.importorskip("distributed")
    result = run_fleet(asked(dask="local", workers=1))
    assert outcomes(result) == {"P1": "accepted", "P2": "accepted", "P3": "unfit", "P4": "accepted"}


def test_an_address_where_nobody_answers_is_one_sentence(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from faultxfer.fleet import dask

    monkeypatch.setattr(dask, "_ANSWER_SECONDS", 0.2)
    with pytest.raises(ConfigError, match="The Dask scheduler does not answer"):
        run_fleet(asked(dask="tcp://127.0.0.1:1"))
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'faultxfer\[fleet\]'"):
        run_fleet(asked(dask="tcp://127.0.0.1:1"))


def test_transfers_of_a_fleet_are_judged_and_registered_as_by_themselves(world: World) -> None:
    rows = pd.read_csv(world.target)
    mixed = rows.assign(equipment="P-8", fault=rows["fault"].sample(frac=1, random_state=0).values)
    mixed.to_csv("mixed.csv", index=False)
    Path("empty.csv").write_text("")
    Path("fleet.csv").write_text(
        f"equipment,csv\n{world.equipment},{world.target}\nP-8,mixed.csv\nP-7,empty.csv\n"
    )
    options = TransferOptions(
        strategy="fine_tune",
        steps=40,
        epochs=5,
        split={"folds": 2},
        gate=GateOptions(value={"pr_auc": Limit(min=0.6)}),
    )
    request = FleetRequest(
        task="transfer",
        manifest="fleet.csv",
        contract=world.contract,
        model="pumps",
        options=options,
    )
    result = run_fleet(request, start=in_this_process, register=in_this_process)
    found = outcomes(result)
    assert found["P-7"] == "failed"
    assert found[world.equipment] == "promoted"
    assert found["P-8"] in ("refused", "provisional")
    assert [one.grade for one in result.machines] == ["failed", "refused", "done"]
    champion = open_registry().champion(f"pumps--fault--{world.equipment}")
    assert champion is not None
    again = run_fleet(request, start=in_this_process, register=in_this_process)
    assert outcomes(again) == found
    assert all(one.before for one in again.machines)

    scored = run_fleet(
        FleetRequest(task="score", manifest="fleet.csv", model="pumps"), start=in_this_process
    )
    assert outcomes(scored)[world.equipment] == "scored"
    assert Path(f"fleet/scores/{world.equipment}.csv").is_file()
    assert outcomes(scored)["P-7"] == "failed"
