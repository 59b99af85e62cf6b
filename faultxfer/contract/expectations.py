"""A contract as a suite of Great Expectations, and results in its words; its only importer.

It is loaded where results are shown. What rows meet is judged by
:mod:`faultxfer.contract.tallies`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.contract.tallies import LABEL, NULL, RANGE, Tally, mostly
from faultxfer.environment import switch_telemetry_off

TEMPLATES = Path(__file__).with_name("templates")

_SEVERITIES = {"refuse": "critical", "quarantine": "warning", "warn": "info", "info": "info"}
_NO_EXCEPTION = {
    "raised_exception": False,
    "exception_traceback": None,
    "exception_message": None,
}
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "&": "＆", "'": "’", '"': "”"})
_TYPES = {
    NULL: "expect_column_values_to_not_be_null",
    RANGE: "expect_column_values_to_be_between",
    LABEL: "expect_column_values_to_be_in_set",
}


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
        tallies: every expectation of the suite, with what it found.
    """

    contract: Contract
    tallies: list[Tally]

    @property
    def evaluated(self) -> int:
        """Number of expectations in the suite."""
        return len(self.tallies)

    @property
    def failed(self) -> list[Failed]:
        """The expectations that were not kept, tolerance included."""
        failed = [tally for tally in self.tallies if not tally.passed]
        return [
            Failed(_TYPES[tally.kind], tally.column, tally.unmet, tally.rows) for tally in failed
        ]

    @cached_property
    def result(self) -> Any:
        """The suite's validation result, as Great Expectations words it.

        It has counts and a few examples instead of every row.
        """
        made = configurations(self.contract)
        results = [_result(made[tally.kind, tally.column], tally) for tally in self.tallies]
        return _summary(results, self.contract)

    def as_dict(self) -> dict[str, Any]:
        """The result as Great Expectations writes it to JSON."""
        return self._plain

    @cached_property
    def _plain(self) -> dict[str, Any]:
        # Once: with many sensors it takes longer than the check itself.
        return dict(self.result.to_json_dict())


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


def configurations(contract: Contract) -> dict[_Place, Any]:
    """Great Expectations' words for each expectation of a contract."""
    switch_telemetry_off()
    import great_expectations.expectations as gxe

    made: dict[_Place, Any] = {}
    for name, sensor in contract.sensors.items():
        made[NULL, name] = _filled(gxe, name, sensor)
        if sensor.min is not None or sensor.max is not None:
            made[RANGE, name] = _between(gxe, name, sensor)
    made[LABEL, contract.label.column] = _spelt(gxe, contract.label)
    return {place: expectation.configuration for place, expectation in made.items()}


def _filled(gxe: Any, name: str, sensor: Sensor) -> Any:
    return gxe.ExpectColumnValuesToNotBeNull(column=name, mostly=mostly(sensor))


def _between(gxe: Any, name: str, sensor: Sensor) -> Any:
    severity = _SEVERITIES[sensor.drafted_severity or sensor.on_breach]
    return gxe.ExpectColumnValuesToBeBetween(
        column=name, min_value=sensor.min, max_value=sensor.max, severity=severity
    )


def _spelt(gxe: Any, label: Label) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=label.column, value_set=[*label.normal, *label.faults]
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


def _result(configuration: Any, tally: Tally) -> Any:
    """What Great Expectations says of an expectation."""
    from great_expectations.core import ExpectationValidationResult

    return ExpectationValidationResult(
        success=tally.passed,
        expectation_config=configuration,
        result={**_counts(tally), "partial_unexpected_list": [*tally.examples]},
        exception_info=_NO_EXCEPTION,
    )


def _counts(tally: Tally) -> dict[str, Any]:
    """Counts of an expectation; a share of no rows is None."""
    of_all = _percent(tally.unmet, tally.rows)
    if tally.kind == NULL:
        return {
            "element_count": tally.rows,
            "unexpected_count": tally.unmet,
            "unexpected_percent": of_all,
        }
    of_values = _percent(tally.unmet, tally.rows - tally.missing)
    return {
        "element_count": tally.rows,
        "missing_count": tally.missing,
        "missing_percent": _percent(tally.missing, tally.rows),
        "unexpected_count": tally.unmet,
        "unexpected_percent": of_values,
        "unexpected_percent_nonmissing": of_values,
        "unexpected_percent_total": of_all,
    }


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None
