"""What ``faultxfer up`` costs: seconds to ready, memory of all its processes, seconds to stop.

And where it connects to: it is run once more below ``strace``, and a connection beyond this machine
is an error.

    python benchmarks/up_cost.py            # the figures of docs/configuration.md
    python benchmarks/up_cost.py --trace    # and the traced run, which takes several times as long

It works in a new folder, with two simulated files landed. Exit code 1 where a promise is not kept.
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
from pathlib import Path

import psutil

from faultxfer.simulation.simulator import write_pump_fleet

READY_SECONDS, MEGABYTES = 45.0, 1200.0
# Until services have run once, and the forms were written anew.
SETTLED_SECONDS = 30.0
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


def stopped(process: subprocess.Popen[str], below: list[psutil.Process]) -> tuple[float, int]:
    """Seconds from Ctrl-C to the end, and how many processes are left."""
    since = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=120)
    seconds = time.monotonic() - since
    return seconds, len(psutil.wait_procs(below, timeout=5)[1])


def measure(folder: Path) -> bool:
    """Print the figures; whether the promises are kept."""
    kept = True
    for what in ("new registry and server", "those of before"):
        process, ready = started(folder, [])
        time.sleep(SETTLED_SECONDS)
        one = psutil.Process(process.pid)
        below = one.children(recursive=True)
        resident, proportional = megabytes(one)
        seconds, left = stopped(process, below)
        print(
            f"{what}: ready in {ready:.0f} s; {resident:.0f} MB resident, {proportional:.0f} MB "
            f"with shared pages counted once, in {len(below) + 1} processes; stopped in "
            f"{seconds:.0f} s, {left} processes left; load {os.getloadavg()[0]:.1f}"
        )
        kept &= ready <= READY_SECONDS and resident <= MEGABYTES and left == 0
    return kept


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
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder))
        kept = measure(Path(folder))
        if asked.trace:
            kept &= trace(Path(folder))
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
