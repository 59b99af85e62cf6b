"""The same request is done once, however it is started.

And what came of it is found among any number of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
import registry_work as work
import yaml
from registry_checks import NAME, SENSORS, WHO, chain_of

from faultxfer import pipeline, steps
from faultxfer.errors import ChampionMovedError
from faultxfer.registry import approving, journal, maintenance, names
from faultxfer.registry.catalog import show_history
from faultxfer.registry.identity import Identity
from faultxfer.registry.promotion import Promotion, standing
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, open_registry
from faultxfer.requests import TransferRequest
from faultxfer.steps.repeats import Unchanged, find_repeat, request_sha256
from faultxfer.steps.sources import Models

FILES = (("rows.csv", "0" * 64),)
ROWS: Any = SimpleNamespace(files=FILES, sources=FILES)
CONTRACT: Any = SimpleNamespace(digest=lambda: "1" * 64)
ASKED: dict[str, Any] = {
    "files": ("rows.csv",),
    "contract": "c.yaml",
    "model": work.MODEL,
    "equipment": work.EQUIPMENT,
}


@dataclass(frozen=True)
class Opened:
    """An opened request, of a contract of which only the digest is asked for."""

    request: TransferRequest
    contract: Any
    work: Path


JOB: Any = Opened(TransferRequest(**ASKED), CONTRACT, Path())


def fetched_now(registry: Registry) -> Models:
    stands = standing(registry, NAME)
    source = registry.version(NAME, 1)
    identity = Identity("pumps", "fault")
    return Models(
        source, Path("source"), None, stands.champion, None, stands.head, None, NAME, identity
    )


def repeat_of(models: Models) -> Unchanged | None:
    return find_repeat(JOB, models, ROWS)


def register_for(request: str, bundle: Path, head: str | None, action: str = "promote") -> str:
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
        return work.register_prepared(bundle, SENSORS, head=head, action=action)


def test_of_the_same_transfer_started_twice_one_version_comes(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = fetched_now(registry)
    request = request_sha256(JOB, began, ROWS)
    twin: list[str] = []

    def registers(_job: Any, models: Models, _verdict: Any) -> Any:
        if not twin:
            twin.append(register_for(request, bundle, models.head))
        return register_for(request, bundle, models.head)

    stand_ins(monkeypatch, fetch_models=lambda *_: fetched_now(registry))
    monkeypatch.setattr(steps, "fetch_champion", lambda *_: fetched_now(registry))
    monkeypatch.setattr(steps, "register_candidate", registers)
    assert repeat_of(began) is None
    result = pipeline.transfer(**ASKED)
    assert isinstance(result, Unchanged)
    assert (result.before, result.version, result.champion) == ("promoted", twin[0], twin[0])
    assert [version.version for version in registry.versions(NAME)] == ["3", "2", "1"]
    # Asked for by --force it is done again.
    twin.clear()
    forced = pipeline.transfer(**ASKED, force=True)
    assert forced == registry.alias(NAME) == "5"
    assert chain_of(registry).problems == ()


def stand_ins(monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """Steps of a transfer that do nothing, but for those given; rows and contract are made up."""
    nothing = SimpleNamespace(classes=None, target=SimpleNamespace(rows=ROWS))
    usual = {name: lambda *_: nothing for name in STEPS}
    usual["open_transfer"] = lambda request, folder: Opened(request, CONTRACT, folder)
    usual["check_rows"] = usual["find_copies"] = lambda *_: ROWS
    for name, step in {**usual, **given}.items():
        monkeypatch.setattr(steps, name, step)


STEPS = ("fetch_models", "split_target", "adapt_source", "evaluate_candidate", "ask_gate")


@pytest.mark.parametrize("force", [False, True])
def test_a_transfer_that_lost_asks_whether_it_was_done(
    force: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    done = Unchanged("unchanged", "promoted", "", "m", "e", "m--e", "1", "1", "run", "here")

    def found(job: Any, *_: object) -> Unchanged | None:
        asked.append("repeat")
        return done if "lost" in asked and not job.request.force else None

    def loses(*_: object) -> str:
        if "lost" not in asked:
            asked.append("lost")
            raise ChampionMovedError("another came first")
        return "registered"

    stand_ins(monkeypatch, find_repeat=found, register_candidate=loses, fetch_champion=lambda *_: 1)
    result = pipeline.transfer(**ASKED, force=force)
    assert (result, asked) == ("registered" if force else done, ["repeat", "lost", "repeat"])


def test_refusals_and_repeats_are_found_beyond_any_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlflow.MlflowClient.search_runs
    pages: list[int] = []

    def small_pages(*args: Any, **named: Any) -> Any:
        pages.append(1)
        return real(*args, **{**named, "max_results": 1})

    began = fetched_now(registry)
    request = request_sha256(JOB, began, ROWS)
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


def test_a_provisional_version_is_what_came_of_its_request_until_a_person_promotes_it(
    registry: Registry, bundle: Path
) -> None:
    for number in (2, 1):
        maintenance.retire_version(*WHO, number, "the bearing was replaced")
    request = request_sha256(JOB, fetched_now(registry), ROWS)
    assert repeat_of(fetched_now(registry)) is None
    register_for(request, bundle, fetched_now(registry).head, journal.PROVISIONAL)
    repeat = repeat_of(fetched_now(registry))
    assert repeat is not None
    assert (repeat.before, repeat.version, repeat.champion) == ("provisional", "3", None)
    assert repeat.next[-1].command.startswith("faultxfer score rows.csv")
    maintenance.promote_version(*WHO, 3, "the fitters agree")
    promoted = repeat_of(fetched_now(registry))
    assert promoted is not None
    assert (promoted.before, promoted.champion) == ("promoted", "3")


def test_what_waits_or_was_rejected_is_no_news_and_what_waits_no_more_is_judged_again(
    registry: Registry, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_sha256(JOB, fetched_now(registry), ROWS)
    register_for(request, bundle, fetched_now(registry).head, journal.WAITING)
    repeat = repeat_of(fetched_now(registry))
    assert repeat is not None
    assert (repeat.before, repeat.version, repeat.champion) == ("waiting", "3", "2")
    assert repeat.next[-1].command.startswith("faultxfer registry approve ")
    monkeypatch.setenv("FAULTXFER_ACTOR", "ann@plant")
    approving.reject_version(*WHO, 3, "the label was wrong")
    rejected = repeat_of(fetched_now(registry))
    assert rejected is not None
    assert rejected.before == "rejected"
    register_for(request, bundle, fetched_now(registry).head, journal.WAITING)
    maintenance.roll_back(*WHO, None, "too many alarms")
    assert repeat_of(fetched_now(registry)) is None


@pytest.mark.parametrize(
    ("gate", "found"),
    [("refuse", True), ("not enough evidence", False), ("needs approval", False)],
)
def test_without_champion_only_what_would_be_refused_today_is_no_news(
    store: Path, gate: str, found: bool
) -> None:
    source: Any = SimpleNamespace(name="pumps", version="1", tags={})
    identity = Identity("pumps", "fault")
    none = journal.BEGINNING
    models = Models(source, Path("source"), None, None, None, none, None, NAME, identity)
    request = request_sha256(JOB, models, ROWS)
    tags = {names.MODEL: NAME, names.GATE: gate, names.REQUEST: request}
    record_run(open_registry(), RunRecord("refused", tags, {}, {}, {}, (), None))
    assert (repeat_of(models) is not None) == found


def test_versions_are_found_beyond_any_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mlflow.MlflowClient.search_model_versions
    one_each = lambda *args, **named: real(*args, **{**named, "max_results": 1})  # noqa: E731
    monkeypatch.setattr(mlflow.MlflowClient, "search_model_versions", one_each)
    assert [version.version for version in registry.versions(NAME)] == ["2", "1"]


def test_prefect_takes_the_deployments_and_queues_what_would_be_done_twice() -> None:
    from prefect.cli.deploy._models import PrefectYamlModel
    from prefect.client.schemas.objects import ConcurrencyOptions

    content = yaml.safe_load((Path(__file__).parents[2] / "prefect.yaml").read_text())
    deployments = {
        one.name: one for one in PrefectYamlModel.model_validate(content).deployments if one.name
    }
    kinds = ("validate", "pretrain", "transfer", "learning-curve", "score")
    assert set(deployments) >= {f"{kind}-pumps" for kind in kinds}
    limit: Any = deployments["pretrain-pumps"].concurrency_limit
    strategy = ConcurrencyOptions(collision_strategy=limit.collision_strategy)
    assert (limit.limit, strategy.collision_strategy.value) == (1, "ENQUEUE")
    # Transfers of two machines run side by side; those of one take turns (flows/turns.py).
    assert deployments["transfer-pumps"].concurrency_limit is None
