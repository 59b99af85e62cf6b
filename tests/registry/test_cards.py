"""What a reviewer finds on MLflow's pages: of a run, its version and its logged model alike.

Files of these versions hold no network.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registry_work as work
from registry_checks import SENSORS, repair

from faultxfer.errors import BundleError
from faultxfer.registry import descriptions, journal, names, registering
from faultxfer.registry.cards import OF_VERSION, Card, card_of
from faultxfer.registry.data_sets import JUDGED, SOURCE, TARGET, DataSet
from faultxfer.registry.promotion import Promotion
from faultxfer.registry.registering import NewVersion, register
from faultxfer.registry.runs import RunRecord, record_run
from faultxfer.registry.store import Registry, Version, open_registry

MACHINE = "pumps--fault--pump-9"
TAGS = {
    names.KIND: names.TARGET_KIND,
    names.EQUIPMENT: "pump-9",
    names.FAMILY: "pumps",
    names.LABEL: "fault",
}
COLUMNS = {"flow": "double (m3/h)", "pressure": "double (bar)"}
OF_SOURCE = {names.KIND: names.SOURCE_KIND, names.FAMILY: "pumps", names.LABEL: "fault"}
HISTORY = DataSet("history.csv", "c" * 64, SOURCE)
FILE = DataSet("week.csv", "a" * 64, TARGET, COLUMNS, {"rows": 40, "faults": 3, "runs": 2})
ROWS = DataSet("pump-9: rows that judged", "b" * 64, JUDGED, COLUMNS, {"rows": 20, "faults": 2})


def record(folder: Path, **more: Any) -> RunRecord:
    """A transfer with a picture, a table and a contract among its files."""
    folder.mkdir(exist_ok=True)
    (folder / "rivals.png").write_bytes(b"\x89PNG")
    (folder / "contract.yaml").write_text("version: 1")
    (folder / "comparison.json").write_text('{"columns": ["who"], "data": [["candidate"]]}')
    given: dict[str, Any] = {
        "name": "transfer pumps → pump-9",
        "tags": {**TAGS, names.MODEL: MACHINE, names.GATE: "promote"},
        "params": {"strategy": "stack", "seed": 0},
        "metrics": {"pr_auc": 0.8, "pr_auc.low": 0.7, "pr_auc.high": 0.9, "precision": None},
        "curves": {"loss": [0.5, 0.4]},
        "data": (FILE,),
        "files": folder,
        "note": "# pump-9: passed by the gate\n\nAll checks were passed.\n\nFinds 17 of 20 faults.",
        "judged": ROWS,
        "tables": ("comparison.json",),
    }
    return RunRecord(**{**given, **more})


def registered(
    registry: Registry,
    bundle: Path,
    what: RunRecord,
    action: str = journal.PROMOTE,
    name: str = MACHINE,
) -> Version:
    new = NewVersion(name, what.tags, bundle, SENSORS, np.ones((2, 2)))
    details = {journal.OUTCOME: "promoted"} if action == journal.PROMOTE else {}
    return register(registry, what, new, Promotion("it passed", details, action=action))


@dataclass(frozen=True)
class Shelf:
    """A registry with a source, a version that was made from it, and a refused run."""

    registry: Registry
    source: Version
    version: Version


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Shelf:
    """To be read, not to be changed."""
    folder = tmp_path_factory.mktemp("shelf")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(registering, "smoke_test", work.downloads)
        registry, bundle = open_registry(), work.inert_bundle(folder / "candidate")
        history = record(folder / "first", name="pretrain pumps", data=(HISTORY,), tags=OF_SOURCE)
        source = registered(registry, bundle, history, name="pumps")
        version = registered(registry, bundle, record(folder / "second", source=source))
        record_run(registry, record(folder / "third", tags={**TAGS, names.OUTCOME: "refused"}))
    return Shelf(registry, source, version)


@pytest.fixture
def registry(bundle: Path) -> Registry:
    """An empty one, to work in."""
    return open_registry()


def test_the_logged_model_has_metrics_parameters_data_and_card(shelf: Shelf) -> None:
    registry, version = shelf.registry, shelf.version
    assert version.model_id is not None
    model = registry.client.get_logged_model(version.model_id)
    measured = {metric.key: metric.value for metric in model.metrics or []}
    assert measured == {"pr_auc": 0.8, "pr_auc.low": 0.7, "pr_auc.high": 0.9, "loss": 0.4}
    of_rows = {metric.dataset_name for metric in model.metrics or [] if metric.key != "loss"}
    assert of_rows == {ROWS.name}
    assert model.params == {"strategy": "stack", "seed": "0"}
    assert model.name == MACHINE
    named = [{"name": MACHINE, "version": version.version}]
    assert json.loads(model.tags["mlflow.modelVersions"]) == named
    run = registry.client.get_run(version.run_id)
    for page in (model.tags[names.PAGE], run.data.tags[names.PAGE], version.description):
        assert page.startswith("# pump-9: passed by the gate\n\nAll checks were passed.")
        assert "Finds 17 of 20 faults." in page
    # One value each, as MLflow draws a line through two.
    assert len(registry.client.get_metric_history(version.run_id, "pr_auc")) == 1
    assert len(registry.client.get_metric_history(version.run_id, "loss")) == 2


def test_inputs_have_columns_with_units_and_what_was_counted(shelf: Shelf) -> None:
    inputs = shelf.registry.client.get_run(shelf.version.run_id).inputs
    found = {one.dataset.name: one for one in inputs.dataset_inputs}
    roles = {name: [tag.value for tag in one.tags] for name, one in found.items()}
    # Rows that the source was judged on are none of its data.
    assert roles == {"week.csv": [TARGET], "history.csv": [SOURCE], ROWS.name: [JUDGED]}
    assert [model.model_id for model in inputs.model_inputs] == [shelf.source.model_id]
    schema = json.loads(found["week.csv"].dataset.schema)["mlflow_colspec"]
    assert {"name": "pressure", "type": "double (bar)"} in schema
    profile = json.loads(found["week.csv"].dataset.profile)
    assert profile == {"rows": 40, "faults": 3, "runs": 2, "sha256": "a" * 64}


def test_the_same_file_of_another_machine_is_another_data_set() -> None:
    other = DataSet("week.csv", "a" * 64, TARGET, COLUMNS, {"rows": 7})
    assert other.digest != FILE.digest
    assert len(other.digest) <= 36
    assert FILE.digest == DataSet(**vars(FILE)).digest


def test_a_source_whose_run_is_gone_keeps_nobody_from_registering(
    registry: Registry, bundle: Path, tmp_path: Path
) -> None:
    source = registered(registry, bundle, record(tmp_path / "first", tags=OF_SOURCE), name="pumps")
    gone = dataclasses.replace(source, run_id="0" * 32)
    later = registered(registry, bundle, record(tmp_path / "second", source=gone))
    inputs = registry.client.get_run(later.run_id).inputs
    assert {one.dataset.name for one in inputs.dataset_inputs} == {"week.csv", ROWS.name}


def test_each_filter_that_the_experiment_names_works_in_the_search_bar(shelf: Shelf) -> None:
    client = shelf.registry.client
    experiment = client.get_experiment_by_name(names.EXPERIMENT)
    assert experiment is not None
    assert experiment.tags[names.PAGE] == descriptions.EXPERIMENT
    filters = re.findall(r"`(tags\.[^`]+)`", descriptions.EXPERIMENT)
    found = [
        {run.info.run_name for run in client.search_runs([experiment.experiment_id], one)}
        for one in filters
    ]
    first, second = "pretrain pumps: promoted", "transfer pumps → pump-9: promoted"
    third = "transfer pumps → pump-9: refused"
    everything = {first, second, third}
    assert found == [{first, second}, {second, third}, everything, {first, second}]
    (one,) = client.search_model_versions("tags.equipment = 'pump-9'")
    assert (one.name, str(one.version)) == (MACHINE, shelf.version.version)
    assert len(client.search_model_versions("tags.outcome = 'promoted'")) == 2


def test_the_name_of_a_run_ends_with_what_came_of_it_also_later(
    registry: Registry, bundle: Path, tmp_path: Path
) -> None:
    name = "transfer pumps → pump-9"
    waiting = registered(registry, bundle, record(tmp_path / "first"), journal.WAITING)
    assert told(registry, waiting) == (f"{name}: waiting", "waiting", "waiting")
    registered(registry, bundle, record(tmp_path / "second"), journal.WAITING)
    replaced = registry.version(MACHINE, waiting.version)
    assert told(registry, replaced) == (f"{name}: replaced", "replaced", "replaced")
    assert replaced.tags["outcome"] == replaced.tags[names.OUTCOME] == "replaced"


def told(registry: Registry, version: Version) -> tuple[str | None, str, str]:
    """Name and plain tag of a version's run, and the tag of its logged model."""
    run = registry.client.get_run(version.run_id)
    model = registry.client.get_logged_model(str(version.model_id))
    return run.info.run_name, run.data.tags["outcome"], model.tags["outcome"]


def test_a_run_that_fails_says_so_in_its_name(
    registry: Registry, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differs(*_: object) -> None:
        raise BundleError("the same scores were expected")

    registered(registry, bundle, record(tmp_path / "first"))
    monkeypatch.setattr(registering, "smoke_test", differs)
    with pytest.raises(BundleError):
        registered(registry, bundle, record(tmp_path / "second"))
    experiment = registry.client.get_experiment_by_name(names.EXPERIMENT)
    assert experiment is not None
    (run,) = registry.client.search_runs([experiment.experiment_id], "tags.outcome = 'failed'")
    assert run.info.run_name == "transfer pumps → pump-9: failed"
    assert not any(work.leftovers().values())


def test_what_was_told_half_is_told_again_and_what_an_older_release_lacks_is_no_damage(
    registry: Registry, bundle: Path, tmp_path: Path
) -> None:
    version, client = registered(registry, bundle, record(tmp_path / "first")), registry.client
    for key in ("outcome", "equipment", "family", "strategy"):
        client.delete_model_version_tag(MACHINE, version.version, key)
    client.set_tag(version.run_id, names.RUN_NAME, "transfer pumps → pump-9")
    client.update_registered_model(MACHINE, "")
    assert repair(dry_run=True) == []
    client.delete_model_version_tag(MACHINE, version.version, names.OUTCOME)
    assert repair()
    again = registry.version(MACHINE, version.version)
    assert told(registry, again) == ("transfer pumps → pump-9: promoted", "promoted", "promoted")
    assert again.tags["outcome"] == "promoted"
    registered(registry, bundle, record(tmp_path / "second"))
    assert "**pump-9**" in client.get_registered_model(MACHINE).description
    client.update_registered_model(MACHINE, "ours: see the wiki")
    registered(registry, bundle, record(tmp_path / "third"))
    assert client.get_registered_model(MACHINE).description == "ours: see the wiki"


def test_pictures_and_files_are_one_click_away(shelf: Shelf) -> None:
    registry, page, run = shelf.registry, shelf.version.description, shelf.version.run_id
    experiment = registry.client.get_run(run).info.experiment_id
    assert f"[rivals](#/experiments/{experiment}/runs/{run}/artifacts/rivals.png)" in page
    assert f"![rivals](get-artifact?path=rivals.png&run_uuid={run})" in page
    assert f"/runs/{run}/artifacts/contract.yaml)" in page
    assert "[pumps version 1](#/models/pumps/versions/1)" in page
    tables = json.loads(registry.client.get_run(run).data.tags["mlflow.loggedArtifacts"])
    assert tables == [{"path": "comparison.json", "type": "table"}]


@pytest.mark.parametrize("lines", [0, 3, 60, 500])
def test_a_card_fits_and_keeps_its_head_links_and_pictures(lines: int, tmp_path: Path) -> None:
    made = record(tmp_path / "report")
    text = made.note + "\n\n" + "\n".join(f"| check {line} | passed |" for line in range(lines))
    card = card_of(Card(text, "1", "r" * 32, made.files), OF_VERSION)
    assert len(card) <= OF_VERSION
    assert card.startswith(
        "# pump-9: passed by the gate\n\nAll checks were passed.\n\nFinds 17 of 20 faults.\n\n"
        "**Pictures:**"
    )
    assert card.endswith(f"![rivals](get-artifact?path=rivals.png&run_uuid={'r' * 32})")
    assert ("… The rest is in `report.md`" in card) == (lines > 100)


def test_models_and_journals_say_what_they_are_and_what_to_type(shelf: Shelf) -> None:
    client = shelf.registry.client
    said = client.get_registered_model(MACHINE).description
    assert "Detector of faults (label column `fault`) on **pump-9** of the family pumps" in said
    assert f"faultxfer score CSV... --model {MACHINE}" in said
    assert "Source model for faults" in client.get_registered_model("pumps").description
    of_journal = client.get_registered_model(f"{MACHINE}~journal").description
    assert of_journal.startswith(f"No model: the journal of {MACHINE}")
    (wanted,) = re.findall(r"``(.+)``", of_journal)
    listed = client.search_registered_models(wanted)
    assert {model.name for model in listed} == {MACHINE, "pumps"}


def test_a_long_reason_leaves_room_for_links_and_pictures(tmp_path: Path) -> None:
    text = f"# pump-9: promoted by override\n\n{'agreed with the shift lead, ' * 300}\n\nFinds 3."
    card = card_of(Card(text, "1", "r" * 32, record(tmp_path / "report").files), OF_VERSION)
    assert len(card) <= OF_VERSION
    assert "**Pictures:** [rivals]" in card
    assert card.endswith(")")
