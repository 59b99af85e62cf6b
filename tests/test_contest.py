"""The source as it is takes the candidate's place where the rows show that it ranks them better."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faultxfer.bundle.manifest import MANIFEST, manifest_sha256
from faultxfer.config import GateOptions, TransferOptions
from faultxfer.data.split import BY_FEW, BY_RUN, HOLD_OUT, Split
from faultxfer.errors import DataError, StrategyError
from faultxfer.reading import columns
from faultxfer.steps import adaptation
from faultxfer.steps.adaptation import (
    ADAPTED,
    CANDIDATE,
    RECALIBRATED,
    Adaptation,
    Target,
    save_predictions,
)
from faultxfer.steps.contest import ADAPTED_FIRST, settled_contest
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.registration import _params_of_run
from faultxfer.strategies.narrowing import sensors_between
from faultxfer.strategies.procedure import Predictions
from faultxfer.strategies.protocol import Task

SENSORS = ("flow",)
ROWS = 24  # of each run; the last two of every second one are faults


def labels(runs: int) -> np.ndarray:
    faulty, place = np.arange(runs * ROWS) // ROWS % 2 == 0, np.arange(runs * ROWS) % ROWS
    return (faulty & (place >= ROWS - 2)).astype(np.int8)


def good(y: np.ndarray) -> np.ndarray:
    """Every fault above every normal row."""
    return np.asarray(0.1 + 0.8 * y + 0.05 * np.random.default_rng(0).random(len(y)))


def noise(y: np.ndarray) -> np.ndarray:
    """Nothing to do with the labels."""
    return np.random.default_rng(1).random(len(y))


def adapted(
    folder: Path,
    candidate: Any = noise,
    source: Any = good,
    *,
    runs: int = 16,
    by: str = BY_RUN,
) -> Adaptation:
    """What was fitted, as far as it is looked at: two manifests, and predictions made by hand."""
    y = labels(runs)
    number = np.arange(len(y)) // ROWS
    table = {
        columns.EQUIPMENT: "pump-9",
        columns.RUN: [f"run {one}" for one in number],
        columns.TIME: np.arange(len(y), dtype=float),
        columns.FAULT: y,
        "flow": np.zeros(len(y)),
    }
    pd.DataFrame(table).to_feather(folder / "rows.arrow")
    manifest: dict[str, Any] = {
        **{"format": 2, "features": SENSORS, "units": {"flow": "1"}, "threshold": 0.5},
        **{"scaler": {"mean": [0.0], "scale": [1.0]}, "calibrator": {}, "lineage": {}},
        "sha256": {},
    }
    manifest["sha256"][MANIFEST] = manifest_sha256(manifest)
    for bundle in (folder / ADAPTED, folder / RECALIBRATED / ADAPTED):
        bundle.mkdir(parents=True)
        (bundle / MANIFEST).write_text(json.dumps(manifest))
    rows = CheckedRows(folder / "rows.arrow", (), (), len(y), len(y), 0, 0, None)
    every = np.arange(len(y))
    split = Split(HOLD_OUT, by, "for tests", every[:0], every[:0], every)
    target = Target(rows, split, sensors_between(tuple(SENSORS), tuple(SENSORS)))
    made = Adaptation(target, folder, {}, {})
    said = {CANDIDATE: candidate(y), RECALIBRATED: source(y)}
    predictions = {name: Predictions(values, values > 0.5) for name, values in said.items()}
    save_predictions(made.predictions, predictions, every)
    return made


def test_a_source_that_is_shown_to_rank_better_is_the_candidate(tmp_path: Path) -> None:
    given = adapted(tmp_path)
    assert given.bundle == tmp_path / ADAPTED
    chosen, contest = settled_contest(given, GateOptions())
    assert chosen == dataclasses.replace(given, source_gain=chosen.source_gain, history={})
    assert chosen.bundle == given.recalibrated == tmp_path / RECALIBRATED / ADAPTED
    assert chosen.source_gain is not None
    assert 0 < chosen.source_gain.low < chosen.source_gain.estimate
    y = labels(16)
    np.testing.assert_array_equal(contest.candidate.probabilities, good(y))
    np.testing.assert_array_equal(contest.predictions[ADAPTED_FIRST].probabilities, noise(y))
    assert RECALIBRATED not in contest.predictions


def test_what_the_run_says_of_the_candidate_is_not_said_of_what_was_adapted(
    tmp_path: Path,
) -> None:
    given = dataclasses.replace(adapted(tmp_path), history={"loss": [0.7, 0.5]})
    asked = TransferOptions(strategy="fine_tune", trainable_layers=1, input_map="target")
    chosen, _ = settled_contest(given, GateOptions())
    assert chosen.history == {}
    before, after = (_params_of_run(one, asked) for one in (given, chosen))
    assert (before["strategy"], before["input_map"]) == ("fine_tune", "target")
    assert (after["strategy"], after["input_map"]) == ("recalibrate", None)
    assert after["strategy asked for"] == "fine_tune"
    assert "strategy asked for" not in before


@pytest.mark.parametrize(
    "world",
    [
        {"candidate": noise, "source": noise},
        {"candidate": good, "source": good},
        {"candidate": good, "source": noise},
        {"runs": 2},
        {"by": BY_FEW},
    ],
    ids=[
        "equally bad",
        "equally good",
        "worse",
        "faults of one run",
        "a split that decides nothing",
    ],
)
def test_what_was_adapted_stays_where_that_is_not_shown(
    world: dict[str, Any], tmp_path: Path
) -> None:
    given = adapted(tmp_path, **world)
    kept, contest = settled_contest(given, GateOptions())
    assert kept is given
    assert ADAPTED_FIRST not in contest.predictions


def test_without_a_recalibrated_source_there_is_nothing_to_choose(tmp_path: Path) -> None:
    given = adapted(tmp_path)
    (given.recalibrated / MANIFEST).unlink()
    given.recalibrated.rmdir()
    assert settled_contest(given, GateOptions())[0] is given


@pytest.mark.parametrize("error", [DataError, StrategyError])
def test_a_source_that_cannot_be_recalibrated_stops_no_transfer(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error("its scores keep no false-alarm rate")

    monkeypatch.setattr(adaptation, "run_strategy", fails)
    task = Task(None, None, None, TransferOptions())  # type: ignore[arg-type]
    assert adaptation._recalibrated(task, None) is None  # type: ignore[arg-type]
