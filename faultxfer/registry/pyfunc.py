"""How MLflow loads a bundle, in ``mlflow.pyfunc.load_model`` and ``mlflow models serve``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.bundle.bundle import Bundle, load_bundle
from faultxfer.contract.schema import parse_contract
from faultxfer.contract.served import JudgedRows, MachineRows
from faultxfer.data.moments import Moments
from faultxfer.errors import BundleError, DataError
from faultxfer.following import ASKED, transfer_without
from faultxfer.reading import columns
from faultxfer.registry.model_files import MACHINE


class FaultModel:
    """Sensor rows in the contract's columns and units to fault probabilities and alarms."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score rows by column name.

        Args:
            rows: one numeric column per sensor, in any order; other columns are not used. The
                column of a sensor that the model fills in may be left out.
            params: unused; part of MLflow's interface.

        Returns:
            ``fault_probability`` and ``alarm``, one line per row; besides ``imputed``, the names of
            the sensors that were filled in, where some were.

        Raises:
            BundleError: a sensor is missing, not a number, or not finite; a missing reading (NaN)
                is filled in where the contract allows it and the other sensors predict it.
        """
        scores = scores_of(self.bundle, _matrix(rows, self.bundle))
        return scores.set_axis(rows.index, axis="index")


class MachineModel:
    """A machine's own rows, as it writes them, to fault probabilities and alarms."""

    def __init__(self, bundle: Bundle, machine: str) -> None:
        self.bundle = bundle
        contract = parse_contract(bundle.lineage.get("contract"), where="the bundle")
        self.rows = MachineRows(contract, machine, bundle.fills)

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score rows in the machine's own columns, units and shape.

        Args:
            rows: the columns of the signature, in any order; others are not used. Rows of a
                recording that are given together are smoothed together, where the model smooths,
                and their alarms are delayed, where it does that.
            params: ``units``, by column, where the caller says which they are.

        Returns:
            ``fault_probability`` and ``alarm``, one line per row; besides ``imputed``, the names of
            the sensors that were filled in, and ``remark``, why a row is not scored or is marked,
            where some are. A row without a score has None in the first two. Of rows in long form
            there is one line for each moment, with its machine and its time before the rest.

        Raises:
            MlflowException: the rows are refused; the cause is the :class:`DataError`.
        """
        try:
            self.rows.require_units((params or {}).get("units") or {})
            judged = self.rows.judge(rows)
        except DataError as error:
            raise _refused(error, self.bundle) from error
        scores = scores_of(self.bundle, self._readings(judged), self._moments(judged))
        answer = _in_place(scores, judged)
        if self.rows.contract.long is None:
            return answer.set_axis(rows.index, axis="index")
        return pd.concat([self._who_and_when(judged), answer], axis="columns")

    def get_raw_model(self) -> FaultModel:
        """What takes the contract's columns and units, for those who have converted already."""
        return FaultModel(self.bundle)

    def _readings(self, judged: JudgedRows) -> np.ndarray:
        """(k, d) of the k accepted rows."""
        accepted = judged.checked.accepted
        if accepted.empty:
            return np.empty((0, len(self.bundle.features)))
        return accepted[list(self.bundle.features)].to_numpy(dtype=np.float64)

    def _moments(self, judged: JudgedRows) -> Moments | None:
        """Recording and time of the accepted rows; None where each row stands alone."""
        accepted, bundle = judged.checked.accepted, self.bundle
        if accepted.empty or not (bundle.smoothing or bundle.delays or bundle.windows):
            return None
        time = accepted[columns.TIME].to_numpy(dtype=np.float64)
        if self.rows.contract.time_column is not None and np.isnan(time).all():
            return None  # sent without the times by which the past fades
        return Moments(pd.factorize(accepted[columns.RUN].astype(str))[0], time)

    def _who_and_when(self, judged: JudgedRows) -> pd.DataFrame:
        """Machine and time of each moment of rows in long form."""
        table, time = judged.checked.table, str(self.rows.contract.time_column)
        machine, column = self.rows.machine, self.rows.contract.equipment_column
        who = table.stripped(column) if column else machine
        return pd.DataFrame({"equipment": who, time: table.stripped(time)})


def scores_of(bundle: Bundle, X: np.ndarray, moments: Moments | None = None) -> pd.DataFrame:
    """Probability, alarm and what was filled in, of (n, d) readings, NaN where missing.

    Windows are made, scores smoothed and alarms delayed along their recordings where the bundle
    does that and their moments are given. A row that is the only one of its recording alarms above
    the threshold: nobody could wait for the next one.
    """
    whole = bundle.completed(X)
    probabilities = bundle.probabilities(whole, moments) if len(X) else np.empty(0)
    alarms = bundle.alarms(probabilities, moments)
    if moments is not None:
        alone = np.bincount(moments.recording)[moments.recording] == 1
        alarms[alone] = bundle.alarms(probabilities[alone])
    scores = {"fault_probability": probabilities, "alarm": alarms}
    return pd.DataFrame(scores | _imputed(bundle, np.isnan(X)))


def _imputed(bundle: Bundle, missing: np.ndarray) -> dict[str, list[str]]:
    """By row the sensors that were filled in, where some were."""
    if not missing.any():
        return {}
    names = np.array(bundle.features, dtype=object)
    return {"imputed": [", ".join(names[gaps]) for gaps in missing]}


def _in_place(scores: pd.DataFrame, judged: JudgedRows) -> pd.DataFrame:
    """A line for each row, as they came; None where it has no score, and why."""
    places = judged.checked.accepted[columns.ROW] if len(scores) else np.empty(0, dtype=int)
    answer = scores.set_axis(np.asarray(places), axis="index")
    if len(answer) < len(judged):
        # NaN is no JSON, which other programs than ours have to read.
        answer = answer.astype(object).reindex(range(len(judged)))
        answer = answer.where(answer.notna(), None)
    if "imputed" in answer:
        answer["imputed"] = answer["imputed"].fillna("")
    return answer.assign(remark=judged.remark) if (judged.remark != "").any() else answer


def _refused(error: DataError, bundle: Bundle) -> Exception:
    """The error as MLflow's own: of others its server shows callers a traceback.

    Where sensors are all that is lacking, it ends with the command that goes on without them.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

    message = f"{error} {_way_on(error.absent, bundle)}".strip()
    return MlflowException(message, error_code=INVALID_PARAMETER_VALUE)


def _way_on(absent: Iterable[str], bundle: Bundle) -> str:
    if not absent:
        return ""
    command = transfer_without(absent, bundle.lineage.get(ASKED, {})).command
    return f"A version that does without is made by `{command}`."


def _matrix(rows: pd.DataFrame, bundle: Bundle) -> np.ndarray:
    """(n, d) readings; NaN where they are missing, and where the model does without a column."""
    features = list(bundle.features)
    missing = [name for name in features if name not in rows]
    most = 0.0 if bundle.imputer is None else bundle.imputer.max_share * len(features)
    if not bundle.fills.issuperset(missing) or len(missing) > most:
        raise BundleError(
            f"The rows lack columns of some of the {len(features)} sensors",
            received={"missing": missing, "columns": list(rows.columns)},
            remedy="Name the columns as in the model's signature",
        )
    try:
        return rows.reindex(columns=features).to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BundleError(
            "A sensor column holds something that is no number",
            received={"problem": str(error)},
            remedy="Validate the file first with `faultxfer validate`",
        ) from error


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> Any:
    """Entry point that MLflow calls with the bundle's folder and what its own file says."""
    bundle, machine = load_bundle(Path(path)), (model_config or {}).get(MACHINE)
    return FaultModel(bundle) if machine is None else MachineModel(bundle, str(machine))
