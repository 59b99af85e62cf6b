"""The ONNX graph of a version: made as it is registered, added later, checked, and handed out.

A version's files never change once they are registered, so a graph that is added later lies among
the files of its run, and a tag of the version holds its hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultxfer.bundle.manifest import GRAPH, GRAPH_FILE, read_content, read_manifest
from faultxfer.bundle.plain_files import sha256_of
from faultxfer.contract.machines import to_contract
from faultxfer.errors import BundleError, RegistryError
from faultxfer.outputs import written_whole
from faultxfer.progress import NOTE, progress
from faultxfer.registry import names
from faultxfer.registry.catalog import version_meant
from faultxfer.registry.diagnosis import RESTORES, Diagnosis
from faultxfer.registry.mlflow_errors import asks_the_store, reported
from faultxfer.registry.model_files import BUNDLE_IN_MODEL, own_rows
from faultxfer.registry.store import Registry, Version, open_registry
from faultxfer.temporary import temporary_folder

if TYPE_CHECKING:
    from faultxfer.registry.model_view import ModelView

# How the tag of a version begins that has no graph; the reason follows.
_NONE = "none: "
_IN_MODEL = (BUNDLE_IN_MODEL / GRAPH_FILE).as_posix()


def write_graph(bundle_folder: Path, model: str, machine: str | None) -> dict[str, str]:
    """Give a bundle that is about to be registered its graph, unless it has one already.

    Where there can be none that is said, and the bundle is registered all the same. Another process
    than the one that registers may do this before, as it takes some tenths of a second.

    Args:
        bundle_folder: of the bundle, which gets a file more.
        model: its registered model.
        machine: whose it is; None for a source model.

    Returns:
        The tag of the version.
    """
    from faultxfer.bundle.graph.adding import add_graph

    try:
        if GRAPH not in read_content(bundle_folder):
            progress.info("Writing the detector as an ONNX graph")
            add_graph(bundle_folder, _about(bundle_folder, model, machine))
        content = read_content(bundle_folder)
        reason = content[GRAPH].get("none")
    except BundleError as error:
        reason = error.problem
    if reason is None:
        return {names.GRAPH: str(content["sha256"][GRAPH_FILE])}
    progress.warning("No ONNX graph, the model scores without: %s", reason, extra=NOTE)
    return {names.GRAPH: f"{_NONE}{reason}"}


def _about(bundle_folder: Path, model: str, machine: str | None) -> dict[str, str]:
    """What a graph says of whose it is and of the machine's own columns."""
    from faultxfer.bundle.graph.detector import column_of, windows_said

    rows = own_rows(bundle_folder, machine)
    if rows is None:
        return {"model": model}
    columns = []
    for sensor in read_manifest(bundle_folder).features:
        tag, conversion = rows.tag(sensor), to_contract(rows.own, sensor, rows.contract)
        columns.append(column_of(sensor, tag, rows.units[tag], *conversion))
    about = {"model": model, "machine": rows.machine, "columns": _as_json(columns)}
    clock, run = rows.contract.time_column, rows.contract.run_column
    tags = {"time": clock and rows.tag(clock), "recording": run and rows.tag(run)}
    manifest = read_manifest(bundle_folder)
    looking_back: dict[str, dict[str, Any] | None] = {
        "windows": windows_said(manifest.windows, manifest.features),
        "smoothing": None if manifest.smoothing is None else manifest.smoothing.as_dict(),
        "delays": None if manifest.delays is None else manifest.delays.as_dict(),
    }
    for name, along in looking_back.items():
        if along is not None:
            about[name] = _as_json({**along, **tags})
    return about


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@reported("the tracking store")
def export_graph(
    model: str, equipment: str | None, number: int | None, out: Path
) -> dict[str, Any]:
    """Write the ONNX graph of a version to a file.

    Args:
        model: source model, or whole name of a machine's model.
        equipment: the machine.
        number: the version; the champion if left out.
        out: where to.

    Raises:
        RegistryError: the model or the version is unknown, or it has no graph.
        BundleError: its files are not those registered.
        ConfigError: the file cannot be written.
    """
    registry = open_registry()
    version = version_meant(registry, model, equipment, number)
    with temporary_folder("graph") as folder:
        graph = _fetched(registry, version, folder)
        if graph is None:
            raise _without(version)
        with written_whole("out", out) as part:
            part.write_bytes(graph.read_bytes())
    return {
        "outcome": "exported",
        "out": str(out),
        "uri": version.uri,
        "sha256": sha256_of(out),
        "bytes": out.stat().st_size,
    }


def _fetched(registry: Registry, version: Version, folder: Path) -> Path | None:
    """A version's graph as it was registered, or added later; None where it has none.

    Raises:
        BundleError: it is not the one that was registered, or added.
    """
    inside = registry.download_bundle(version, folder / "model") / GRAPH_FILE
    if inside.exists():
        return inside
    found = _added(registry, version, folder)
    if found is not None and sha256_of(found) != version.tags.get(names.GRAPH):
        raise BundleError(
            "The version's ONNX graph is not the one that was added",
            where=version.uri,
            remedy=f"Type `{_doctor(version)}`, which makes it anew",
        )
    return found


def _added(registry: Registry, version: Version, folder: Path) -> Path | None:
    """The graph that was added to a version, as it is now; None where it is not there."""
    if not version.run_id or not _is_added(version):
        return None
    return registry.download_run_file(version.run_id, GRAPH_FILE, folder)


def _is_added(version: Version) -> bool:
    """Whether a graph was added later."""
    tag = version.tags.get(names.GRAPH, _NONE)
    return not tag.startswith(_NONE) and not _is_inside(version)


def _is_inside(version: Version) -> bool:
    """Whether a graph was registered with the version's other files."""
    try:
        return _IN_MODEL in json.loads(version.tags.get(names.LISTING, "{}"))
    except (ValueError, TypeError):
        return False


def _without(version: Version) -> RegistryError:
    tag = version.tags.get(names.GRAPH, "")
    if tag.startswith(_NONE):
        return RegistryError(
            "This version has no ONNX graph, as something in it cannot be written as one",
            received={"reason": tag.removeprefix(_NONE)},
            where=version.uri,
            remedy="Score with `faultxfer score` or `mlflow models serve`, or transfer with "
            "another --strategy",
        )
    return RegistryError(
        "This version has no ONNX graph",
        where=version.uri,
        remedy=f"Add one with `{_doctor(version)}`",
    )


def _doctor(version: Version) -> str:
    return f"faultxfer registry doctor {names.as_arguments(version.name)} --graphs"


def examine_graphs(view: ModelView, *, add: bool) -> Iterator[Diagnosis]:
    """Graphs that were added and are gone or changed, and versions without one where asked for.

    Args:
        view: of the model.
        add: whether versions are to get one.
    """
    if view.chain.problems:
        return
    for number in view.usable:
        version = view.versions[number]
        give = partial(_add, view.registry, version)
        if _is_added(version):
            if not view.registry.may_read(version):
                view.not_read.add(number)
            elif not _is_whole(view.registry, version):
                message = "The ONNX graph that was added to it is gone or was changed"
                yield view.found("GRAPH-CHANGED", message, "make it anew", RESTORES, number, give)
        elif not add or _is_inside(version) or not view.files(number).is_sound:
            continue
        else:
            reason = version.tags.get(names.GRAPH, "").removeprefix(_NONE)
            message = f"It has no ONNX graph{f': {reason}' if reason else ''}"
            yield view.found("GRAPH-NONE", message, "add one", RESTORES, number, give)


def _is_whole(registry: Registry, version: Version) -> bool:
    with temporary_folder("graph") as folder:
        found = _added(registry, version, folder)
        return found is not None and sha256_of(found) == version.tags[names.GRAPH]


@asks_the_store
def _add(registry: Registry, version: Version) -> None:
    """Put a graph among the files of a version's run, and its hash into a tag of the version."""
    from faultxfer.bundle.graph.adding import NoGraph, graph_for

    run_id = str(version.run_id)
    with temporary_folder("graph") as folder:
        bundle = registry.download_bundle(version, folder / "model")
        about = _about(bundle, version.name, version.tags.get(names.EQUIPMENT))
        made = graph_for(bundle, about)
        if isinstance(made, NoGraph):
            tag = f"{_NONE}{made.reason}"
        else:
            path = folder / GRAPH_FILE
            path.write_bytes(made.content)
            registry.client.log_artifact(run_id, str(path))
            tag = sha256_of(path)
    registry.client.set_model_version_tag(version.name, version.version, names.GRAPH, tag)
    if isinstance(made, NoGraph):
        raise RegistryError(f"No ONNX graph: {made.reason}", where=version.uri)
