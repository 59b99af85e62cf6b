"""Notes of the rows that do not meet what the contract expects of a column."""

from __future__ import annotations

import numpy as np

from faultxfer.contract.drafted import NOT_ACCEPTED
from faultxfer.contract.missing import Fillable
from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.contract.tallies import NULL, RANGE, Tally

# A file in which more labels than this share are unreadable is a wrong file, not a dirty one.
MAX_BAD_LABELS = 0.2

_REMEDY = "Repair the export, or raise `max_missing` if the gaps are normal"
_REMEDY_HOLD = (
    f"{_REMEDY}; where tags are written at times of their own, `hold: 10min` at the sensor lets "
    "the last value count for so long"
)


def note_unmet(
    notes: Notes,
    unmet: Tally,
    contract: Contract,
    rows: int,
    fillable: Fillable,
    hint: str = "",
) -> None:
    """Note the rows that did not meet one expectation.

    Args:
        notes: of the table.
        unmet: the expectation.
        contract: what it was made from.
        rows: how many rows were validated.
        fillable: rows of the table whose missing readings are, or may be, filled in.
        hint: what else can be done about missing readings.
    """
    if unmet.kind == NULL:
        _note_missing(notes, unmet, contract, fillable, hint)
    elif unmet.kind == RANGE:
        _note_range(notes, unmet, contract.sensors[unmet.column])
    else:
        _note_labels(notes, unmet, contract.label, rows)


def _note_missing(
    notes: Notes, unmet: Tally, contract: Contract, fillable: Fillable, hint: str
) -> None:
    sensor = contract.sensors[unmet.column]
    has_own_times = contract.time_column is not None and not sensor.hold
    # Text instead of a number is no value either; it has its own finding.
    absent = notes.missing(unmet.column)
    places = unmet.places[absent[unmet.places]]
    if unmet.passed:
        filled = fillable.now[places]
        _note_imputed(notes, unmet.column, places[filled])
        places = places[~filled]
    message = f"Sensor {unmet.column!r} has no value in {len(places)} row(s)"
    tail = ""
    if not unmet.passed:
        message += f", more than the allowed share of {sensor.max_missing:g}"
    else:
        tail = "; with a model that predicts what is missing, {some} of them can be used"
    notes.rows(
        "SENSOR-MISSING",
        places,
        unmet.column,
        message,
        f"{_REMEDY_HOLD if has_own_times else _REMEDY}{hint}",
        expected=f"a value in at least {1 - sensor.max_missing:.0%} of the rows",
        severity="quarantine" if unmet.passed else "refuse",
        tail=tail,
        some=places[fillable.by_a_model[places]],
    )


def _note_imputed(notes: Notes, column: str, places: np.ndarray) -> None:
    notes.rows(
        "SENSOR-IMPUTED",
        places,
        column,
        f"Sensor {column!r} has no value in {len(places)} row(s), which is filled in from the "
        "other sensors",
        "Repair the export if such gaps are not normal; to set the rows aside instead, give the "
        "sensor `impute: false`",
        expected="a value",
        severity="warn",
    )


def _note_range(notes: Notes, unmet: Tally, sensor: Sensor) -> None:
    low = "-∞" if sensor.min is None else f"{sensor.min:g}"
    high = "∞" if sensor.max is None else f"{sensor.max:g}"
    which = "drafted range" if sensor.drafted else "range"
    remedy = (
        "Check the unit and the sensor; if the values are real, widen the range in the contract"
    )
    notes.rows(
        "SENSOR-OUT-OF-RANGE",
        unmet.places,
        unmet.column,
        f"Sensor {unmet.column!r} lies outside its {which} in {unmet.unmet} row(s)",
        NOT_ACCEPTED if sensor.drafted else remedy,
        expected=f"{low} to {high} {sensor.unit}".rstrip(),
        severity=sensor.drafted_severity or sensor.on_breach,
    )


def _note_labels(notes: Notes, unmet: Tally, label: Label, rows: int) -> None:
    bad = unmet.unmet
    notes.rows(
        "LABEL-UNKNOWN",
        unmet.places,
        label.column,
        f"The label is neither a normal nor a fault spelling in {bad} row(s)",
        "Mend the labels, or name their spelling under `label` in the contract, as `unknown` or "
        "`exclude` if it is neither; `blank: unknown` is for blank cells",
        expected=f"one of {', '.join([*label.normal, *label.faults])}",
        severity="refuse" if bad > MAX_BAD_LABELS * rows else "quarantine",
    )
