"""Which sensors speak: from scored rows to the screen, the JSON and the file of alarms."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from answers import differences
from rich.console import Console
from test_missing_rows import KEPT, readings, scored

from faultxfer.bundle.bundle import Bundle, load_bundle, save_bundle
from faultxfer.bundle.contributions import Explainer
from faultxfer.bundle.manifest import FORMAT, read_manifest
from faultxfer.bundle.references import References, keep_references
from faultxfer.cli import speaking as screen
from faultxfer.errors import BundleError
from faultxfer.evaluate.alarms import (
    AlarmStretch,
    Peak,
    TopSensor,
    by_group,
    sensor_shares,
    sensors_sentence,
)
from faultxfer.network.path_gradients import PathGradients
from faultxfer.reading import columns
from faultxfer.steps import speaking
from faultxfer.steps.speaking import NOT_KEPT, find_alarms

OLDER = [("format_1", "source"), ("format_1", "fine_tune"), ("format_2", "stack")]


def explaining_bundle(form: str, name: str) -> Bundle:
    """A bundle of an earlier release, to which this one gave healthy rows of two modes."""
    older = load_bundle(KEPT / form / name)
    X = readings().to_numpy(dtype=float)
    faulty = older.alarms(older.probabilities(X)).astype(int)
    modes = np.where(np.arange(len(X)) % 2, "eco", "full")
    return dataclasses.replace(older, references=keep_references(X, faulty, modes))


@pytest.fixture(scope="module")
def explaining(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explaining") / "bundle"
    save_bundle(explaining_bundle("format_2", "stack"), folder, readings().to_numpy(dtype=float))
    return folder


@pytest.mark.parametrize(("form", "name"), OLDER)
def test_contributions_add_up_in_bundles_of_every_format(form: str, name: str) -> None:
    bundle = explaining_bundle(form, name)
    X = readings().to_numpy(dtype=float)
    found = Explainer(bundle)(X, np.full(len(X), "eco"))
    calibrator = bundle.calibrator
    logits = calibrator.slope * bundle.logits(X) + calibrator.offset
    np.testing.assert_allclose(found.logits, logits)
    assert np.abs(found.values.sum(axis=1) - (logits - found.reference)).max() < 1e-6
    assert np.abs(found.added).max() < 0.05 * np.abs(logits - found.reference).max()


def test_a_row_is_explained_alike_alone_and_among_others() -> None:
    explainer = Explainer(explaining_bundle("format_2", "stack"))
    X = readings().to_numpy(dtype=float)
    np.testing.assert_allclose(explainer(X).values[7:8], explainer(X[7:8]).values, atol=1e-5)


@pytest.mark.parametrize(("form", "name"), OLDER)
def test_what_one_sensor_moves_in_a_network_is_said_of_it_alone(form: str, name: str) -> None:
    paths = PathGradients(explaining_bundle(form, name).network)
    one = np.random.default_rng(3).normal(size=(1, paths.sensors))
    moved = np.where(np.eye(paths.sensors) == 1, one + 1.5, one)
    pool, nearest = paths.encode(one), np.zeros((len(moved), 1), dtype=int)
    found = paths(paths.encode(moved), pool, nearest, np.ones(nearest.shape), paths.head)
    others = found[~np.eye(paths.sensors, dtype=bool)]
    assert np.abs(others).max() < 1e-5 < np.abs(np.diag(found)).max()


def test_bundles_of_earlier_releases_score_and_say_that_sensors_are_not_to_be_had(
    tmp_path: Path,
) -> None:
    older = KEPT / "format_2" / "stack"
    result, scores = scored(older, tmp_path, readings())
    assert result.note == NOT_KEPT
    assert result.alarms
    assert not any(one.top_sensors for one in result.alarms)
    assert sum(one.count for one in result.alarms) == result.alarm_rows == scores["alarm"].sum()
    beside = pd.read_csv(tmp_path / "scores-alarms.csv")
    assert len(beside) == len(result.alarms)
    assert beside["sensor_1"].isna().all()
    with pytest.raises(BundleError, match="keeps no healthy rows") as caught:
        Explainer(load_bundle(older))
    assert "transfer again" in str(caught.value)


def test_healthy_rows_travel_with_the_bundle_and_change_no_score(explaining: Path) -> None:
    loaded, kept = load_bundle(explaining), explaining_bundle("format_2", "stack").references
    assert loaded.references is not None
    assert kept is not None
    np.testing.assert_array_equal(loaded.references.X, kept.X)
    assert loaded.references.modes.tolist() == kept.modes.tolist()
    assert read_manifest(explaining).format == FORMAT == 3
    X = readings().to_numpy(dtype=float)
    older = load_bundle(KEPT / "format_2" / "stack")
    np.testing.assert_array_equal(loaded.probabilities(X), older.probabilities(X))


def test_a_score_names_sensors_with_reading_unit_range_and_direction(
    explaining: Path, tmp_path: Path
) -> None:
    result, scores = scored(explaining, tmp_path, readings())
    assert result.note == ""
    plain = json.loads(json.dumps(result.as_dict()))
    assert [one for one in differences("score", plain) if "schema" not in one] == []
    assert plain["alarm_rows"] == int((scores["alarm"].astype(str) == "True").sum())
    first = plain["alarms"][0]
    assert set(first) == {
        *("equipment", "run", "file", "rows", "times", "count", "peak", "top_sensors"),
        *("duration", "goes_on", "event"),
    }
    assert first["duration"] == 7200
    assert first["rows"] == [1, 3]
    assert first["times"] == ["2026-03-01 01:00:00", "2026-03-01 03:00:00"]
    assert first["peak"]["probability"] == scores["fault_probability"][1:4].max()
    top = first["top_sensors"][0]
    assert set(top) == {
        *("sensors", "contribution", "reading", "unit", "usual", "direction", "mode"),
        "imputed",
    }
    assert top["reading"] == readings()[top["sensors"][0]][first["peak"]["row"]]
    assert top["unit"] == load_bundle(explaining).units[top["sensors"][0]]
    assert (top["direction"] == "above") == (top["reading"] > top["usual"][1])
    amounts = [one["contribution"] for one in first["top_sensors"]]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] > 0
    beside = pd.read_csv(tmp_path / "scores-alarms.csv")
    assert beside["sensor_1"][0] == top["sensors"][0]
    assert beside["first_row"].tolist() == [one["rows"][0] for one in plain["alarms"]]
    assert beside["event"].tolist() == [one["event"] for one in plain["alarms"]]
    assert beside["verdict"].isna().all()


def test_a_filled_in_reading_is_marked(explaining: Path) -> None:
    bundle, frame = load_bundle(explaining), accepted("north", modes=None)
    probabilities = bundle.probabilities(frame[list(bundle.features)].to_numpy(float))
    alarms = probabilities > bundle.threshold
    whole = find_alarms(bundle, frame, probabilities, alarms)
    name = whole.stretches[0].top_sensors[0].sensors[0]
    filled = frame.assign(**{columns.IMPUTED: name})
    found = find_alarms(bundle, filled, probabilities, alarms)
    assert [top.imputed for top in found.stretches[0].top_sensors[:2]] == [True, False]


def accepted(machine: str, modes: list[str] | None) -> pd.DataFrame:
    """Rows as they pass the check, in two recordings that are not in the order of time."""
    frame = readings()
    n = len(frame)
    half = np.arange(n) < n // 2
    frame = frame.assign(
        **{
            columns.FILE: "a.csv",
            columns.ROW: np.arange(n),
            columns.EQUIPMENT: machine,
            columns.RUN: np.where(half, "r1", "r2"),
            columns.TIME: np.where(half, -np.arange(n), np.arange(n)).astype(float),
            columns.TIME_TEXT: "",
        }
    )
    return frame if modes is None else frame.assign(**{columns.MODE: modes})


def test_of_many_alarms_the_surest_name_sensors(
    explaining: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, frame = load_bundle(explaining), accepted("north", modes=None)
    monkeypatch.setattr(speaking, "MOST_EXPLAINED", 2)
    said = np.linspace(0.2, 0.9, len(frame))
    found = find_alarms(bundle, frame, said, np.arange(len(frame)) % 4 == 0)
    named = [one.peak.probability for one in found.stretches if one.top_sensors]
    assert named == sorted(one.peak.probability for one in found.stretches)[-2:]
    assert found.note.startswith("Sensors are named for the 2 alarms with the highest probability")


@pytest.mark.parametrize(("machine", "names"), [("north", "eco"), ("7", "full"), ("π", "other")])
def test_stretches_follow_time_inside_a_recording_and_ranges_the_mode(
    machine: str, names: str, explaining: Path
) -> None:
    bundle = load_bundle(explaining)
    frame = accepted(machine, [names] * len(readings()))
    n = len(frame)
    alarms = np.zeros(n, dtype=bool)
    alarms[[0, 1, n // 2 - 1, n // 2]] = True  # neighbours in the file, of two recordings
    found = find_alarms(bundle, frame, np.linspace(0.2, 0.9, n), alarms)
    rows = [one.rows for one in found.stretches]
    assert rows == [(n // 2 - 1, n // 2 - 1), (1, 0), (n // 2, n // 2)]
    assert {one.equipment for one in found.stretches} == {machine}
    assert found.stretches[1].times is None
    assert found.stretches[1].peak.row == 1
    known = names != "other"
    modes = {top.mode for one in found.stretches for top in one.top_sensors}
    assert modes == ({names} if known else {None})
    assert found.sensors
    assert sum(one.share for one in found.sensors) == pytest.approx(1, abs=1e-3)


def test_sensors_that_tell_the_same_speak_together(explaining: Path) -> None:
    values = np.array([[1.0, 2.0, -0.5, 0.0], [1.0, 0.0, -0.5, 0.0]])
    groups = np.array([0, 1, 0, 2])
    np.testing.assert_allclose(by_group(values, groups), [[0.5, 2.0, 0.0], [0.5, 0.0, 0.0]])
    shares = sensor_shares(values, groups, ("flow", "head", "speed", "oil"))
    assert [one.sensors for one in shares] == [("head",), ("flow", "speed"), ("oil",)]
    assert [round(one.share, 3) for one in shares] == [0.667, 0.333, 0.0]
    assert "flow and speed (they tell the same) 33%" in sensors_sentence(shares)
    assert sensors_sentence(()) == ""


class Screen:
    def __init__(self) -> None:
        self.text = ""

    def __call__(self) -> Any:
        return self

    def print(self, *told: Any, **_: Any) -> None:
        console = Console(width=120, file=io.StringIO())
        console.print(*told)
        self.text += console.file.getvalue()  # type: ignore[attr-defined]


def stretch(place: int) -> AlarmStretch:
    top = TopSensor(("vibration [x]", "noise"), 3.2, 7.1234, "mm/s", (1.0, 4.5), "above")
    when = (f"2026-03-0{place} 01:00", f"2026-03-0{place} 02:00")
    peak = Peak(place, when[0], 0.5 + place / 20)
    return AlarmStretch("pump-9", "r", "a.csv", (place, place + 1), when, 2, peak, (top,))


def test_the_screen_shows_five_alarms_and_how_many_more(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Screen()
    monkeypatch.setattr(screen, "stdout", shown)
    screen.alarms((), 0, Path("s-alarms.csv"))
    assert shown.text == ""
    screen.alarms(tuple(stretch(place) for place in range(1, 8)), 7, Path("s-alarms.csv"))
    assert "… and 2 more alarms: s-alarms.csv" in shown.text
    assert "2026-03-02" not in shown.text  # the least sure are left out
    assert shown.text.index("2026-03-03") < shown.text.index("2026-03-07")
    assert "vibration [x], noise" in shown.text
    assert "1 to 4.5" in shown.text


def test_a_version_without_healthy_rows_in_a_mode_has_a_range_of_all() -> None:
    kept = References(np.arange(20.0)[:, None], np.array(["a"] * 18 + ["b"] * 2))
    assert kept.usual("b")[1][0] > kept.usual("a")[1][0]
