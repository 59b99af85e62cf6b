"""What a day of ordinary operation does to a registry, and how a person puts it right.

Each function takes the plant first. Files and databases are changed as a person, a mount or a
backup would change them; tags, aliases and versions by MLflow's own client.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import registry_trials as trials
from operations_plant import FOREIGN, HURT, JOURNAL, MODELS, Plant, remove

NETWORK, MANIFEST, MLMODEL = "data/bundle/network.keras", "data/bundle/manifest.json", "MLmodel"
_AWAY = "away"


# Files that are not there.


def hide_artifacts(plant: Plant) -> None:
    """The folder of all uploads was moved."""
    plant.artifacts.rename(_away(plant))


def unmount_artifacts(plant: Plant) -> None:
    """Its disk is not mounted: an empty folder is left."""
    hide_artifacts(plant)
    plant.artifacts.mkdir()


def show_artifacts(plant: Plant) -> None:
    """Mounted or moved back."""
    if plant.artifacts.is_symlink() or plant.artifacts.exists():
        remove(plant.artifacts)
    _away(plant).rename(plant.artifacts)


def link_artifacts(plant: Plant) -> None:
    """Moved to a larger disk, with a link where they were."""
    hide_artifacts(plant)
    plant.artifacts.symlink_to(_away(plant))


def hide_versions(plant: Plant, *versions: tuple[str, int]) -> None:
    """The files of some versions are not there."""
    _away(plant).mkdir()
    for model, number in versions:
        upload = plant.upload(model, number)
        upload.rename(_away(plant) / f"{model} {number}")


def show_versions(plant: Plant, *versions: tuple[str, int]) -> None:
    """They are there again."""
    for model, number in versions:
        folder = plant.upload(model, number)
        remove(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        (_away(plant) / f"{model} {number}").rename(folder)


def _away(plant: Plant) -> Path:
    return plant.folder.parent / _AWAY if plant.server is None else plant.store / _AWAY


# Files that are others, or not all there.


def delete_file(plant: Plant, model: str, number: int, name: str) -> None:
    """One file of a version is lost."""
    (plant.upload(model, number) / name).unlink()


def delete_half(plant: Plant) -> None:
    """A restore of the artifacts broke off: every other file is missing."""
    files = sorted(path for path in plant.artifacts.rglob("*") if path.is_file())
    for path in files[::2]:
        path.unlink()


def cut_file(plant: Plant, model: str, number: int, name: str, *, share: float = 0.5) -> None:
    """A file ends early; with a share of 0 it is empty."""
    path = plant.upload(model, number) / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def change_file(plant: Plant, model: str, number: int, name: str) -> None:
    """Some bytes of a file are others."""
    path = plant.upload(model, number) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def change_champions(plant: Plant) -> None:
    """The network of every champion is another one."""
    for model in MODELS:
        change_file(plant, model, 2, NETWORK)


def change_both_versions(plant: Plant) -> None:
    """Neither of a machine's two versions is what it was."""
    change_file(plant, HURT, 1, NETWORK)
    change_file(plant, HURT, 2, NETWORK)


def add_file(plant: Plant) -> None:
    """A desktop left its own file among the champion's."""
    (plant.upload(HURT, 2) / "data" / "Thumbs.db").write_bytes(b"thumbs")


def remove_added_file(plant: Plant) -> None:
    """It is gone again."""
    (plant.upload(HURT, 2) / "data" / "Thumbs.db").unlink(missing_ok=True)


def swap_versions(plant: Plant) -> None:
    """The files of two versions were restored the wrong way round."""
    first, second = plant.upload(HURT, 1), plant.upload(HURT, 2)
    spare = first.parent / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)


def bring_back_files(plant: Plant) -> None:
    """Today's files come back from the backup; the database is as it is."""
    plant.bring_back("today", database=False)


def bring_back_database(plant: Plant) -> None:
    """Today's database comes back from the backup."""
    if plant.server is None:
        remove(plant.database)
    plant.bring_back("today", artifacts=False)


def bring_back_both(plant: Plant) -> None:
    """Today's registry comes back from the backup."""
    plant.bring_back("today")


def yesterdays_files(plant: Plant) -> None:
    """The artifacts were restored from yesterday's backup, the database was not."""
    plant.bring_back("yesterday", database=False)


def yesterdays_database(plant: Plant) -> None:
    """The database was restored from yesterday's backup, the artifacts were not."""
    plant.bring_back("yesterday", artifacts=False)


def yesterdays_registry(plant: Plant) -> None:
    """Both were restored from yesterday's backup."""
    plant.bring_back("yesterday")


# Rights.


def lock_artifacts(plant: Plant) -> None:
    """Whoever types the commands may not read the artifacts."""
    plant.artifacts.chmod(0)
    plant.blind = True


def lock_file(plant: Plant, model: str, number: int, name: str) -> None:
    """Nor one single file."""
    (plant.upload(model, number) / name).chmod(0)
    plant.blind = True


def lock_database(plant: Plant) -> None:
    """Nor the database."""
    plant.database.chmod(0)
    plant.blind = True


def read_only(plant: Plant) -> None:
    """Whoever types the commands may read everything and write nothing."""
    plant.database.chmod(0o444)
    for folder in (plant.store, plant.folder, plant.artifacts):
        folder.chmod(0o555)
    plant.blind = True


def unlock(plant: Plant) -> None:
    """Rights as they were."""
    plant.blind = False
    for folder in (plant.folder, plant.store, plant.artifacts):
        folder.chmod(0o755)
    plant.database.chmod(0o644)
    for path in plant.artifacts.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def see_again(plant: Plant) -> None:
    """The next command is typed by somebody who may read; the rights stay."""
    plant.blind = False


# The database.


def occupy_database(plant: Plant, seconds: float) -> None:
    """Another program holds the database for a while, as a backup does."""
    held = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=30); "
    held += "c.execute('BEGIN EXCLUSIVE'); print(flush=True); time.sleep(float(sys.argv[2]))"
    command = [sys.executable, "-S", "-c", held, str(plant.database), str(seconds)]
    plant.notes["holder"] = subprocess.Popen(command, stdout=subprocess.PIPE)
    plant.notes["holder"].stdout.readline()


def release_database(plant: Plant) -> None:
    """It is done."""
    plant.notes.pop("holder").wait()


def delete_database(plant: Plant) -> None:
    """The database was deleted, the artifacts are there."""
    plant.database.unlink()


def empty_database(plant: Plant) -> None:
    """Of the database a file without content is left."""
    plant.database.write_bytes(b"")


def spoil_database(plant: Plant) -> None:
    """The database is no database."""
    plant.database.write_bytes(b"not a database, " * 4096)


def newer_schema(plant: Plant) -> None:
    """A newer MLflow has migrated the database."""
    _execute(plant, "UPDATE alembic_version SET version_num = 'f00000000000'")


def _execute(plant: Plant, statement: str, values: tuple[Any, ...] = ()) -> None:
    with closing(sqlite3.connect(plant.database, timeout=30)) as connection, connection:
        connection.execute(statement, values)


# Folders that move, over SQLite.


def hide_store(plant: Plant) -> None:
    """``mlruns`` was moved away."""
    plant.store.rename(_away(plant))


def show_store(plant: Plant) -> None:
    """It is back, in place of whatever was made there meanwhile."""
    if plant.store.exists():
        remove(plant.store)
    _away(plant).rename(plant.store)


def move_folder(plant: Plant, name: str) -> None:
    """The folder was moved or renamed, and people work there from now on."""
    new = plant.folder.parent / name
    new.parent.mkdir(parents=True, exist_ok=True)
    plant.folder.rename(new)
    plant.folder = new


def copy_folder(plant: Plant) -> None:
    """The folder was copied, and people work in the copy; the original is there."""
    plant.notes["original"] = plant.folder
    copy = plant.folder.parent / "copy"
    shutil.copytree(plant.folder, copy)
    plant.folder = copy


# The server, over HTTP.


def fail(plant: Plant, **faults: Any) -> None:
    """The proxy before the server fails; see ``operations_proxy.py``."""
    _server(plant).fail(**faults)


def answer_again(plant: Plant) -> None:
    """The server is as it was."""
    _server(plant).fail()
    _server(plant).go_up()
    plant.extra.clear()


def go_down(plant: Plant) -> None:
    """Nobody answers."""
    _server(plant).go_down()


def hang(plant: Plant, where: str) -> None:
    """Calls are accepted and never answered; people set a short time limit for the trial's sake."""
    fail(plant, where=where, hang=4)
    plant.extra |= {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


def slow(plant: Plant) -> None:
    """Each call for the files of one machine's champion takes two seconds."""
    upload = plant.upload_ids()[HURT, "2"]
    fail(plant, where="artifacts", match=upload, delay=2)


def sign_in(plant: Plant, user: str, password: str) -> None:
    """Somebody else types the commands; an empty name for nobody in particular."""
    login = _server(plant).login(user, password)
    plant.extra |= {"MLFLOW_TRACKING_USERNAME": "", "MLFLOW_TRACKING_PASSWORD": ""}
    plant.extra |= login


def sign_in_again(plant: Plant) -> None:
    """The owner types them."""
    plant.extra.clear()


def _server(plant: Plant) -> Any:
    if plant.server is None:
        raise SystemExit("this situation needs a server")
    return plant.server


# Tags, by hand in MLflow. These are given MLflow's client.


def set_model_tag(client: Any, model: str, key: str, value: str | None) -> None:
    """Edit a registered model's tag, or delete it."""
    if value is None:
        client.delete_registered_model_tag(model, key)
    else:
        client.set_registered_model_tag(model, key, value)


def set_version_tag(client: Any, model: str, number: str, key: str, value: str | None) -> None:
    """Edit a version's tag, or delete it."""
    if value is None:
        client.delete_model_version_tag(model, number, key)
    else:
        client.set_model_version_tag(model, number, key, value)


def delete_all_tags(client: Any, model: str, number: str) -> None:
    """All tags of a version."""
    for key in client.get_model_version(model, number).tags:
        client.delete_model_version_tag(model, number, key)


def edit_entry(client: Any, model: str, number: str) -> None:
    """Another reason in an entry of the journal."""
    key = "faultxfer.entry"
    text = client.get_model_version(model + JOURNAL, number).tags[key]
    client.set_model_version_tag(model + JOURNAL, number, key, text.replace("trial", "tried"))


def leave_promotion_half_done(client: Any, model: str) -> None:
    """As if a process had been killed between the journal's entry and the tags."""
    from faultxfer.registry import names

    client.set_registered_model_alias(model, names.CHAMPION, "1")
    client.delete_model_version_tag(model, "2", names.ENTRY)
    client.set_model_version_tag(model, "2", names.STATE, names.CANDIDATE)


# Aliases.


def delete_alias(client: Any, *models: str) -> None:
    """Nobody is champion any more."""
    for model in models:
        client.delete_registered_model_alias(model, "champion")


def move_alias(client: Any, model: str, number: str) -> None:
    """Somebody made another version champion in MLflow."""
    client.set_registered_model_alias(model, "champion", number)


def rename_alias(client: Any, model: str) -> None:
    """Somebody called the champion otherwise."""
    client.delete_registered_model_alias(model, "champion")
    client.set_registered_model_alias(model, "production", "2")


def add_alias(client: Any, model: str) -> None:
    """Somebody gave the earlier version a name of his own."""
    client.set_registered_model_alias(model, "reference", "1")


# Deletions and renames.


def delete_version(client: Any, model: str, *numbers: str) -> None:
    """Versions, or entries of a journal."""
    for number in numbers:
        client.delete_model_version(model, number)


def delete_model(client: Any, model: str) -> None:
    """A registered model with all versions, or a journal."""
    client.delete_registered_model(model)


def rename_model(client: Any, old: str, new: str) -> None:
    """A registered model or a journal."""
    client.rename_registered_model(old, new)


def rename_back(client: Any, old: str, new: str) -> None:
    """A registered model or a journal gets its name back, unless it has it already."""
    known = {model.name for model in client.search_registered_models()}
    if old in known and new not in known:
        client.rename_registered_model(old, new)


def delete_run(client: Any, model: str, number: str) -> None:
    """The run that made a version; ``mlflow gc`` would delete its files."""
    client.delete_run(client.get_model_version(model, number).run_id)


def delete_upload(client: Any, model: str, number: str) -> None:
    """The logged model that holds a version's files; ``mlflow gc`` would delete them."""
    source = client.get_model_version(model, number).source
    client.delete_logged_model(source.removeprefix("models:/"))


def restore_uploads(plant: Plant) -> None:
    """Type, as the server's administrator, the statements that the doctor names."""
    found = plant.type("doctor", "--dry-run").data["found"]
    remedies = dict.fromkeys(one["remedy"] for one in found)
    with closing(sqlite3.connect(plant.database, timeout=60)) as connection, connection:
        for statement in re.findall(r"UPDATE logged_models SET .*", "\n".join(remedies)):
            connection.execute(statement)


def delete_experiment(client: Any) -> None:
    """The experiment with everything in it; ``mlflow gc`` would delete it."""
    client.delete_experiment(_experiment(client))


def rename_experiment(client: Any, old: str, new: str) -> None:
    """The experiment."""
    client.rename_experiment(client.get_experiment_by_name(old).experiment_id, new)


def copy_and_delete(client: Any, model: str, *, whole: bool) -> None:
    """The champion was copied to somebody's model, and ours deleted."""
    client.copy_model_version(f"models:/{model}/2", FOREIGN)
    if whole:
        client.delete_registered_model(model)
    else:
        client.delete_model_version(model, "2")


# What dead processes leave.


def leave_candidate(client: Any, model: str) -> None:
    """A registration whose process died before the journal's entry."""
    from faultxfer.registry import names

    owner = _dead(client)
    run = client.create_run(_experiment(client), tags={names.OWNER: owner}).info.run_id
    upload = client.create_logged_model(_experiment(client), name="model", source_run_id=run)
    tags = {names.STATE: names.CANDIDATE, names.OWNER: owner, names.FILES: "0" * 64}
    source = f"models:/{upload.model_id}"
    client.create_model_version(model, source, run, tags=tags, model_id=upload.model_id)


def leave_run(client: Any) -> None:
    """A run shown as running."""
    from faultxfer.registry import names

    client.create_run(_experiment(client), tags={names.OWNER: _dead(client)})


def leave_upload(client: Any) -> None:
    """An upload that no version has."""
    from faultxfer.registry import names

    run = client.create_run(_experiment(client), tags={names.OWNER: _dead(client)}).info.run_id
    client.create_logged_model(_experiment(client), name="model", source_run_id=run)
    client.set_terminated(run, "KILLED")


def leave_model(client: Any) -> None:
    """A registered model that never got a version."""
    from faultxfer.registry import names

    tags = {names.KIND: names.TARGET_KIND, names.SOURCE_MODEL: "pumps", names.EQUIPMENT: "pump-3"}
    client.create_registered_model("pumps--pump-3", {**tags, names.OWNER: _dead(client)})


def _dead(client: Any) -> str:
    """The process that registered a version is no more."""
    return str(client.get_model_version(HURT, "1").tags["faultxfer.owner"])


def _experiment(client: Any) -> str:
    return str(client.get_experiment_by_name("faultxfer").experiment_id)


# Several at once.


def typed_at_once(plant: Plant, *lines: tuple[str, ...]) -> Iterator[int]:
    """Exit codes of commands typed at the same time."""
    for child in [plant.start_line(*line) for line in lines]:
        _, answer = trials.finish(*child)
        yield answer["code"] if answer else -1
