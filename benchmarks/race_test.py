"""Many processes promote the same machine's model at once.

    uv run python benchmarks/race_test.py [--processes 8] [--promotions 10] [--store KIND …] [--first]

The store is SQLite (``sqlite``), an MLflow server over it (``http``), PostgreSQL of the
distribution's packages asked directly (``postgresql``), or an MLflow server over that
(``http-postgresql``).

Each promotion is a whole registration of a small inert bundle, decided against the champion of that
moment; whoever comes too late judges again, which here means to take the new champion and try
again. Afterwards: every promotion has exactly one entry in the journal, the entries form one chain,
and the champion is the one that the last entry names.

With ``--first`` the machine has no model yet, and half of the processes transfer from one source,
half from another: all of them must meet in one model.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import registry_trials as trials
import registry_work as work


def promote_again_and_again(store: trials.Store, bundle: Path, promotions: int) -> dict[str, Any]:
    """One of the processes."""
    from faultxfer.errors import ChampionMovedError
    from faultxfer.registry.promotion import standing
    from faultxfer.registry.store import open_registry

    trials.at(store)
    registry, made, moved = open_registry(), [], 0
    while len(made) < promotions:
        head = standing(registry, work.NAME).head
        try:
            made.append(work.register_prepared(bundle, ("flow", "pressure"), head=head))
        except ChampionMovedError:
            moved += 1
    return {"made": made, "moved": moved}


def first_of_two_sources(store: trials.Store, bundle: Path, processes: int) -> list[dict[str, Any]]:
    """First transfers of one machine at once, half of them from each of two sources."""
    trials.in_child(lambda: source_models(store, bundle))
    children = work.first_transfers(store, {"a": bundle, "b": bundle}, processes // 2)
    return [{"made": [version], "moved": moved} for version, moved in children]


def source_models(store: trials.Store, bundle: Path) -> None:
    """Two source models of the same family and label."""
    trials.at(store)
    for source in ("a", "b"):
        work.register_prepared(bundle, ("flow", "pressure"), source)


def outcome(store: trials.Store) -> dict[str, Any]:
    """The journal, the champion and what is left over."""
    from faultxfer.registry.checking import verify_registry
    from faultxfer.registry.journal import read_journal
    from faultxfer.registry.store import open_registry

    trials.at(store)
    registry = open_registry()
    (name,) = [known["name"] for known in registry.models() if known["equipment"]]
    chain = read_journal(registry.client, name)
    return {
        "promoted": [entry.to_version for entry in chain.entries.values()],
        "void": len(chain.void),
        "champion": registry.alias(name),
        "verify": verify_registry(None, None, None),
        "leftovers": work.leftovers(),
    }


def again_and_again(
    store: trials.Store, bundle: Path, processes: int, promotions: int
) -> list[dict[str, Any]]:
    """Promotions of one machine's model by many processes."""
    children = [
        trials.start(lambda: promote_again_and_again(store, bundle, promotions))
        for _ in range(processes)
    ]
    answers = [trials.finish(*child) for child in children]
    return [answer for status, answer in answers if status == 0]


def race(
    kind: str, folder: Path, processes: int, promotions: int, *, first: bool
) -> dict[str, Any]:
    """One race; gives back the figures of its line, and what went wrong."""
    trials.warm()
    work.without_smoke_test()
    with trials.store_of(kind, folder / kind) as store:
        bundle = work.inert_bundle(folder / f"{kind}-candidate")
        begun = time.monotonic()
        if first:
            answers = first_of_two_sources(store, bundle, processes)
        else:
            answers = again_and_again(store, bundle, processes, promotions)
        seconds = time.monotonic() - begun
        after = trials.in_child(lambda: outcome(store))
    made = sorted(version for answer in answers for version in answer["made"])
    wrong = {
        "a process failed": len(answers) != processes,
        "promotions without one entry each": sorted(after["promoted"]) != made,
        "an entry twice": max(Counter(after["promoted"]).values()) > 1,
        "promotions missing": len(made) != processes * (1 if first else promotions),
        "the champion is another one": after["champion"] != after["promoted"][-1],
        "not sound": not after["verify"]["sound"],
        "leftovers": any(after["leftovers"].values()),
    }
    return {
        "store": kind,
        "promotions": len(made),
        "entries": len(after["promoted"]),
        "judged again": sum(answer["moved"] for answer in answers),
        "void entries": after["void"],
        "seconds": round(seconds),
        "wrong": ", ".join(name for name, holds in wrong.items() if holds) or "nothing",
    }


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--promotions", type=int, default=10)
    parser.add_argument("--store", nargs="+", choices=trials.KINDS, default=("sqlite", "http"))
    parser.add_argument(
        "--first", action="store_true", help="first transfers from two sources, one each"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faultxfer-race-") as folder:
        lines = [
            race(kind, Path(folder), given.processes, given.promotions, first=given.first)
            for kind in given.store
        ]
    print("| " + " | ".join(lines[0]) + " |")
    print("|" + "---|" * len(lines[0]))
    for line in lines:
        print("| " + " | ".join(str(value) for value in line.values()) + " |")
    return int(any(line["wrong"] != "nothing" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
