"""The watchers that `faultxfer up` keeps: one for each folder, started again, none left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from faultxfer.deployments import Deployments
from flows import watchers


def settings(**landing: str | None) -> Deployments:
    families = {name: {"contract": f"{name}.yaml"} for name in landing}
    for name, folder in landing.items():
        if folder is not None:
            families[name]["landing"] = folder
    return Deployments.model_validate({"families": families})


def test_each_family_with_a_folder_has_a_watcher() -> None:
    families = settings(pumps="in/pumps", fans=None, presses="in")
    assert watchers.commands(families, None) == [
        ["watch", "in/pumps", "--family", "pumps"],
        ["watch", "in", "--family", "presses"],
    ]
    assert watchers.commands(families, "plant.yaml")[0][-2:] == ["--deployments", "plant.yaml"]


def test_a_killed_watcher_is_started_again_and_all_end_with_who_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = "import os, time; open('begun', 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
    monkeypatch.setattr(watchers, "_COMMAND", program)
    monkeypatch.setattr(watchers, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(watchers, "_AGAIN_SECONDS", 0.1)

    async def begun(count: int) -> list[int]:
        for _ in range(300):
            lines = Path("begun").read_text().split() if Path("begun").exists() else []
            if len(lines) >= count:
                return [int(line) for line in lines]
            await asyncio.sleep(0.1)
        raise AssertionError("it was not started")

    async def kept() -> list[int]:
        task = asyncio.create_task(watchers.keep_watching(settings(pumps="in"), None))
        (first,) = await begun(1)
        os.kill(first, signal.SIGKILL)
        both = await begun(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return both

    assert not [number for number in asyncio.run(kept()) if psutil.pid_exists(number)]
