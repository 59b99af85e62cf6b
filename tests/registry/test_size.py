"""What commands ask of a registry does not grow with what is in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import registry_work as work
from registry_at_size import counted

from faultxfer.registry import catalog, checking, doctor, identity, machines
from faultxfer.registry.identity import Identity
from faultxfer.registry.promotion import standing
from faultxfer.registry.store import Registry, open_registry
from faultxfer.steps.sources import find_source

PUMPS = Identity("pumps", "fault")


def look_ups_of_a_transfer() -> None:
    registry = open_registry()
    find_source(registry, work.MODEL)
    standing(registry, machines.name_for(registry, work.MODEL, "pump-0", PUMPS))


# Each with the most that it may ask; a server gives a thousand models in one answer, and ten
# thousand versions.
LOOKS: dict[str, tuple[Callable[[], Any], int]] = {
    "list": (catalog.list_models, 4),
    "history": (lambda: catalog.show_history(work.MODEL, "pump-0"), 16),
    "verify": (lambda: checking.verify_registry(None, None, None), 8),
    "doctor": (lambda: doctor.repair_registry(None, None, dry_run=True), 11),
    "transfer": (look_ups_of_a_transfer, 24),
}


@pytest.fixture(params=["database", "server"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database; or one that is asked as a server is, which hands out the files itself."""
    if request.param == "server":
        monkeypatch.setattr(
            Registry, "database", property(lambda _: None, lambda *_: None), raising=False
        )
        monkeypatch.setattr("faultxfer.registry.places.local_path", lambda _: None)
    return str(request.param)


def placed_machines(registry: Registry, machines: range) -> None:
    for number in machines:
        work.placed(registry, f"pumps--fault--pump-{number}", source=work.MODEL)


def test_what_is_asked_does_not_grow_with_the_number_of_versions(store: Path, kind: str) -> None:
    from faultxfer.registry.connect import Access

    registry = open_registry(access=Access.CREATING)
    work.placed(registry, work.MODEL)
    asked: dict[str, list[int]] = {name: [] for name in LOOKS}
    for machines_more in (range(1), range(1, 3)):
        placed_machines(registry, machines_more)
        for name, (look, _) in LOOKS.items():
            identity._read.clear()  # as in a new process
            with counted() as found:
                look()
            asked[name].append(sum(found["calls"].values()))
    for name, (_, most) in LOOKS.items():
        few, many = asked[name]
        assert few == many, (name, asked)
        assert many <= most, (name, asked)


@pytest.mark.parametrize("kind", ["server"], indirect=True)
def test_files_of_a_server_are_read_where_that_is_asked_for(store: Path, kind: str) -> None:
    from faultxfer.registry.connect import Access

    registry = open_registry(access=Access.CREATING)
    placed_machines(registry, range(2))
    for manifest in Path("mlruns/artifacts").rglob("manifest.json"):
        manifest.write_text("{}", encoding="utf-8")
    looked = checking.verify_registry(None, None, None)
    assert looked["sound"]
    assert looked["files_not_read"] == 2
    assert not doctor.repair_registry(None, None, dry_run=True)["found"]
    for asked in ((None, {"files": True}), ("pumps--fault--pump-1", {})):
        name, options = asked
        assert not checking.verify_registry(name, None, None, **options)["sound"]
        found = doctor.repair_registry(name, None, dry_run=True, **options)
        assert found["found"]
        assert not found["files_not_read"]
