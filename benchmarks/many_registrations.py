"""The path to thousands of machines: real registrations, one machine after the other.

    uv run python benchmarks/many_registrations.py [--machines 500] [--store http-postgresql]
        [--keep FOLDER]

One small candidate, made by a transfer of the product, is registered under as many machines' names
as are asked for, by the product's own registration: a run with its report, the upload, the version,
the smoke test in the clean process, the entry in the journal, the alias. Nothing is trained on the
way.

Printed are seconds, requests and processor time of a registration around each of some numbers of
machines, the slopes of both times over the machines (log-log), and what a registration waits for:
the calls of MLflow's client that take most of it, and how each grows. Processor time is that of
this process, its clean process, MLflow's server and PostgreSQL; unlike seconds it hardly depends on
what else the machine does.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import registry_at_size as size
import registry_trials as trials
import registry_work as work

POINTS = (50, 100, 200, 350, 500)
# A point's figure is the median of this many registrations before it.
_AROUND = 25


def register_many(store: trials.Store, bundle: Path, machines: int) -> list[dict[str, Any]]:
    """Register under one name after the other; what each took."""
    from faultxfer.bundle.manifest import read_manifest
    from faultxfer.registry import smoke

    os.environ["FAULTXFER_SMOKE_TEST"] = smoke.CLEAN_PROCESS
    trials.at(store)
    features = read_manifest(bundle).features
    smoke.expect_smoke_test()
    work.register_prepared(bundle, features, size.SOURCE)
    found = []
    for number in range(machines):
        found.append(_registered(bundle, features, number))
        if number + 1 in POINTS:
            report(found)
    return found


def _registered(bundle: Path, features: tuple[str, ...], number: int) -> dict[str, Any]:
    name = f"{size.SOURCE}--fault--pump-{number:05d}"
    with size.counted() as asked, timed_calls() as spent:
        begun, before = time.perf_counter(), used()
        work.register_prepared(bundle, features, name, source=size.SOURCE)
        seconds, after = time.perf_counter() - begun, used()
    processor = {who: after[who] - before.get(who, 0.0) for who in after}
    if (number + 1) % _AROUND == 0:
        said = ", ".join(f"{who} {spent:.2f}" for who, spent in processor.items())
        print(f"{number + 1}: {seconds:.2f} s ({said})", flush=True)
    return {
        "seconds": seconds,
        "processor": processor,
        "requests": sum(asked["requests"].values()),
        "spent": dict(spent),
    }


def used() -> dict[str, float]:
    """Seconds of the processor so far, by who used them."""
    of_the_trial = psutil.Process(os.getppid()).children(recursive=True)
    servers = [one for one in of_the_trial if _is_server(one)]
    own = os.times()
    return {
        "here": own.user + own.system,
        "clean process": _spent(psutil.Process().children(recursive=True)),
        "server": _spent(servers),
        "database": _spent(
            [one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres"]
        ),
    }


def _is_server(process: psutil.Process) -> bool:
    try:
        return "mlflow" in " ".join(process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False


def _spent(processes: list[psutil.Process]) -> float:
    found = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            found += times.user + times.system + times.children_user + times.children_system
    return found


@contextmanager
def timed_calls() -> Iterator[Counter[str]]:
    """Seconds by what they were spent on: calls of MLflow's client, and the smoke test."""
    from faultxfer.registry import clients, registering

    spent: Counter[str] = Counter()
    retrying = clients.RetryingClient.__getattr__
    steps = {"smoke_test": registering.smoke_test, "write_graph": registering.write_graph}

    def timed(name: str, method: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*given, **named)
            finally:
                spent[name] += time.perf_counter() - begun

        return call

    def counting(client: Any, name: str) -> Any:
        method = retrying(client, name)
        return timed(name, method) if callable(method) else method

    clients.RetryingClient.__getattr__ = counting  # type: ignore[method-assign]
    for name, step in steps.items():
        setattr(registering, name, timed(name, step))
    try:
        yield spent
    finally:
        clients.RetryingClient.__getattr__ = retrying  # type: ignore[method-assign]
        for name, step in steps.items():
            setattr(registering, name, step)


def slope(points: dict[int, float]) -> float:
    """Of a line through the logarithms."""
    xs, ys = [math.log(x) for x in points], [math.log(y) for y in points.values()]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((one - x) * (other - y) for one, other in zip(xs, ys, strict=True))
    return above / sum((one - x) ** 2 for one in xs)


def report(found: list[dict[str, Any]]) -> None:
    """Print the table, the slope and the bottleneck."""
    points = [point for point in POINTS if point <= len(found)] or [len(found)]
    by_call: dict[str, dict[int, float]] = defaultdict(dict)
    seconds: dict[int, float] = {}
    processor: dict[int, float] = {}
    for point in points:
        some = found[max(0, point - _AROUND) : point]
        seconds[point] = median(one["seconds"] for one in some)
        processor[point] = median(sum(one["processor"].values()) for one in some)
        requests = median(one["requests"] for one in some)
        for call in {name for one in some for name in one["spent"]}:
            by_call[call][point] = median(one["spent"].get(call, 0.0) for one in some)
        whose = {who: median(one["processor"][who] for one in some) for who in some[0]["processor"]}
        shares = ", ".join(f"{who} {spent:.2f}" for who, spent in whose.items())
        figures = f"{seconds[point]:.2f} s, {requests:.0f} requests, processor {shares}"
        print(f"{point:6} machines: {figures}", flush=True)
    if len(points) > 1:
        print(f"slope over machines (log-log): seconds {slope(seconds):.3f}, ", end="")
        print(f"processor time {slope(processor):.3f}")
    last = points[-1]
    for call, spent in sorted(by_call.items(), key=lambda one: -one[1][last])[:8]:
        grown = f", slope {slope(spent):.2f}" if len(points) > 1 and all(spent.values()) else ""
        print(f"  {call:32} {spent[last]:6.2f} s, {spent[last] / seconds[last]:4.0%}{grown}")


def main() -> int:
    """Make them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--machines", type=int, default=500)
    parser.add_argument("--store", choices=trials.KINDS, default="http-postgresql")
    parser.add_argument(
        "--keep", type=Path, help="folder of the template, used again if it is there"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faultxfer-many-") as folder:
        template = (given.keep or Path(folder) / "template").absolute()
        if not (template / "mlruns" / "mlflow.db").exists():
            trials.in_child(lambda: size.make_template(template))
        bundle = size.candidate_of(template, Path(folder) / "candidate")
        trials.warm()
        with trials.store_of(given.store, Path(folder) / "store") as store:
            found = trials.in_child(lambda: register_many(store, bundle, given.machines))
        report(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
