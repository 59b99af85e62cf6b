"""Great Expectations, asked about what rows do not meet; the only importer of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from faultxfer.contract.drafted import NOT_ACCEPTED
from faultxfer.contract.missing import Fillable
from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.contract.tallies import LABEL, NULL, RANGE, Tally, Unmet, tallies
from faultxfer.environment import switch_telemetry_off
from faultxfer.findings import MAX_EXAMPLES

TEMPLATES = Path(__file__).with_name("templates")

# A file in which more labels than this share are unreadable is a wrong file, not a dirty one.
MAX_BAD_LABELS = 0.2

_SEVERITIES = {"refuse": "critical", "quarantine": "warning", "warn": "info", "info": "info"}
# Index labels are all that is needed of each row; tallies of the unexpected values would cost as
# much again.
_EVERY_ROW = {
    "result_format": "COMPLETE",
    "include_unexpected_rows": False,
    "partial_unexpected_count": 0,
}
_NO_EXCEPTION = {
    "raised_exception": False,
    "exception_traceback": None,
    "exception_message": None,
}
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "&": "＆", "'": "’", '"': "”"})
_COUNTS = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_nonmissing",
    "unexpected_percent_total",
)


# By sensor, (n,) bool: rows of machines that do not have it.
_Lacking = Mapping[str, np.ndarray]
# Kind and column of an expectation.
_Place = tuple[str, str]


@dataclass(frozen=True)
class Failed:
    """One failed expectation in words."""

    expectation: str
    column: str
    unexpected: int
    rows: int

    def sentence(self) -> str:
        """For the index of the Data Docs."""
        return f"{self.expectation}({self.column}): {self.unexpected} of {self.rows} rows"


@dataclass(frozen=True)
class Validation:
    """What one table is worth by its contract's expectations.

    Attributes:
        contract: whose expectations they are.
        tallies: every expectation of the suite, with counts.
        judged: by kind and column what Great Expectations said of those that some row did not meet.
    """

    contract: Contract
    tallies: list[Tally]
    judged: dict[_Place, Any]

    @property
    def unmet(self) -> list[Unmet]:
        """The expectations that at least one row did not meet."""
        return [_unmet(place, result) for place, result in self.judged.items()]

    @property
    def evaluated(self) -> int:
        """Number of expectations in the suite."""
        return len(self.tallies)

    @property
    def failed(self) -> list[Failed]:
        """The expectations that were not kept, tolerance included."""
        return [_failed(result) for result in self.judged.values() if not result.success]

    @cached_property
    def result(self) -> Any:
        """The suite's validation result, with counts and a few examples instead of every row.

        What every row met is put in as Great Expectations words it.
        """
        configurations = _configurations(self.contract)
        results = []
        for tally in self.tallies:
            place = tally.kind, tally.column
            configuration = configurations[place]
            judged = self.judged.get(place)
            results.append(
                _met(configuration, tally) if judged is None else _shortened(configuration, judged)
            )
        return _summary(results, self.contract)

    def as_dict(self) -> dict[str, Any]:
        """The result as Great Expectations writes it to JSON."""
        return self._plain

    @cached_property
    def _plain(self) -> dict[str, Any]:
        # Once: with many sensors it takes longer than the check itself.
        return dict(self.result.to_json_dict())


def unmet_expectations(frame: pd.DataFrame, contract: Contract, *, labelled: bool) -> list[Unmet]:
    """The expectations that at least one row of ``frame`` does not meet."""
    (validation,) = validate_tables([(frame, labelled)], contract)
    return validation.unmet


def validate_tables(
    tables: Sequence[tuple[pd.DataFrame, bool]],
    contract: Contract,
    lacking: Sequence[_Lacking] = (),
) -> list[Validation]:
    """Check tables against the contract's suite.

    Every expectation is counted with NumPy. Great Expectations is asked once, for all tables
    together, about those that some row does not meet; it is not even imported where there is none.

    Empty and all-null columns pass range checks in Great Expectations; the caller guards against
    both.

    Args:
        tables: sensor columns as float64, the label column as text, a unique index; and whether the
            label column is checked too.
        contract: the contract.
        lacking: of each table by sensor, (n,) bool: rows of machines that do not have it, of which
            nothing is expected; left out where all machines have all sensors.
    """
    lacking = lacking or [{}] * len(tables)
    counted = [
        tallies(frame, contract, labelled=labelled, lacking=gone)
        for (frame, labelled), gone in zip(tables, lacking, strict=True)
    ]
    questions = [
        _Question(number, tally.kind, tally.column)
        for number, found in enumerate(counted)
        for tally in found
        if tally.unmet
    ]
    frames = [frame for frame, _ in tables]
    answers = _judged(frames, questions, contract, lacking) if questions else []
    validations = [Validation(contract, found, {}) for found in counted]
    for question, result in zip(questions, answers, strict=True):
        validations[question.table].judged[question.kind, question.column] = result
    return validations


class _Question(NamedTuple):
    """An expectation that Great Expectations is asked about, and the number of the table."""

    table: int
    kind: str
    column: str


def _judged(
    frames: list[pd.DataFrame],
    questions: list[_Question],
    contract: Contract,
    lacking: Sequence[_Lacking],
) -> list[Any]:
    """Great Expectations' result for each question, with every row that did not meet it.

    The engine is asked directly. A batch of a data source is hashed twice, which costs as much as
    the checks; a checkpoint stores its result, which takes ten seconds and more where a million
    rows fail.
    """
    switch_telemetry_off()
    import great_expectations as gx
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    context = gx.get_context(mode="ephemeral")
    # A plain dict is what it stores.
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    batches, names = _batches(frames, questions, lacking)
    engine = PandasExecutionEngine(batch_data_dict=batches)
    configurations = _configurations(contract)
    asked = [
        _of_batch(configurations[question.kind, question.column], name)
        for question, name in zip(questions, names, strict=True)
    ]
    # The whole list at once: adding expectations to a stored suite one by one is quadratic.
    results = Validator(engine, data_context=context).graph_validate(
        asked, {"result_format": _EVERY_ROW}
    )
    answers = {_key(result.expectation_config): _without_exception(result) for result in results}
    return [answers[_key(configuration)] for configuration in asked]


def _batches(
    frames: list[pd.DataFrame], questions: list[_Question], lacking: Sequence[_Lacking]
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Columns by the name of a batch, and the batch of each question.

    The columns of a table without gaps stand together and each other one alone, as the engine
    copies a whole batch to skip a gap.
    """
    whole: dict[int, list[str]] = {}
    batches: dict[str, pd.DataFrame] = {}
    names = []
    for table, _, column in questions:
        if frames[table][column].hasnans:
            name = f"{table} {column}"
            batches[name] = _measured(frames[table][[column]], lacking[table].get(column))
        else:
            name = str(table)
            whole.setdefault(table, []).append(column)
        names.append(name)
    for table, columns in whole.items():
        batches[str(table)] = frames[table][list(dict.fromkeys(columns))]
    return batches, names


def _measured(column: pd.DataFrame, lacking: np.ndarray | None) -> pd.DataFrame:
    """A column without the rows of machines that do not have the sensor."""
    return column if lacking is None else column[~lacking]


def _of_batch(configuration: Any, name: str) -> Any:
    asked = copy.deepcopy(configuration)
    asked.kwargs["batch_id"] = name
    return asked


def _key(configuration: Any) -> tuple[str, str, str]:
    kwargs = configuration.kwargs
    return configuration.type, kwargs["column"], kwargs["batch_id"]


def docs_page(validation: Validation, **shown: str) -> str:
    """The Data Docs page of one validation, as HTML that needs nothing from the network.

    Args:
        validation: the result.
        shown: what ``templates/validation.html`` shows beside it.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    document = ValidationResultsPageRenderer().render(_harmless(validation.as_dict()))
    return str(_view().render(document, template="validation.html", **shown))


def docs_index(**shown: Any) -> str:
    """The first page of the Data Docs, from ``templates/index.html``."""
    switch_telemetry_off()
    return str(_view().env.get_template("index.html").render(**shown))


def _harmless(plain: dict[str, Any]) -> Any:
    """A validation result, from plain data, without characters that are markup.

    The renderer does not escape every name and value of a file.
    """
    from great_expectations.core.expectation_validation_result import (
        expectationSuiteValidationResultSchema,
    )

    return expectationSuiteValidationResultSchema.load(_without_markup(plain))


def _without_markup(value: Any) -> Any:
    if isinstance(value, dict):
        return {_without_markup(key): _without_markup(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_markup(item) for item in value]
    return value.translate(_LOOKALIKES) if isinstance(value, str) else value


def _view() -> Any:
    from great_expectations.render.view.view import DefaultJinjaPageView

    # Its own pages load their layout, scripts and logo from six web sites; ours hold all they need.
    return DefaultJinjaPageView(custom_views_directory=str(TEMPLATES))


def _configurations(contract: Contract) -> dict[_Place, Any]:
    """Great Expectations' words for each expectation of a contract."""
    import great_expectations.expectations as gxe

    made: dict[_Place, Any] = {}
    for name, sensor in contract.sensors.items():
        made[NULL, name] = _filled(gxe, name, sensor)
        if sensor.min is not None or sensor.max is not None:
            made[RANGE, name] = _between(gxe, name, sensor)
    made[LABEL, contract.label.column] = _spelt(gxe, contract.label)
    return {place: expectation.configuration for place, expectation in made.items()}


def _filled(gxe: Any, name: str, sensor: Sensor) -> Any:
    # Rounded, as 1 - 0.7 is a little more than 0.3, which would refuse a file with just the allowed
    # share.
    return gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=round(1 - sensor.max_missing, 9))


def _between(gxe: Any, name: str, sensor: Sensor) -> Any:
    severity = _SEVERITIES[sensor.drafted_severity or sensor.on_breach]
    return gxe.ExpectColumnValuesToBeBetween(
        column=name, min_value=sensor.min, max_value=sensor.max, severity=severity
    )


def _spelt(gxe: Any, label: Label) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=label.column, value_set=[*label.normal, *label.faults]
    )


def _without_exception(result: Any) -> Any:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(
            f"great_expectations failed: {result.exception_info.get('exception_message')}"
        )
    return result


def _unmet(place: _Place, result: Any) -> Unmet:
    kind, column = place
    index = tuple(int(label) for label in result.result["unexpected_index_list"])
    return Unmet(kind, column, passed=bool(result.success), index=index)


def _failed(result: Any) -> Failed:
    counts, config = result.result, result.expectation_config
    return Failed(
        config.type, config.kwargs["column"], counts["unexpected_count"], counts["element_count"]
    )


def _summary(results: list[Any], contract: Contract) -> Any:
    """The results as one."""
    import great_expectations as gx
    from great_expectations.core import ExpectationSuiteValidationResult

    kept = sum(result.success for result in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": kept,
        "unsuccessful_expectations": len(results) - kept,
        "success_percent": 100 * kept / len(results),
    }
    return ExpectationSuiteValidationResult(
        success=kept == len(results),
        results=results,
        suite_name=contract.family,
        statistics=statistics,
        meta={"great_expectations_version": gx.__version__, "contract": contract.digest()},
    )


def _shortened(configuration: Any, result: Any) -> Any:
    """A result cut to what a page shows.

    A million bad rows must not put a million values into it.
    """
    from great_expectations.core import ExpectationValidationResult

    counts = {name: result.result[name] for name in _COUNTS if name in result.result}
    seen = dict.fromkeys(result.result.get("unexpected_list", ())[: 100 * MAX_EXAMPLES])
    # NaN shows nothing.
    examples = [value for value in seen if value is not None and value == value][:MAX_EXAMPLES]
    return ExpectationValidationResult(
        success=bool(result.success),
        expectation_config=configuration,
        result={**counts, "partial_unexpected_list": examples},
        exception_info=result.exception_info,
    )


def _met(configuration: Any, tally: Tally) -> Any:
    """What Great Expectations says of an expectation that every row meets."""
    from great_expectations.core import ExpectationValidationResult

    return ExpectationValidationResult(
        success=True,
        expectation_config=configuration,
        result={**_counts_of_met(tally), "partial_unexpected_list": []},
        exception_info=_NO_EXCEPTION,
    )


def _counts_of_met(tally: Tally) -> dict[str, Any]:
    """Counts of an expectation that every row meets; a share of no rows is None."""
    none = 0.0 if tally.rows else None
    if tally.kind == NULL:
        return {"element_count": tally.rows, "unexpected_count": 0, "unexpected_percent": none}
    of_values = 0.0 if tally.missing < tally.rows else None
    return {
        "element_count": tally.rows,
        "missing_count": tally.missing,
        "missing_percent": tally.missing / tally.rows * 100 if tally.rows else None,
        "unexpected_count": 0,
        "unexpected_percent": of_values,
        "unexpected_percent_nonmissing": of_values,
        "unexpected_percent_total": none,
    }


_REMEDY = "Repair the export, or raise `max_missing` if the gaps are normal"
_REMEDY_HOLD = (
    f"{_REMEDY}; where tags are written at times of their own, `hold: 10min` at the sensor lets "
    "the last value count for so long"
)


def note_unmet(
    notes: Notes,
    unmet: Unmet,
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
    notes: Notes, unmet: Unmet, contract: Contract, fillable: Fillable, hint: str
) -> None:
    sensor = contract.sensors[unmet.column]
    has_own_times = contract.time_column is not None and not sensor.hold
    # Text instead of a number is missing to Great Expectations too; it has its own finding.
    absent = notes.missing(unmet.column)
    index = np.array(unmet.index, dtype=int)
    places = index[absent[index]]
    if unmet.passed:
        filled = fillable.now[places]
        _note_imputed(notes, unmet.column, places[filled])
        places = places[~filled]
    message = f"Sensor {unmet.column!r} has no value in {len(places)} row(s)"
    later = int(fillable.by_a_model[places].sum())
    if not unmet.passed:
        message += f", more than the allowed share of {sensor.max_missing:g}"
    elif later:
        message += f"; with a model that predicts what is missing, {later} of them can be used"
    notes.rows(
        "SENSOR-MISSING",
        places,
        unmet.column,
        message,
        f"{_REMEDY_HOLD if has_own_times else _REMEDY}{hint}",
        expected=f"a value in at least {1 - sensor.max_missing:.0%} of the rows",
        severity="quarantine" if unmet.passed else "refuse",
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


def _note_range(notes: Notes, unmet: Unmet, sensor: Sensor) -> None:
    low = "-∞" if sensor.min is None else f"{sensor.min:g}"
    high = "∞" if sensor.max is None else f"{sensor.max:g}"
    which = "drafted range" if sensor.drafted else "range"
    remedy = (
        "Check the unit and the sensor; if the values are real, widen the range in the contract"
    )
    notes.rows(
        "SENSOR-OUT-OF-RANGE",
        np.array(unmet.index, dtype=int),
        unmet.column,
        f"Sensor {unmet.column!r} lies outside its {which} in {len(unmet.index)} row(s)",
        NOT_ACCEPTED if sensor.drafted else remedy,
        expected=f"{low} to {high} {sensor.unit}".rstrip(),
        severity=sensor.drafted_severity or sensor.on_breach,
    )


def _note_labels(notes: Notes, unmet: Unmet, label: Label, rows: int) -> None:
    bad = len(unmet.index)
    notes.rows(
        "LABEL-UNKNOWN",
        np.array(unmet.index, dtype=int),
        label.column,
        f"The label is neither a normal nor a fault spelling in {bad} row(s)",
        "Mend the labels, or name their spelling under `label` in the contract, as `unknown` or "
        "`exclude` if it is neither; `blank: unknown` is for blank cells",
        expected=f"one of {', '.join([*label.normal, *label.faults])}",
        severity="refuse" if bad > MAX_BAD_LABELS * rows else "quarantine",
    )
