"""Transfer and scratch of one cross-fitting: the default stack, and one without the source."""

from __future__ import annotations

import dataclasses

import numpy as np
from strategy_checks import changed, tiny_task

from faultxfer.learning_curves.measuring import fit_transfer_and_scratch
from faultxfer.strategies import STRATEGIES


def test_transfer_is_the_default_stack_and_scratch_knows_no_source() -> None:
    task = tiny_task()
    given = task.target.X, task.target.windows.values
    transfer, scratch = (scorer(*given) for scorer in fit_transfer_and_scratch(task))
    np.testing.assert_allclose(transfer, STRATEGIES["stack"].fit(task)(*given))
    assert task.source.models is not None
    assert task.source_rows is not None
    spoiled = dataclasses.replace(
        task.source,
        network=changed(task.source.network, lambda weight: weight[::-1]),
        models=dataclasses.replace(task.source.models, linear=_turned(task.source.models.linear)),
    )
    wrong = dataclasses.replace(task.source_rows, y=1 - task.source_rows.y)
    other = dataclasses.replace(task, source=spoiled, source_rows=wrong)
    without, same = (scorer(*given) for scorer in fit_transfer_and_scratch(other))
    np.testing.assert_array_equal(same, scratch)
    assert not np.allclose(without, transfer)


def _turned(linear: object) -> object:
    return dataclasses.replace(linear, coef=-linear.coef)
