"""The bundle: everything it takes to turn raw sensor rows into alarms."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.calibration import Calibrator
from faultxfer.bundle.delays import DelayedAlarms, Delays
from faultxfer.bundle.frozen import (
    OVER_WINDOWS,
    FrozenSource,
    SourceModels,
    WindowModels,
    source_models_from,
)
from faultxfer.bundle.golden import GOLDEN, Golden, chosen_rows, load_golden, save_golden
from faultxfer.bundle.imputer import IMPUTER, Imputer, load_imputer, save_imputer
from faultxfer.bundle.manifest import (
    DELAYED,
    FORMAT,
    GRAPH,
    GRAPH_FILE,
    MANIFEST,
    NEW_SENSORS,
    OTHER_SENSORS,
    SMOOTHED,
    WINDOWED,
    Manifest,
    explaining,
    manifest_sha256,
    parse_manifest,
    read_content,
    require_sha256,
    whole,
)
from faultxfer.bundle.members import Stack, files_of, load_stack, save_stack
from faultxfer.bundle.members import logits as stack_logits
from faultxfer.bundle.plain_files import TEXT_BYTES, load_array, read_text, sha256_of
from faultxfer.bundle.references import (
    REFERENCES,
    References,
    load_references,
    save_references,
)
from faultxfer.bundle.scaler import Scaler
from faultxfer.bundle.sensors import SENSORS, load_sensors, save_sensors
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.bundle.threshold import AlarmThreshold
from faultxfer.bundle.versions import (
    OtherVersionsError,
    explained,
    recorded_versions,
    versions_here,
)
from faultxfer.bundle.whole_source import FILES as WHOLE_FILES
from faultxfer.bundle.whole_source import load_whole
from faultxfer.data.moments import Moments
from faultxfer.data.windows import Windows, names_of_windows
from faultxfer.errors import BundleError
from faultxfer.mapping.statistics import SensorStatistics
from faultxfer.network.arrays import ArrayNetwork
from faultxfer.network.features import NetworkFeatures
from faultxfer.network.store import load_network, save_network

_NETWORK, _SEEN, _TREES = "network.keras", "training_rows.npy", "source_trees.txt"
_SPARE, _WINDOW_TREES = "spare_network.keras", "source_window_trees.txt"


@dataclass(frozen=True)
class Bundle:
    """A fault detector for one machine, or for the source fleet.

    Attributes:
        features: names of the ``d`` sensors, in the order of ``X``'s columns: those that the source
            knows too, then new ones.
        units: unit of each sensor, by name.
        scaler: fitted on training rows.
        network: from (n, d) scaled sensors to (n, 1) logits.
        calibrator: logit to probability.
        threshold: a row alarms when its probability is above it.
        alarm: evidence for the threshold's false-alarm rate; None in bundles without it.
        training_rows: (n,) uint64 fingerprints of the rows that fitted anything in here.
        lineage: plain data on where it comes from.
        models: the source's other models, where transfer may start from them or the stack needs
            them.
        stack: weighted learners that decide in place of the network alone.
        versions: of the libraries that wrote it, by name; empty where it was not stored, or by an
            older release.
        imputer: fills in missing readings; None in bundles of older releases, and where the
            source's rows did not show what it is worth.
        references: healthy rows that alarms are explained by; None in bundles of older releases,
            which score as they did.
        sensors: quantiles and rank correlations of the source's normal rows, by which the sensors
            are found in another machine's file; written, and read by :func:`read_sensors` alone.
        spare: of a source, its network trained on to do without some sensors; written, and read by
            :func:`read_spare_network` alone.
        smoothing: of the logits along a recording; None where each row speaks for itself, and in
            bundles of older releases.
        delays: of alarms along a recording; None where each row above the threshold alarms, and in
            bundles of older releases.
        windows: of the rows before a row, which some members of the stack read; None where none
            does, and in bundles of older releases.
    """

    features: tuple[str, ...]
    units: dict[str, str]
    scaler: Scaler
    network: ArrayNetwork
    calibrator: Calibrator
    threshold: float
    training_rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    lineage: dict[str, Any] = field(default_factory=dict)
    models: SourceModels | None = None
    stack: Stack | None = None
    alarm: AlarmThreshold | None = None
    versions: dict[str, str] = field(default_factory=dict)
    imputer: Imputer | None = None
    references: References | None = None
    sensors: SensorStatistics | None = None
    spare: ArrayNetwork | None = None
    smoothing: Smoothing | None = None
    delays: Delays | None = None
    windows: Windows | None = None

    @cached_property
    def frozen(self) -> FrozenSource | None:
        """The source's models ready to score; None for a bundle without them."""
        if self.models is None:
            return None
        return self.models.frozen(
            NetworkFeatures(self.network, self.scaler.mean, self.scaler.scale)
        )

    @property
    def fills(self) -> frozenset[str]:
        """Sensors whose missing readings may be filled in."""
        return frozenset() if self.imputer is None else self.imputer.names_filled(self.features)

    def completed(self, X: np.ndarray) -> np.ndarray:
        """(n, d) readings with the missing ones filled in, in rows where that is allowed."""
        if self.imputer is None or not np.isnan(X).any():
            return X
        able = self.imputer.can_fill(X)
        filled = X.copy()
        filled[able] = self.imputer(X[able])
        return filled

    def logits(self, X: np.ndarray, windows: np.ndarray | None = None) -> np.ndarray:
        """(n, d) rows in engineering units to (n,) uncalibrated logits.

        Args:
            X: the rows.
            windows: (n, 3, c) of them, as :attr:`windows` makes them; without them each row stands
                for itself.

        Raises:
            BundleError: wrong number of sensors, or a value that is not finite (the network would
                answer with a plausible probability).
        """
        self.require_finite(X)
        try:
            return self._logits(X, windows)
        except Exception as error:  # LightGBM and Keras raise classes of their own
            told = explained(_unscored(error), self.versions)
            if told is error or not isinstance(told, OtherVersionsError):
                raise
            raise told from error

    def _logits(self, X: np.ndarray, windows: np.ndarray | None) -> np.ndarray:
        if self.stack is None:
            return self.network.logits(self.scaler(X))
        # The network alone would answer as if it were the stack.
        if self.frozen is None:
            raise BundleError(
                "The source's models are missing, without which the stack cannot score",
                received={"models": None},
                remedy="Restore the version from a trusted copy, or transfer again",
            )
        if self.windows is None:
            return stack_logits(self.stack, self.frozen, X)
        given = self.windows.given_or_alone(X, windows)
        return stack_logits(self.stack, self.frozen, X, given)

    def with_windows(self, X: np.ndarray) -> np.ndarray:
        """(n, c) readings of the sensors that windows are made of, among (n, d): the source's."""
        return X[:, : len(self.scaler.mean)]

    def of_rows(self) -> Bundle:
        """The same without members that read windows; what both parts say adds up to the logit."""
        if self.stack is None or self.windows is None:
            return self
        return dataclasses.replace(self, stack=self.stack.of_rows(), windows=None)

    def of_windows(self) -> Bundle | None:
        """The members that read windows as a bundle of (n, 4c) rows; None where there are none.

        Its network is read by nobody.
        """
        if self.stack is None or self.windows is None or self.models is None:
            return None
        over, known = self.models.over_windows, self.features[: len(self.scaler.mean)]
        if over is None:
            return None
        return dataclasses.replace(
            self,
            features=(*known, *names_of_windows(known)),
            units={},
            models=over.models,
            stack=self.stack.of_windows(),
            imputer=None,
            references=None,
            windows=None,
        )

    def probabilities(
        self, X: np.ndarray, moments: Moments | None = None, windows: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, d) rows in engineering units to (n,) calibrated fault probabilities.

        Args:
            X: the rows.
            moments: of them, by which they are smoothed and their windows made; without it each
                row speaks for itself.
            windows: (n, 3, c) of them, where other rows than these were before them.
        """
        if windows is None and moments is not None and self.windows is not None:
            self.require_finite(X)
            windows = self.windows(self.with_windows(X), moments)
        logits = self.logits(X, windows)
        if moments is not None and self.smoothing is not None:
            logits = self.smoothing(logits, moments)
        return self.calibrator(logits)

    def alarms(self, probabilities: np.ndarray, moments: Moments | None = None) -> np.ndarray:
        """(n,) probabilities to (n,) bool.

        Args:
            probabilities: of a fault.
            moments: of the rows, by which alarms are delayed; without it each row stands alone.
        """
        if moments is None or self.delays is None:
            return probabilities > self.threshold
        return DelayedAlarms(self.delays, self.threshold).add(probabilities, moments)

    def require_finite(self, X: np.ndarray) -> None:
        """Raise a BundleError unless the rows have every sensor, with a finite value each."""
        if X.ndim != 2 or X.shape[1] != len(self.features):
            raise BundleError(
                f"These rows do not have the {len(self.features)} sensors of the detector",
                received={"shape": X.shape},
                remedy=f"Give the columns {', '.join(self.features)}",
            )
        bad = ~np.isfinite(X)
        if not bad.any():
            return
        row, column = np.argwhere(bad)[0]
        raise BundleError(
            "A sensor has a value that is not a finite number",
            received={
                "value": float(X[row, column]),
                "row": int(row),
                "rows concerned": int(bad.any(1).sum()),
            },
            where=f"sensor {self.features[column]!r}",
            remedy="Leave such rows out, or repair the sensor; only a missing value of a sensor "
            "that the others predict is filled in",
        )


def save_bundle(bundle: Bundle, folder: Path, rows: np.ndarray | None = None) -> None:
    """Write the bundle into an empty or new folder.

    Args:
        bundle: what to write.
        folder: is made if need be.
        rows: (n, d) readings in engineering units, some of which are kept with their scores for
            smoke tests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_network(bundle.network, folder / _NETWORK)
    np.save(folder / _SEEN, bundle.training_rows.astype("<u8"), allow_pickle=False)
    content = _numbers(bundle)
    if bundle.alarm is not None:
        content["alarm"] = bundle.alarm.as_dict()
    if bundle.models is not None:
        content["models"] = bundle.models.as_dict()
        (folder / _TREES).write_text(bundle.models.trees, encoding="utf-8")
        if bundle.models.whole is not None:
            bundle.models.whole.save(folder)
        if bundle.models.over_windows is not None:
            text = bundle.models.over_windows.models.trees
            (folder / _WINDOW_TREES).write_text(text, encoding="utf-8")
    if bundle.stack is not None:
        content["stack"] = save_stack(bundle.stack, folder)
    if bundle.imputer is not None:
        content["imputer"] = True
        save_imputer(bundle.imputer, folder)
    if bundle.references is not None:
        content["references"] = True
        save_references(bundle.references, folder)
    if bundle.sensors is not None:
        content["sensors"] = True
        save_sensors(bundle.sensors, folder)
    if bundle.spare is not None:
        content["spare"] = True
        save_network(bundle.spare, folder / _SPARE)
    if rows is not None:
        content["golden"] = True
        save_golden(_golden(bundle, chosen_rows(rows)), folder)
    seal(content, folder)


def _numbers(bundle: Bundle) -> dict[str, Any]:
    """What stands in every manifest."""
    scaler = bundle.scaler
    new = len(bundle.features) - len(scaler.mean)
    lacks = bundle.models is not None and bundle.models.whole is not None
    format_here = OTHER_SENSORS if new or lacks else FORMAT
    looking_back = {
        "smoothing": (SMOOTHED, bundle.smoothing),
        "delays": (DELAYED, bundle.delays),
        "windows": (WINDOWED, bundle.windows),
    }
    there = {name: one.as_dict() for name, (_, one) in looking_back.items() if one is not None}
    return {
        "format": max([format_here, *(looking_back[name][0] for name in there)]),
        **there,
        **({NEW_SENSORS: new} if new else {}),
        "features": list(bundle.features),
        "units": bundle.units,
        "scaler": {"mean": scaler.mean.tolist(), "scale": scaler.scale.tolist()},
        "calibrator": dataclasses.asdict(bundle.calibrator),
        "threshold": bundle.threshold,
        "lineage": bundle.lineage,
        "versions": versions_here(),
    }


def seal(content: dict[str, Any], folder: Path) -> None:
    """Write the manifest with the hashes of all files, its own content included.

    Args:
        content: the manifest as plain data, whatever hashes it holds.
        folder: of the bundle, which holds all files that the content names.
    """
    digests = {name: sha256_of(folder / name) for name in _files(content)}
    content["sha256"] = digests
    digests[MANIFEST] = manifest_sha256(content)
    (folder / MANIFEST).write_text(json.dumps(content, indent=2), encoding="utf-8")


def _files(content: dict[str, Any]) -> list[str]:
    """Every file but the manifest."""
    names = [_NETWORK, _SEEN]
    if "models" in content:
        names.append(_TREES)
        if "whole" in content["models"]:
            names += WHOLE_FILES
        if OVER_WINDOWS in content["models"]:
            names.append(_WINDOW_TREES)
    if "golden" in content:
        names.append(GOLDEN)
    if "imputer" in content:
        names.append(IMPUTER)
    if "references" in content:
        names.append(REFERENCES)
    if "sensors" in content:
        names.append(SENSORS)
    if "spare" in content:
        names.append(_SPARE)
    if "stack" in content:
        names += files_of(content["stack"])
    if "bytes" in content.get(GRAPH, {}):
        names.append(GRAPH_FILE)
    return names


def _golden(bundle: Bundle, X: np.ndarray) -> Golden:
    probabilities = bundle.probabilities(X)
    return Golden(bundle.features, X, probabilities, bundle.alarms(probabilities))


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle after checking the hashes of its files and the layers of its network.

    Nothing in it is executed. For what the manifest says alone there is
    :func:`faultxfer.bundle.manifest.read_manifest`.

    Raises:
        BundleError: a file is missing, damaged or foreign, or the format is unknown.
    """
    content = _checked_content(folder)
    with explaining(folder, recorded_versions(content)):
        return _assembled(folder, parse_manifest(content))


def read_golden(folder: Path) -> Golden | None:
    """Rows and the scores that the bundle gave for them; None where an older release kept none.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    content = _checked_content(folder)
    with explaining(folder, recorded_versions(content)):
        return load_golden(folder, tuple(content["features"])) if "golden" in content else None


def read_imputer(folder: Path) -> Imputer | None:
    """What fills in missing readings; None where the bundle does not.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    content = _checked_content(folder)
    with explaining(folder, recorded_versions(content)):
        return _imputer(folder, parse_manifest(content))


def read_sensors(folder: Path) -> SensorStatistics | None:
    """What the sensors of the source's normal rows look like; None where the bundle does not say.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    content = _checked_content(folder)
    with explaining(folder, recorded_versions(content)):
        manifest = parse_manifest(content)
        return load_sensors(folder, manifest.features) if manifest.knows_sensors else None


def read_spare_network(folder: Path) -> ArrayNetwork | None:
    """The source's network for machines that lack sensors; None where an older release kept none.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    content = _checked_content(folder)
    with explaining(folder, recorded_versions(content)):
        return load_network(folder / _SPARE) if "spare" in content else None


def read_versions(folder: Path) -> dict[str, str]:
    """The versions of the libraries that wrote a bundle whose files are those registered.

    Returns:
        Versions by library; empty where an older release recorded none.

    Raises:
        BundleError: as :func:`load_bundle`.
    """
    return recorded_versions(_checked_content(folder))


def _checked_content(folder: Path) -> dict[str, Any]:
    """The manifest as plain data, after the hashes of all files were checked."""
    content = read_content(folder)
    with whole(folder):
        for name in _files(content):
            require_sha256(folder, content, name, sha256_of(folder / name))
    return content


def _assembled(folder: Path, manifest: Manifest) -> Bundle:
    models, stack, alarm = manifest.models, manifest.stack, manifest.alarm
    return Bundle(
        features=manifest.features,
        units=manifest.units,
        scaler=Scaler(manifest.mean, manifest.scale),
        network=load_network(folder / _NETWORK),
        calibrator=Calibrator(**manifest.calibrator),
        threshold=manifest.threshold,
        training_rows=load_array(folder / _SEEN),
        lineage=manifest.lineage,
        models=None if models is None else _source_models(models, folder),
        stack=None if stack is None else load_stack(stack, folder),
        alarm=None if alarm is None else AlarmThreshold(**alarm),
        versions=manifest.versions,
        imputer=_imputer(folder, manifest),
        smoothing=manifest.smoothing,
        delays=manifest.delays,
        windows=manifest.windows,
        references=_references(folder, manifest),
    )


def _references(folder: Path, manifest: Manifest) -> References | None:
    return load_references(folder, len(manifest.features)) if manifest.explains else None


def _imputer(folder: Path, manifest: Manifest) -> Imputer | None:
    return load_imputer(folder, len(manifest.features)) if manifest.imputes else None


def _source_models(stored: dict[str, Any], folder: Path) -> SourceModels:
    models = source_models_from(stored, read_text(folder / _TREES, TEXT_BYTES))
    if OVER_WINDOWS in stored:
        trees = read_text(folder / _WINDOW_TREES, TEXT_BYTES)
        over = WindowModels.of(stored[OVER_WINDOWS], trees)
        models = dataclasses.replace(models, over_windows=over)
    if "whole" not in stored:
        return models
    return dataclasses.replace(models, whole=load_whole(stored["whole"], folder))


def _unscored(error: Exception) -> BundleError:
    if isinstance(error, BundleError):
        return error
    problem = f"{type(error).__name__}: {error}"[:300]
    return BundleError("The model does not score", received={"problem": problem})
