"""Great Expectations suites built from a contract; the only importer of great_expectations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from faultxfer.contract.missing import Gaps
from faultxfer.contract.notes import Notes
from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.environment import switch_telemetry_off
from faultxfer.findings import MAX_EXAMPLES

TEMPLATES = Path(__file__).with_name("templates")

# A file in which more labels than this share are unreadable is a wrong file, not a dirty one.
MAX_BAD_LABELS = 0.2

_KINDS = {
    "expect_column_values_to_not_be_null": "null",
    "expect_column_values_to_be_between": "range",
    "expect_column_values_to_be_in_set": "label",
}
_SEVERITIES = {"refuse": "critical", "quarantine": "warning", "warn": "info"}
# Index labels are all that is needed of each row; tallies of the unexpected values would cost as
# much again. Counts come first, as most expectations of most files are met by every row.
_COUNTS_ALONE = {
    "result_format": "BASIC",
    "include_unexpected_rows": False,
    "partial_unexpected_count": 0,
}
_EVERY_ROW = {**_COUNTS_ALONE, "result_format": "COMPLETE"}
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


@dataclass(frozen=True)
class Unmet:
    """One expectation that rows did not meet.

    Attributes:
        kind: ``null``, ``range`` or ``label``.
        column: the column concerned.
        passed: whether the expectation's own tolerance (``mostly``) was kept in spite of the rows.
        index: index labels of the rows that did not meet it.
    """

    kind: str
    column: str
    passed: bool
    index: tuple[int, ...]


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
    """What Great Expectations found in one table.

    Attributes:
        unmet: the expectations that at least one row did not meet.
        result: the suite's validation result, with counts and a few examples instead of every row.
    """

    unmet: list[Unmet]
    result: Any

    @property
    def evaluated(self) -> int:
        """Number of expectations in the suite."""
        return len(self.result.results)

    @property
    def failed(self) -> list[Failed]:
        """The expectations that were not kept, tolerance included."""
        return [_failed(item) for item in self.result.results if not item.success]

    def as_dict(self) -> dict[str, Any]:
        """The result as Great Expectations writes it to JSON."""
        return dict(self.result.to_json_dict())


def unmet_expectations(frame: pd.DataFrame, contract: Contract, *, labelled: bool) -> list[Unmet]:
    """The expectations that at least one row of ``frame`` does not meet; see ``validate_table``."""
    return validate_table(frame, contract, labelled=labelled).unmet


def validate_table(frame: pd.DataFrame, contract: Contract, *, labelled: bool) -> Validation:
    """Check ``frame`` against the contract's suite.

    Empty and all-null columns pass range checks in Great Expectations; the caller guards against
    both.

    The suite is validated by the engine directly. A batch of a data source is hashed twice, which
    costs as much as the checks; a checkpoint stores its result, which takes ten seconds and more
    where a million rows fail.

    Args:
        frame: sensor columns as float64, the label column as text; a unique index.
        contract: the contract.
        labelled: whether the label column is checked too.
    """
    switch_telemetry_off()
    import great_expectations as gx
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    context = gx.get_context(mode="ephemeral")
    # A plain dict is what it stores.
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    expectations = [
        expectation.configuration for expectation in _expectations(gx, contract, labelled)
    ]
    results: list[Any] = []
    for part in _parts(frame):
        engine = PandasExecutionEngine(batch_data_dict={contract.family: part})
        # The whole list at once: adding expectations to a stored suite one by one is quadratic.
        asked = [one for one in expectations if one.kwargs["column"] in part]
        counted = Validator(engine, data_context=context).graph_validate(
            asked, {"result_format": _COUNTS_ALONE}
        )
        met = {
            _place(result.expectation_config): result for result in counted if not _missed(result)
        }
        results += met.values()
        if missed := [one for one in asked if _place(one) not in met]:
            results += Validator(engine, data_context=context).graph_validate(
                missed, {"result_format": _EVERY_ROW}
            )
    order = {_place(expectation): number for number, expectation in enumerate(expectations)}
    results.sort(key=lambda result: order[_place(result.expectation_config)])
    unmet = [_unmet(result) for result in results if _missed(result)]
    return Validation(unmet, _summary(results, contract))


def _place(configuration: Any) -> tuple[str, str]:
    return configuration.type, configuration.kwargs["column"]


def _parts(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The columns without gaps together, each other one alone.

    The engine copies a whole frame to skip a gap.
    """
    gaps = [name for name in frame if frame[name].hasnans]
    whole = frame.drop(columns=gaps)
    return [frame[[name]] for name in gaps] + ([whole] if len(whole.columns) else [])


def docs_page(validation: Validation, **shown: str) -> str:
    """The Data Docs page of one validation, as HTML that needs nothing from the network.

    Args:
        validation: the result.
        shown: what ``templates/validation.html`` shows beside it.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    document = ValidationResultsPageRenderer().render(_harmless(validation.result))
    return str(_view().render(document, template="validation.html", **shown))


def docs_index(**shown: Any) -> str:
    """The first page of the Data Docs, from ``templates/index.html``."""
    switch_telemetry_off()
    return str(_view().env.get_template("index.html").render(**shown))


def _harmless(result: Any) -> Any:
    """A copy without characters that are markup.

    The renderer does not escape every name and value of a file.
    """
    from great_expectations.core.expectation_validation_result import (
        expectationSuiteValidationResultSchema,
    )

    return expectationSuiteValidationResultSchema.load(_without_markup(result.to_json_dict()))


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


def _expectations(gx: Any, contract: Contract, labelled: bool) -> list[Any]:
    made = []
    for name, sensor in contract.sensors.items():
        made += _of_sensor(gx, name, sensor)
    if labelled:
        spellings = [*contract.label.normal, *contract.label.faults]
        made.append(
            gx.expectations.ExpectColumnValuesToBeInSet(
                column=contract.label.column, value_set=spellings
            )
        )
    return made


def _of_sensor(gx: Any, name: str, sensor: Sensor) -> list[Any]:
    # Rounded, as 1 - 0.7 is a little more than 0.3, which would refuse a file with just the allowed
    # share.
    filled = round(1 - sensor.max_missing, 9)
    made = [gx.expectations.ExpectColumnValuesToNotBeNull(column=name, mostly=filled)]
    if sensor.min is not None or sensor.max is not None:
        severity = _SEVERITIES[sensor.on_breach]
        between = gx.expectations.ExpectColumnValuesToBeBetween
        made.append(
            between(column=name, min_value=sensor.min, max_value=sensor.max, severity=severity)
        )
    return made


def _missed(result: Any) -> bool:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(
            f"great_expectations failed: {result.exception_info.get('exception_message')}"
        )
    return bool(result.result.get("unexpected_count"))


def _unmet(result: Any) -> Unmet:
    return Unmet(
        kind=_KINDS[result.expectation_config.type],
        column=result.expectation_config.kwargs["column"],
        passed=bool(result.success),
        index=tuple(int(label) for label in result.result["unexpected_index_list"]),
    )


def _failed(result: Any) -> Failed:
    counts, config = result.result, result.expectation_config
    return Failed(
        config.type, config.kwargs["column"], counts["unexpected_count"], counts["element_count"]
    )


def _summary(results: list[Any], contract: Contract) -> Any:
    """The results as one, cut to what a page shows.

    A million bad rows must not put a million values into it.
    """
    import great_expectations as gx
    from great_expectations.core import ExpectationSuiteValidationResult

    short = [_shortened(result) for result in results]
    kept = sum(result.success for result in short)
    statistics = {
        "evaluated_expectations": len(short),
        "successful_expectations": kept,
        "unsuccessful_expectations": len(short) - kept,
        "success_percent": 100 * kept / len(short),
    }
    return ExpectationSuiteValidationResult(
        success=kept == len(short),
        results=short,
        suite_name=contract.family,
        statistics=statistics,
        meta={"great_expectations_version": gx.__version__, "contract": contract.digest()},
    )


def _shortened(result: Any) -> Any:
    from great_expectations.core import ExpectationValidationResult

    counts = {name: result.result[name] for name in _COUNTS if name in result.result}
    seen = dict.fromkeys(result.result.get("unexpected_list", ())[: 100 * MAX_EXAMPLES])
    examples = [value for value in seen if value is not None and value == value][
        :MAX_EXAMPLES
    ]  # NaN shows nothing
    return ExpectationValidationResult(
        success=bool(result.success),
        expectation_config=result.expectation_config,
        result={**counts, "partial_unexpected_list": examples},
        exception_info=result.exception_info,
    )


_REMEDY = "Repair the export, or raise `max_missing` if the gaps are normal"
_REMEDY_HOLD = (
    f"{_REMEDY}; where tags are written at times of their own, `hold: 10min` at the sensor lets "
    "the last value count for so long"
)


def note_unmet(notes: Notes, unmet: Unmet, contract: Contract, rows: int, gaps: Gaps) -> None:
    """Note the rows that did not meet one expectation.

    Args:
        notes: of the table.
        unmet: the expectation.
        contract: what it was made from.
        rows: how many rows were validated.
        gaps: which readings are missing for their quality, and in which rows all are filled in.
    """
    if unmet.kind == "null":
        _note_missing(notes, unmet, contract, gaps)
    elif unmet.kind == "range":
        _note_range(notes, unmet, contract.sensors[unmet.column])
    else:
        _note_labels(notes, unmet, contract.label, rows)


def _note_missing(notes: Notes, unmet: Unmet, contract: Contract, gaps: Gaps) -> None:
    sensor = contract.sensors[unmet.column]
    # Text instead of a number is missing to Great Expectations too; it has its own finding.
    absent = notes.table.missing(unmet.column).to_numpy()
    if unmet.column in gaps.bad:
        absent = absent | gaps.bad[unmet.column]
    index = np.array(unmet.index, dtype=int)
    places = index[absent[index]]
    if unmet.passed:
        filled = gaps.fillable[places]
        _note_imputed(notes, unmet.column, places[filled])
        places = places[~filled]
    message = f"Sensor {unmet.column!r} has no value in {len(places)} row(s)"
    if not unmet.passed:
        message += f", more than the allowed share of {sensor.max_missing:g}"
    notes.rows(
        "SENSOR-MISSING",
        places,
        unmet.column,
        message,
        _REMEDY_HOLD if contract.time_column and not sensor.hold else _REMEDY,
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
    notes.rows(
        "SENSOR-OUT-OF-RANGE",
        np.array(unmet.index, dtype=int),
        unmet.column,
        f"Sensor {unmet.column!r} lies outside its range in {len(unmet.index)} row(s)",
        "Check the unit and the sensor; if the values are real, widen the range in the contract",
        expected=f"{low} to {high} {sensor.unit}".rstrip(),
        severity=sensor.on_breach,
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
