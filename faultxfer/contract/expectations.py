"""Great Expectations suites built from a contract. The only place that imports great_expectations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from faultxfer.contract.schema import Contract
from faultxfer.environment import switch_telemetry_off

if TYPE_CHECKING:
    import pandas as pd


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


_KINDS = {
    "expect_column_values_to_not_be_null": "null",
    "expect_column_values_to_be_between": "range",
    "expect_column_values_to_be_in_set": "label",
}


def unmet_expectations(frame: pd.DataFrame, contract: Contract, *, labelled: bool) -> list[Unmet]:
    """Check ``frame`` against the contract's suite.

    Empty and all-null columns pass range checks in Great Expectations; the caller guards against both.

    Args:
        frame: sensor columns as float64, the label column as text; a unique index.
        contract: the contract.
        labelled: whether the label column is checked too.

    Returns:
        One entry for each expectation that at least one row did not meet.
    """
    switch_telemetry_off()
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]  # a plain dict is what it stores
    # The whole list at once: adding expectations to a stored suite one by one is quadratic.
    suite = gx.ExpectationSuite(name=contract.family, expectations=_expectations(gx, contract, labelled))
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": frame})
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE", "include_unexpected_rows": False})
    return [_unmet(result) for result in outcome.results if _missed(result)]


def _expectations(gx: Any, contract: Contract, labelled: bool) -> list[Any]:
    made = []
    for name, sensor in contract.sensors.items():
        # Rounded, as 1 - 0.7 is a little more than 0.3 and would refuse a file that has just the allowed share.
        filled = round(1 - sensor.max_missing, 9)
        made.append(gx.expectations.ExpectColumnValuesToNotBeNull(column=name, mostly=filled))
        if sensor.min is not None or sensor.max is not None:
            made.append(
                gx.expectations.ExpectColumnValuesToBeBetween(column=name, min_value=sensor.min, max_value=sensor.max)
            )
    if labelled:
        spellings = [*contract.label.normal, *contract.label.fault]
        made.append(gx.expectations.ExpectColumnValuesToBeInSet(column=contract.label.column, value_set=spellings))
    return made


def _missed(result: Any) -> bool:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(f"great_expectations failed: {result.exception_info.get('exception_message')}")
    return bool(result.result.get("unexpected_count"))


def _unmet(result: Any) -> Unmet:
    return Unmet(
        kind=_KINDS[result.expectation_config.type],
        column=result.expectation_config.kwargs["column"],
        passed=bool(result.success),
        index=tuple(int(label) for label in result.result["unexpected_index_list"]),
    )
