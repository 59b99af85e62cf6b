"""The situations, by kind.

What happens to the registry, and which exit code of verify tells the truth.

Exit codes: 0 sound, 2 something is wrong, 3 something could not be checked. Two of them stand where
both are true: a tag that lies beside a sound champion, say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import operations_damage as d
from operations_bundle import FEATURES, write_bundle
from operations_damage import MANIFEST, MLMODEL, NETWORK
from operations_look import ANYBODY, digests
from operations_plant import HURT, JOURNAL, MODELS, SOURCE, Plant
from operations_play import BOTH, HTTP, SIGNED_IN, SOUND, SQLITE, UNCHECKED, WRONG, Act, Situation

EVERYWHERE = BOTH | SIGNED_IN
_EARLIER = {HURT: "1"}


def by_hand(function: Callable[..., Any], *arguments: Any, **named: Any) -> Act:
    """Something done by MLflow's own client."""
    return lambda plant: plant.call(partial(function, **named), *arguments)


def of_files() -> list[Situation]:
    """Files that are absent, unreadable or changed, and come back."""
    champion = (HURT, 2)
    both = ((HURT, 1), (HURT, 2))
    everything = tuple((model, number) for model in MODELS for number in (1, 2))
    return [
        Situation(
            "artifacts moved away",
            "files",
            d.hide_artifacts,
            d.show_artifacts,
            stores=EVERYWHERE,
            days=3,
        ),
        Situation("artifacts' disk not mounted", "files", d.unmount_artifacts, d.show_artifacts),
        Situation(
            "artifacts moved, a link in their place",
            "files",
            d.link_artifacts,
            d.show_artifacts,
            (SOUND,),
        ),
        _hidden("all files of all versions missing", everything),
        _hidden("files of one machine missing", both),
        _hidden("files of one champion missing", (champion,)),
        _hidden("files of an earlier version missing", ((HURT, 1),), (SOUND, UNCHECKED)),
        _file("network of the champion missing", d.delete_file, NETWORK, UNCHECKED),
        _file("manifest of the champion missing", d.delete_file, MANIFEST, UNCHECKED),
        _file("MLmodel of the champion missing", d.delete_file, MLMODEL, UNCHECKED),
        Situation("half of all files missing", "files", d.delete_half, d.bring_back_files),
        _file("network cut off", d.cut_file, NETWORK, WRONG),
        _file("network empty", partial(d.cut_file, share=0), NETWORK, WRONG),
        _file("manifest empty", partial(d.cut_file, share=0), MANIFEST, WRONG),
        _file("bytes changed in the network", d.change_file, NETWORK, WRONG, stores=EVERYWHERE),
        _file("bytes changed in the manifest", d.change_file, MANIFEST, WRONG),
        _file("bytes changed in MLmodel", d.change_file, MLMODEL, WRONG),
        _file(
            "bytes changed in an earlier version", d.change_file, NETWORK, SOUND, WRONG, number=1
        ),
        Situation(
            "bytes changed in every champion",
            "files",
            d.change_champions,
            d.bring_back_files,
            (WRONG,),
        ),
        Situation(
            "both versions of a machine changed",
            "files",
            d.change_both_versions,
            d.bring_back_files,
            (WRONG,),
        ),
        Situation(
            "a foreign file among the champion's",
            "files",
            d.add_file,
            d.remove_added_file,
            (SOUND, WRONG),
        ),
        Situation(
            "two versions restored the wrong way round",
            "files",
            d.swap_versions,
            d.swap_versions,
            (WRONG,),
        ),
    ]


def for_good() -> list[Situation]:
    """Bytes that differ for good: the last sound version becomes champion."""
    return [
        _file(
            "network changed for good", d.change_file, NETWORK, WRONG, back=False, stores=EVERYWHERE
        ),
        _file("network cut off for good", d.cut_file, NETWORK, WRONG, back=False),
        Situation(
            "both versions changed for good",
            "for good",
            d.change_both_versions,
            verify=(WRONG,),
            champions={HURT: ANYBODY},
            person=True,
        ),
    ]


def of_backups() -> list[Situation]:
    """Yesterday's backup in the place of today's registry."""
    return [
        Situation("artifacts of yesterday", "backup", d.yesterdays_files, d.bring_back_files),
        Situation(
            "database of yesterday",
            "backup",
            d.yesterdays_database,
            d.bring_back_database,
            (SOUND,),
        ),
        Situation(
            "both of yesterday", "backup", d.yesterdays_registry, d.bring_back_both, (SOUND,)
        ),
    ]


def of_rights() -> list[Situation]:
    """Another user types the commands."""
    file = partial(d.lock_file, model=HURT, number=2, name=NETWORK)
    return [
        Situation(
            "artifacts unreadable", "rights", d.lock_artifacts, d.unlock, stores=SQLITE, days=3
        ),
        Situation("one file unreadable", "rights", file, d.unlock, stores=SQLITE),
        Situation("database unreadable", "rights", d.lock_database, d.unlock, stores=SQLITE),
        Situation("everything read-only", "rights", d.read_only, d.unlock, (SOUND,), stores=SQLITE),
        Situation(
            "doctor by a user who reads no artifacts",
            "rights",
            d.lock_artifacts,
            d.see_again,
            stores=SQLITE,
        ),
    ]


def of_databases() -> list[Situation]:
    """The database itself."""
    back, either = d.bring_back_database, (WRONG, UNCHECKED)
    occupy = partial(d.occupy_database, seconds=5)
    return [
        Situation("database held for 5 s", "database", occupy, d.release_database, (SOUND,)),
        Situation("database deleted", "database", d.delete_database, back, stores=SQLITE),
        Situation("database empty", "database", d.empty_database, back, either, stores=SQLITE),
        Situation("database is none", "database", d.spoil_database, back, either, stores=SQLITE),
        Situation(
            "database of a newer MLflow", "database", d.newer_schema, back, either, stores=SQLITE
        ),
    ]


def of_folders() -> list[Situation]:
    """Folders that move."""
    moved, renamed = (
        partial(d.move_folder, name="elsewhere/plant"),
        partial(d.move_folder, name="Werk 2 (neu)"),
    )
    at_home = (SOUND, UNCHECKED)
    return [
        Situation("mlruns moved away", "folder", d.hide_store, d.show_store, stores=SQLITE),
        Situation("folder moved for good", "folder", moved, verify=at_home, stores=SQLITE),
        Situation("folder renamed, with spaces", "folder", renamed, verify=at_home, stores=SQLITE),
        Situation(
            "folder copied, and a version registered in the copy",
            "folder",
            d.copy_folder,
            verify=(SOUND, WRONG, UNCHECKED),
            champions={HURT: ANYBODY},
            stores=SQLITE,
            typed=_register_in_copy,
            check=_original_untouched,
        ),
    ]


def of_servers() -> list[Situation]:
    """A server that does not answer, or not as it should."""
    half = [500, 501, 502, 503, 504]
    sometimes = (SOUND, UNCHECKED)
    return [
        *(
            _failing(f"artifact calls answer {code}", statuses=[code])
            for code in (500, 502, 503, 504)
        ),
        *(_failing(f"artifact calls answer {code}", statuses=[code]) for code in (403, 404)),
        _failing(
            "half of artifact calls answer 500 to 504",
            sometimes,
            statuses=half,
            share=0.5,
            seed=1,
            days=3,
        ),
        _failing("half of artifact calls answer 429", sometimes, statuses=[429], share=0.5, seed=2),
        _failing(
            "half of all calls answer 503",
            sometimes,
            where="all",
            statuses=[503],
            share=0.5,
            seed=3,
        ),
        _failing("all calls answer 503", where="all", statuses=[503]),
        _failing(
            "a sign-in page instead of artifacts", (WRONG, UNCHECKED), page="<html>sign in</html>"
        ),
        _failing("connections break off in artifacts", drop=True),
        Situation(
            "artifact calls time out",
            "server",
            partial(d.hang, where="artifacts"),
            d.answer_again,
            stores=HTTP,
        ),
        Situation(
            "artifacts slow, 2 s a call", "server", d.slow, d.answer_again, (SOUND,), stores=HTTP
        ),
        Situation("server down", "server", d.go_down, d.answer_again, stores=HTTP | SIGNED_IN),
    ]


def of_tags() -> list[Situation]:
    """Tags edited or deleted by hand."""
    kind, files = "faultxfer.kind", "faultxfer.files_sha256"
    state, entry = "faultxfer.state", "faultxfer.journal_entry"
    journal = HURT + JOURNAL
    return [
        _model_tag("kind of a model edited", HURT, kind, "pump", stores=EVERYWHERE),
        _model_tag("kind of a model deleted", HURT, kind, None),
        _model_tag("kind of the source model deleted", SOURCE, kind, None),
        _model_tag("kind of a journal edited", journal, kind, "target"),
        _model_tag("kind of a journal deleted", journal, kind, None),
        _model_tag("machine of a model edited", HURT, "faultxfer.equipment", "pump-8"),
        _model_tag("source of a model deleted", HURT, "faultxfer.source_model", None),
        _version_tag("SHA-256 of the champion zeroed", files, "0" * 64),
        _version_tag("SHA-256 of the champion deleted", files, None),
        _version_tag("state of the champion: retired", state, "retired"),
        _version_tag("state of the champion: candidate", state, "candidate"),
        _version_tag("state of an earlier version: retired", state, "retired", number="1"),
        _version_tag("entry of the champion deleted", entry, None),
        Situation(
            "all tags of the champion deleted",
            "tags",
            by_hand(d.delete_all_tags, HURT, "2"),
            verify=_LIES,
        ),
        Situation(
            "a promotion half done",
            "tags",
            by_hand(d.leave_promotion_half_done, HURT),
            verify=(WRONG,),
        ),
        Situation(
            "an entry of the journal edited",
            "tags",
            by_hand(d.edit_entry, HURT, "1"),
            d.bring_back_database,
            (WRONG,),
        ),
    ]


def of_aliases() -> list[Situation]:
    """Aliases changed in MLflow."""
    wrong = (WRONG,)
    return [
        Situation(
            "alias deleted", "alias", by_hand(d.delete_alias, HURT), verify=wrong, stores=EVERYWHERE
        ),
        Situation(
            "aliases of all models deleted", "alias", by_hand(d.delete_alias, *MODELS), verify=wrong
        ),
        Situation(
            "alias moved to the earlier version",
            "alias",
            by_hand(d.move_alias, HURT, "1"),
            verify=wrong,
        ),
        Situation("alias renamed", "alias", by_hand(d.rename_alias, HURT), verify=wrong),
        Situation("another alias beside it", "alias", by_hand(d.add_alias, HURT), verify=(SOUND,)),
    ]


def of_deletions() -> list[Situation]:
    """What was deleted or renamed in MLflow."""
    journal = HURT + JOURNAL
    back = d.bring_back_database
    nobody = {"champions": {HURT: ANYBODY}, "person": True}
    rename_back = by_hand(d.rename_back, "renamed", HURT)
    journal_back = by_hand(d.rename_back, "kept", journal)
    experiment_back = by_hand(d.rename_experiment, "older", "faultxfer")
    return [
        _deleted(
            "champion's version deleted",
            d.delete_version,
            HURT,
            "2",
            champions=_EARLIER,
            stores=EVERYWHERE,
        ),
        _deleted("earlier version deleted", d.delete_version, HURT, "1", verify=_LIES),
        _deleted("model deleted", d.delete_model, HURT, **nobody),
        _deleted(
            "model deleted, and restored from the backup",
            d.delete_model,
            HURT,
            mend=back,
            nobody=True,
        ),
        _deleted(
            "model renamed, and renamed back",
            d.rename_model,
            HURT,
            "renamed",
            mend=rename_back,
            nobody=True,
        ),
        _deleted(
            "journal renamed, and renamed back", d.rename_model, journal, "kept", mend=journal_back
        ),
        _deleted(
            "journal deleted, and restored from the backup", d.delete_model, journal, mend=back
        ),
        _deleted("last entry of the journal deleted", d.delete_version, journal, "2", mend=back),
        _deleted("first entry of the journal deleted", d.delete_version, journal, "1", mend=back),
        _deleted(
            "champion's run deleted",
            d.delete_run,
            HURT,
            "2",
            also=_nothing_pending,
            stores=EVERYWHERE,
        ),
        _deleted(
            "champion's upload deleted",
            d.delete_upload,
            HURT,
            "2",
            also=_nothing_pending,
            stores=SQLITE,
        ),
        replace(
            _deleted(
                "champion's upload deleted, on a server",
                d.delete_upload,
                HURT,
                "2",
                also=_nothing_pending,
            ),
            mend=d.restore_uploads,
            stores=HTTP,
        ),
        _deleted("experiment deleted", d.delete_experiment, also=_nothing_pending),
        _deleted(
            "experiment renamed",
            d.rename_experiment,
            "faultxfer",
            "older",
            mend=experiment_back,
            verify=_LIES,
        ),
        _deleted(
            "champion copied to another model, ours deleted",
            d.copy_and_delete,
            HURT,
            whole=False,
            champions=_EARLIER,
        ),
        _deleted(
            "champion copied to another model, the model deleted",
            d.copy_and_delete,
            HURT,
            whole=True,
            **nobody,
        ),
    ]


def of_leftovers() -> list[Situation]:
    """What dead processes leave."""
    sound = (SOUND,)
    return [
        Situation(
            "candidate of a dead process",
            "leftovers",
            by_hand(d.leave_candidate, HURT),
            verify=sound,
        ),
        Situation("run left running", "leftovers", by_hand(d.leave_run), verify=sound),
        Situation("upload left", "leftovers", by_hand(d.leave_upload), verify=sound),
        Situation(
            "model without versions left",
            "leftovers",
            by_hand(d.leave_model),
            verify=(SOUND, WRONG),
        ),
    ]


def of_people() -> list[Situation]:
    """Who types the commands, and how many at once."""
    viewer = partial(d.sign_in, user="viewer", password="a password of the trials")
    stranger = partial(d.sign_in, user="admin", password="wrong")
    nobody = partial(d.sign_in, user="", password="")
    two = partial(_at_once, lines=(("doctor",), ("doctor",)))
    applying = partial(_at_once, lines=(("doctor", "--apply"), ("doctor", "--apply")))
    return [
        Situation(
            "viewer, nothing wrong", "people", viewer, d.sign_in_again, (SOUND,), stores=SIGNED_IN
        ),
        Situation(
            "viewer, alias deleted",
            "people",
            _both(by_hand(d.delete_alias, HURT), viewer),
            d.sign_in_again,
            (WRONG,),
            stores=SIGNED_IN,
        ),
        Situation("wrong password", "people", stranger, d.sign_in_again, stores=SIGNED_IN),
        Situation("no user and password", "people", nobody, d.sign_in_again, stores=SIGNED_IN),
        Situation(
            "two doctors at once, alias deleted",
            "people",
            by_hand(d.delete_alias, HURT),
            verify=(WRONG,),
            days=0,
            typed=two,
        ),
        Situation(
            "two doctors at once, network changed for good",
            "people",
            partial(d.change_file, model=HURT, number=2, name=NETWORK),
            verify=(WRONG,),
            champions=_EARLIER,
            days=0,
            typed=applying,
            applied=True,
        ),
    ]


_LIES = (SOUND, WRONG)


def _hidden(
    name: str, versions: tuple[tuple[str, int], ...], verify: tuple[int, ...] = (UNCHECKED,)
) -> Situation:
    def damage(plant: Plant) -> None:
        d.hide_versions(plant, *versions)

    def mend(plant: Plant) -> None:
        d.show_versions(plant, *versions)

    return Situation(name, "files", damage, mend, verify)


def _file(
    name: str,
    function: Callable[..., Any],
    file: str,
    *verify: int,
    number: int = 2,
    back: bool = True,
    stores: frozenset[str] = BOTH,
) -> Situation:
    """Something done to one file of a machine's version, which comes back or not."""
    damage = partial(function, model=HURT, number=number, name=file)
    mend = d.bring_back_files if back else None
    champions = {} if back else _EARLIER
    return Situation(
        name, "files" if back else "for good", damage, mend, verify, champions, stores=stores
    )


def _failing(
    name: str, verify: tuple[int, ...] = (UNCHECKED,), *, days: int = 1, **faults: Any
) -> Situation:
    damage = partial(d.fail, **{"where": "artifacts", **faults})
    return Situation(name, "server", damage, d.answer_again, verify, stores=HTTP, days=days)


def _model_tag(name: str, model: str, key: str, value: str | None, **more: Any) -> Situation:
    damage = by_hand(d.set_model_tag, model, key, value)
    return Situation(name, "tags", damage, verify=_LIES, also=_all_listed, **more)


def _version_tag(name: str, key: str, value: str | None, number: str = "2") -> Situation:
    return Situation(
        name, "tags", by_hand(d.set_version_tag, HURT, number, key, value), verify=_LIES
    )


def _deleted(
    name: str,
    function: Callable[..., Any],
    *arguments: Any,
    whole: bool | None = None,
    verify: tuple[int, ...] = (WRONG,),
    **more: Any,
) -> Situation:
    named = {} if whole is None else {"whole": whole}
    return Situation(
        name, "deletions", by_hand(function, *arguments, **named), verify=verify, **more
    )


def _both(*acts: Act) -> Act:
    def done(plant: Plant) -> None:
        for act in acts:
            act(plant)

    return done


def _at_once(plant: Plant, lines: tuple[tuple[str, ...], ...]) -> list[int]:
    return list(d.typed_at_once(plant, *lines))


def _all_listed(plant: Plant) -> list[str]:
    """Every model is in the list."""
    listed = plant.type("list").data.get("models", [])
    missing = set(MODELS) - {one["name"] for one in listed}
    return [f"{name} is not in the list" for name in sorted(missing)]


def _nothing_pending(plant: Plant) -> list[str]:
    """`mlflow gc` would not take anything of a champion."""
    return plant.call(_pending)


def _pending(client: Any) -> list[str]:
    """In a child: what of the champions is marked for deletion."""
    from mlflow.exceptions import MlflowException

    found = []
    for model in MODELS:
        version = client.get_model_version(model, "2")
        if client.get_run(version.run_id).info.lifecycle_stage == "deleted":
            found.append(f"the run of {model} is marked for deletion")
        try:
            client.get_logged_model(version.source.removeprefix("models:/"))
        except MlflowException:
            found.append(f"the files of {model} are marked for deletion")
    if client.get_experiment_by_name("faultxfer").lifecycle_stage == "deleted":
        found.append("the experiment is marked for deletion")
    return found


def _register_in_copy(plant: Plant) -> list[int]:
    """Register where people work, after what the output names where that is asked for.

    No exit code counts.
    """
    plant.notes["before"] = _everything_in(plant.notes["original"])
    for line in (["verify"], ["relocate"]):
        plant.type(*line)
        plant.call(_register, str(plant.folder.parent / f"bundle-{line[0]}"))
    return []


def _register(client: Any, folder: str) -> None:
    """In a child: one more version of a machine's model."""
    import registry_work as work

    from faultxfer.errors import FaultxferError

    del client  # the product finds the store as a command would
    try:
        work.register_prepared(write_bundle(Path(folder), seed=99), FEATURES, HURT)
    except FaultxferError:
        return


def _original_untouched(plant: Plant) -> list[str]:
    """Nothing was written where the copy was made from."""
    now = _everything_in(plant.notes["original"])
    if now != plant.notes["before"]:
        return ["what was registered in the copy was written into the original"]
    return []


def _everything_in(folder: Path) -> dict[str, str]:
    return digests(folder / "mlruns")


# A server adds its own ways to fail; what the product decides is the same, and takes three times as
# long. So of what can be played on both stores these are.
_OVER_HTTP = {
    *("artifacts moved away", "files of one champion missing", "network of the champion missing"),
    *("half of all files missing", "network cut off", "bytes changed in the network"),
    *("bytes changed in every champion", "a foreign file among the champion's"),
    *("network changed for good", "artifacts of yesterday", "database of yesterday"),
    *("database held for 5 s", "kind of a model edited", "SHA-256 of the champion zeroed"),
    *("state of the champion: retired", "a promotion half done", "alias deleted"),
    *("champion's version deleted", "model deleted", "model renamed, and renamed back"),
    *("champion's run deleted", "experiment deleted"),
    *("champion copied to another model, ours deleted", "candidate of a dead process"),
    "two doctors at once, network changed for good",
}


def situations() -> list[Situation]:
    """All of them."""
    kinds = (of_files, for_good, of_backups, of_rights, of_databases, of_folders)
    kinds += (of_servers, of_tags, of_aliases, of_deletions, of_leftovers, of_people)
    return [_where_it_is_played(situation) for kind in kinds for situation in kind()]


def _where_it_is_played(situation: Situation) -> Situation:
    if not situation.stores >= BOTH or situation.name in _OVER_HTTP:
        return situation
    return replace(situation, stores=situation.stores - HTTP)
