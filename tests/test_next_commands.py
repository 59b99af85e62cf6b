"""A transfer ends with what to type next, whatever came of it."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from faultxfer import TransferOptions
from faultxfer.bundle.manifest import MANIFEST, manifest_sha256
from faultxfer.config import GateOptions
from faultxfer.contract.schema import parse_contract
from faultxfer.errors import DataError
from faultxfer.reading import columns
from faultxfer.requests import CurveRequest, PretrainRequest, ScoreRequest, TransferRequest
from faultxfer.steps.adaptation import split_target
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.next_commands import (
    after_curve,
    after_dry_run,
    after_pretraining,
    after_promotion,
    after_provisional,
    after_refusal,
    after_repeat,
    after_scores,
    after_waiting,
    transfer_again,
    until_labels_suffice,
)

REQUEST = TransferRequest(
    files=("new week.csv", "day-*.csv"), contract="c.yaml", model="pumps", equipment="pump 9"
)
WORDS = ["faultxfer", "score", "new week.csv", "day-*.csv", "--model", "pumps"]


def contract(**more: Any) -> Any:
    sensors = {"flow": {"unit": "m3/h"}}
    plain = {"family": "pumps", "version": 1, "sensors": sensors, "label": {"column": "fault"}}
    return parse_contract({**plain, **more}, where="test")


def report(candidate: float, source: float, champion: float | None = None, faults: int = 40) -> Any:
    """What is asked of a report: PR-AUC of the contestants, and whether there is a champion."""
    measured = {"candidate": candidate, "source_as_is": source, "champion": champion}
    contestants = [
        SimpleNamespace(name=name, metrics=SimpleNamespace(pr_auc=value))
        for name, value in measured.items()
        if value is not None
    ]
    return SimpleNamespace(
        contestants=contestants,
        candidate=SimpleNamespace(pr_auc=candidate, faults=faults, rows=400),
        source_is_better=source > candidate,
        evidence=SimpleNamespace(champion_version=None if champion is None else "1"),
    )


def refused(
    judged: Any, outcome: str = "refuse", request: TransferRequest = REQUEST, **own: Any
) -> list[str]:
    (one,) = after_refusal(request, contract(**own), judged, SimpleNamespace(outcome=outcome))  # type: ignore[arg-type]
    return shlex.split(one.command)


def test_a_promotion_ends_with_scoring_the_machine() -> None:
    (one,) = after_promotion(REQUEST)
    machine = ["--equipment", "pump 9", "--out", "scores.csv"]
    assert shlex.split(one.command) == [*WORDS, *machine]


def test_a_provisional_version_is_promoted_or_scored_with() -> None:
    promote, score = after_provisional(REQUEST, "pumps--fault--pump 9", "3")
    words = ["faultxfer", "registry", "promote", "pumps--fault--pump 9", "3", "--reason", "…"]
    assert shlex.split(promote.command) == words
    assert shlex.split(score.command)[:6] == WORDS


def test_a_refusal_ends_with_the_source_only_where_it_is_better_than_all_there_is() -> None:
    assert refused(report(0.7, 0.8)) == [*WORDS, "--out", "scores.csv"]
    assert refused(report(0.8, 0.7))[1] == "learning-curve"
    assert "--equipment" in refused(report(0.7, 0.8, champion=0.9))
    assert refused(report(0.7, 0.8, champion=0.75)) == [*WORDS, "--out", "scores.csv"]


def test_beside_a_champion_too_little_evidence_asks_for_labels_and_a_tie_for_nothing() -> None:
    judged = report(0.8, 0.7, champion=0.8)
    assert refused(judged, "not enough evidence")[1] == "learning-curve"
    assert refused(judged, "tie")[:6] == WORDS
    few = report(0.8, 0.7, champion=0.8, faults=6)
    assert "--equipment" in refused(few, "not enough evidence")


def test_few_faults_end_with_the_source_model_as_no_curve_can_be_drawn() -> None:
    assert refused(report(0.8, 0.7, faults=6)) == [*WORDS, "--out", "scores.csv"]


@pytest.mark.parametrize(
    ("own", "command"),
    [
        ({"equipment": {"pump 9": {"aliases": {"FI-1": "flow"}}}}, "learning-curve"),
        ({"equipment": {"pump 1": {"aliases": {"FI-1": "flow"}}}}, "learning-curve"),
        (
            {
                "equipment_column": "machine",
                "equipment": {"pump 1": {"aliases": {"FI-1": "flow"}}},
            },
            "score",
        ),
    ],
    ids=["own tags", "no column of machines", "a column of machines"],
)
def test_the_source_is_not_named_where_it_could_not_read_the_machines_files(
    own: dict[str, Any], command: str
) -> None:
    assert refused(report(0.7, 0.8), **own)[1] == command


def test_what_waits_ends_with_the_approval_also_where_it_waited_before() -> None:
    for told in (
        after_waiting("pumps--fault--pump 9", "3"),
        after_repeat(REQUEST, "waiting", "pumps--fault--pump 9", "3"),
    ):
        reject, approve = (shlex.split(one.command) for one in told)
        assert reject[:3] == ["faultxfer", "registry", "reject"]
        words = ["faultxfer", "registry", "approve", "pumps--fault--pump 9", "3", "--reason", "…"]
        assert approve == words
    (why,) = after_repeat(REQUEST, "rejected", "pumps--fault--pump 9", "3")
    assert shlex.split(why.command)[1:3] == ["registry", "history"]


def test_the_transfer_that_judges_anew_shows_all_of_it_or_says_that_it_does_not() -> None:
    told = transfer_again(REQUEST.model_copy(update={"policy": "manual"}))
    assert shlex.split(told["command"])[-2:] == ["--policy", "manual"]
    assert told["complete"]
    for own in (
        {"options": TransferOptions(gate=GateOptions(first="approve"))},
        {"self_approval": True},
        {"files": tuple(f"{number}.csv" for number in range(50))},
    ):
        assert not transfer_again(REQUEST.model_copy(update=own))["complete"]


def test_a_dry_run_ends_with_the_transfer_where_the_command_shows_all_of_it() -> None:
    (one,) = after_dry_run(REQUEST)
    machine = ["--contract", "c.yaml", "--model", "pumps", "--equipment", "pump 9"]
    assert shlex.split(one.command) == ["faultxfer", "transfer", *REQUEST.files, *machine]
    other = REQUEST.model_copy(update={"options": TransferOptions(seed=1)})
    (one,) = after_dry_run(other)
    assert shlex.split(one.command) == ["faultxfer", "registry", "list"]


def test_rows_that_no_transfer_can_be_made_of_are_scored_with_what_there_is() -> None:
    machine = ["--equipment", "pump 9", "--out", "scores.csv"]
    by_champion = until_labels_suffice(REQUEST, contract(), champion=True)
    assert shlex.split(by_champion) == [*WORDS, *machine]
    by_source = until_labels_suffice(REQUEST, contract(), champion=False)
    assert shlex.split(by_source) == [*WORDS, "--out", "scores.csv"]
    own = contract(equipment={"pump 9": {"aliases": {"FI-1": "flow"}}})
    assert until_labels_suffice(REQUEST, own, champion=False) == ""


@pytest.mark.parametrize("champion", [None, "3"])
def test_the_refusal_of_too_few_normal_rows_says_how_to_score_meanwhile(
    champion: str | None, tmp_path: Path
) -> None:
    table = pd.DataFrame(
        {
            columns.EQUIPMENT: "pump 9",
            columns.RUN: "monday",
            columns.TIME: np.arange(9.0),
            columns.FAULT: np.array([0, *[1] * 8], dtype=np.int8),
            "flow": np.arange(9.0),
        }
    )
    table.to_feather(tmp_path / "rows.arrow")
    manifest: dict[str, Any] = {
        **{"format": 2, "features": ["flow"], "units": {"flow": "m3/h"}, "threshold": 0.5},
        **{"scaler": {"mean": [0.0], "scale": [1.0]}, "calibrator": {}, "lineage": {}},
        "sha256": {},
    }
    manifest["sha256"][MANIFEST] = manifest_sha256(manifest)
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    rows = CheckedRows(tmp_path / "rows.arrow", (), (), 9, 9, 0, 0, None)
    job = SimpleNamespace(request=REQUEST, contract=contract())
    models = SimpleNamespace(source_bundle=tmp_path, champion_bundle=None, champion=champion)
    with pytest.raises(DataError, match="not enough normal rows") as refused_rows:
        split_target(job, models, rows)  # type: ignore[arg-type]
    said = str(refused_rows.value)
    assert "faultxfer score 'new week.csv'" in said
    assert ("--equipment" in said) == (champion is not None)


def test_pretraining_ends_with_a_transfer_for_which_only_files_and_machine_are_put_in() -> None:
    request = PretrainRequest(files=("old.csv",), contract="my contract.yaml", model="pumps")
    (one,) = after_pretraining(request)
    machine = ["--contract", "my contract.yaml", "--model", "pumps", "--equipment", "NEW"]
    assert shlex.split(one.command) == ["faultxfer", "transfer", "NEW.csv", *machine]
    assert "NEW.csv" in one.why


def test_a_learning_curve_ends_with_the_transfer_of_all_that_is_labelled() -> None:
    fields = REQUEST.model_dump(include={"files", "contract", "model", "equipment"})
    (one,) = after_curve(CurveRequest(**fields))
    machine = ["--contract", "c.yaml", "--model", "pumps", "--equipment", "pump 9"]
    assert shlex.split(one.command) == ["faultxfer", "transfer", *REQUEST.files, *machine]


SCORES = """row,equipment,timestamp,fault_probability,alarm,model_version
0,True Grit,2026-08-20,0.1,False,1
1,True Grit,2026-08-20,0.9,True,1
"""


def scored(tmp_path: Path, alarms: int, kind: str) -> list[list[str]]:
    out = tmp_path / "my scores.csv"
    out.write_text(SCORES)
    request = ScoreRequest(files=("a.csv",), model="pumps", equipment="pump 9", out=out)
    listed = after_scores(request, alarms, "pumps--fault--pump 9", "3", kind)
    return [shlex.split(one.command) for one in listed]


def test_scores_end_with_the_rows_that_alarm(tmp_path: Path) -> None:
    (look,) = scored(tmp_path, 1, "champion")
    shown = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == [SCORES.splitlines()[0], SCORES.splitlines()[2]]


def test_scores_without_an_alarm_end_with_the_version_that_scored(tmp_path: Path) -> None:
    (show,) = scored(tmp_path, 0, "champion")
    assert show == ["faultxfer", "registry", "show", "pumps--fault--pump 9", "--version", "3"]


@pytest.mark.parametrize(
    ("kind", "words"), [("provisional", ["registry", "promote"]), ("source", ["transfer"])]
)
def test_scores_of_no_champion_say_what_to_do_about_that_before_the_alarms(
    kind: str, words: list[str], tmp_path: Path
) -> None:
    first, last = scored(tmp_path, 1, kind)
    assert first[1 : 1 + len(words)] == words
    assert last[0] == "grep"
