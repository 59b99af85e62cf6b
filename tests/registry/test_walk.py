"""Walks at random through a registry's operations: no sequence of them loses a version.

What is tried: promote, roll back, edit any of our tags, delete an alias, a version or a run, hide
files and bring them back, change their bytes and restore them, doctor, ``doctor --apply``,
``restore``. FAULTXFER_WALKS sets how many walks are taken, each another one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import registry_work as work
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from operations_bundle import FEATURES, write_bundle
from operations_look import digests

from faultxfer.cli import main
from faultxfer.registry import names, registering, smoke

NAME, EQUIPMENT = work.NAME, work.EQUIPMENT
VERSIONS = ("1", "2", "3")
WALKS = int(os.environ.get("FAULTXFER_WALKS", "0"))

# What somebody might write into a tag, or None to delete it.
MODEL_TAGS = (
    (names.KIND, "pump"),
    (names.KIND, None),
    (names.EQUIPMENT, "pump-8"),
    (names.SOURCE_MODEL, None),
)
VERSION_TAGS = (
    (names.FILES, "0" * 64),
    (names.FILES, None),
    (names.STATE, names.RETIRED),
    (names.STATE, names.CANDIDATE),
    (names.STATE, "champion"),
    (names.STATE, None),
    (names.ENTRY, None),
    (names.OWNER, None),
    (names.PROMOTED, "yesterday"),
)


class Walk:
    """One registry, and what was done to it.

    Args:
        folder: working folder.
        client: MLflow's own.
        uploads: folder of each version's files.
    """

    def __init__(self, folder: Path, client: Any, uploads: dict[str, Path]) -> None:
        self.folder, self.client, self.uploads = folder, client, uploads
        self.files = {number: digests(upload) for number, upload in uploads.items()}
        self.deleted: set[str] = set()  # by the walk itself

    def versions(self) -> list[str]:
        """Those that are still to be there."""
        return [number for number in VERSIONS if number not in self.deleted]

    def lay_out(self) -> None:
        """As it was at the beginning, in the same place: MLflow keeps its connection."""
        artifacts = self.folder / "mlruns" / "artifacts"
        shutil.rmtree(artifacts)
        shutil.copytree(self.folder / "kept" / "artifacts", artifacts)
        shutil.rmtree(self.folder / "hidden", ignore_errors=True)
        (self.folder / "hidden").mkdir()
        with (
            contextlib.closing(sqlite3.connect(self.folder / "kept" / "mlflow.db")) as kept,
            contextlib.closing(sqlite3.connect(self.folder / "mlruns" / "mlflow.db")) as used,
        ):
            kept.backup(used)
        self.deleted.clear()


def registry_command(*arguments: str) -> tuple[int, str]:
    """Type ``faultxfer registry …``; gives back the exit code and all that it says."""
    out, error = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main(["registry", *arguments, "--json"])
        except SystemExit as left:
            code = int(left.code or 0)
    said = out.getvalue()
    note(f"faultxfer registry {' '.join(arguments)} -> {code} {said[:2000] if code else ''}")
    assert code != 1, said + error.getvalue()
    assert "Traceback" not in error.getvalue()
    return code, said


# The steps. Each takes a number drawn at random, for the version or the tag.


def promote(walk: Walk, drawn: int) -> None:
    registry_command(
        "promote", work.MODEL, _version(drawn), "--equipment", EQUIPMENT, "--reason", "walk"
    )


def roll_back(walk: Walk, drawn: int) -> None:
    registry_command("rollback", work.MODEL, "--equipment", EQUIPMENT, "--reason", "walk")


def doctor(walk: Walk, drawn: int) -> None:
    registry_command("doctor")


def doctor_apply(walk: Walk, drawn: int) -> None:
    registry_command("doctor", "--apply")


def doctor_of_one(walk: Walk, drawn: int) -> None:
    registry_command("doctor", work.MODEL, "--equipment", EQUIPMENT, "--apply")


def restore(walk: Walk, drawn: int) -> None:
    registry_command("restore")


def edit_model_tag(walk: Walk, drawn: int) -> None:
    key, value = MODEL_TAGS[drawn % len(MODEL_TAGS)]
    name = names.journal_name(NAME) if drawn > 40 and key == names.KIND else NAME
    if value is not None:
        walk.client.set_registered_model_tag(name, key, value)
    elif key in walk.client.get_registered_model(name).tags:
        walk.client.delete_registered_model_tag(name, key)


def edit_version_tag(walk: Walk, drawn: int) -> None:
    number = _version(drawn)
    key, value = VERSION_TAGS[drawn // len(VERSIONS) % len(VERSION_TAGS)]
    if number in walk.deleted:
        return
    if value is not None:
        walk.client.set_model_version_tag(NAME, number, key, value)
    elif key in walk.client.get_model_version(NAME, number).tags:
        walk.client.delete_model_version_tag(NAME, number, key)


def delete_alias(walk: Walk, drawn: int) -> None:
    walk.client.delete_registered_model_alias(NAME, names.CHAMPION)


def move_alias(walk: Walk, drawn: int) -> None:
    if _version(drawn) not in walk.deleted:
        walk.client.set_registered_model_alias(NAME, names.CHAMPION, _version(drawn))


def delete_version(walk: Walk, drawn: int) -> None:
    number = _version(drawn)
    if len(walk.versions()) > 1 and number not in walk.deleted:
        walk.client.delete_model_version(NAME, number)
        walk.deleted.add(number)


def delete_run(walk: Walk, drawn: int) -> None:
    number = _version(drawn)
    if number in walk.deleted:
        return
    run = walk.client.get_model_version(NAME, number).run_id
    if walk.client.get_run(run).info.lifecycle_stage == "active":
        walk.client.delete_run(run)


def hide(walk: Walk, drawn: int) -> None:
    number = _version(drawn)
    if walk.uploads[number].exists():
        walk.uploads[number].rename(walk.folder / "hidden" / number)


def show(walk: Walk, drawn: int) -> None:
    number = _version(drawn)
    if not walk.uploads[number].exists():
        (walk.folder / "hidden" / number).rename(walk.uploads[number])


def change(walk: Walk, drawn: int) -> None:
    network = walk.uploads[_version(drawn)] / "data" / "bundle" / "network.keras"
    if network.exists():
        network.write_bytes(b"other weights")


def unchange(walk: Walk, drawn: int) -> None:
    upload = walk.uploads[_version(drawn)]
    if upload.exists():
        kept = walk.folder / "kept" / upload.relative_to(walk.folder / "mlruns")
        shutil.rmtree(upload)
        shutil.copytree(kept, upload)


STEPS: tuple[Callable[[Walk, int], None], ...] = (
    *(promote, roll_back, doctor, doctor_apply, doctor_of_one, restore),
    *(edit_model_tag, edit_version_tag, delete_alias, move_alias, delete_version, delete_run),
    *(hide, show, change, unchange),
)


def _version(drawn: int) -> str:
    return VERSIONS[drawn % len(VERSIONS)]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, migrated_folder: Path) -> Iterator[Walk]:
    """A machine's model with three versions, each of which was champion."""
    from faultxfer.registry.store import open_registry

    folder = tmp_path_factory.mktemp("walk")
    shutil.copytree(migrated_folder, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(smoke, "check_version", work.downloads)
        patch.setattr(registering, "smoke_test", work.downloads)
        for number in VERSIONS:
            bundle = write_bundle(folder / "bundles" / number, seed=int(number))
            work.register_prepared(bundle, FEATURES)
        registry = open_registry()
        shutil.copytree(folder / "mlruns", folder / "kept")
        uploads = {
            one.version: _upload(folder, str(one.model_id)) for one in registry.versions(NAME)
        }
        yield Walk(folder, registry.client, uploads)


def _upload(folder: Path, upload: str) -> Path:
    (found,) = (folder / "mlruns" / "artifacts").rglob(upload)
    return found / "artifacts"


def bring_everything_back(walk: Walk) -> None:
    """Files as registered; then what a person types, and what the output names."""
    for drawn in range(len(VERSIONS)):
        show(walk, drawn)
        unchange(walk, drawn)
    said = [
        registry_command(*line)[1] for line in (("doctor",), ("doctor", "--apply"), ("restore",))
    ]
    named = re.findall(r"`mlflow ([^`]+)`", "".join(said))
    for line in dict.fromkeys(named):
        _type_mlflow(shlex.split(line))
    registry_command("doctor")


def _type_mlflow(line: list[str]) -> None:
    """What the doctor names for a deleted run or experiment."""
    from mlflow.cli import cli

    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        cli.main(args=line, prog_name="mlflow")


def assert_nothing_is_lost(walk: Walk) -> None:
    """Every version that the walk did not delete is there, sound, and can be champion."""
    code, said = registry_command("verify")
    assert code == 0, said
    # Nobody follows a deleted champion by itself but those it took over from.
    assert walk.deleted or walk.client.get_registered_model(NAME).aliases, "nobody is champion"
    for number in walk.versions():
        state = walk.client.get_model_version(NAME, number).tags.get(names.STATE)
        assert state not in (names.RETIRED, names.CANDIDATE), f"version {number} is {state}"
        assert digests(walk.uploads[number]) == walk.files[number]
        done, said = registry_command(
            *("promote", work.MODEL, number, "--equipment", EQUIPMENT, "--reason", "all are there")
        )
        assert done == 0, said
    assert json.loads(registry_command("verify")[1])["sound"]


# Shrinking would take many more walks, and these are short enough to be read.
@settings(
    max_examples=WALKS or 4,
    derandomize=not WALKS,
    deadline=None,
    database=None,
    phases=[Phase.generate],
)
@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 80)), min_size=4, max_size=12)
)
def test_no_walk_loses_a_version(
    walk: Walk, steps: list[tuple[Callable[[Walk, int], None], int]]
) -> None:
    walk.lay_out()
    for step, drawn in steps:
        note(f"{step.__name__} {drawn}")
        step(walk, drawn)
    bring_everything_back(walk)
    assert_nothing_is_lost(walk)
