"""The same request is done once, however it is started, and what came of it is found among any number of others."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
import registry_work as work
import yaml
from registry_checks import NAME, SENSORS, chain_of

from faultxfer.config import TransferOptions
from faultxfer.errors import ChampionMovedError
from faultxfer.registry import names
from faultxfer.registry.catalog import show_history
from faultxfer.registry.identity import Identity
from faultxfer.registry.promotion import Promotion, standing
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry
from faultxfer.steps import rejudging
from faultxfer.steps.repeats import Unchanged, find_repeat, request_sha256
from faultxfer.steps.sources import Fetched

ROWS: Any = SimpleNamespace(files=(("rows.csv", "0" * 64),))
CONTRACT: Any = SimpleNamespace(digest=lambda: "1" * 64)
OPTIONS = TransferOptions()


def fetched_now(registry: Registry) -> Fetched:
    stands = standing(registry, NAME)
    source = registry.version(NAME, 1)
    identity = Identity("pumps", "fault")
    return Fetched(
        source, Path("source"), None, stands.champion, None, stands.head, None, NAME, identity
    )


def repeat_of(fetched: Fetched) -> Unchanged | None:
    return find_repeat(ROWS, fetched, CONTRACT, OPTIONS, model=work.MODEL, equipment=work.EQUIPMENT)


def register_for(request: str, bundle: Path, head: str | None) -> str:
    """Register the prepared bundle as what a request led to."""
    from faultxfer.registry import registering

    def with_request(
        registry: Registry, record: RunRecord, candidate: Any, promotion: Promotion
    ) -> Any:
        record.tags[names.REQUEST] = request
        promotion.details["request_sha256"] = request
        return real(registry, record, candidate, promotion)

    real = registering.register
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registering, "register", with_request)
        return work.register_prepared(bundle, SENSORS, head=head)


def test_of_the_same_transfer_started_twice_one_version_comes(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = fetched_now(registry)
    request = request_sha256(ROWS, began, CONTRACT, OPTIONS, None)
    monkeypatch.setattr(rejudging, "fetch_champion", lambda *_, **__: fetched_now(registry))
    twin: list[str] = []

    def judged(against: Fetched, _folder: Path) -> Any:
        if not twin:
            twin.append(register_for(request, bundle, against.head))
        return register_for(request, bundle, against.head)

    who = {"model": work.MODEL, "equipment": work.EQUIPMENT}
    assert repeat_of(began) is None
    result = rejudging.judge_until_settled(
        judged, repeat_of, began, work=registry_folder(bundle, "one"), **who
    )
    assert isinstance(result, Unchanged)
    assert (result.before, result.version, result.champion) == ("promoted", twin[0], twin[0])
    assert [version.version for version in registry.versions(NAME)] == ["3", "2", "1"]
    # Asked for by --force it is done again.
    twin.clear()
    forced = rejudging.judge_until_settled(
        judged, lambda _: None, fetched_now(registry), work=registry_folder(bundle, "two"), **who
    )
    assert forced == registry.alias(NAME) == "5"
    assert chain_of(registry).problems == ()


def registry_folder(bundle: Path, name: str) -> Path:
    folder = bundle.parent / name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("home", ["faultxfer.pipeline", "flows.transfer"])
@pytest.mark.parametrize("force", [False, True])
def test_plainly_and_as_a_flow_a_transfer_that_lost_asks_whether_it_was_done(
    home: str, force: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = importlib.import_module(home)
    asked: list[str] = []
    done = Unchanged("unchanged", "promoted", "", "m", "e", "m--e", "1", "1", "run", "here")

    def found(*_: object, **__: object) -> Unchanged | None:
        asked.append("repeat")
        return done if "lost" in asked else None

    def loses(*_: object, **__: object) -> str:
        if "lost" not in asked:
            asked.append("lost")
            raise ChampionMovedError("another came first")
        return "registered"

    @contextmanager
    def nothing() -> Iterator[None]:
        yield

    stand_in = lambda *_, **__: SimpleNamespace(classes=None, digest=lambda: "", docs=None)  # noqa: E731
    steps = (
        "fetch_models",
        "check_files",
        "split_target",
        "adapt_source",
        "evaluate_candidate",
        "ask_gate",
    )
    tasks = (
        "fetch",
        "check_rows",
        "split_rows",
        "adapt",
        "evaluate",
        "judge",
        "publish_findings",
        "publish_report",
    )
    others = ("check_transfer_request", "check_strategy", "publish_repeat", "docs_folder")
    for name in (*steps, *tasks, *others):
        monkeypatch.setattr(module, name, stand_in, raising=False)
    for name in ("find_repeat", "look_for_repeat"):
        monkeypatch.setattr(module, name, found, raising=False)
    for name in ("register_candidate", "register"):
        monkeypatch.setattr(module, name, loses, raising=False)
    monkeypatch.setattr(module, "progress_in_the_log", nothing, raising=False)
    monkeypatch.setattr(rejudging, "fetch_champion", stand_in)
    transfer = getattr(module.transfer, "fn", module.transfer)
    result = transfer(["a.csv"], "c.yaml", "m", "e", force=force)
    if force:
        assert (result, asked) == ("registered", ["lost"])
    else:
        assert (result, asked) == (done, ["repeat", "lost", "repeat"])


def test_refusals_and_repeats_are_found_beyond_any_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlflow.MlflowClient.search_runs
    pages: list[int] = []

    def small_pages(*args: Any, **named: Any) -> Any:
        pages.append(1)
        return real(*args, **{**named, "max_results": 1})

    began = fetched_now(registry)
    request = request_sha256(ROWS, began, CONTRACT, OPTIONS, None)
    for asked_for in (request, "a" * 64, "b" * 64, "c" * 64):
        tags = {
            names.MODEL: NAME,
            names.GATE: "reject",
            names.REASON: "too few",
            names.REQUEST: asked_for,
        }
        record_run(registry, RunRecord("refused", tags, {}, {}, {}, (), None))
    monkeypatch.setattr(mlflow.MlflowClient, "search_runs", small_pages)
    repeat = repeat_of(began)
    assert repeat is not None
    assert (repeat.before, len(pages)) == ("refused", 1)
    assert (
        len(
            [one for one in show_history(work.MODEL, work.EQUIPMENT) if one["outcome"] == "refused"]
        )
        == 4
    )
    assert [one["request"] for one in registry.refusals(None)][::-1] == [
        request,
        "a" * 64,
        "b" * 64,
        "c" * 64,
    ]


def test_versions_are_found_beyond_any_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlflow.MlflowClient.search_model_versions
    one_each = lambda *args, **named: real(*args, **{**named, "max_results": 1})  # noqa: E731
    monkeypatch.setattr(mlflow.MlflowClient, "search_model_versions", one_each)
    assert [version.version for version in registry.versions(NAME)] == ["2", "1"]


def test_prefect_takes_the_deployments_and_queues_the_runs_of_each() -> None:
    from prefect.cli.deploy._models import PrefectYamlModel
    from prefect.client.schemas.objects import ConcurrencyOptions

    content = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text())
    deployments = PrefectYamlModel.model_validate(content).deployments
    assert {one.name for one in deployments} >= {
        "validate",
        "pretrain",
        "transfer",
        "learning-curve",
        "score",
    }
    for deployment in deployments:
        limit: Any = deployment.concurrency_limit
        assert limit.limit == 1
        assert (
            ConcurrencyOptions(collision_strategy=limit.collision_strategy).collision_strategy.value
            == "ENQUEUE"
        )
