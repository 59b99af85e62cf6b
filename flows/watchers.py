"""A watcher for each family that has a landing folder, as a process beside what serves the rest.

A process, because a file that takes all memory must not take the deployments with it. One that ends
is started again: what it had begun it finds in its ledger.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress

from faultxfer import children
from faultxfer.deployments import Deployments

_COMMAND = "from faultxfer.cli import main; main()"
_LOOK_SECONDS, _AGAIN_SECONDS, _STOP_SECONDS = 1.0, 10.0, 10.0


def commands(settings: Deployments, file: str | None) -> list[list[str]]:
    """What each watcher is called with.

    Args:
        settings: the families, with the folders that are watched.
        file: from which they come; None for those that are found without one.
    """
    named = ["--deployments", file] if file else []
    return [
        ["watch", str(family.landing), "--family", name, *named]
        for name, family in settings.families.items()
        if family.landing is not None
    ]


async def keep_watching(settings: Deployments, file: str | None) -> None:
    """Run the watchers until this is cancelled."""
    await asyncio.gather(*(_keep(words) for words in commands(settings, file)))


async def _keep(words: list[str]) -> None:
    while True:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and command
            [sys.executable, "-c", _COMMAND, *words], stdin=subprocess.DEVNULL
        )
        children.watch(process)
        try:
            while process.poll() is None:
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            _end(process)
        await asyncio.sleep(_AGAIN_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end it where it does not."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        process.kill()
        process.wait()
    children.forget(process)
