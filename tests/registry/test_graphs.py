"""A version's ONNX graph: registered, added later, damaged, exported, and run where nothing is."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import registry_work as work
from registry_checks import file_of, repair

from faultxfer.bundle import members
from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.bundle.delays import Delays
from faultxfer.bundle.frozen import Block, WindowModels
from faultxfer.bundle.graph.detector import graph_of, windows_said
from faultxfer.bundle.input_map import InputMap
from faultxfer.bundle.manifest import GRAPH_FILE, read_manifest
from faultxfer.bundle.member_kinds.kind import Kind
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.cli.app import main
from faultxfer.data.moments import Moments
from faultxfer.data.windows import fit_windows, widened
from faultxfer.errors import BundleError, RegistryError
from faultxfer.registry import names
from faultxfer.registry.checking import verify_registry
from faultxfer.registry.doctor import repair_registry
from faultxfer.registry.graphs import export_graph
from faultxfer.registry.maintenance import retire_version
from faultxfer.registry.relocate import relocate_registry
from faultxfer.registry.smoke import check_version
from faultxfer.registry.store import Registry, open_registry
from faultxfer.strategies.source_benefit import fit_source_models

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = REPOSITORY / "tests" / "kept_bundles"
WHO = (work.MODEL, work.EQUIPMENT)


@pytest.fixture
def older(tmp_path: Path, own_temporary_files: None, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry of a release that knew no graphs: a source model, and two versions of pump-9."""
    with zipfile.ZipFile(KEPT / "registry.zip") as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    relocate_registry(dry_run=False)
    return open_registry()


def registered(folder: Path) -> Registry:
    """The kept stack, registered by the release of today."""
    bundle = shutil.copytree(KEPT / "format_2" / "stack", folder / "candidate" / "bundle")
    (bundle.parent / "report").mkdir()
    work.register_prepared(Path(bundle), read_manifest(bundle).features)
    return open_registry()


def test_a_version_is_registered_with_its_graph_which_is_sound_or_damaged_like_its_files(
    store: Path,
) -> None:
    registry = registered(store)
    version = registry.version(work.NAME, 1)
    check_version(registry, version)
    done = export_graph(work.NAME, None, None, Path("out") / "a.onnx")
    assert version.tags[names.GRAPH] == done["sha256"]
    assert verify_registry(None, None, None)["sound"]
    assert repair(dry_run=True) == []
    path = file_of(registry, "1", GRAPH_FILE)
    path.write_bytes(path.read_bytes() + b" ")
    assert not verify_registry(None, None, None)["sound"]
    assert repair(dry_run=True) == [("FILES-CHANGED", "would")]
    with pytest.raises(BundleError, match="not those registered"):
        export_graph(work.NAME, None, None, Path("b.onnx"))
    assert not Path("b.onnx").exists()


def test_a_detector_that_cannot_be_written_is_registered_and_says_so(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, known in list(members.KINDS.items()):
        monkeypatch.setitem(members.KINDS, kind, Kind(known.score))
    registry = registered(store)
    version = registry.version(work.NAME, 1)
    assert version.champion
    assert re.match("none: members of the kind", version.tags[names.GRAPH])
    check_version(registry, version)
    with pytest.raises(RegistryError, match=r"cannot be written as one.*members of the kind"):
        export_graph(work.NAME, None, None, Path("a.onnx"))
    graphs = repair_registry(None, None, graphs=True)["found"]
    assert [(one["code"], one["done"].split(":")[0]) for one in graphs] == [
        ("GRAPH-NONE", "failed")
    ]
    monkeypatch.undo()
    monkeypatch.chdir(store)
    assert repair_registry(None, None, graphs=True)["found"][0]["done"] == "done: add one"


def test_the_doctor_adds_graphs_to_versions_of_before_and_mends_them(older: Registry) -> None:
    with pytest.raises(RegistryError, match=r"registry doctor .* --graphs"):
        export_graph(*WHO, None, Path("a.onnx"))
    assert repair() == []
    added = repair_registry(None, None, graphs=True)["found"]
    assert [one["code"] for one in added] == ["GRAPH-NONE"] * 3
    assert {one["done"] for one in added} == {"done: add one"}
    assert repair_registry(None, None, graphs=True)["found"] == []
    assert verify_registry(None, None, None)["sound"], "no registered file changed"
    done = export_graph(*WHO, 2, Path("a.onnx"))
    version = older.version(work.NAME, 2)
    assert (done["uri"], done["sha256"]) == (version.uri, version.tags[names.GRAPH])
    (path,) = Path("mlruns").rglob(f"{version.run_id}/**/{GRAPH_FILE}")
    path.write_bytes(b"another graph")
    with pytest.raises(BundleError, match="not the one that was added"):
        export_graph(*WHO, 2, Path("b.onnx"))
    assert repair() == [("GRAPH-CHANGED", "done")]
    path.unlink()
    assert repair() == [("GRAPH-CHANGED", "done")]
    assert export_graph(*WHO, 2, Path("b.onnx"))["sha256"] == done["sha256"]
    retire_version(*WHO, 1, "old")
    assert repair() == []


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages that holds numpy and onnxruntime and nothing else."""
    import onnxruntime

    folder = tmp_path / "packages"
    folder.mkdir()
    for module in (np, onnxruntime):
        place = Path(str(module.__file__)).parent
        for beside in place.parent.glob(f"{place.name}*"):
            (folder / beside.name).symlink_to(beside)
    return folder


ONE_BY_ONE = """
for line in range(len(rows)):
    probability, alarm = score([readings[name][line, 0] for name in names])
    if alarm:
        print(f"alone {line + 2}")
"""


def run_alone(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the standard library and these packages."""
    begin = "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
    go_on = "del sys.argv[0]; runpy.run_path(sys.argv[0])"
    command = [sys.executable, "-I", "-S", "-c", begin + go_on, str(packages), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_lines_of_the_document_print_the_alarms_with_numpy_and_onnxruntime_alone(
    store: Path, packages: Path
) -> None:
    registered(store)
    with pytest.raises(SystemExit) as ended:
        main(["registry", "export", work.MODEL, "--equipment", work.EQUIPMENT, "--json"])
    assert ended.value.code == 0
    document = (REPOSITORY / "docs/edge.md").read_text()
    lines = "".join(re.findall(r"```python\n(.*?)```", document, re.DOTALL))
    Path("alarms.py").write_text(lines + ONE_BY_ONE)
    rows = pd.read_csv(KEPT / "rows.csv")
    rows.iloc[:, ::-1].assign(note="x").to_csv("rows.csv", index=False)
    Path("pandas_too.py").write_text("import pandas")
    assert "No module named 'pandas'" in run_alone(packages, "pandas_too.py").stderr
    done = run_alone(packages, "alarms.py", "rows.csv")
    assert done.returncode == 0, done.stderr
    expected = pd.read_csv(KEPT / "format_2" / "stack_scores.csv")["alarm"]
    said = [int(line) for line in re.findall(r"line (\d+): ALARM", done.stdout)]
    assert said == (np.flatnonzero(expected) + 2).tolist()
    one_by_one = [int(line) for line in re.findall(r"^alone (\d+)", done.stdout, re.MULTILINE)]
    assert one_by_one == said


def looking_back(bundle: Bundle, X: np.ndarray, moments: Moments) -> Bundle:
    """A stack with two more members, on trees and a logistic regression that read windows."""
    assert bundle.models is not None
    assert bundle.stack is not None
    windows = fit_windows(X, moments, 60.0, 200.0)
    wide = widened(X, windows(X, moments))
    y = (wide[:, X.shape[1]] > np.median(wide[:, X.shape[1]])).astype(np.int8)
    over = WindowModels(windows, (1.7, 5.2), clock=True, models=fit_source_models(wide, y, 0))
    maps = {"source": InputMap(np.ones(wide.shape[1]), np.zeros(wide.shape[1]))}
    own = [
        members.Member("source", kind, "identity", (Block(kind, "source"),), over_windows=True)
        for kind in ("trees", "linear")
    ]
    stack = members.Stack((*bundle.stack.members, *own), bundle.stack.maps, maps)
    models = dataclasses.replace(bundle.models, over_windows=over)
    return dataclasses.replace(bundle, models=models, stack=stack, windows=windows)


@pytest.mark.parametrize(
    ("smoothing", "delays", "windows"),
    [
        (Smoothing(90.0), None, False),
        (Smoothing(40.0), Delays(60.0, 60.0, 0.5, 300.0), True),
        (None, Delays(0.0, 120.0, 0.0, 300.0), False),
        (None, None, True),
    ],
    ids=["smoothed", "all", "delayed", "windows"],
)
def test_the_lines_of_the_document_go_along_recordings_as_the_version_does(
    smoothing: Smoothing | None,
    delays: Delays | None,
    windows: bool,
    packages: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two recordings take turns, on a clock that writes texts; what alarms is what the bundle says."""
    monkeypatch.chdir(packages.parent)
    rows = pd.read_csv(KEPT / "rows.csv").sample(frac=1, random_state=0, ignore_index=True)
    seconds, run = 1.7e9 + 30.0 * np.arange(len(rows)), np.arange(len(rows)) % 2
    seconds[len(rows) // 2 :] += 3600.0
    stamps = pd.to_datetime(seconds, unit="s").strftime("%Y-%m-%dT%H:%M:%S+00:00")
    rows.assign(zeit=stamps, fahrt=run).to_csv("rows.csv", index=False)
    tags = {"time": "zeit", "recording": "fahrt"}
    bundle = dataclasses.replace(
        load_bundle(KEPT / "format_2" / "stack"), smoothing=smoothing, delays=delays, threshold=0.5
    )
    X, moments = rows[list(bundle.features)].to_numpy(dtype=np.float64), Moments(run, seconds)
    bundle = looking_back(bundle, X, moments) if windows else bundle
    along = {
        "smoothing": smoothing and smoothing.as_dict(),
        "delays": delays and delays.as_dict(),
        "windows": windows_said(bundle.windows, bundle.features),
    }
    about = {name: json.dumps({**one, **tags}) for name, one in along.items() if one is not None}
    Path("detector.onnx").write_bytes(graph_of(bundle, about))
    document = (REPOSITORY / "docs/edge.md").read_text()
    first = re.findall(r"```python\n(.*?)```", document, re.DOTALL)[0]
    Path("alarms.py").write_text(first)
    done = run_alone(packages, "alarms.py", "rows.csv")
    assert done.returncode == 0, done.stderr
    alarms = bundle.alarms(bundle.probabilities(X, moments), moments)
    said = [int(line) for line in re.findall(r"line (\d+): ALARM", done.stdout)]
    assert said == (np.flatnonzero(alarms) + 2).tolist()
    assert (alarms != bundle.alarms(bundle.probabilities(X))).sum() > 5
