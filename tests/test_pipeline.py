"""The main path on a small simulated fleet, without Prefect."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import SMALL_NETWORK, World, models_of

from faultxfer import GateOptions, PretrainOptions, TransferOptions, pipeline, steps
from faultxfer.bundle import bundle as bundle_module
from faultxfer.bundle.bundle import load_bundle, save_bundle
from faultxfer.bundle.manifest import read_manifest
from faultxfer.config import Limit
from faultxfer.contract.class_share import Classes
from faultxfer.contract.schema import load_contract, parse_contract
from faultxfer.errors import (
    BundleError,
    ConfigError,
    ContractError,
    DataError,
    RegistryError,
    UserError,
)
from faultxfer.registry.approving import approve_version, read_review
from faultxfer.registry.catalog import show_history
from faultxfer.registry.maintenance import read_entries
from faultxfer.registry.store import open_registry
from faultxfer.steps.adaptation import CANDIDATE, load_predictions, save_predictions
from faultxfer.steps.contest import ADAPTED_FIRST
from faultxfer.steps.sources import (
    recorded_classes,
    require_same_meaning,
)

EASY = GateOptions(value={"pr_auc": Limit(min=0.01)})
HARD = GateOptions(value={"pr_auc": Limit(min=0.999)})


def quick(gate: GateOptions, **split: int) -> TransferOptions:
    """Few folds and few steps.

    What these tests ask does not depend on how well the network is tuned.
    """
    return TransferOptions(
        strategy="fine_tune", gate=gate, steps=40, epochs=5, split={"folds": 2, **split}
    )


def move(
    world: World, gate: GateOptions = EASY, csv: str | None = None, **more: object
) -> pipeline.TransferResult:
    options = more.pop("options", quick(gate))
    return pipeline.transfer(
        [csv or world.target], world.contract, "pumps", world.equipment, options, **more
    )


def known(world: World) -> dict[str, object]:
    """Everything in the registry that a half-done command could have left behind."""
    registry = open_registry()
    experiment = registry.client.get_experiment_by_name("faultxfer")
    runs = registry.client.search_runs([experiment.experiment_id]) if experiment else []
    return {
        "models": registry.models(),
        "versions": {
            entry["name"]: len(registry.versions(entry["name"])) for entry in registry.models()
        },
        "runs": sorted(run.info.run_id for run in runs),
    }


def later_rows(world: World, rows: int = 200) -> str:
    """The target file with every sensor moved a little: rows that no champion has seen."""
    frame = pd.read_csv(world.target).tail(rows)
    sensors = frame.select_dtypes("float").columns
    frame[sensors] = frame[sensors] * 1.0001
    path = world.folder / "later.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_a_candidate_that_passes_becomes_the_champion_with_its_report(world: World) -> None:
    result = move(world)
    assert result.outcome == "promoted"
    registry = open_registry()
    champion = registry.champion("pumps--fault--pump-9")
    assert champion is not None
    assert champion.version == result.version == "1"
    assert champion.tags["faultxfer.gate"] == "promote"
    assert champion.tags["faultxfer.outcome"] == "promoted"
    assert champion.tags["faultxfer.source_version"] == "1"
    assert "PR-AUC" in champion.description
    run = registry.client.get_run(str(result.run_id))
    assert run.info.status == "FINISHED"
    assert run.data.metrics["pr_auc"] == pytest.approx(result.report.candidate.pr_auc)
    assert run.data.metrics["pr_auc.low"] <= run.data.metrics["pr_auc"]
    assert len(run.data.metrics) <= 40
    assert run.info.run_name == "transfer pumps → pump-9: promoted"
    model = registry.client.get_logged_model(str(champion.model_id))
    assert model.tags["mlflow.note.content"] == run.data.tags["mlflow.note.content"]
    assert {metric.key for metric in model.metrics} == set(run.data.metrics)
    kept = registry.download_run_file(str(result.run_id), "comparison.json", world.folder)
    assert kept is not None
    entries = {entry.title for entry in result.report.contestants}
    assert entries <= {line[1] for line in json.loads(kept.read_text())["data"]}
    kept = registry.download_run_file(str(result.run_id), "contract.yaml", world.folder)
    assert kept is not None
    assert kept.read_bytes() == Path(world.contract).read_bytes()
    assert result.report.evidence.events is not None
    assert run.data.metrics["event_recall"] == result.report.evidence.events.event_recall.estimate
    assert run.data.tags["faultxfer.gate_rules"] == result.decision.rules
    assert run.data.tags["faultxfer.outcome"] == "promoted"
    source = registry.champion("pumps")
    assert source is not None
    assert source.tags["faultxfer.outcome"] == "promoted"
    assert len(registry.client.get_metric_history(str(result.run_id), "loss")) > 1
    read = {one.dataset.name: json.loads(one.dataset.profile) for one in run.inputs.dataset_inputs}
    assert read["pump-9.csv"]["rows"] == result.rows.accepted
    assert read["pump-9: rows that judged"]["faults"] == result.report.candidate.faults
    assert {Path(path).name for path in world.sources} <= set(read)
    assert [model.model_id for model in run.inputs.model_inputs] == [source.model_id]
    for path in result.pictures.values():
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert set(result.pictures) == {
        "precision_recall",
        "reliability",
        "score_over_time",
        "training_curves",
        "rivals",
    }


def test_the_default_is_a_stack_and_scores_by_mlflow_as_by_command(world: World) -> None:
    options = TransferOptions(gate=EASY, split={"folds": 2})
    result = move(world, options=options)
    assert result.outcome == "promoted"
    assert sum(weight for _, weight in result.report.weights) == pytest.approx(1)
    rows = pd.read_csv(world.new_rows)
    scored = pipeline.score([world.new_rows], "pumps", world.equipment, "scores.csv")
    model = mlflow.pyfunc.load_model("models:/pumps--fault--pump-9@champion")
    said = model.predict(rows[list(rows.columns[::-1])])
    assert scored.rows.accepted == len(rows)
    np.testing.assert_allclose(
        pd.read_csv("scores.csv")["fault_probability"], said["fault_probability"], atol=1e-9
    )
    assert move(world, options=options, dry_run=True).report.comparison is not None


def test_a_source_that_does_better_than_what_was_adapted_is_promoted_in_its_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = steps.adapt_source

    def adapted_badly(*given: Any) -> Any:
        made = real(*given)
        predictions, rows = load_predictions(made.predictions)
        noise = np.random.default_rng(0).random(len(rows))
        predictions[CANDIDATE] = dataclasses.replace(
            predictions[CANDIDATE], probabilities=noise, alarms=noise > 0.5
        )
        save_predictions(made.predictions, predictions, rows)
        return made

    monkeypatch.setattr(steps, "adapt_source", adapted_badly)
    result = move(world)
    said = result.report.instead
    assert said.startswith("The source model as it is does better than what was adapted")
    assert (result.outcome, result.version) == ("promoted", "1")
    assert result.reason.startswith(said)
    candidate, adapted = result.report.contestants[:2]
    assert candidate.title == "candidate (source network, recalibrated)"
    assert adapted.name == ADAPTED_FIRST
    assert candidate.metrics is not None
    assert adapted.metrics is not None
    assert (candidate.metrics.pr_auc or 0) > (adapted.metrics.pr_auc or 1)
    champion = open_registry().champion("pumps--fault--pump-9")
    assert champion is not None
    assert said in champion.description
    (entry,) = read_entries("pumps", "pump-9")
    assert entry["reason"].startswith(said)
    folder = models_of(world).champion_bundle
    assert folder is not None
    lineage = read_manifest(folder).lineage
    assert lineage["strategy"] == "recalibrate"
    assert lineage["contract"]["family"] == "pumps"
    scored = pipeline.score([world.new_rows], "pumps", world.equipment, "scores.csv")
    assert scored.as_dict()["scored_with"] == "champion"


def test_every_rival_is_in_the_report(world: World) -> None:
    result = move(world, dry_run=True)
    names = [entry.name for entry in result.report.contestants]
    assert names == [
        "candidate",
        "always_normal",
        "source_as_is",
        *(f"source_as_is_{scaler}" for scaler in ("target", "normal", "offset", "blend")),
        "scratch_network",
        "logistic_target",
        "boosting_target",
        "logistic_pooled",
        *(
            f"boosting_pooled_{scaler}"
            for scaler in ("source", "target", "normal", "offset", "blend")
        ),
    ]
    assert all(entry.metrics is not None for entry in result.report.contestants)
    silent = next(
        entry.metrics for entry in result.report.contestants if entry.name == "always_normal"
    )
    assert silent is not None
    assert (silent.recall, silent.false_alarm_rate) == (0, 0)


def test_a_refused_candidate_leaves_its_report_and_no_version(world: World) -> None:
    result = move(world, HARD)
    assert (result.outcome, result.version) == ("refused", None)
    registry = open_registry()
    assert registry.champion("pumps--fault--pump-9") is None
    (refusal,) = registry.refusals("pumps--fault--pump-9")
    assert "PR-AUC" in str(refusal["reason"])
    run = registry.client.get_run(str(result.run_id))
    assert run.data.tags["faultxfer.outcome"] == "refused"
    assert Path(result.pictures["rivals"]).is_file()


def test_an_override_promotes_and_its_reason_stays_with_the_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTXFER_ACTOR", "ann@plant")
    result = move(world, HARD, override_gate="pump is critical, agreed with the shift lead")
    assert result.outcome == "promoted"
    registry = open_registry()
    champion = registry.champion("pumps--fault--pump-9")
    assert champion is not None
    run = registry.client.get_run(str(result.run_id))
    page = registry.download_run_file(str(result.run_id), "report.md", world.folder)
    assert page is not None
    began = (
        "# pump-9: promoted by override\n\nPromoted by override by ann@plant, for this reason: "
        "“pump is critical, agreed with the shift lead”\n\nThe gate had refused it: The candidate's "
        "PR-AUC is"
    )
    for text in (champion.description, run.data.tags["mlflow.note.content"], page.read_text()):
        assert text.startswith(began)
    for tags in (champion.tags, run.data.tags):
        assert tags["faultxfer.outcome"] == "promoted by override"
    (entry,) = read_entries("pumps", "pump-9")
    assert (entry["actor"], entry["details"]["outcome"]) == ("ann@plant", "promoted by override")
    assert (
        champion.tags["faultxfer.override_reason"] == "pump is critical, agreed with the shift lead"
    )
    assert champion.tags["faultxfer.gate"] == "refuse"


def test_an_override_that_was_not_needed_is_no_override(world: World) -> None:
    result = move(world, override_gate="just in case")
    champion = open_registry().champion("pumps--fault--pump-9")
    assert result.decision.promoted
    assert champion is not None
    assert "faultxfer.override_reason" not in champion.tags


def test_an_overridden_promotion_stands_once_in_the_history(world: World) -> None:
    move(world, HARD, override_gate="agreed with the shift lead")
    entries = show_history("pumps", "pump-9")
    assert [entry["outcome"] for entry in entries] == ["promoted"]
    assert entries[0]["reason"] == "overridden: agreed with the shift lead"


def test_under_the_manual_policy_what_passes_waits_until_another_person_approves_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTXFER_ACTOR", "nightly retrain")
    result = move(world, policy="manual")
    decided = (result.outcome, result.version, result.decision.outcome)
    assert decided == ("waiting", "1", "needs approval")
    assert open_registry().aliases("pumps--fault--pump-9") == {"challenger": "1"}
    run = open_registry().client.get_run(str(result.run_id))
    assert run.data.tags["faultxfer.outcome"] == "waiting"
    again = move(world, policy="manual")
    assert (again.outcome, again.before) == ("unchanged", "waiting")  # type: ignore[attr-defined]
    asked = ([world.new_rows], "pumps", world.equipment, "scores.csv")
    for version in (None, 1):
        with pytest.raises(RegistryError, match=r"no champion|Nobody has approved"):
            pipeline.score(*asked, version=version)
    with pytest.raises(RegistryError, match="does not settle"):
        read_review("pumps", "pump-9", 1)
    monkeypatch.setenv("FAULTXFER_ACTOR", "ann@plant")
    review = read_review("pumps", "pump-9", 1)
    assert review["metrics"][0]["metric"] == "PR-AUC"
    assert all(Path(path).is_file() for path in review["pictures"].values())
    assert approve_version("pumps", "pump-9", 1, "agreed")["to"] == "1"
    assert pipeline.score(*asked).scored_with == "champion"
    (entry, _) = read_entries("pumps", "pump-9")
    assert entry["details"]["data"]
    assert entry["details"]["outcome"] == "promoted by approval"


def test_scores_do_not_overwrite_the_rows_they_are_made_from(world: World) -> None:
    shutil.copy(world.new_rows, "rows.csv")
    before = Path("rows.csv").read_bytes()
    with pytest.raises(ConfigError, match="--out"):
        pipeline.score(["*.csv"], "pumps", "pump-9", "./rows.csv")
    assert Path("rows.csv").read_bytes() == before


def test_an_override_without_a_reason_is_refused(world: World) -> None:
    before = known(world)
    with pytest.raises(ConfigError, match="reason"):
        move(world, override_gate="  ")
    assert known(world) == before


def test_a_dry_run_writes_nothing_to_the_registry(world: World) -> None:
    before = known(world)
    result = move(world, dry_run=True, report_folder=world.folder / "report")
    assert (result.outcome, result.version, result.run_id) == ("dry run", None, None)
    assert known(world) == before
    assert (world.folder / "report" / "rivals.png").is_file()
    assert result.page == str(world.folder / "report" / "report.html")
    page = Path(result.page).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == len(result.pictures)
    for words in (result.decision.reason, "pump-9.csv", "Which sensors speak", "Glossary"):
        assert words in page


def test_a_dry_run_with_an_override_promotes_nothing_and_says_so(world: World) -> None:
    result = move(world, HARD, dry_run=True, override_gate="only to look")
    assert (result.outcome, result.override, result.reason) == (
        "dry run",
        None,
        result.decision.reason,
    )


def test_a_gate_without_thresholds_refuses(world: World) -> None:
    result = move(world, GateOptions(value={}))
    assert result.outcome == "refused"
    assert "no value thresholds" in result.reason


def test_gate_rules_for_another_family_are_refused_before_anything_is_read(world: World) -> None:
    before = known(world)
    with pytest.raises(ConfigError, match=r"rules are for another family.*family='fans'"):
        move(world, GateOptions(family="fans"))
    assert known(world) == before


def test_the_same_rows_again_do_not_replace_the_champion(world: World) -> None:
    move(world)
    again = move(world, force=True)
    assert again.outcome == "refused"
    assert again.report.comparison is not None
    assert (again.report.comparison.rows, again.report.comparison.excluded) == (
        0,
        again.report.candidate.rows,
    )
    assert again.decision.outcome == "not enough evidence"
    assert "trained on" in again.reason
    assert [entry["gate"] for entry in show_history("pumps", "pump-9")] == [
        "not enough evidence",
        "promote",
    ]
    champion = open_registry().champion("pumps--fault--pump-9")
    assert champion is not None
    assert champion.version == "1"


def test_a_transfer_that_another_overtakes_is_judged_again_against_the_new_champion(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)
    real, against = steps.ask_gate, []

    def overtaken(job: Any, evaluation: Any) -> object:
        against.append(evaluation.report.champion_version)
        if len(against) == 1:
            move(world, override_gate="overtakes")
        return real(job, evaluation)

    monkeypatch.setattr(steps, "ask_gate", overtaken)
    result = move(world, override_gate="comes late")
    assert against == ["1", "1", "2"]
    assert (result.version, result.report.champion_version) == ("3", "2")
    assert [entry["outcome"] for entry in show_history("pumps", "pump-9")] == ["promoted"] * 3


def test_the_champion_is_compared_on_rows_it_has_not_seen(world: World) -> None:
    move(world)
    result = move(world, csv=later_rows(world), dry_run=True)
    comparison = result.report.comparison
    assert comparison is not None
    assert (comparison.rows, comparison.excluded) == (200, 0)
    assert comparison.champion is not None
    champion = next(entry for entry in result.report.contestants if entry.role == "champion")
    assert champion.metrics == comparison.champion


def test_few_rows_of_few_runs_are_cross_fitted_and_the_report_says_so(world: World) -> None:
    result = move(world, dry_run=True)
    assert result.report.mode == "cross-fit"
    assert "judge the procedure" in result.report.validity
    assert result.report.candidate.rows == result.rows.accepted


def test_a_single_run_is_cross_fitted_in_blocks_of_time(world: World) -> None:
    frame = pd.read_csv(world.target)
    mixed = (
        frame.groupby("run")["fault"]
        .agg(["sum", "count"])
        .query("sum >= 8 and sum <= count - 8")
        .index[0]
    )
    path = world.folder / "one-run.csv"
    frame[frame["run"] == mixed].to_csv(path, index=False)
    result = move(world, csv=str(path), options=quick(EASY, folds=5), dry_run=True)
    assert "time block" in result.report.split
    assert "may flatter" in result.report.validity


def test_many_runs_are_held_out_and_what_is_judged_is_what_is_registered(world: World) -> None:
    options = quick(
        EASY, min_test_faults=5, min_calibration_faults=5, min_normals=20, min_test_runs=2
    )
    result = move(world, options=options)
    assert result.report.mode == "hold-out"
    fetched = models_of(world)
    assert fetched.champion_bundle is not None
    bundle = load_bundle(fetched.champion_bundle)
    assert len(bundle.training_rows) == result.rows.accepted - result.report.candidate.rows


@pytest.mark.usefixtures("adapting_anew")
def test_two_runs_with_one_seed_give_the_same_weights(world: World) -> None:
    first, second = (_weights(world, number) for number in (1, 2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def _weights(world: World, number: int) -> list[np.ndarray]:
    result = move(world, override_gate="test", force=True)
    assert result.version == str(number)
    fetched = models_of(world, name=f"look-{number}")
    assert fetched.champion_bundle is not None
    weights: list[np.ndarray] = load_bundle(fetched.champion_bundle).network.get_weights()
    return weights


def test_pretraining_twice_with_one_seed_gives_the_same_weights(
    world: World, trained_folder: Path
) -> None:
    pipeline.pretrain(
        world.sources, world.contract, "again", PretrainOptions(network=SMALL_NETWORK)
    )
    first = models_of(world, name="a").source_bundle
    second = models_of(world, "again", name="b").source_bundle
    for one, other in zip(
        load_bundle(first).network.get_weights(),
        load_bundle(second).network.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_pyfunc_and_score_agree_on_raw_rows_in_any_column_order(world: World) -> None:
    move(world)
    pipeline.score([world.new_rows], "pumps", world.equipment, world.folder / "scores.csv")
    scores = pd.read_csv(world.folder / "scores.csv")
    raw = pd.read_csv(world.new_rows)
    shuffled = raw[list(reversed(raw.columns))].assign(extra="not a sensor")
    model = mlflow.pyfunc.load_model("models:/pumps--fault--pump-9@champion")
    predicted = model.predict(shuffled)
    np.testing.assert_allclose(
        predicted["fault_probability"], scores["fault_probability"], atol=1e-6, rtol=0
    )
    assert (predicted["alarm"] == scores["alarm"]).all()
    assert (model.predict(raw.drop(columns="flow_m3h"))["imputed"] == "flow_m3h").all()
    assert model.predict(raw[["flow_m3h"]])["fault_probability"].isna().all()
    with pytest.raises(mlflow.exceptions.MlflowException, match=r"COLUMN-MISSING.*flow_m3h"):
        model.predict(raw[["timestamp"]])


def test_whole_numbers_in_a_sensor_column_are_scored_by_pyfunc(world: World) -> None:
    move(world)
    raw = pd.read_csv(world.new_rows).round({"speed_rpm": 0}).astype({"speed_rpm": "int64"})
    predicted = mlflow.pyfunc.load_model("models:/pumps--fault--pump-9@champion").predict(raw)
    assert np.isfinite(predicted["fault_probability"]).all()


def test_scores_keep_the_input_order_and_skip_rows_set_aside(world: World) -> None:
    move(world)
    frame = pd.read_csv(world.new_rows).astype({"flow_m3h": object})
    frame.loc[[3, 7], "flow_m3h"] = ["broken", "12 or 13"]
    path = world.folder / "damaged.csv"
    frame.to_csv(path, index=False)
    result = pipeline.score([str(path)], "pumps", world.equipment, world.folder / "scores.csv")
    scores = pd.read_csv(result.out)
    assert list(scores.columns) == [
        "row",
        "equipment",
        "timestamp",
        "fault_probability",
        "alarm",
        "model_version",
    ]
    assert scores["row"].tolist() == [row for row in range(len(frame)) if row not in (3, 7)]
    assert scores["timestamp"].tolist() == frame["timestamp"].drop([3, 7]).tolist()
    assert result.rows.quarantine is not None
    assert pd.read_csv(result.rows.quarantine)["_line"].tolist() == [5, 9]


def test_an_earlier_version_can_be_asked_for(world: World) -> None:
    move(world)
    move(world, override_gate="second version")
    result = pipeline.score(
        [world.new_rows], "pumps", world.equipment, world.folder / "old.csv", version=1
    )
    assert result.model_version == "1"
    with pytest.raises(RegistryError, match=r"version='9'"):
        pipeline.score(
            [world.new_rows], "pumps", world.equipment, world.folder / "old.csv", version=9
        )


def test_unknown_equipment_is_an_error_that_lists_the_known_ones(world: World) -> None:
    move(world)
    with pytest.raises(RegistryError, match="pump-9"):
        pipeline.score([world.new_rows], "pumps", "pump-77", world.folder / "scores.csv")
    assert not (world.folder / "scores.csv").exists()


def test_an_unknown_source_model_is_an_error_that_lists_the_known_ones(world: World) -> None:
    with pytest.raises(RegistryError, match="pumps"):
        pipeline.transfer([world.target], world.contract, "fans", world.equipment)


def _keep(world: World, change: object) -> str:
    """The target file after ``change``, as text so that any spelling survives."""
    frame = pd.read_csv(world.target, dtype=str)
    frame = change(frame)  # type: ignore[operator]
    path = world.folder / "bad.csv"
    frame.to_csv(path, index=False)
    return str(path)


BAD_FILES = {
    "one class only": (lambda f: f[f["fault"] == "0"], "learns from rows of both classes"),
    "five rows": (lambda f: f.groupby("fault").head(3).head(5), "Received"),
    "text in a sensor column": (lambda f: f.assign(flow_m3h="high"), "SENSOR-NOT-A-NUMBER"),
    "a sensor without values": (lambda f: f.assign(flow_m3h=""), "SENSOR-ALL-MISSING"),
    "wrong label values": (lambda f: f.assign(fault="maybe"), "LABEL-UNKNOWN"),
    "a misspelt label column": (lambda f: f.rename(columns={"fault": "fualt"}), "COLUMN-MISSING"),
    "a missing sensor": (lambda f: f.drop(columns="flow_m3h"), "flow_m3h"),
    "another machine": (lambda f: f.assign(equipment="pump-8"), "EQUIPMENT-ABSENT"),
    "no rows": (lambda f: f.head(0), "FILE-EMPTY"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_sentence_and_leaves_the_registry_alone(world: World, name: str) -> None:
    change, said = BAD_FILES[name]
    before = known(world)
    with pytest.raises(UserError, match=said) as caught:
        move(world, csv=_keep(world, change))
    assert "Received: " in str(caught.value)
    assert known(world) == before


def test_a_share_of_faults_far_from_the_source_is_told_with_the_result(world: World) -> None:
    def mostly_faults(frame: pd.DataFrame) -> pd.DataFrame:
        faults = frame[frame["fault"] == "1"]
        return pd.concat([faults, frame[frame["fault"] == "0"].head(len(faults) // 3)])

    assert "LABEL-SHARE" not in [
        finding.code for finding in move(world, dry_run=True).rows.findings
    ]
    csv = _keep(world, mostly_faults)
    result = move(world, csv=csv, dry_run=True, data_docs="docs")
    (finding,) = [finding for finding in result.rows.findings if finding.code == "LABEL-SHARE"]
    assert finding.severity == "warn"
    assert "25.37% of the source's rows" in finding.message
    assert "LABEL-SHARE" in json.dumps(result.as_dict()["rows"])
    assert "LABEL-SHARE" in Path("docs/index.html").read_text()
    assert "LABEL-SHARE" not in [
        finding.code for finding in pipeline.validate([csv], world.contract).findings
    ]


def test_a_source_model_of_an_older_release_is_not_compared(world: World) -> None:
    folder = models_of(world).source_bundle
    bundle = load_bundle(folder)
    assert recorded_classes(folder) == Classes(rows=2160, faults=548)
    older = {key: value for key, value in bundle.lineage.items() if key != "classes"}
    save_bundle(dataclasses.replace(bundle, lineage=older), world.folder / "older")
    assert recorded_classes(world.folder / "older") is None


def test_a_missing_or_empty_file_is_an_error(world: World) -> None:
    with pytest.raises(DataError, match=r"csv='nowhere\.csv'"):
        move(world, csv="nowhere.csv")
    (world.folder / "empty.csv").write_text("")
    with pytest.raises(DataError, match="header"):
        move(world, csv="empty.csv")


def test_a_contract_without_a_sensor_of_the_source_is_refused_with_the_way_on(world: World) -> None:
    content = yaml.safe_load(Path(world.contract).read_text())
    content["sensors"] = {"hum_db": {}, "ripple": {}}
    Path("other.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    frame = pd.read_csv(world.target).assign(ripple=lambda rows: rows.index % 7)
    frame.assign(hum_db=lambda rows: rows.index % 11).to_csv("other.csv", index=False)
    with pytest.raises(ContractError, match=r"no sensor of the source model.*contract map"):
        pipeline.transfer(["other.csv"], "other.yaml", "pumps", world.equipment)


def _reordered(world: World) -> str:
    content = yaml.safe_load(Path(world.contract).read_text())
    content["sensors"] = dict(reversed(content["sensors"].items()))
    Path("reordered.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return "reordered.yaml"


def test_a_source_scores_the_same_under_a_contract_with_its_sensors_in_another_order(
    world: World,
) -> None:
    first = move(world, dry_run=True)
    options = quick(EASY)
    second = pipeline.transfer(
        [world.target], _reordered(world), "pumps", world.equipment, options, dry_run=True
    )
    assert second.report.contestants == first.report.contestants
    assert second.report.threshold == first.report.threshold


def test_a_champion_keeps_its_order_beside_a_source_with_another_one(world: World) -> None:
    move(world)
    first = move(world, csv=later_rows(world), dry_run=True).report.comparison
    pipeline.pretrain(
        world.sources, _reordered(world), "pumps", PretrainOptions(network=SMALL_NETWORK)
    )
    fetched = models_of(world)
    assert fetched.champion_bundle is not None
    assert (
        load_bundle(fetched.source_bundle).features
        == load_bundle(fetched.champion_bundle).features[::-1]
    )
    second = move(world, csv=later_rows(world), dry_run=True).report.comparison
    assert first is not None
    assert second is not None
    assert second.champion == first.champion
    again = move(world, dry_run=True).report.comparison
    assert again is not None
    assert again.rows == 0  # it recognises the rows that it learnt from


def test_a_machine_that_lost_a_sensor_is_judged_against_what_its_champion_would_say_today(
    world: World,
) -> None:
    move(world)
    fewer = contract_without(world, "winding_temperature_c")
    csv, options = later_rows(world), quick(EASY)
    # The very rows that it learnt from, though with the sensor, show nothing.
    seen = pipeline.transfer([world.target], fewer, "pumps", world.equipment, options, dry_run=True)
    assert seen.report.comparison is None
    said = "was trained on these rows, with winding_temperature_c, which the machine lacks now"
    assert said in seen.report.evidence.not_comparable
    result = pipeline.transfer([csv], fewer, "pumps", world.equipment, options)
    change = result.report.sensor_change
    assert change["missing"] == ["winding_temperature_c"]
    assert set(change["r2"]) == {"winding_temperature_c"}
    champion = next(one for one in result.report.contestants if one.role == "champion")
    assert "with guesses of winding_temperature_c, as it would today" in champion.note
    assert result.report.comparison is not None
    page = (world.folder / "mlruns" / "artifacts").rglob("report.md")
    assert any("lacks winding_temperature_c" in path.read_text() for path in page)
    scored = pipeline.score([world.new_rows], "pumps", world.equipment, "scores.csv")
    assert scored.rows.accepted > 0


def test_a_champion_that_cannot_do_without_a_sensor_is_not_compared_with(world: World) -> None:
    content = yaml.safe_load(Path(world.contract).read_text())
    content["sensors"]["speed_rpm"]["impute"] = False
    Path("strict.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    options = quick(EASY)
    pipeline.transfer([world.target], "strict.yaml", "pumps", world.equipment, options)
    fewer = contract_without(world, "speed_rpm")
    result = pipeline.transfer([later_rows(world)], fewer, "pumps", world.equipment, options)
    evidence = result.report.evidence
    assert evidence.comparison is None
    assert "cannot score these rows without speed_rpm" in evidence.not_comparable
    checks = {check.code: check for check in result.decision.checks}
    assert checks["GATE-CHANGE"].status == "not applicable"
    assert checks["GATE-CHANGE"].message == evidence.not_comparable


def contract_without(world: World, name: str) -> str:
    """The contract without one of its sensors."""
    content = yaml.safe_load(Path(world.contract).read_text())
    del content["sensors"][name]
    path = world.folder / f"without-{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)


def test_a_contract_in_another_unit_is_refused_before_training(world: World) -> None:
    content = yaml.safe_load(Path(world.contract).read_text())
    content["sensors"]["discharge_pressure_bar"]["unit"] = "psi"
    Path("psi.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(
        ContractError, match=r"sensors\.discharge_pressure_bar\.unit='bar → psi'.*under `equipment`"
    ):
        pipeline.transfer([world.target], "psi.yaml", "pumps", world.equipment)


def test_labels_that_changed_sides_are_refused_and_units_written_down_later_are_not(
    world: World,
) -> None:
    fetched = models_of(world)
    contract = load_contract(world.contract)
    content = contract.model_dump(mode="json")
    for sensor in content["sensors"].values():
        sensor["unit"] = ""
    require_same_meaning(parse_contract(content, where="test"), fetched.source_bundle)
    label = content["label"]
    label["normal"], label["fault"] = label["fault"], label["normal"]
    with pytest.raises(ContractError, match="label spellings"):
        require_same_meaning(parse_contract(content, where="test"), fetched.source_bundle)


def test_a_damaged_version_is_not_scored(world: World) -> None:
    move(world)
    networks = (world.folder / "mlruns").rglob("bundle/network.keras")
    source, champion = sorted(networks, key=lambda path: path.stat().st_mtime)
    champion.write_bytes(source.read_bytes())
    with pytest.raises(BundleError, match="SHA-256"):
        pipeline.score([world.new_rows], "pumps", world.equipment, world.folder / "scores.csv")
    assert not (world.folder / "scores.csv").exists()


def test_results_are_plain_data(world: World) -> None:
    for result in (
        move(world),
        pipeline.validate([world.target], world.contract),
        pipeline.score([world.new_rows], "pumps", world.equipment, world.folder / "scores.csv"),
    ):
        assert json.loads(json.dumps(result.as_dict()))


def test_a_folder_of_a_whole_plant_is_read_for_one_machine(world: World) -> None:
    alone = pipeline.score([world.new_rows], "pumps", _promoted(world), world.folder / "alone.csv")
    frame = pd.read_csv(world.new_rows)
    frame.assign(equipment="pump-8").to_csv("other.csv", index=False)
    both = pipeline.score(
        ["other.csv", world.new_rows], "pumps", world.equipment, world.folder / "both.csv"
    )
    assert both.rows.accepted == alone.rows.accepted
    assert both.rows.left_out == len(frame)
    assert [(item.code, item.severity, item.file) for item in both.rows.findings] == [
        ("EQUIPMENT-ABSENT", "warn", "other.csv")
    ]
    pd.testing.assert_frame_equal(
        pd.read_csv("both.csv").drop(columns="file"), pd.read_csv("alone.csv")
    )


def _promoted(world: World) -> str:
    assert move(world).outcome == "promoted"
    return world.equipment


def test_two_checks_of_a_changing_folder_keep_both_quarantines(world: World) -> None:
    text = Path(world.target).read_text()
    header, first, *rest = text.splitlines()
    cells = first.split(",")
    cells[header.split(",").index("flow_m3h")] = "Bad"
    Path("later.csv").write_text(text)
    kept = []
    for line in (",".join(cells), ",".join(cells).replace("Bad", "Worse")):
        Path("dirty.csv").write_text("\n".join([header, line, *rest]) + "\n")
        kept.append(pipeline.validate(["later.csv", "dirty.csv"], world.contract).quarantine)
    assert kept[0] != kept[1]
    assert all(path is not None and path.is_file() for path in kept)


def test_the_data_docs_lie_with_the_run_of_a_transfer_and_of_a_pretraining(world: World) -> None:
    result = move(world, data_docs="docs")
    docs = Path(str(result.rows.docs))
    assert docs.parts[-3:] == ("artifacts", "data_docs", "index.html")
    assert result.as_dict()["rows"]["data_docs"] == str(docs)
    assert "pump-9.csv" in docs.read_text()
    assert len(list(docs.parent.glob("files/*.html"))) == 1
    assert Path("docs/index.html").read_text() == docs.read_text()
    registry = open_registry()
    for name in ("pumps", "pumps--fault--pump-9"):
        champion = registry.champion(name)
        assert champion is not None
        assert "data_docs" in {
            item.path for item in registry.client.list_artifacts(champion.run_id)
        }
        assert (
            "data_docs/index.html"
            in registry.client.get_model_version(name, champion.version).description
        )


def test_a_dry_run_keeps_data_docs_only_where_asked(world: World) -> None:
    assert move(world, dry_run=True).rows.docs is None
    assert move(world, dry_run=True, data_docs="docs").rows.docs == str(
        Path("docs/index.html").absolute()
    )


def test_a_training_that_stops_at_a_refused_file_leaves_the_data_docs_asked_for(
    world: World,
) -> None:
    narrow = _keep(world, lambda frame: frame.drop(columns="flow_m3h"))
    with pytest.raises(DataError, match="COLUMN-MISSING"):
        move(world, csv=narrow, data_docs="of-transfer")
    with pytest.raises(DataError, match="COLUMN-MISSING"):
        pipeline.pretrain([narrow], world.contract, "others", data_docs="of-pretrain")
    for folder in ("of-transfer", "of-pretrain"):
        assert "COLUMN-MISSING" in Path(folder, "index.html").read_text()


@pytest.mark.usefixtures("adapting_anew")
def test_a_transfer_against_a_champion_loads_each_network_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(world)
    loaded: list[Path] = []
    real = bundle_module.load_network

    def counted(path: Path) -> Any:
        loaded.append(path)
        return real(path)

    monkeypatch.setattr(bundle_module, "load_network", counted)
    move(world, csv=later_rows(world), dry_run=True)
    assert len(loaded) == len(set(loaded)) == 3, loaded  # source, champion and candidate
