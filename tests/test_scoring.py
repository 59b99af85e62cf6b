"""Scoring says where rows look like another share of faults than the model was calibrated for."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.delays import Delays
from faultxfer.bundle.smoothing import Smoothing
from faultxfer.contract.schema import parse_contract
from faultxfer.data.moments import Moments
from faultxfer.data.windows import Windows
from faultxfer.errors import ConfigError, DataError
from faultxfer.evaluate.alarms import AlarmStretch
from faultxfer.reading import columns
from faultxfer.rows_file import rows_file
from faultxfer.steps.accepted import AcceptedRows, RowsBetween
from faultxfer.steps.in_parts import check
from faultxfer.steps.intake import CheckedRows, check_files, require_accepted
from faultxfer.steps.said_parts import Along
from faultxfer.steps.score_parts import ScoreTable, ScoreTally, ShareTally, write_scores
from faultxfer.steps.score_state import ScoreState, read_state
from faultxfer.steps.scoring import share_note
from faultxfer.steps.speaking import Recordings, ToldAlarms


def _said(fault_share: float, rows: int = 2000) -> np.ndarray:
    """Probabilities that hold for a fault share of 0.3, of rows with another one."""
    rng = np.random.default_rng(0)
    faults = rng.random(rows) < fault_share
    readings = rng.normal(size=rows) + 3 * faults
    return np.asarray(expit(3 * readings - 4.5 + np.log(0.3 / 0.7)))


def test_rows_with_far_fewer_faults_are_told() -> None:
    note = share_note(_said(0.02), 0.3)
    assert "the probabilities hold for 30%" in note
    assert float(note.split("fault share of ")[1].split("%")[0]) == pytest.approx(2, abs=1)


@pytest.mark.parametrize(
    ("probabilities", "fault_share"),
    [
        (_said(0.2), 0.3),
        (_said(0.02)[:50], 0.3),
        (_said(0.02), None),
    ],
    ids=["nearly the same share", "too few rows", "share not recorded"],
)
def test_nothing_is_told_without_reason(
    probabilities: np.ndarray, fault_share: float | None
) -> None:
    assert share_note(probabilities, fault_share) == ""


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_all_alike_are_told_without_a_warning(value: float) -> None:
    assert f"fault share of {value:.0%}" in share_note(np.full(500, value), 0.3)


def test_probabilities_that_are_counted_tell_the_same() -> None:
    tally = ShareTally()
    for part in np.array_split(_said(0.02), 7):
        tally.add(part)
    assert share_note(tally.means, 0.3, tally.counts) == share_note(_said(0.02), 0.3)
    tally.add(np.array([0.0, 1.0]))
    assert tally.counts.sum() == 2002
    assert tally.means[[0, -1]].tolist() == [0.0, 1.0]


CONTRACT = parse_contract(
    {
        "family": "fans",
        "label": {"column": "state", "exclude": ["9"]},
        "sensors": {"flow": {}},
        "time_column": "time",
        "where": {"mode": ["RUN"]},
    },
    where="test",
)


def _checked(names: tuple[str, ...], folder: Path, *, backwards: bool = False) -> CheckedRows:
    """Files of nine rows, every third of which is outside `where`."""
    files = []
    for number, name in enumerate(names):
        cells = [f"{'RUN' if row % 3 else 'IDLE'},{row + 20 * number}" for row in range(9)]
        rows = [f"{-row if backwards else row},{cell}" for row, cell in enumerate(cells)]
        (folder / name).write_text("\n".join(["time,mode,flow", *rows]) + "\n")
        files.append(str(folder / name))
    return check_files(files, CONTRACT, work=folder, quarantine=folder / "aside", labelled=False)


def _logits(X: np.ndarray, windows: np.ndarray | None) -> np.ndarray:
    """Of readings and their windows."""
    said = logit(np.where(X[:, 0] % 20 == 5, 0.1, 0.5 + X[:, 0] / 1000))
    if windows is None:
        return np.asarray(said)
    return np.asarray(said + windows[:, :, 0] @ [0.003, -0.003, 0.01])


def _written(
    checked: CheckedRows,
    work: Path,
    part_rows: int,
    out: str = "scores.csv",
    smoothing: Smoothing | None = None,
    state: ScoreState | None = None,
    delays: Delays | None = None,
    windows: Windows | None = None,
) -> tuple[Path, list[AlarmStretch]]:
    """The file of scores, in which all rows but the fifth alarm, and the alarms."""
    bundle = cast(
        Bundle,
        SimpleNamespace(
            features=("flow",),
            references=None,
            smoothing=smoothing,
            delays=delays,
            threshold=0.4,
            windows=windows,
            with_windows=lambda X: X,
            logits=_logits,
            calibrator=expit,
            alarms=lambda probabilities: probabilities > 0.4,
        ),
    )
    work = work / f"{part_rows} {out}"
    work.mkdir()
    names, several = [name for name, _ in checked.files], len(checked.files) > 1
    accepted = AcceptedRows(require_accepted(checked), part_rows, completed=checked.completed)
    between = RowsBetween(checked.unscored, names)
    table = ScoreTable(
        accepted.columns, None, "time", {"model_version": "1"}, several=several, between=True
    )
    recordings = Recordings(whole=state is not None)
    tally = ScoreTally(("flow",), bundle, recordings, work)
    with rows_file(work / out, Path(out)) as file:
        along = Along(recordings, state)
        write_scores(accepted, between, bundle, table, tally, file, along)
    before = along.alarms_before
    told = ToldAlarms(bundle, tally.stretches(accepted), accepted.take, before=before)
    alarms = list(told.stretches(0, len(told)))
    along.leave(told.still_on)
    return work / out, alarms


@pytest.mark.parametrize("names", [("a.csv",), ("b.csv", "a.csv"), ("z.csv", "y.csv", "x.csv")])
def test_rows_outside_where_stand_in_input_order_with_a_blank_score(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    checked = _checked(names, tmp_path)
    written, _ = _written(checked, tmp_path, 100)
    every = pd.read_csv(written, keep_default_na=False)
    assert every["row"].tolist() == [*range(9)] * len(names)
    if len(names) > 1:
        assert every["file"].drop_duplicates().tolist() == list(names)
    blank = every[every["row"] % 3 == 0]
    assert set(blank["fault_probability"]) == set(blank["alarm"]) == {""}
    assert set(blank["remark"]) == {"not scored: mode is IDLE"}
    scored = every[every["row"] % 3 > 0]
    assert scored["alarm"].tolist() == [str(row != 5) for row in scored["row"]]
    assert set(scored["remark"]) == {""}


def test_recordings_that_take_turns_have_the_scores_of_a_check_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    contract = CONTRACT.model_copy(update={"where": {}, "run_column": "run"})
    rows = [f"{row},r{row * 7 % 90},{row % 397 if row % 50 else 'x'}" for row in range(4_000)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,run,flow", *rows]) + "\n")

    def scores(name: str) -> tuple[bytes, list[int]]:
        (work := tmp_path / name).mkdir()
        checked = check_files(
            [str(path)], contract, work=work, quarantine=work / "aside", labelled=False
        )
        written, found = _written(checked, work, 700)
        return written.read_bytes(), [one.peak.row for one in found]

    whole = scores("whole")
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setattr(check, "_SIZE", 3_000)
    monkeypatch.setattr(check, "_FARTHER", 1)
    caplog.set_level("INFO")
    assert scores("dealt out") == whole
    assert "Dealing the rows of a.csv out by recording, into temporary files" in caplog.text
    assert "looking at them whole" not in caplog.text


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "newest first"])
def test_however_many_rows_are_scored_at_a_time_the_result_is_the_same(
    backwards: bool, tmp_path: Path
) -> None:
    checked = _checked(("b.csv", "a.csv"), tmp_path, backwards=backwards)
    whole, stretches = _written(checked, tmp_path, 100)
    for part_rows in (1, 2, 3, 5):
        written, found = _written(checked, tmp_path, part_rows)
        assert written.read_bytes() == whole.read_bytes()
        assert found == stretches
    parquet, _ = _written(checked, tmp_path, 4, "scores.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(parquet).drop(columns=["alarm", "time", "model_version"]),
        pd.read_csv(whole).drop(columns=["alarm", "time", "model_version"]).fillna({"remark": ""}),
    )


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "newest first"])
def test_scores_are_smoothed_along_recordings_however_the_rows_stand_and_are_cut(
    backwards: bool, tmp_path: Path
) -> None:
    """One file begins where the other one is in the middle, and both are one recording."""
    checked = _checked(("b.csv", "a.csv"), tmp_path, backwards=backwards)
    plain = pd.read_csv(_written(checked, tmp_path, 100)[0])
    used = plain[plain["fault_probability"].notna()]
    expected = plain["fault_probability"].copy()
    for _, own in used.groupby("file"):
        order = own.sort_values("time").index
        moments = Moments(np.zeros(len(own), dtype=int), own.loc[order, "time"].to_numpy(float))
        said = logit(own.loc[order, "fault_probability"].to_numpy())
        expected[order] = expit(Smoothing(2.0)(said, moments))
    for part_rows in (1, 2, 5, 100):
        name = f"smoothed {part_rows}.csv"
        written, _ = _written(checked, tmp_path, part_rows, name, Smoothing(2.0))
        found = pd.read_csv(written)["fault_probability"]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "newest first"])
def test_windows_are_those_of_the_recording_however_the_rows_stand_and_are_cut(
    backwards: bool, tmp_path: Path
) -> None:
    checked = _checked(("b.csv", "a.csv"), tmp_path, backwards=backwards)
    accepted = pd.read_feather(require_accepted(checked)).sort_values([columns.FILE, columns.TIME])
    recording = pd.factorize(accepted[columns.FILE].astype(str))[0]
    moments = Moments(recording, accepted[columns.TIME].to_numpy(float))
    X = accepted[["flow"]].to_numpy(float)
    expected = accepted.assign(p=expit(_logits(X, WINDOWS(X, moments))))
    keys = [accepted[columns.FILE].astype(str), accepted[columns.ROW]]
    for part_rows in (1, 2, 5, 100):
        name = f"windows {part_rows}.csv"
        written, _ = _written(checked, tmp_path, part_rows, name, windows=WINDOWS)
        found = pd.read_csv(written).dropna(subset="fault_probability")
        found = found.set_index(["file", "row"])["fault_probability"]
        np.testing.assert_allclose(found.loc[list(zip(*keys, strict=True))], expected["p"])


def test_a_row_that_the_contract_excludes_speaks_for_itself_and_for_no_other(
    tmp_path: Path,
) -> None:
    contract = CONTRACT.model_copy(update={"where": {}})
    lines = [f"{row},{5 if row == 3 else 25},{9 if row == 3 else 0}" for row in range(8)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,flow,state", *lines]) + "\n")
    checked = check_files(
        [str(path)], contract, work=tmp_path, quarantine=tmp_path / "aside", labelled=False
    )
    rows = pd.read_csv(_written(checked, tmp_path, 3, smoothing=Smoothing(2.0))[0])
    assert rows["remark"].notna().tolist() == [row == 3 for row in range(8)]
    np.testing.assert_allclose(rows["fault_probability"], 0.1)


WINDOWS = Windows(2.0, 5.0, np.array([3.0]))
SCORER = {"model": "pumps", "version": "3"}
LINES = [f"{row * 60},{5 if row % 7 == 3 else row % 40}" for row in range(40)]


def _week(lines: list[str], folder: Path, name: str) -> CheckedRows:
    contract = CONTRACT.model_copy(update={"where": {}})
    (folder / name).write_text("\n".join(["time,flow", *lines]) + "\n")
    (work := folder / f"{name} checked").mkdir()
    return check_files(
        [str(folder / name)], contract, work=work, quarantine=work / "aside", labelled=False
    )


@pytest.mark.parametrize("cuts", [(17,), (1, 39), (3, 4, 5, 20), (20, 20), (24,), tuple(range(40))])
@pytest.mark.parametrize(
    ("smoothing", "delays", "windows"),
    [
        (Smoothing(90.0), None, None),
        (None, None, None),
        (None, Delays(120.0, 0.0, 0.0, 1e4), None),
        (None, None, Windows(100.0, 300.0, np.array([3.0]))),
        (Smoothing(30.0), Delays(60.0, 60.0, 0.1, 1e4), Windows(100.0, 300.0, np.array([3.0]))),
    ],
    ids=["smoothed", "plain", "delayed", "windows", "all"],
)
def test_files_one_by_one_with_a_state_have_the_scores_and_events_of_one_file(
    cuts: tuple[int, ...],
    smoothing: Smoothing | None,
    delays: Delays | None,
    windows: Windows | None,
    tmp_path: Path,
) -> None:
    def scores(
        lines: list[str], name: str, state: ScoreState
    ) -> tuple[pd.DataFrame, list[AlarmStretch]]:
        checked = _week(lines, tmp_path, name)
        out = f"{name}.out.csv"
        along = smoothing, state, delays, windows
        written, found = _written(checked, tmp_path, 6, out, *along)
        return pd.read_csv(written)[["fault_probability", "alarm"]], found

    whole, alarms = scores(LINES, "whole.csv", ScoreState(SCORER))
    kept, parts, events = tmp_path / "state.json", [], []
    for number, (begin, end) in enumerate(itertools.pairwise([0, *cuts, len(LINES)])):
        if begin == end:
            continue
        state = read_state(kept, SCORER)
        part, found = scores(LINES[begin:end], f"part {number}.csv", state)
        parts.append(part)
        # What goes on from an earlier file is the same event, which now ends later.
        for one in found:
            if one.goes_on is not None:
                assert events.pop()[0] == one.event
            events.append((one.event, one.times, one.duration))
        state.write(kept)
    together = pd.concat(parts, ignore_index=True)
    np.testing.assert_allclose(*(logit(one["fault_probability"]) for one in (together, whole)))
    assert together["alarm"].tolist() == whole["alarm"].tolist()
    assert len(alarms) > 1
    assert [one[1:] for one in events] == [(one.times, one.duration) for one in alarms]


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "newest first"])
def test_alarms_wait_where_the_machine_does_not_run_however_many_rows_are_scored_at_a_time(
    backwards: bool, tmp_path: Path
) -> None:
    """Of eight rows two are excluded in an alarm that waits for two more above the threshold."""
    contract = CONTRACT.model_copy(update={"where": {}})
    lines = [f"{row},{26 if row else 5},{9 if row in (2, 3) else 0}" for row in range(8)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,flow,state", *lines[:: -1 if backwards else 1]]) + "\n")
    checked = check_files(
        [str(path)], contract, work=tmp_path, quarantine=tmp_path / "aside", labelled=False
    )
    for part_rows in (1, 3, 100):
        out, delays = f"{part_rows}.csv", Delays(2.0, 0.0, 0.0, 100.0)
        contract_rows, alarms = _written(checked, tmp_path, part_rows, out, delays=delays)
        found = pd.read_csv(contract_rows).sort_values("time")["alarm"]
        assert found.tolist() == [False] * 6 + [True] * 2
        assert [one.times for one in alarms] == [("6", "7")]


def test_a_file_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    state = ScoreState(SCORER)
    _written(_week(LINES[10:20], tmp_path, "b.csv"), tmp_path, 6, "b.out.csv", None, state)
    for name, lines in {"again": LINES[19:25], "before": LINES[:5]}.items():
        checked = _week(lines, tmp_path, f"{name}.csv")
        with pytest.raises(DataError, match=r"do not follow.*scored up to=1140"):
            _written(checked, tmp_path, 6, f"{name}.out.csv", None, state)
    _written(_week(LINES[20:], tmp_path, "c.csv"), tmp_path, 6, "c.out.csv", None, state)


def test_a_state_of_another_version_or_none_at_all_is_refused(tmp_path: Path) -> None:
    kept = tmp_path / "state.json"
    ScoreState(SCORER).write(kept)
    with pytest.raises(ConfigError, match=r"another detector.*version='3'.*now='4'"):
        read_state(kept, SCORER | {"version": "4"})
    for spoilt in ("", "{}", '{"format": 2}', "[1]", kept.read_text().replace("1", '"one"', 1)):
        kept.write_text(spoilt)
        with pytest.raises(ConfigError, match="no state that `score` left"):
            read_state(kept, SCORER)


def test_what_is_remembered_stays_small() -> None:
    state = ScoreState(SCORER)
    for number in range(1_500):
        state.remember([(f"run {number}", float(number))], {}, {}, {}, {})
    assert len(state.latest) == 1_000
    assert list(state.latest)[-1] == "run 1499"
