"""What a registration leaves behind when something goes wrong on the way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import World

from faultxfer import GateOptions, TransferOptions, pipeline
from faultxfer.bundle.golden import Golden
from faultxfer.config import Limit
from faultxfer.errors import BundleError, RegistryError
from faultxfer.registry import clean_process, registering, smoke
from faultxfer.registry.clean_process import CleanProcess, EndedError
from faultxfer.registry.store import Registry, open_registry

OPTIONS = TransferOptions(
    strategy="fine_tune",
    steps=40,
    epochs=5,
    split={"folds": 2},
    gate=GateOptions(value={"pr_auc": Limit(min=0.01)}),
)


def move(world: World, **more: str) -> pipeline.TransferResult:
    return pipeline.transfer(
        [world.target], world.contract, "pumps", world.equipment, OPTIONS, **more
    )


def champion_version() -> str | None:
    champion = open_registry().champion("pumps--fault--pump-9")
    return champion.version if champion else None


def run_states(registry: Registry) -> list[str]:
    experiment = registry.client.get_experiment_by_name("faultxfer")
    return [run.info.status for run in registry.client.search_runs([experiment.experiment_id])]


def test_a_bundle_that_scores_differently_from_the_registry_does_not_become_champion(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)

    def differs(*_: object) -> None:
        raise BundleError("a bundle that scores like the candidate was expected")

    monkeypatch.setattr(registering, "smoke_test", differs)
    with pytest.raises(BundleError):
        move(world, override_gate="a second version")
    assert champion_version() == "1"
    assert len(open_registry().versions("pumps--fault--pump-9")) == 1
    assert run_states(open_registry()).count("FAILED") == 1


def test_a_failing_upload_leaves_no_version_and_the_champion_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.MlflowClient.log_model_artifacts", no_space)
    with pytest.raises(RegistryError, match="No space left on device"):
        move(world, override_gate="a second version")
    assert champion_version() == "1"
    assert len(open_registry().versions("pumps--fault--pump-9")) == 1
    monkeypatch.undo()
    monkeypatch.chdir(world.folder)
    assert move(world, override_gate="after making room").version == "2"
    assert champion_version() == "2"


def test_a_version_whose_files_are_gone_is_one_sentence(world: World) -> None:
    move(world)
    for path in (world.folder / "mlruns" / "artifacts").rglob("bundle/manifest.json"):
        path.unlink()
    with pytest.raises((RegistryError, BundleError), match="files are missing"):
        pipeline.score([world.new_rows], "pumps", world.equipment, world.folder / "scores.csv")
    assert not (world.folder / "scores.csv").exists()


# Of the modules that training or checking takes, those that were imported to check a version.
CHECKING = """
import sys
from faultxfer.registry import clean_process, smoke

def answer(question):
    said = smoke._answer(question)
    heavy = {"tensorflow", "keras", "great_expectations", "prefect", "matplotlib", "onnx"}
    return {**said, "heavy": sorted(heavy & set(sys.modules))}

sys.exit(clean_process.serve(smoke._prepare, answer))
"""


@pytest.mark.slow
def test_a_version_is_loaded_back_in_a_clean_process_before_it_is_champion(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTXFER_SMOKE_TEST", "clean_process")
    # A file of the working folder that is called like a module is not run in its place.
    Path("queue.py").write_text("raise SystemExit(0)", encoding="utf-8")
    process = CleanProcess((*clean_process.COMMAND[:2], "-c", CHECKING))
    answers: list[dict[str, Any]] = []

    def ask(question: dict[str, Any], seconds: float) -> dict[str, Any]:
        answers.append(process.ask(question, seconds))
        return answers[-1]

    monkeypatch.setattr(smoke, "SHARED", SimpleNamespace(begin=process.begin, ask=ask))
    assert move(world).outcome == "promoted"
    champion = open_registry().champion("pumps--fault--pump-9")
    source = open_registry().champion("pumps")
    assert champion is not None
    assert source is not None
    smoke.smoke_test(open_registry(), source)
    assert [answer["heavy"] for answer in answers] == [[], []]
    process.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"sound": "models:/pumps/2 x"}, "said="), (EndedError(2, "no"), "said='no'")],
)
def test_only_an_answer_about_this_very_version_proves_that_it_was_checked(
    answer: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BundleError, match=f"failed to load and score.*{said}"):
        _told(answer, monkeypatch)


def _told(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a smoke test makes of an answer of the clean process."""

    def ask(*_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setenv("FAULTXFER_SMOKE_TEST", "clean_process")
    monkeypatch.setattr(smoke, "SHARED", SimpleNamespace(ask=ask))
    version = SimpleNamespace(name="pumps", version="1", uri="models:/pumps/1", tags={})
    smoke.smoke_test(SimpleNamespace(uri="sqlite:///x"), version)  # type: ignore[arg-type]


GOLDEN = Golden(
    ("flow", "speed"), np.zeros((3, 2)), np.array([0.1, 0.5, 0.9]), np.array([False, False, True])
)
ANSWERS = {
    "a column less": (lambda f: f[["fault_probability"]], "columns"),
    "another name": (lambda f: f.rename(columns={"alarm": "alert"}), "columns"),
    "another type": (lambda f: f.astype({"fault_probability": "float32"}), "columns"),
    "alarms as numbers": (lambda f: f.astype({"alarm": "int64"}), "columns"),
    "a row less": (lambda f: f.head(2), "3 finite"),
    "not a number": (lambda f: f.assign(fault_probability=[0.1, np.nan, 0.9]), "finite"),
    "another score": (
        lambda f: f.assign(fault_probability=[0.1, 0.5, 0.9 + 2e-6]),
        "largest difference",
    ),
    "another alarm": (lambda f: f.assign(alarm=[False, True, True]), "other alarms=1"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_smoke_test_compares_names_types_and_values(name: str) -> None:
    answer = pd.DataFrame(
        {"fault_probability": GOLDEN.probabilities + 5e-7, "alarm": GOLDEN.alarms}
    )
    smoke.compare(GOLDEN, answer)
    change, said = ANSWERS[name]
    with pytest.raises(BundleError, match=said):
        smoke.compare(GOLDEN, change(answer))


def test_golden_rows_that_another_release_scores_differently_are_no_accusation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faultxfer.bundle import versions

    champion = open_registry().champion("pumps")
    assert champion is not None
    real = versions.versions_here()
    monkeypatch.setattr(versions, "versions_here", lambda: {**real, "keras": "3.14.0"})
    smoke.check_version(
        open_registry(), champion
    )  # it scores the same, so nobody asks who wrote it
    monkeypatch.setattr(smoke, "SAME", -1.0)
    with pytest.raises(BundleError, match=r"here is keras 3\.14\.0.*largest difference"):
        smoke.check_version(open_registry(), champion)


def test_what_a_clean_process_found_is_said_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = BundleError(
        "It was written elsewhere", received={"keras": "3"}, where="network", remedy="Do this"
    )
    with pytest.raises(BundleError) as caught:
        _told({"error": smoke._fields(error)}, monkeypatch)
    assert str(caught.value) == str(error)
