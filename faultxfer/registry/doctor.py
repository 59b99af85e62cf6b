"""Find what broken-off or damaged registrations left, and finish it or take it back.

The journal decides: what stands in it is finished, what does not is taken back. The journal itself is never changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from faultxfer.bundle.plain_files import UNREADABLE
from faultxfer.errors import BundleError, RegistryError
from faultxfer.registry import journal, names
from faultxfer.registry.journal import Chain
from faultxfer.registry.model_files import BUNDLE_IN_MODEL, files_sha256
from faultxfer.registry.owner import is_gone
from faultxfer.registry.promotion import Promotion, adopt, examined_journal, promote, settle, step_down
from faultxfer.registry.registering import retire
from faultxfer.registry.store import Registry, Version
from faultxfer.registry.succession import next_in_line
from faultxfer.registry.traces import delete_empty_model, empty_models, unfinished_runs, unused_uploads

Remedy = Callable[[], object]


@dataclass(frozen=True)
class Ill:
    """One thing found.

    Attributes:
        code: stable, with a section in ``docs/registry.md``.
        where: model, version or run.
        message: what is wrong.
        remedy: what mends it, in words; empty where only a person can.
        mend: does it; None where only a person can.
    """

    code: str
    where: str
    message: str
    remedy: str = ""
    mend: Remedy | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"code": self.code, "where": self.where, "message": self.message, "remedy": self.remedy}


def examine(registry: Registry, name: str | None, grace: timedelta) -> Iterator[Ill]:
    """Look at one registered model, or at all of them and at what belongs to none.

    What is found is to be mended before the next is asked for: files that a version leaves behind are found after it.

    Args:
        registry: where.
        name: registered model; None for all.
        grace: how long a registration by a process on another host may take before it counts as broken off.
    """
    for known in registry.known_names() if name is None else [name]:
        yield from _of_model(registry, known, grace)
    if name is None:
        for run_id, status in unfinished_runs(registry, grace):
            message = f"The run is still shown as running, and its process is gone; it becomes {status}"
            end = partial(registry.client.set_terminated, run_id, status)
            yield Ill("RUN-UNFINISHED", f"run {run_id}", message, "end the run", end)
        for model_id in unused_uploads(registry, grace):
            drop = partial(registry.client.delete_logged_model, model_id)
            yield Ill("UPLOAD-UNUSED", model_id, "Files of a model that no version has", "delete them", drop)
        for model in empty_models(registry, grace):
            delete = partial(delete_empty_model, registry, model)
            yield Ill("MODEL-EMPTY", model, "A registered model without versions", "delete it", delete)


def _of_model(registry: Registry, name: str, grace: timedelta) -> Iterator[Ill]:
    chain = examined_journal(registry, name)
    if chain.problems:
        message = "The journal was changed from outside: " + "; ".join(chain.problems)
        yield Ill("JOURNAL-BROKEN", names.journal_name(name), message)
        return
    yield from _orphans(registry, name, chain, grace)
    changed = yield from _changed_files(registry, name, chain)
    yield from _champion(registry, name, chain, changed)


def _orphans(registry: Registry, name: str, chain: Chain, grace: timedelta) -> Iterator[Ill]:
    for version in registry.versions(name):
        begun = datetime.fromisoformat(version.created)
        open_still = version.tags.get(names.STATE) == names.CANDIDATE and version.version not in chain.promoted
        if open_still and is_gone(version.tags.get(names.OWNER), begun, grace):
            message = "Its registration was broken off before it was champion"
            yield Ill("VERSION-ORPHAN", version.uri, message, "delete it", partial(retire, registry, version))


def _changed_files(registry: Registry, name: str, chain: Chain) -> Generator[Ill, None, set[str]]:
    """Versions whose files are not those registered; gives back their numbers."""
    changed = set()
    last = chain.last.to_version if chain.last else registry.alias(name)
    for version in registry.versions(name):
        if version.tags.get(names.STATE) == names.CANDIDATE:
            continue
        problem = files_problem(registry, version, chain)
        if problem is None:
            continue
        changed.add(version.version)
        if version.version != last and not version.is_retired:
            mark = partial(_mark_retired, registry, version)
            yield Ill("FILES-CHANGED", version.uri, problem, "mark it as retired", mark)
    return changed  # `yield from` gives it to the caller


def _champion(registry: Registry, name: str, chain: Chain, changed: set[str]) -> Iterator[Ill]:
    known = {version.version: version for version in registry.versions(name)}
    alias = registry.alias(name)
    if chain.last is None:
        yield from _without_journal(registry, name, alias, known)
        return
    number = chain.last.to_version
    if number is not None and (number not in known or number in changed):
        yield from _replaced(registry, name, number, chain, known, changed)
    elif alias != number or (number and known[number].tags.get(names.ENTRY) != chain.head):
        said, shown = (f"version {one}" if one else "nobody" for one in (number, alias))
        message = f"The journal names {said}, the alias {shown}"
        remedy = "let alias and tags follow the journal"
        yield Ill("PROMOTION-UNFINISHED", name, message, remedy, partial(settle, registry, name))
    if number is None and chain.merged_into is None:
        yield _nobody(name)


def _without_journal(registry: Registry, name: str, alias: str | None, known: dict[str, Version]) -> Iterator[Ill]:
    if alias is None:
        return
    if alias not in known:
        message = f"The alias names version {alias}, which does not exist, and there is no journal"
        drop = partial(registry.client.delete_registered_model_alias, name, names.CHAMPION)
        yield Ill("CHAMPION-MISSING", name, message, "delete the alias", drop)
        return
    message = f"Version {alias} is champion and no journal says why"
    begin = partial(_adopt, registry, known[alias])
    yield Ill("JOURNAL-MISSING", name, message, "begin the journal with it", begin)


def _adopt(registry: Registry, version: Version) -> None:
    with tempfile.TemporaryDirectory(prefix="faultxfer-doctor-") as folder:
        adopt(registry, version, files_sha256(registry.download_model(version, Path(folder))))


def _replaced(
    registry: Registry, name: str, number: str, chain: Chain, known: dict[str, Version], changed: set[str]
) -> Iterator[Ill]:
    """A champion that cannot be used: back to the one before, or nobody takes its place."""
    sound = [other for other in known if other not in changed and not known[other].is_retired]
    broken = known.get(number)
    code = "FILES-CHANGED" if broken else "CHAMPION-MISSING"
    what = "The champion's files are not those that were registered"
    message = what if broken else "The champion that the journal names does not exist"
    after = next_in_line(chain, sound)

    def mend() -> None:
        if after:
            why = Promotion(f"doctor: {message}", head=chain.head, action=journal.ROLLBACK)
            promote(registry, known[after[0]], why)
        else:
            step_down(registry, name, f"doctor: {message}, and there is none to go back to", chain.head)
        if broken:
            _mark_retired(registry, broken)

    remedy = f"go back to version {after[0]}" if after else "say in the journal that nobody is champion"
    yield Ill(code, f"models:/{name}/{number}", message, remedy, mend)
    if not after:
        yield _nobody(name)


def _nobody(name: str) -> Ill:
    message = "Nobody is champion, and nothing scores: transfer again, or promote another version"
    return Ill("CHAMPION-NONE", name, message)


def _mark_retired(registry: Registry, version: Version) -> None:
    registry.client.set_model_version_tag(version.name, version.version, names.STATE, names.RETIRED)


def files_problem(registry: Registry, version: Version, chain: Chain) -> str | None:
    """What is wrong with a version's files; None if they are those registered.

    Args:
        registry: where.
        version: which.
        chain: the journal, which may have the SHA-256 over its files.
    """
    if chain.recorded_files(version.version) not in (None, version.tags.get(names.FILES)):
        return "The journal and the version's tag name different SHA-256 of its files"
    with tempfile.TemporaryDirectory(prefix="faultxfer-doctor-") as folder:
        try:
            model = registry.download_model(version, Path(folder))
            if not (model / BUNDLE_IN_MODEL).is_dir():
                return "The version has no bundle"
        except (BundleError, RegistryError) as error:
            return str(error)
        except UNREADABLE as error:
            return f"{type(error).__name__}: {error}"
    return None
