"""The bundle: everything it takes to turn raw sensor rows into alarms."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.frozen import FrozenSource
from faultxfer.bundle.golden import GOLDEN, Golden, chosen_rows, load_golden, save_golden
from faultxfer.bundle.manifest import MANIFEST as _MANIFEST
from faultxfer.bundle.manifest import manifest_sha256 as _manifest_sha256
from faultxfer.bundle.members import Stack
from faultxfer.bundle.members import logits as stack_logits
from faultxfer.bundle.plain_files import (
    MANIFEST_BYTES,
    TEXT_BYTES,
    UNREADABLE,
    load_array,
    read_text,
    sha256_of,
)
from faultxfer.bundle.scaler import Scaler
from faultxfer.bundle.source_models import SourceModels, source_models_from
from faultxfer.bundle.stack_files import files_of, load_stack, save_stack
from faultxfer.bundle.threshold import AlarmThreshold
from faultxfer.bundle.versions import (
    OtherVersionsError,
    explained,
    recorded_versions,
    versions_here,
)
from faultxfer.errors import BundleError
from faultxfer.network.fit import logits_of
from faultxfer.network.store import load_network, save_network

# Raise when a reader of the previous form would misread the new one, and teach `load_bundle` the old form.
FORMAT = 2
# Format 1 knew neither source models nor stacks; all else is the same.
_READABLE = (1, 2)
T = TypeVar("T")
_NETWORK, _SEEN, _TREES = "network.keras", "training_rows.npy", "source_trees.txt"


@dataclass(frozen=True)
class Bundle:
    """A fault detector for one machine, or for the source fleet.

    Attributes:
        features: names of the ``d`` sensors, in the order of ``X``'s columns.
        units: unit of each sensor, by name.
        scaler: fitted on training rows.
        network: Keras model from (n, d) scaled sensors to (n, 1) logits.
        calibrator: logit to probability.
        threshold: a row alarms when its probability is above it.
        alarm: evidence for the threshold's false-alarm rate; None in bundles that were written without it.
        training_rows: (n,) uint64 fingerprints of the rows that fitted anything in here.
        lineage: plain data on where it comes from.
        models: the source's other models, where transfer may start from them or the stack needs them.
        stack: weighted candidates that decide in place of the network alone.
        versions: of the libraries that wrote it, by name; empty where it was not stored, or by an older release.
    """

    features: tuple[str, ...]
    units: dict[str, str]
    scaler: Scaler
    network: Any
    calibrator: Calibrator
    threshold: float
    training_rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    lineage: dict[str, Any] = field(default_factory=dict)
    models: SourceModels | None = None
    stack: Stack | None = None
    alarm: AlarmThreshold | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @cached_property
    def frozen(self) -> FrozenSource | None:
        """The source's models ready to score; None for a bundle without them."""
        if self.models is None:
            return None
        from faultxfer.network.features import NetworkFeatures

        return self.models.frozen(
            NetworkFeatures(self.network, self.scaler.mean, self.scaler.scale)
        )

    def logits(self, X: np.ndarray) -> np.ndarray:
        """(n, d) rows in engineering units to (n,) uncalibrated logits.

        Raises:
            BundleError: wrong number of sensors, or a value that is not finite (the network would answer with a
                plausible probability).
        """
        checked = self._checked(X)
        try:
            return self._logits(checked)
        except Exception as error:  # LightGBM and Keras raise classes of their own
            told = explained(_unscored(error), self.versions)
            if told is error or not isinstance(told, OtherVersionsError):
                raise
            raise told from error

    def _logits(self, checked: np.ndarray) -> np.ndarray:
        if self.stack is None:
            return logits_of(self.network, self.scaler(checked))
        if self.frozen is None:  # the network alone would answer as if it were the stack
            raise BundleError(
                "The source's models, which a stack scores with, were expected",
                received={"models": None},
                remedy="Restore the version from a trusted copy, or transfer again",
            )
        return stack_logits(self.stack, self.frozen, checked)

    def probabilities(self, X: np.ndarray) -> np.ndarray:
        """(n, d) rows in engineering units to (n,) calibrated fault probabilities."""
        return self.calibrator(self.logits(X))

    def alarms(self, probabilities: np.ndarray) -> np.ndarray:
        """(n,) probabilities to (n,) bool."""
        return probabilities > self.threshold

    def _checked(self, X: np.ndarray) -> np.ndarray:
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise BundleError(
                f"Rows with {len(self.features)} sensors were expected",
                received={"shape": X.shape},
                remedy=f"Give the columns {', '.join(self.features)}",
            )
        bad = ~np.isfinite(X)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise BundleError(
                "A finite number in every sensor was expected",
                received={
                    "value": float(X[row, column]),
                    "row": int(row),
                    "rows concerned": int(bad.any(1).sum()),
                },
                where=f"sensor {self.features[column]!r}",
                remedy="Leave such rows out, or repair the sensor; they are never guessed",
            )
        return X


def save_bundle(bundle: Bundle, folder: Path, rows: np.ndarray | None = None) -> None:
    """Write the bundle into an empty or new folder.

    Args:
        bundle: what to write.
        folder: is made if need be.
        rows: (n, d) readings in engineering units, some of which are kept with their scores for smoke tests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_network(bundle.network, folder / _NETWORK)
    np.save(folder / _SEEN, bundle.training_rows.astype("<u8"), allow_pickle=False)
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "features": list(bundle.features),
        "units": bundle.units,
        "scaler": {"mean": bundle.scaler.mean.tolist(), "scale": bundle.scaler.scale.tolist()},
        "calibrator": dataclasses.asdict(bundle.calibrator),
        "threshold": bundle.threshold,
        "lineage": bundle.lineage,
        "versions": versions_here(),
    }
    if bundle.alarm is not None:
        manifest["alarm"] = bundle.alarm.as_dict()
    if bundle.models is not None:
        manifest["models"] = bundle.models.as_dict()
        (folder / _TREES).write_text(bundle.models.trees, encoding="utf-8")
    if bundle.stack is not None:
        manifest["stack"] = save_stack(bundle.stack, folder)
    if rows is not None:
        manifest["golden"] = True
        save_golden(_golden(bundle, chosen_rows(rows)), folder)
    manifest["sha256"] = {name: sha256_of(folder / name) for name in _files(manifest)}
    manifest["sha256"][_MANIFEST] = _manifest_sha256(manifest)
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def _files(manifest: dict[str, Any]) -> list[str]:
    """Every file but the manifest."""
    trees = [_TREES] if "models" in manifest else []
    golden = [GOLDEN] if "golden" in manifest else []
    return [
        _NETWORK,
        _SEEN,
        *trees,
        *golden,
        *(files_of(manifest["stack"]) if "stack" in manifest else ()),
    ]


def _golden(bundle: Bundle, X: np.ndarray) -> Golden:
    probabilities = bundle.probabilities(X)
    return Golden(bundle.features, X, probabilities, bundle.alarms(probabilities))


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle after checking the hashes of its files and the layers of its network. Nothing in it is executed.

    Raises:
        BundleError: a file is missing, damaged or foreign, or the format is unknown.
    """
    return _read(folder, _assembled)


def read_lineage(folder: Path) -> dict[str, Any]:
    """Where a bundle comes from, after the same checks of its files but without building its network.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    return _read(folder, lambda _folder, manifest: dict(manifest["lineage"]))


def read_golden(folder: Path) -> Golden | None:
    """Rows and the scores that the bundle gave for them; None where an older release kept none.

    Raises:
        BundleError: as :func:`load_bundle`.
    """

    def taken(folder: Path, manifest: dict[str, Any]) -> Golden | None:
        return load_golden(folder, tuple(manifest["features"])) if "golden" in manifest else None

    return _read(folder, taken)


def check_bundle(folder: Path) -> None:
    """Check the hashes of a bundle's files and parse nothing but the manifest.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    _read(folder, lambda _folder, _manifest: None)


def read_versions(folder: Path) -> dict[str, str]:
    """The versions of the libraries that wrote a bundle, by name; empty where an older release recorded none.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    return _read(folder, lambda _folder, manifest: recorded_versions(manifest))


def _read(folder: Path, taken: Callable[[Path, dict[str, Any]], T]) -> T:
    try:
        manifest = json.loads(read_text(folder / _MANIFEST, MANIFEST_BYTES))
        _check(folder, manifest)
    except UNREADABLE as error:
        raise _not_whole(folder, error) from error
    try:
        return taken(folder, manifest)
    except (BundleError, *UNREADABLE) as error:
        # The files are those that were written: other releases of the libraries may be why they cannot be read.
        found = error if isinstance(error, BundleError) else _not_whole(folder, error)
        told = explained(found, recorded_versions(manifest))
        if told is error:
            raise
        raise told from error


def _not_whole(folder: Path, error: BaseException) -> BundleError:
    return BundleError(
        "A whole bundle was expected",
        received={"problem": f"{type(error).__name__}: {error}"},
        where=folder.name,
        remedy="Restore the version from a trusted copy, or transfer again",
    )


def _unscored(error: Exception) -> BundleError:
    if isinstance(error, BundleError):
        return error
    return BundleError(
        "The model does not score", received={"problem": f"{type(error).__name__}: {error}"[:300]}
    )


def _check(folder: Path, manifest: dict[str, Any]) -> None:
    if manifest["format"] not in _READABLE:
        writer = recorded_versions(manifest).get("faultxfer")
        raise BundleError(
            f"This release reads bundles of format {FORMAT}, and this one has another",
            received={
                "format": manifest["format"],
                **({"written by faultxfer": writer} if writer else {}),
            },
            where=folder.name,
            remedy="Use the faultxfer release that wrote it, or transfer again with `faultxfer transfer`",
        )
    for name in (_MANIFEST, *_files(manifest)):
        found = _manifest_sha256(manifest) if name == _MANIFEST else sha256_of(folder / name)
        if found != manifest["sha256"][name]:
            raise BundleError(
                f"A file with SHA-256 {manifest['sha256'][name][:12]}… was expected",
                received={"sha256": found[:12] + "…"},
                where=f"{folder.name}/{name}",
                remedy="The file was changed after it was registered: restore it from a trusted copy",
            )


def _assembled(folder: Path, manifest: dict[str, Any]) -> Bundle:
    scaler, threshold = (
        _scaler(manifest),
        _threshold(manifest),
    )  # cheaper to refuse than the network
    return Bundle(
        features=tuple(manifest["features"]),
        units=dict(manifest["units"]),
        scaler=scaler,
        network=load_network(folder / _NETWORK),
        calibrator=Calibrator(**manifest["calibrator"]),
        threshold=threshold,
        training_rows=load_array(folder / _SEEN),
        lineage=manifest["lineage"],
        models=_models(folder, manifest),
        stack=load_stack(manifest["stack"], folder) if "stack" in manifest else None,
        alarm=AlarmThreshold(**manifest["alarm"]) if "alarm" in manifest else None,
        versions=recorded_versions(manifest),
    )


def _scaler(manifest: dict[str, Any]) -> Scaler:
    """One number per sensor: NumPy would spread a single one over all sensors."""
    mean, scale = (
        np.array(manifest["scaler"][name], dtype=np.float64) for name in ("mean", "scale")
    )
    sensors = (len(manifest["features"]),)
    if (mean.shape, scale.shape) != (sensors, sensors) or not np.isfinite([mean, scale]).all():
        raise BundleError(
            f"A scaler with finite means and scales of {sensors[0]} sensors was expected",
            received={"means": mean.shape, "scales": scale.shape},
            remedy="Restore the version from a trusted copy, or transfer again",
        )
    return Scaler(mean, scale)


def _threshold(manifest: dict[str, Any]) -> float:
    """No probability is above NaN, so such a bundle would never alarm."""
    threshold = float(manifest["threshold"])
    if not math.isfinite(threshold):
        raise BundleError(
            "A finite threshold was expected",
            received={"threshold": threshold},
            remedy="Restore the version from a trusted copy, or transfer again",
        )
    return threshold


def _models(folder: Path, manifest: dict[str, Any]) -> SourceModels | None:
    if "models" not in manifest:
        return None
    return source_models_from(manifest["models"], read_text(folder / _TREES, TEXT_BYTES))
