"""Fill the disk at many places of a registration and of a whole transfer, and look at what is left.

    sudo uv run python benchmarks/full_disk_test.py [--levels 20] [--transfers 6] [--store
    sqlite|http|both] [--inert]

The store, and in turn the folder for temporary files, lies on a small tmpfs of its own, which takes
a user who may mount. A file fills it but for some KiB; with more and more of them free, the same
work runs into the end at one write after the other. Each time it must end with one sentence that
names the full disk, the champion of before must load and score, and once there is room again,
`registry doctor` and the same work must leave nothing half done.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import registry_trials as trials
from registry_work import Trial, forget, prepared

# Room for the files of all trials: MLflow keeps those of deleted versions.
_BYTES = 512 * 2**20
# What is left free in turn reaches this much beyond what the work needs, so that the last ones
# succeed.
_BEYOND = 1.2
_DONE, _SAID = "done", "said"


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A tmpfs mounted at ``folder``."""
    folder.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_BYTES}", "tmpfs", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_bytes(disk: Path) -> int:
    """What may still be written there."""
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


@contextlib.contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """All but ``free`` bytes taken."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes(disk) - free)
    try:
        yield
    finally:
        ballast.unlink()


@dataclass(frozen=True)
class Attempt:
    """Work on a disk that gets full.

    Attributes:
        trial: what is done.
        disk: the small one.
        temporary: whether temporary files go there, instead of the store.
        whole: a whole transfer instead of a registration.
    """

    trial: Trial
    disk: Path
    temporary: bool
    whole: bool

    def answer(self) -> dict[str, str]:
        """The work in this process: the version, or the sentence that a user would read."""
        from faultxfer.errors import UserError

        if self.temporary:
            # As in a process that chose its folder while there was room; Python would take another
            # one otherwise.
            tempfile.tempdir = str(self.disk)
        try:
            return {_DONE: str(self.trial.work(whole=self.whole))}
        except UserError as error:
            return {_SAID: str(error)}

    def need(self) -> int:
        """Bytes that the work takes of the disk at its end.

        Of temporary files the most that was seen of them.
        """
        before = free_bytes(self.disk)
        least = before
        process, reading = trials.start(self.answer)
        while self.temporary and not os.waitid(
            os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT
        ):
            least = min(least, free_bytes(self.disk))
        status, answer = trials.finish(process, reading)
        if status or _DONE not in answer:
            raise SystemExit(f"the work does not succeed where there is room: {answer}")
        return before - min(least, free_bytes(self.disk))

    def on(self, free: int) -> tuple[str, dict[str, Any]]:
        """Try with ``free`` bytes; what came of it, and what is wrong."""
        with filled(self.disk, free):
            status, answer = trials.finish(*trials.start(self.answer))
            wrong = {"champion while full": trials.in_child(self.trial.champion_scores)}
        wrong |= trials.in_child(lambda: self.trial.aftermath(whole=self.whole))
        wrong.pop("doctor")
        if status:
            return "failed", {**wrong, "status": status}
        if _SAID in answer and not _names_the_disk(answer[_SAID]):
            wrong["sentence"] = answer[_SAID]
        return next(iter(answer)), wrong


def _names_the_disk(sentence: str) -> bool:
    return any(
        words in sentence for words in ("No space left", "disk is full", "No usable temporary")
    )


def begin_anew(trial: Trial) -> None:
    """One champion, and no transfer that was made before."""
    trials.in_child(lambda: forget(trial.store))
    trials.in_child(trial.work)


def sweep(attempt: Attempt, levels: int) -> dict[str, Any]:
    """One line of the table."""
    begin_anew(attempt.trial)
    need = attempt.need()
    counts, wrong = {_DONE: 0, _SAID: 0, "failed": 0}, []
    for level in range(levels):
        begin_anew(attempt.trial)
        free = int(_BEYOND * need * level / (levels - 1)) // 4096 * 4096
        outcome, found = attempt.on(free)
        counts[outcome] += 1
        wrong += [f"{free // 1024} KiB: {name}: {value}" for name, value in found.items() if value]
    return {
        "full": "temporary files" if attempt.temporary else "store",
        "work": "transfer" if attempt.whole else "registration",
        "KiB needed": need // 1024,
        "tried": levels,
        "one sentence": counts[_SAID],
        "succeeded": counts[_DONE],
        "wrong": "; ".join(wrong) or "nothing",
    }


def run(
    kind: str, folder: Path, levels: int, transfers: int, *, inert: bool
) -> Iterator[dict[str, Any]]:
    """All lines of one store."""
    with (
        small_disk(folder / kind) as disk,
        small_disk(folder / f"{kind}-temporary") as temporary,
        trials.store_of(kind, disk / "store") as store,
    ):
        trial = prepared(kind, folder, store, inert=inert)
        for whole, tried in ((False, levels), (True, 0 if inert else transfers)):
            if tried:
                yield {"store": kind, **sweep(Attempt(trial, disk, False, whole), tried)}
                yield {"store": kind, **sweep(Attempt(trial, temporary, True, whole), tried)}


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--levels", type=int, default=20, help="amounts of free space for a registration"
    )
    parser.add_argument(
        "--transfers", type=int, default=6, help="amounts of free space for a whole transfer"
    )
    parser.add_argument("--store", choices=("sqlite", "http", "both"), default="both")
    parser.add_argument(
        "--inert", action="store_true", help="files without a network; no whole transfers"
    )
    given = parser.parse_args()
    trials.warm(*([] if given.inert else ["faultxfer.pipeline", "lightgbm", "great_expectations"]))
    kinds = ("sqlite", "http") if given.store == "both" else (given.store,)
    lines = []
    with tempfile.TemporaryDirectory(prefix="faultxfer-full-") as folder:
        for kind in kinds:
            for line in run(kind, Path(folder), given.levels, given.transfers, inert=given.inert):
                if not lines:
                    print("| " + " | ".join(line) + " |\n|" + "---|" * len(line))
                print("| " + " | ".join(str(value) for value in line.values()) + " |", flush=True)
                lines.append(line)
    return int(any(line["wrong"] != "nothing" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
