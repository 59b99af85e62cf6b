"""What a transfer's run gives MLflow's pages: few metrics with bounds, one table, data, its rules."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faultxfer.config import GateOptions, load_options
from faultxfer.contract.schema import parse_contract
from faultxfer.evaluate.events import EventMetrics
from faultxfer.evaluate.gate.check import Comparison, Evidence, Forgetting, Slice
from faultxfer.evaluate.intervals import Interval
from faultxfer.evaluate.metrics import Metrics
from faultxfer.evaluate.report import Contestant, Report
from faultxfer.metric_table import METRICS, ROW_METRICS
from faultxfer.reading import columns
from faultxfer.registry.data_sets import TARGET
from faultxfer.requests import TransferRequest
from faultxfer.steps import registration
from faultxfer.steps.data_sets import columns_of, files_read, rows_that_judged
from faultxfer.steps.run_metrics import COMPARISON, comparison_table, metrics_of_run

GOOD = Metrics(0.8, 0.91, 0.7, 0.6, 0.043, 0.25, 0.05, rows=100, faults=20)
AROUND = Interval(0.5, 0.4, 0.6, 0.05)
BETTER = Interval(0.1, 0.05, float("inf"), 0.03)
EVENTS = EventMetrics(8, 6, AROUND, 1200.0, 3, AROUND, 0.2)


def report() -> Report:
    """A candidate with a bound on all that can have one, a champion, a slice and twenty rivals."""
    bounded = {name: AROUND for name in ROW_METRICS if METRICS[name].interval}
    part = Slice("season", "winter", 40, 8, 5, changes={"roc_auc": BETTER})
    compared = Comparison(GOOD, GOOD, 96, 18, 4, changes={"pr_auc": BETTER}, slices=(part,))
    evidence = Evidence(
        GOOD,
        "3",
        compared,
        {"rival 0": GOOD},
        intervals=bounded,
        events=EVENTS,
        against_rivals={"rival 0": {"pr_auc": BETTER}},
        forgetting=Forgetting(50, 5, GOOD, GOOD, {}),
    )
    rivals = [
        Contestant(f"rival_{number}", f"rival {number}", "rival", False, GOOD)
        for number in range(20)
    ]
    contestants = (
        Contestant("candidate", "candidate (stack)", "candidate", True, GOOD),
        Contestant("champion", "champion (version 3)", "champion", True, GOOD, note="older"),
        *rivals,
        Contestant("last", "last rival", "rival", False, None, problem="could not run"),
    )
    split = "whole runs were held out"
    return Report("pumps", "pump-9", "stack", "hold-out", split, "", contestants, evidence, 0.42)


def test_a_run_has_few_metrics_and_each_bound_stands_beside_its_metric() -> None:
    metrics = metrics_of_run(report())
    # Curves of training come on top: two or three.
    assert len(metrics) <= 36
    assert set(METRICS) <= set(metrics)
    assert metrics["pr_auc"] == 0.8
    assert (metrics["pr_auc.low"], metrics["pr_auc.high"]) == (0.4, 0.6)
    assert (metrics["event_recall.low"], metrics["threshold"]) == (0.4, 0.42)
    for listed, bounds in ((list(metrics), ("low", "high")), (sorted(metrics), ("high", "low"))):
        for name in METRICS:
            if f"{name}.low" in metrics:
                place = listed.index(name) + 1
                assert listed[place : place + 2] == [f"{name}.{bound}" for bound in bounds]


def test_a_bound_that_is_infinite_is_none() -> None:
    made = report()
    endless = dataclasses.replace(made.evidence, intervals={"log_loss": BETTER})
    metrics = metrics_of_run(dataclasses.replace(made, evidence=endless))
    assert "log_loss.low" in metrics
    assert "log_loss.high" not in metrics


def test_the_table_has_everybody_every_slice_and_no_infinity() -> None:
    text = comparison_table(report())
    assert "Infinity" not in text
    table = json.loads(text)
    lines = pd.DataFrame(table["data"], columns=table["columns"]).set_index(["what", "who"])
    assert len(lines.loc["rival"]) == 21
    assert lines.loc[("rival", "last rival"), "note"] == "could not run"
    assert lines.loc[("rival", "rival 7"), "pr_auc"] == 0.8
    assert lines.loc[("bound", "candidate, low"), "recall"] == 0.4
    of_slice = lines.loc[("candidate minus champion", "season = winter")]
    assert (of_slice["roc_auc"], of_slice["faults"]) == (0.1, 8)
    assert of_slice["note"].startswith("ROC-AUC between +0.050 and")
    assert lines.loc[("candidate minus rival", "rival 0"), "pr_auc"] == 0.1
    assert lines.loc[("on source rows", "source model"), "rows"] == 100


def machine(**own: Any) -> dict[str, Any]:
    return {"equipment": {"K 7": own}}


TWINS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "as in the contract": ({}, {"T_in": "double (degC)", "p": "double (bar)", "n": "double"}),
    "units of its own": (
        machine(units={"T_in": "degF", "p": "psi"}),
        {"T_in": "double (degF)", "p": "double (psi)", "n": "double"},
    ),
    "tags of its own": (
        machine(aliases={"TI-2.PV": "T_in", "PI 3": "p", "when": "at"}),
        {"TI-2.PV": "double (degC)", "PI 3": "double (bar)", "n": "double", "when": "time"},
    ),
}


def agreed(**own: Any) -> Any:
    limits = {"min": -50, "max": 500}
    return parse_contract(
        {
            "version": 1,
            "family": "compressors",
            "sensors": {
                "T_in": {"unit": "degC", **limits},
                "p": {"unit": "bar", **limits},
                "n": {**limits},
            },
            "label": {"column": "state", "normal": ["ok"], "fault": ["leak"]},
            "time_column": "at",
            "equipment_column": "unit",
            **own,
        },
        where="here",
    )


@pytest.mark.parametrize("twin", TWINS)
def test_columns_are_named_and_measured_as_the_machine_does(twin: str) -> None:
    own, expected = TWINS[twin]
    shown = columns_of(agreed(**own), "K 7")
    assert {name: shown[name] for name in expected} == expected
    assert shown["state"] == "label"
    plain = columns_of(agreed(**own))
    assert {name: plain[name] for name in ("T_in", "at")} == {"T_in": "double (degC)", "at": "time"}


@pytest.fixture
def accepted(tmp_path: Path) -> Any:
    """Two files: one of two runs and a fault, one of which no row was accepted."""
    table = pd.DataFrame(
        {
            columns.FILE: ["a.csv"] * 4,
            columns.EQUIPMENT: ["K 7"] * 4,
            columns.RUN: ["1", "1", "2", "2"],
            columns.TIME: 1.7e9 + np.arange(4) * 3600.0,
            columns.FAULT: np.array([0, 0, 0, 1], dtype=np.int8),
        }
    )
    path = tmp_path / "accepted.arrow"
    table.to_feather(path)
    files = (("a.csv", "a" * 64), ("b.csv", "b" * 64))
    return SimpleNamespace(table=path, files=files, sources=files)


def test_a_file_is_profiled_by_its_accepted_rows(accepted: Any) -> None:
    first, second = files_read(accepted, agreed(), TARGET, "K 7")
    period = "2023-11-14 22:13 to 2023-11-15 01:13 UTC"
    assert first.profile == {"rows": 4, "faults": 1, "runs": 2, "period": period}
    assert second.profile == {"rows": 0, "faults": 0, "runs": 0}
    judged = rows_that_judged(accepted, agreed(), np.array([2, 3]), "K 7: rows that judged", "held")
    assert (judged.profile["rows"], judged.profile["runs"], judged.profile["split"]) == (
        2,
        1,
        "held",
    )


@pytest.mark.parametrize(
    "rules",
    [
        GateOptions(),
        GateOptions(policy="manual", self_approval=True, approval_days=3.5),
        GateOptions(value={"recall": {"min": 0.25}}, max_megabytes=None, version="ours, März"),
    ],
)
def test_the_run_keeps_the_rules_as_the_option_takes_them(
    rules: GateOptions, tmp_path: Path
) -> None:
    request = TransferRequest(
        files=("a.csv",), contract="c.yaml", model="pumps", equipment="K 7", options={"gate": rules}
    )
    job: Any = SimpleNamespace(request=request, contract_file=b"# ours\nversion: 1\n")
    evaluation: Any = SimpleNamespace(folder=tmp_path, report=report())
    registration._keep_what_was_asked(job, evaluation)
    kept = load_options(GateOptions, tmp_path / registration.GATE_FILE)
    assert kept == request.rules
    assert kept.digest() == request.rules.digest()
    assert (tmp_path / registration.CONTRACT_FILE).read_bytes() == job.contract_file
    assert json.loads((tmp_path / COMPARISON).read_text())["data"]
