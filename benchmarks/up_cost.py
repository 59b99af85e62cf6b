"""What ``faultxfer up`` costs: seconds to ready, memory of all its processes, seconds to stop.

And where it connects to: it is run once more below ``strace``, and a connection beyond this machine
is an error.

    python benchmarks/up_cost.py            # the figures of docs/configuration.md
    python benchmarks/up_cost.py --scoring  # and where the files that landed are scored
    python benchmarks/up_cost.py --trace    # and the traced run, which takes several times as long

It works in a new folder, with two simulated files landed; for `--scoring` a source model and a
machine's version are made first. Exit code 1 where a promise is not kept.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from watch_folder_test import prepared

from faultxfer.simulation.simulator import write_pump_fleet

READY_SECONDS, MEGABYTES = 45.0, 1200.0
# Until services have run once, and the forms were written anew.
SETTLED_SECONDS = 30.0
# What works on files that landed ends within this.
WORKED_SECONDS = 300.0
_WORKING = "faultxfer.cli.working"
_CALLED = re.compile(r"(?:connect|sendto)\(.*sa_family=(AF_INET6?),.*")
_HOME = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "(?:::1|::ffff:127\.)')


def plant(folder: Path) -> None:
    """Settings of one family, and files that landed."""
    fleet = write_pump_fleet(folder / "landing", target_equipment="pump-9")
    contract = fleet.contract.rename(folder / "pumps.yaml")
    (folder / "deployments.yaml").write_text(
        f"families: {{pumps: {{contract: {contract}, landing: landing}}}}\n"
    )


def started(folder: Path, before: list[str]) -> tuple[subprocess.Popen[str], float]:
    """The command, and after how many seconds it printed its addresses."""
    since = time.monotonic()
    command = [str(Path(sys.executable).parent / "faultxfer"), "up", "--json"]
    process = subprocess.Popen(
        [*before, *command, "--mlflow-port", "0", "--prefect-port", "0"],
        cwd=folder,
        env={**os.environ, "PREFECT_HOME": str(folder / "prefect")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if '"mlflow"' not in process.stdout.readline():
        raise SystemExit("it did not start")
    return process, time.monotonic() - since


def megabytes(process: psutil.Process) -> tuple[float, float]:
    """Sum over all processes: resident, and with shared pages counted once (PSS)."""
    everything = [process, *process.children(recursive=True)]
    resident = sum(one.memory_info().rss for one in everything)
    proportional = sum(one.memory_full_info().pss for one in everything)
    return resident / 2**20, proportional / 2**20


def most(process: psutil.Process) -> float:
    """The most megabytes resident until services have run, and what landed was worked on."""
    since, highest = time.monotonic(), 0.0
    working = True
    while working or time.monotonic() - since < SETTLED_SECONDS:
        time.sleep(1)
        working, resident = False, 0
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                resident += one.memory_info().rss
                working |= _WORKING in one.cmdline()
        highest = max(highest, resident / 2**20)
        if time.monotonic() - since > WORKED_SECONDS:
            raise SystemExit("the files that landed are still being worked on")
    return highest


def stopped(
    process: subprocess.Popen[str], below: list[psutil.Process], sign: signal.Signals
) -> tuple[float, int]:
    """Seconds from the signal to the end, and how many processes are left."""
    since = time.monotonic()
    process.send_signal(sign)
    process.wait(timeout=120)
    seconds = time.monotonic() - since
    return seconds, len(psutil.wait_procs(below, timeout=5)[1])


def measure(folder: Path, what: str, sign: signal.Signals) -> bool:
    """Print the figures; whether the promises are kept."""
    process, ready = started(folder, [])
    one = psutil.Process(process.pid)
    highest = most(one)
    below = one.children(recursive=True)
    resident, proportional = megabytes(one)
    seconds, left = stopped(process, below, sign)
    print(
        f"{what}: ready in {ready:.0f} s; {resident:.0f} MB resident, {proportional:.0f} MB "
        f"with shared pages counted once, in {len(below) + 1} processes, at most {highest:.0f} MB "
        f"while it worked on what landed; stopped by {sign.name} in {seconds:.0f} s, {left} "
        f"processes left; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return ready <= READY_SECONDS and resident <= MEGABYTES and left == 0


def scoring(folder: Path) -> bool:
    """The same where a version scores what landed."""
    rows = prepared(folder)
    (folder / "landing").mkdir()
    for number in range(2):
        header, *lines = rows.read_text().splitlines(keepends=True)
        part = "".join([header, *lines[number::2]])
        (folder / "landing" / f"part-{number}.csv").write_text(part)
    (folder / "deployments.yaml").write_text(
        "families: {pumps: {contract: fleet/pumps.yaml, landing: landing}}\n"
    )
    kept = measure(folder, "with a version that scores", signal.SIGTERM)
    scored = sorted(path.name for path in folder.glob("landing/scores/*/part-?.csv"))
    print(f"scored: {', '.join(scored)}")
    return kept and len(scored) == 2


def trace(folder: Path) -> bool:
    """Whether nothing is connected to beyond this machine."""
    log = folder / "trace.log"
    calls = "trace=connect,sendto"
    process, _ = started(
        folder, ["strace", "-f", "--seccomp-bpf", "-qq", "-e", calls, "-o", str(log)]
    )
    time.sleep(SETTLED_SECONDS)
    (command,) = psutil.Process(process.pid).children()
    command.send_signal(signal.SIGINT)
    process.wait(timeout=300)
    lines = log.read_text(errors="replace").splitlines()
    called = [line for line in lines if _CALLED.search(line)]
    beyond = [line for line in called if not _HOME.search(line)]
    print(f"traced: {len(called)} connections, {len(beyond)} beyond this machine")
    print("\n".join(beyond[:20]))
    return not beyond


def main() -> None:
    """Measure, and trace where asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trace", action="store_true", help="trace connections too")
    parser.add_argument("--scoring", action="store_true", help="score what landed, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder))
        kept = measure(Path(folder), "new registry and server", signal.SIGINT)
        kept &= measure(Path(folder), "those of before", signal.SIGTERM)
        if asked.trace:
            kept &= trace(Path(folder))
    if asked.scoring:
        with tempfile.TemporaryDirectory() as folder:
            kept &= scoring(Path(folder))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
