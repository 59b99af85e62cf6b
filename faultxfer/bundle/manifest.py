"""What the manifest of a bundle says by itself, read without the bundle's network."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.delays import Delays
from faultxfer.bundle.plain_files import MANIFEST_BYTES, UNREADABLE, read_text
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.bundle.versions import explained, recorded_versions
from faultxfer.data.windows import Windows
from faultxfer.digest import digest_of
from faultxfer.errors import BundleError

MANIFEST = "manifest.json"
# The detector as one ONNX graph, and the key under which the manifest says what it is, or why there
# is none. Readers that do not know of it score as they did.
GRAPH_FILE, GRAPH = "detector.onnx", "graph"
# Key for how many sensors, behind the others, the source does not know.
NEW_SENSORS = "new_sensors"
# Raise when a reader of the previous form would misread the new one, and teach `load_bundle` the
# old form.
FORMAT = 3
# For a machine that lacks sensors of its source or has new ones; others keep the number that
# releases before can read.
OTHER_SENSORS = 4
# For one that smooths what it says along a recording, which a release before would not.
SMOOTHED = 5
# For one whose alarms are raised and cleared with a delay, which a release before would not.
DELAYED = 6
# For one that reads windows of the rows before a row, of which a release before knows nothing.
WINDOWED = 7
# Format 1 had neither source models nor stacks, format 2 filled no missing reading in; all else is
# the same.
_READABLE = (1, 2, 3, 4, 5, 6, 7)
_RESTORE = "Restore the version from a trusted copy, or transfer again"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        format: number of the form that the bundle is written in.
        features: names of the ``d`` sensors, in the order of ``X``'s columns.
        units: unit of each sensor, by name.
        mean, scale: float64 of the scaling stage, finite; of the sensors that the source knows.
        calibrator: numbers of the :class:`~faultxfer.bundle.calibration.Calibrator`, by name.
        threshold: a row alarms when its probability is above it; finite.
        alarm: evidence for the threshold's false-alarm rate, by name; None in bundles without it.
        lineage: plain data on where the bundle comes from.
        versions: of the libraries that wrote it, by name; empty where an older release kept none.
        models, stack: plain data of the source's models and of the stack; None without them.
        golden: whether rows are stored with the scores that the bundle gave for them.
        imputes: whether it fills in missing readings.
        explains: whether it keeps healthy rows, by which it says which sensors speak. Readers that
            do not know of it score as they did, so that the format's number stays.
        knows_sensors: whether it keeps quantiles and rank correlations of its normal rows. Readers
            that do not know of it score as they did, too.
        smoothing: of what it says along a recording; None where it does not.
        delays: of its alarms along a recording; None where there are none.
        windows: that some of its members read; None where none does.
        sha256: of every file by name, the manifest's own content included.
    """

    format: int
    features: tuple[str, ...]
    units: dict[str, str]
    mean: np.ndarray
    scale: np.ndarray
    calibrator: dict[str, Any]
    threshold: float
    alarm: dict[str, Any] | None
    lineage: dict[str, Any]
    versions: dict[str, str]
    models: dict[str, Any] | None
    stack: dict[str, Any] | None
    golden: bool
    imputes: bool
    explains: bool
    knows_sensors: bool
    smoothing: Smoothing | None
    delays: Delays | None
    windows: Windows | None
    sha256: dict[str, str]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest alone: its hash, format and numbers are checked, no other file is opened.

    Raises:
        BundleError: the manifest is missing, damaged or foreign, or its format is unknown.
    """
    content = read_content(folder)
    with explaining(folder, recorded_versions(content)):
        return parse_manifest(content)


def parse_manifest(content: dict[str, Any]) -> Manifest:
    """The manifest of :func:`read_content` with its numbers checked.

    Raises:
        BundleError: the scaler or the threshold would silence or shift the alarm.
        KeyError, TypeError, ValueError: something is missing, or of another form.
    """
    features = tuple(content["features"])
    mean, scale = _scaling(content["scaler"], len(features) - int(content.get(NEW_SENSORS, 0)))
    return Manifest(
        format=content["format"],
        features=features,
        units=dict(content["units"]),
        mean=mean,
        scale=scale,
        calibrator=dict(content["calibrator"]),
        threshold=_finite_threshold(content["threshold"]),
        alarm=content.get("alarm"),
        lineage=dict(content["lineage"]),
        versions=recorded_versions(content),
        models=content.get("models"),
        stack=content.get("stack"),
        golden="golden" in content,
        imputes="imputer" in content,
        explains="references" in content,
        knows_sensors="sensors" in content,
        smoothing=Smoothing.of(content["smoothing"]) if "smoothing" in content else None,
        delays=Delays.of(content["delays"]) if "delays" in content else None,
        windows=Windows.of(content["windows"]) if "windows" in content else None,
        sha256=dict(content["sha256"]),
    )


def read_content(folder: Path) -> dict[str, Any]:
    """The manifest as plain data, of which format and hash are checked and nothing else.

    Raises:
        BundleError: see :func:`read_manifest`.
    """
    with whole(folder):
        content = json.loads(read_text(folder / MANIFEST, MANIFEST_BYTES))
        _require_format(folder, content)
        require_sha256(folder, content, MANIFEST, manifest_sha256(content))
        return dict(content)


def require_sha256(folder: Path, content: dict[str, Any], name: str, found: str) -> None:
    """Compare the hash of a file with the one recorded in the manifest.

    Raises:
        BundleError: they differ.
    """
    recorded = content["sha256"][name]
    if found != recorded:
        raise BundleError(
            f"This file is not the one that was registered with SHA-256 {recorded[:12]}…",
            received={"sha256": found[:12] + "…"},
            where=f"{folder.name}/{name}",
            remedy="The file was changed after it was registered: restore it from a trusted copy",
        )


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Turn what the readers of missing, damaged and foreign files raise into one error.

    Raises:
        BundleError: such a file was met inside.
    """
    try:
        yield
    except UNREADABLE as error:
        raise BundleError(
            "This is not a whole bundle",
            received={"problem": f"{type(error).__name__}: {error}"},
            where=folder.name,
            remedy=_RESTORE,
        ) from error


@contextmanager
def explaining(folder: Path, written: dict[str, str]) -> Iterator[None]:
    """As :func:`whole`, for files whose hashes are right: the error names the releases at fault.

    These files are those that were written, so other releases of the libraries may be why they
    cannot be read.

    Args:
        folder: of the bundle.
        written: versions of the libraries that wrote it.

    Raises:
        BundleError: something was not readable inside.
    """
    try:
        with whole(folder):
            yield
    except BundleError as error:
        told = explained(error, written)
        if told is error:
            raise
        raise told from error


def contract_in(text: str) -> dict[str, Any] | None:
    """The contract that a bundle was made under, as plain data; None where it does not say.

    Args:
        text: content of the bundle's manifest.

    Raises:
        BundleError: it is no manifest, or not as it was written.
    """
    try:
        manifest = json.loads(text)
        if manifest["sha256"][MANIFEST] != manifest_sha256(manifest):
            raise _damaged("its content and the SHA-256 in it differ")
        contract = manifest["lineage"].get("contract")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from error
    return contract if isinstance(contract, dict) else None


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """Hash of the manifest's content without this very hash, whatever its layout.

    The order of the keys is part of the layout, as are spaces and line ends:

    >>> one = manifest_sha256({"format": 2, "threshold": 0.5, "sha256": {}})
    >>> one == manifest_sha256({"threshold": 0.5, "sha256": {}, "format": 2})
    True
    >>> one == manifest_sha256({"format": 2, "threshold": 0.6, "sha256": {}})
    False
    """
    others = dict(manifest["sha256"])
    others.pop(MANIFEST, None)
    # Through JSON and back, for keys and tuples as they will be read.
    return digest_of(json.loads(json.dumps({**manifest, "sha256": others})))


def _scaling(stored: dict[str, Any], sensors: int) -> tuple[np.ndarray, np.ndarray]:
    """One number for each sensor: NumPy would spread a single one over all sensors."""
    mean = np.array(stored["mean"], dtype=np.float64)
    scale = np.array(stored["scale"], dtype=np.float64)
    each = (sensors,)
    if mean.shape != each or scale.shape != each or not np.isfinite([mean, scale]).all():
        raise BundleError(
            f"The scaler does not hold a finite mean and scale for each of {sensors} sensors",
            received={"means": mean.shape, "scales": scale.shape},
            remedy=_RESTORE,
        )
    return mean, scale


def _finite_threshold(stored: Any) -> float:
    """No probability is above NaN, so such a bundle would never alarm."""
    threshold = float(stored)
    if not math.isfinite(threshold):
        raise BundleError(
            "The threshold is not finite, so that no row or every row would alarm",
            received={"threshold": threshold},
            remedy=_RESTORE,
        )
    return threshold


def _require_format(folder: Path, content: dict[str, Any]) -> None:
    if content["format"] in _READABLE:
        return
    received = {"format": content["format"]}
    writer = recorded_versions(content).get("faultxfer")
    if writer:
        received["written by faultxfer"] = writer
    raise BundleError(
        f"This release reads bundles of format {WINDOWED} or before, and this one has another",
        received=received,
        where=folder.name,
        remedy="Use the faultxfer release that wrote it, "
        "or transfer again with `faultxfer transfer`",
    )


def _damaged(problem: str) -> BundleError:
    return BundleError(
        "The manifest of this bundle is damaged",
        received={"problem": problem},
        where=MANIFEST,
        remedy="Run `faultxfer registry verify`, which says which files are not those registered",
    )
