"""What Great Expectations itself says of a contract's expectations, each column alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from faultxfer.contract.expectations import configurations
from faultxfer.contract.schema import Contract
from faultxfer.contract.tallies import Tally


class Question(NamedTuple):
    """An expectation, by what NumPy says of it, and the table that it is asked of."""

    tally: Tally
    values: Mapping[str, np.ndarray]
    contract: Contract
    labels: pd.Series | None
    lacking: Mapping[str, np.ndarray]

    @property
    def cells(self) -> pd.DataFrame:
        """The column, without rows of machines that lack the sensor."""
        column = self.tally.column
        if self.tally.kind == "label":
            return pd.DataFrame({column: self.labels}).reset_index(drop=True)
        cells = pd.DataFrame({column: self.values[column]})
        return cells[~self.lacking[column]] if column in self.lacking else cells


def asked(questions: Sequence[Question]) -> list[Any]:
    """Its result for each question, with every row that did not meet it."""
    import great_expectations as gx
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    made: dict[int, Any] = {}
    batches, configured = {}, []
    for number, question in enumerate(questions):
        contract, tally = question.contract, question.tally
        if id(contract) not in made:
            made[id(contract)] = configurations(contract)
        batches[str(number)] = question.cells
        configured.append(copy.deepcopy(made[id(contract)][tally.kind, tally.column]))
        configured[-1].kwargs["batch_id"] = str(number)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    engine = PandasExecutionEngine(batch_data_dict=batches)
    every = {"result_format": {"result_format": "COMPLETE", "include_unexpected_rows": False}}
    results = Validator(engine, data_context=context).graph_validate(configured, every)
    found = {result.expectation_config.kwargs["batch_id"]: result for result in results}
    return [found[str(number)] for number in range(len(questions))]
