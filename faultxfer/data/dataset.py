"""Accepted rows as arrays."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.data.moments import Moments
from faultxfer.data.windows import RowWindows, Windows
from faultxfer.reading import columns

# Fields with a value for each row.
_COLUMNS = ("X", "y", "equipment", "run", "time")


@dataclass(frozen=True)
class Dataset:
    """Rows of one or more machines.

    Attributes:
        features: names of the ``d`` sensors, in feature order.
        X: (n, d) float64, in engineering units, finite.
        y: (n,) int8, 1 where there is a fault, 0 where not; -1 in rows that nobody labelled.
        equipment: (n,) machine of each row.
        run: (n,) recording of each row, unique across machines.
        time: (n,) float64 seconds or sequence number; NaN where there is no time.
        slices: column -> (n,) values by which metrics are given apart; empty where the contract
            names none.
        imputed: (n, d) bool: readings that were missing and are filled in; None where there are
            none.
        mode: (n,) operating mode of each row; None where the contract names none.
        windows: of the rows before each row; None where nobody looks back.
    """

    features: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    equipment: np.ndarray
    run: np.ndarray
    time: np.ndarray
    slices: dict[str, np.ndarray] = field(default_factory=dict)
    imputed: np.ndarray | None = None
    mode: np.ndarray | None = None
    windows: RowWindows | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def faults(self) -> int:
        """Number of fault rows."""
        return int((self.y == 1).sum())

    @property
    def moments(self) -> Moments:
        """Recording and time of the rows."""
        return Moments(self.run, self.time)

    @property
    def measured(self) -> np.ndarray:
        """(n, d) readings; NaN where one was filled in."""
        return self.X if self.imputed is None else np.where(self.imputed, np.nan, self.X)

    def take(self, rows: np.ndarray) -> Dataset:
        """The rows at the given positions (or of a boolean mask)."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        slices = {name: values[rows] for name, values in self.slices.items()}
        imputed = None if self.imputed is None else self.imputed[rows]
        mode = None if self.mode is None else self.mode[rows]
        windows = None if self.windows is None else self.windows.take(rows)
        return Dataset(
            self.features, **columns, slices=slices, imputed=imputed, mode=mode, windows=windows
        )

    def with_sensors(self, features: tuple[str, ...]) -> Dataset:
        """The same rows with these sensors in this order.

        A sensor that there is none of is missing in every row: NaN.
        """
        if features == self.features:
            return self
        X = np.full((len(self), len(features)), np.nan)
        imputed = None if self.imputed is None else np.zeros(X.shape, dtype=bool)
        for place, name in enumerate(features):
            if name not in self.features:
                continue
            own = self.features.index(name)
            X[:, place] = self.X[:, own]
            if imputed is not None and self.imputed is not None:
                imputed[:, place] = self.imputed[:, own]
        windows = self._windows_of(features)
        return dataclasses.replace(self, features=features, X=X, imputed=imputed, windows=windows)

    def _windows_of(self, features: tuple[str, ...]) -> RowWindows | None:
        """Windows of some of the sensors; None where one of them has none."""
        if self.windows is None:
            return None
        known = self.features[: self.windows.values.shape[2]]
        if not set(features) <= set(known):
            return None
        return self.windows.of([known.index(name) for name in features])

    def fingerprints(self) -> np.ndarray:
        """(n,) uint64 that recognise a row by its sensor values alone.

        Label, run and file name may be corrected between two exports; a detector that learned from
        these values has still seen them. A reading that was filled in counts as missing: another
        model would fill in another value.
        """
        values = np.ascontiguousarray(self.measured, dtype="<f8")
        digests = [hashlib.sha256(row.tobytes()).digest()[:8] for row in values]
        return np.frombuffer(b"".join(digests), dtype="<u8")


def save_dataset(data: Dataset, path: Path) -> None:
    """Write as ``.npz``; nothing in it is pickled.

    Readings that were filled in stay marked: another model wants to know what was measured.
    """
    filled: dict[str, Any] = {} if data.imputed is None else {"imputed": data.imputed}
    if data.windows is not None:
        filled |= {"windows": data.windows.values, "windows_usual": data.windows.windows.usual}
        filled["windows_half_lives"] = [data.windows.windows.short, data.windows.windows.long]
    np.savez_compressed(
        path,
        features=np.array(data.features),
        X=data.X,
        y=data.y,
        equipment=data.equipment.astype(str),
        run=data.run.astype(str),
        time=data.time,
        **filled,
    )


def load_dataset(path: Path) -> Dataset:
    """Read what :func:`save_dataset` wrote; releases to 0.2.0 marked nothing as filled in."""
    with np.load(path, allow_pickle=False) as stored:
        equipment, run = stored["equipment"], stored["run"]
        return Dataset(
            features=tuple(str(name) for name in stored["features"]),
            X=stored["X"],
            y=stored["y"],
            equipment=equipment.astype(object),
            run=run.astype(object),
            time=stored["time"],
            imputed=stored["imputed"] if "imputed" in stored.files else None,
            windows=_stored_windows(stored) if "windows" in stored.files else None,
        )


def _stored_windows(stored: Any) -> RowWindows:
    short, long = map(float, stored["windows_half_lives"])
    return RowWindows(Windows(short, long, stored["windows_usual"]), stored["windows"])


def dataset_from(accepted: pd.DataFrame, features: tuple[str, ...]) -> Dataset:
    """Arrays of an accepted, labelled table (see :class:`faultxfer.contract.outcome.Checked`)."""
    equipment = accepted[columns.EQUIPMENT].astype(str).to_numpy(dtype=object)
    run = accepted[columns.RUN].astype(str).to_numpy(dtype=object)
    slices = {}
    for name in accepted.columns:
        if name.startswith(columns.SLICE):
            values = accepted[name].astype(str)
            slices[name.removeprefix(columns.SLICE)] = values.to_numpy(dtype=object)
    return Dataset(
        features=tuple(features),
        X=sensor_matrix(accepted, features),
        y=accepted[columns.FAULT].to_numpy(dtype=np.int8),
        equipment=equipment,
        run=_recordings(accepted, equipment + "/" + run),
        time=accepted[columns.TIME].to_numpy(dtype=np.float64),
        slices=slices,
        imputed=imputed_cells(accepted, tuple(features)),
        mode=modes_of(accepted),
    )


def modes_of(accepted: pd.DataFrame) -> np.ndarray | None:
    """(n,) operating modes; None where the contract names none."""
    if columns.MODE not in accepted.columns:
        return None
    return accepted[columns.MODE].astype(str).to_numpy(dtype=object)


def imputed_cells(accepted: pd.DataFrame, features: tuple[str, ...]) -> np.ndarray | None:
    """(n, d) bool: readings that were filled in; None where there are none."""
    if columns.IMPUTED not in accepted.columns:
        return None
    lists = [names.split(columns.BETWEEN) for names in accepted[columns.IMPUTED].astype(str)]
    return np.array([[name in some for name in features] for some in lists])


def _recordings(accepted: pd.DataFrame, run: np.ndarray) -> np.ndarray:
    """(n,) the runs, copies under one name where they were looked for."""
    if columns.RECORDING not in accepted.columns:
        return run
    return accepted[columns.RECORDING].astype(str).to_numpy(dtype=object)


def sensor_matrix(accepted: pd.DataFrame, features: tuple[str, ...]) -> np.ndarray:
    """(n, d) float64 sensor values in feature order."""
    return accepted[list(features)].to_numpy(dtype=np.float64)
