"""A large file that is checked part by part gives what it gives as a whole, or is left alone."""

from __future__ import annotations

import errno
import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.errors import DiskFullError
from faultxfer.reading import by_time
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.tag_files import TagFiles
from faultxfer.steps.accepted import AcceptedRows
from faultxfer.steps.in_parts import check, cuts, cutting, sight
from faultxfer.steps.in_parts.asked import Asked
from faultxfer.steps.in_parts.check import accepted_in_parts
from faultxfer.steps.intake import CheckedRows, check_files, require_accepted

ROWS, RUN_ROWS = 6_000, 1_500
CONTRACT = parse_contract(
    {
        "family": "fans",
        "label": {"column": "state"},
        "equipment_column": "machine",
        "run_column": "run",
        "time_column": "time",
        "sampling_period": 60,
        "sensors": {
            "flow": {"min": 0, "max": 100, "max_rate": 1, "stuck_after": 40},
            "head": {"min": 0, "max": 100},
        },
    },
    where="test",
)


def table(machines: tuple[str, ...] = ("F 1",)) -> pd.DataFrame:
    """Rows a minute apart, of machines that take turns, in runs; all in order."""
    random = np.random.default_rng(0)
    moment = np.arange(ROWS) // len(machines)
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(moment, unit="min")
    return pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%d %H:%M:%S"),
            "machine": np.resize(machines, ROWS),
            "run": [f"r{number}" for number in moment // RUN_ROWS],
            "flow": random.uniform(20, 70, ROWS).round(2),
            "head": random.uniform(20, 70, ROWS).round(2),
            "shift": "early",
        }
    )


def _csv(rows: pd.DataFrame, path: Path) -> Path:
    rows.to_csv(path, index=False)
    return path


def _windows(rows: pd.DataFrame, path: Path) -> Path:
    rows.to_csv(path, index=False, sep=";", decimal=",", lineterminator="\r\n", encoding="cp1252")
    return path


def _day_first(times: pd.Series) -> pd.Series:
    """Times around the middle of a month, of which the first ones may be days of other months."""
    return (pd.to_datetime(times) + pd.Timedelta("10D")).dt.strftime("%d/%m/%Y %H:%M:%S")


def _slashes(rows: pd.DataFrame, path: Path) -> Path:
    return _csv(rows.assign(time=_day_first(rows["time"])), path)


def _gz(rows: pd.DataFrame, path: Path) -> Path:
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(rows.to_csv(index=False).encode()))
    return packed


def _zst(rows: pd.DataFrame, path: Path) -> Path:
    packed = path.with_suffix(".csv.zst")
    with pa.CompressedOutputStream(str(packed), "zstd") as file:
        file.write(rows.to_csv(index=False).encode())
    return packed


def _utf16(rows: pd.DataFrame, path: Path) -> Path:
    """As a spreadsheet writes "Unicode text": a mark, two bytes a character, tabs."""
    rows.to_csv(path, index=False, sep="\t", lineterminator="\r\n", encoding="utf-16")
    return path


def _parquet(rows: pd.DataFrame, path: Path) -> Path:
    rows.to_parquet(path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def as_a_whole(
    path: Path, folder: Path, contract: Contract = CONTRACT, machine: str | None = None
) -> CheckedRows:
    """What the ordinary check of a file to be scored says; it is too small to be cut."""
    return check_files(
        [str(path)],
        contract,
        work=folder,
        quarantine=folder / "aside",
        labelled=False,
        equipment=machine,
    )


def everything(
    paths: list[Path],
    contract: Contract,
    folder: Path,
    labelled: bool | None = False,
    machine: str | None = None,
) -> dict[str, object]:
    """All that a check says, with the rows that it keeps; files are only checked without a label."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    found = check_files(
        [str(path) for path in paths],
        contract,
        work=None if labelled is None else work,
        quarantine=folder / "aside",
        labelled=labelled,
        equipment=machine,
    )
    told = found.as_dict()
    for name, kept in (("rows", found.table), ("unscored", found.unscored)):
        if kept is not None:
            rows = pd.read_feather(kept).drop(columns="_imputed", errors="ignore")
            told[name] = rows.to_csv()
    told["aside"] = found.quarantine.read_text() if found.quarantine else None
    return told


def asked(contract: Contract = CONTRACT, machine: str | None = None) -> Asked:
    return Asked(contract, machine, None, frozenset(), frozenset())


@pytest.mark.parametrize("write", [_csv, _windows, _gz, _zst, _parquet, _utf16, _slashes])
@pytest.mark.parametrize("machine", [None, "F 2"])
def test_parts_of_any_size_say_what_the_whole_says(
    write: Callable[[pd.DataFrame, Path], Path], machine: str | None, tmp_path: Path
) -> None:
    path = write(table(("F 1", "F 2")), tmp_path / "week.csv")
    whole = as_a_whole(path, tmp_path, machine=machine)
    wanted = pd.read_feather(require_accepted(whole))
    sizes = (1_700, 2_900) if path.suffix == ".parquet" else (70_000, 130_000)
    for size in sizes:
        out = tmp_path / f"{size}.arrow"
        found = accepted_in_parts(path, path.name, asked(machine=machine), out, size)
        assert found is not None
        assert found.findings == whole.findings
        assert (found.rows, found.accepted) == (whole.read, whole.accepted)
        assert (path.name, found.sha256) == whole.files[0]
        assert found.table.dialect.sentence() in str(whole.reading[0]["sentence"])
        rows = pd.concat(AcceptedRows(out, 999, completed=False).parts(), ignore_index=True)
        pd.testing.assert_frame_equal(rows, wanted)


def _cells(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return _spoilt(rows, seed)


def _lines(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows twice, out of order by a few, with a time twice, a blank machine or an odd time."""
    random = np.random.default_rng(seed)
    order = np.arange(ROWS)
    for at in random.integers(0, ROWS - 9, 20):
        order[at : at + 9] = random.choice(order[at : at + 9], 9)
    rows = rows.iloc[order].reset_index(drop=True)
    rows.loc[random.integers(0, ROWS, 4), "time"] = "soon"
    rows.loc[random.integers(0, ROWS, 4), "machine"] = ""
    for at in random.integers(0, ROWS - 60, 5):
        rows.loc[at : at + random.integers(30, 50), "flow"] = 50.0
    at = int(random.integers(0, ROWS - 60))
    rows.loc[at : at + 35, ["flow", "head"]] = (50.0, 40.0)
    return rows


def _newest_first(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return _spoilt(rows, seed).iloc[::-1]


def _one_after_the_other(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return _spoilt(rows, seed).sort_values("machine", kind="stable")


def _own_clocks(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each run begins at the same time."""
    moment = rows.groupby(["machine", "run"]).cumcount()
    return _spoilt(rows.assign(time=60 * moment), seed)


def _shuffle(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return rows.iloc[np.random.default_rng(seed).permutation(ROWS)]


def _take_turns(rows: pd.DataFrame, _: int) -> pd.DataFrame:
    return rows.iloc[np.argsort(np.arange(ROWS) % RUN_ROWS, kind="stable")]


def _shuffled(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """So that parts have to see farther than usual to see enough of each run."""
    return _shuffle(_spoilt(rows, seed), seed)


DISORDER = [_newest_first, _one_after_the_other, _own_clocks, _shuffled]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("spoil", [_cells, _lines, *DISORDER])
def test_a_dirty_file_to_be_scored_has_in_parts_the_verdict_of_the_whole(
    spoil: Callable[[pd.DataFrame, int], pd.DataFrame],
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sight, "_SIGHT", 64)
    path = _csv(spoil(table(("F 1", "F 2")[: 1 + seed % 2]), seed), tmp_path / "week.csv")
    whole = as_a_whole(path, tmp_path)
    assert len({found.code for found in whole.findings}) > 2
    wanted = pd.read_feather(require_accepted(whole))
    for size in (19_000, 47_000):  # one of them cuts a standstill in two
        out = tmp_path / f"{size}.arrow"
        found = accepted_in_parts(path, path.name, asked(), out, size)
        assert found is not None
        assert found.findings == whole.findings
        counts = (found.rows, found.accepted, found.quarantined, found.left_out)
        assert counts == (whole.read, whole.accepted, whole.quarantined, whole.left_out)
        rows = pd.concat(AcceptedRows(out, 999, completed=False).parts(), ignore_index=True)
        pd.testing.assert_frame_equal(rows, wanted)
        assert whole.quarantine is not None
        assert found.rejected is not None
        assert found.rejected.read_text() == whole.quarantine.read_text()
        found.rejected.unlink()


# Rows dealt out by recording


def _twice(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row that stands there again, far away."""
    rows = _spoilt(rows, seed)
    rows.loc[5_000] = rows.loc[10]
    return rows


def _repeat(rows: pd.DataFrame, _: int) -> pd.DataFrame:
    """Rows again in other recordings, more than a part has."""
    run = rows.loc[3_600:5_099, "run"]
    rows.loc[3_600:5_099] = rows.loc[100:1_599].to_numpy()
    rows.loc[3_600:5_099, "run"] = run
    return rows


def _copied(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    return _repeat(_spoilt(rows, seed), seed)


def _again(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A recording that comes back after others."""
    rows = _spoilt(_lines(rows, seed), seed)
    rows.loc[5_000:, "run"] = "r0"
    return rows


def _in_turns(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of 300 runs, one after the other."""
    return _spoilt(rows, seed).assign(run=[f"r{number % 300}" for number in range(ROWS)])


def _at_rest(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of modes that are not scored, some of a whole run, with times twice and going back."""
    random = np.random.default_rng(seed)
    rows = _in_turns(rows, seed)
    for at in random.integers(0, ROWS - 700, 8):
        rows.loc[at + 600, ["time", "run"]] = rows.loc[at, ["time", "run"]]
    mode = random.choice(["RUN", "IDLE", "STOP", ""], ROWS, p=[0.7, 0.1, 0.1, 0.1])
    return rows.assign(mode=np.where(rows["run"].isin(["r3", "r7"]), "IDLE", mode))


def test_a_pinned_encoding_is_that_of_the_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A name of Central Europe, and UTF-16 without a mark, which nothing but the contract tells."""
    caplog.set_level("INFO")
    for encoding in ("cp1250", "utf-16-le"):
        contract = CONTRACT.model_copy(update={"csv": Csv(encoding=encoding)})
        path = tmp_path / f"{encoding}.csv"
        _spoilt(table(("Čerpadlo", "F 2")), 1).to_csv(path, index=False, encoding=encoding)
        whole = as_a_whole(path, tmp_path, contract)
        out = tmp_path / f"{encoding}.arrow"
        found = accepted_in_parts(path, path.name, asked(contract), out, 70_000)
        assert found is not None
        assert found.findings == whole.findings
        assert (found.rows, found.accepted) == (whole.read, whole.accepted)
        assert found.table.dialect.sentence() in str(whole.reading[0]["sentence"])
        wanted = pd.read_feather(require_accepted(whole))
        kept = pd.read_feather(out)[list(wanted)]
        pd.testing.assert_frame_equal(kept, wanted, check_dtype=False)
        assert f"{path.name} is in {encoding}: written as UTF-8" in caplog.text


@pytest.mark.parametrize(("spoil", "write"), [(_twice, _csv), (_copied, _csv), (_copied, _parquet)])
def test_copies_far_apart_are_set_aside_as_in_the_whole(
    spoil: Callable[[pd.DataFrame, int], pd.DataFrame],
    write: Callable[[pd.DataFrame, Path], Path],
    tmp_path: Path,
) -> None:
    path = write(spoil(table(("F 1", "F 2")), 1), tmp_path / "week.csv")
    whole = as_a_whole(path, tmp_path)
    assert "ROW-DUPLICATE" in {found.code for found in whole.findings}
    wanted = pd.read_feather(require_accepted(whole))
    out = tmp_path / "rows.arrow"
    size = 900 if path.suffix == ".parquet" else 40_000
    found = accepted_in_parts(path, path.name, asked(), out, size)
    assert found is not None
    assert found.findings == whole.findings
    assert (found.accepted, found.quarantined) == (whole.accepted, whole.quarantined)
    rows = pd.concat(AcceptedRows(out, 999, completed=False).parts(), ignore_index=True)
    pd.testing.assert_frame_equal(rows, wanted)
    assert whole.quarantine is not None
    assert found.rejected is not None
    assert found.rejected.read_text() == whole.quarantine.read_text()


LABELLED = CONTRACT.model_copy(
    update={
        "label": CONTRACT.label.model_validate(
            {"column": "state", "normal": ["ok"], "fault": ["bad"]}
        )
    }
)
RUNNING = CONTRACT.model_copy(update={"where": {"mode": ("RUN",)}})


@pytest.mark.parametrize(
    ("spoil", "write", "machine", "contract"),
    [
        (_again, _windows, None, CONTRACT),
        (_in_turns, _gz, "F 2", CONTRACT),
        (_shuffled, _parquet, None, CONTRACT),
        (_at_rest, _csv, None, RUNNING),
    ],
)
def test_rows_dealt_out_by_recording_have_the_verdict_of_the_whole(
    spoil: Callable[[pd.DataFrame, int], pd.DataFrame],
    write: Callable[[pd.DataFrame, Path], Path],
    machine: str | None,
    contract: Contract,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sight, "_SIGHT", 64)
    monkeypatch.setattr(cutting, "_DEALT", 2)
    monkeypatch.setattr(check, "_FARTHER", 1)
    path = write(spoil(table(("F 1", "F 2")), 1), tmp_path / "week.csv")
    whole = as_a_whole(path, tmp_path, contract, machine)
    wanted = pd.read_feather(require_accepted(whole))
    out = tmp_path / "rows.arrow"
    size = 900 if path.suffix == ".parquet" else 40_000
    caplog.set_level("INFO")
    if whole.unscored is not None:
        unscored = pd.read_feather(whole.unscored)
    found = accepted_in_parts(path, path.name, asked(contract, machine), out, size)
    assert found is not None
    assert "out by recording, into temporary files" in caplog.text
    assert found.findings == whole.findings
    counts = (found.rows, found.accepted, found.quarantined, found.left_out)
    assert counts == (whole.read, whole.accepted, whole.quarantined, whole.left_out)
    assert (found.unused, found.unscored is None) == (whole.unused, whole.unscored is None)
    rows = pd.concat(AcceptedRows(out, 999, completed=False).parts(), ignore_index=True)
    pd.testing.assert_frame_equal(rows, wanted)
    if found.unscored is not None:
        pd.testing.assert_frame_equal(pd.read_feather(found.unscored), unscored)
    assert whole.quarantine is not None
    assert found.rejected is not None
    assert found.rejected.read_text() == whole.quarantine.read_text()


# The long form

LONG = parse_contract(
    {
        **CONTRACT.model_dump(exclude_unset=True),
        "long": {"time": "time", "tag": "tag", "value": "value", "quality": "quality"},
    },
    where="test",
)


def _melted(rows: pd.DataFrame, tags: list[str]) -> pd.DataFrame:
    """A line for each reading, tag below tag, without those that are missing."""
    long = rows.melt(["time", "machine", "run"], tags, "tag", "value")
    return long[long["value"] != ""].assign(quality="Good").reset_index(drop=True)


def _in_turn(long: pd.DataFrame) -> pd.DataFrame:
    return long.sort_values(["time", "tag"], kind="stable")


def _in_any_order(long: pd.DataFrame) -> pd.DataFrame:
    long = pd.concat([long, long.iloc[5:2_000:97]])  # some readings twice
    long.loc[3:900:50, "quality"] = "Bad"
    return long.sample(frac=1, random_state=0)


HELD = LONG.model_copy(
    update={
        "sensors": {
            **LONG.sensors,
            "late": LONG.sensors["head"].model_copy(update={"hold": "2h", "max_missing": 1.0}),
        }
    }
)


def _typed_parquet(rows: pd.DataFrame, path: Path) -> Path:
    """As a historian's program writes it: moments and numbers, and nothing where there is none."""
    time = pd.to_datetime(rows["time"], errors="coerce").astype("datetime64[us]")
    value = pd.to_numeric(rows["value"], errors="coerce")
    return _parquet(rows.assign(time=time, value=value), path)


@pytest.mark.parametrize(
    ("contract", "write"),
    [(LONG, _csv), (HELD, _csv), (LONG, _parquet), (HELD, _typed_parquet)],
)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("order", [lambda long: long, _in_turn, _in_any_order])
def test_the_long_form_has_in_parts_the_verdict_of_the_whole(
    order: Callable[[pd.DataFrame], pd.DataFrame],
    seed: int,
    contract: Contract,
    write: Callable[[pd.DataFrame, Path], Path],
    tmp_path: Path,
) -> None:
    rows = _spoilt(table(("F 1", "F 2")[: 1 + seed]), seed)
    moment = np.arange(ROWS)
    rows["late"] = np.where((moment > ROWS // 2) & (moment % 50 < 4), (moment % 90).astype(str), "")
    long = order(_melted(rows, ["flow", "head", "late"])).reset_index(drop=True)
    path = write(long, tmp_path / "long.csv")
    whole = as_a_whole(path, tmp_path, contract)
    wanted = pd.read_feather(require_accepted(whole))
    out = tmp_path / "parts.arrow"
    size = 700 if path.suffix == ".parquet" else 20_000
    found = accepted_in_parts(path, path.name, asked(contract), out, size)
    assert found is not None
    assert found.findings == whole.findings
    counts = (found.rows, found.accepted, found.quarantined, found.table.made_of)
    assert counts[:3] == (whole.read, whole.accepted, whole.quarantined)
    assert counts[3] in str(whole.reading[0]["sentence"])
    pd.testing.assert_frame_equal(pd.read_feather(out)[list(wanted)], wanted, check_dtype=False)
    assert whole.quarantine is not None
    assert found.rejected is not None
    assert found.rejected.read_text() == whole.quarantine.read_text()


@pytest.mark.parametrize(("labelled", "seed"), [(None, 0), (False, 1)])
def test_rows_of_the_long_form_outside_where_are_those_of_the_whole(
    labelled: bool | None,
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The machine rests for longer than a part sees, and at the end for moments."""
    random = np.random.default_rng(seed)
    rows = _spoilt(table(), seed)
    rows["late"] = np.where(np.arange(ROWS) % 50 < 4, rows["head"], "")
    mode = np.full(ROWS, "RUN")
    mode[5_000:] = random.choice(["RUN", "IDLE", "STOP"], 1_000, p=[0.9, 0.05, 0.05])
    mode[2_000:3_100] = "IDLE"
    rows["mode"] = mode
    for at in random.integers(0, ROWS - 60, 5):
        rows.loc[at : at + random.integers(30, 50), "flow"] = "50.0"
    rows = rows.drop(index=range(2_500, 2_504))  # a gap while it rests
    long = _melted(rows, ["flow", "head", "late", "mode"])
    # The same moment in other words, while it rests and while it runs.
    again = (long["tag"] == "head") & long["time"].isin(rows["time"].loc[[2_700, 4_500]])
    long = pd.concat([long, long[again].assign(time=long["time"].str.replace(" ", "  "))])
    path = _csv(long, tmp_path / "long.csv")
    contract = (LONG, HELD)[seed].model_copy(update={"where": {"mode": ("RUN",)}})

    whole = everything([path], contract, tmp_path, labelled)
    codes = {finding["code"] for finding in whole["findings"]}  # type: ignore[attr-defined]
    assert codes >= {"ROWS-LEFT-OUT", "TIME-GAP", "SENSOR-STUCK"}
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setattr(check, "_SIZE", 9_000)
    monkeypatch.setattr(check, "_FARTHER", 1)
    monkeypatch.setattr(cuts, "_AROUND", 30)
    caplog.set_level("INFO")
    assert everything([path], contract, tmp_path, labelled) == whole
    assert "looking at them whole" not in caplog.text


# Files of one tag each


OF_A_TAG = {
    "named by its file": {"time": "time", "value": "value", "file": "{machine}_{tag}"},
    "named by a column": {
        "time": "time", "value": "value", "tag": "tag", "name": "{machine}.{tag}",
        "quality": "quality",
    },
    "named by its column": {"time": "time", "name": "{machine}.{tag}"},
}  # fmt: skip


def _tag_files(rows: pd.DataFrame, shape: str, folder: Path) -> list[Path]:
    """A file for each machine and sensor, without the readings that are missing."""
    paths = []
    tags = ["flow", "head", "late", *(["mode"] if "mode" in rows else [])]
    for (machine, tag), own in _melted(rows, tags).groupby(["machine", "tag"]):
        bare = machine.replace(" ", "")
        cells = own[["time", "value"]]
        if shape == "named by a column":
            cells = cells.assign(tag=f"{bare}.{tag}", quality="Good")
            cells.loc[cells.index[5:900:50], "quality"] = "Bad"
            cells = pd.concat([cells, cells.iloc[7:2_000:97]])  # some readings twice
        if shape == "named by its column":
            cells = cells.rename(columns={"value": f"{bare}.{tag}"})
        paths.append(folder / f"{bare}_{tag}.csv")
        cells.to_csv(paths[-1], index=False)
    return sorted(paths)


@pytest.mark.parametrize(
    ("shape", "labelled"),
    [*((shape, False) for shape in OF_A_TAG), ("named by a column", None)],
)
def test_files_of_one_tag_each_have_in_parts_the_verdict_of_the_whole(
    shape: str,
    labelled: bool | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seed = list(OF_A_TAG).index(shape)
    rows = _spoilt(table(("F 1", "F 2")[: 1 + seed % 2]), seed)
    moment = np.arange(ROWS)
    rows["late"] = np.where((moment > ROWS // 2) & (moment % 50 < 4), (moment % 90).astype(str), "")
    where = {}
    if shape == "named by its file":
        rows["time"] = _day_first(rows["time"])
    if shape == "named by its column":  # and one of them says when the machine runs
        rows["mode"] = np.where(np.arange(ROWS) // 700 % 3 == 2, "IDLE", "RUN")
        where = {"mode": ("RUN",)}
    paths = _tag_files(rows, shape, tmp_path)
    of_a_tag = TagFiles.model_validate(OF_A_TAG[shape])
    contract = HELD.model_copy(update={"long": None, "tag_files": of_a_tag, "where": where})
    whole = everything(paths, contract, tmp_path, labelled)
    codes = {finding["code"] for finding in whole["findings"]}  # type: ignore[attr-defined]
    assert codes >= {"SENSOR-NOT-A-NUMBER", "SENSOR-OUT-OF-RANGE", "SENSOR-HELD"}
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setattr(check, "_SIZE", 30_000)
    monkeypatch.setattr(check, "_ROWS", 1_300)
    monkeypatch.setattr(cutting, "_MOMENTS", 1)
    caplog.set_level("INFO")
    assert everything(paths, contract, tmp_path, labelled) == whole
    assert "into the order of time, in temporary files" in caplog.text
    assert "looking at them whole" not in caplog.text


# Several files


SHIFTS = CONTRACT.model_copy(update={"slices": ("shift",)})


def _as_they_are(weeks: list[pd.DataFrame]) -> list[pd.DataFrame]:
    return weeks


def _one_is_there_twice(weeks: list[pd.DataFrame]) -> list[pd.DataFrame]:
    return [*weeks, weeks[1]]


def _one_lacks_a_column(weeks: list[pd.DataFrame]) -> list[pd.DataFrame]:
    return [weeks[0], weeks[1].drop(columns="shift"), weeks[2].assign(remark="x")]


def _with_labels(weeks: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Of which one alone has both classes."""
    labels = [np.where(week["run"] == "r1", "bad", "ok") for week in weeks]
    return [week.assign(state=state) for week, state in zip(weeks, labels, strict=True)]


def _one_has_another_machine(weeks: list[pd.DataFrame]) -> list[pd.DataFrame]:
    return [weeks[0].assign(machine="F 3"), *weeks[1:]]


WITHOUT_RUNS = CONTRACT.model_copy(update={"run_column": None})


@pytest.mark.parametrize(
    ("made", "copies", "machine", "contract", "labelled"),
    [
        (_as_they_are, 0, None, CONTRACT, False),
        (_as_they_are, 300, None, CONTRACT, False),
        (_as_they_are, 300, None, WITHOUT_RUNS, False),
        (_one_is_there_twice, 40, None, CONTRACT, False),
        (_one_lacks_a_column, 40, None, SHIFTS, False),
        (_one_has_another_machine, 40, "F 2", CONTRACT, False),
        (_with_labels, 0, None, LABELLED, None),
        (_with_labels, 300, None, LABELLED, None),
        (_with_labels, 40, None, LABELLED.model_copy(update={"run_column": None}), None),
        (_one_lacks_a_column, 40, None, SHIFTS, None),
    ],
)
def test_files_in_parts_have_the_verdict_of_all_of_them_together(
    made: Callable[[list[pd.DataFrame]], list[pd.DataFrame]],
    copies: int,
    machine: str | None,
    contract: Contract,
    labelled: bool | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = table(("F 1", "F 2"))
    # A counter in all but name, which only all files together show; and no two rows are alike.
    rows["head"] = 20 + np.arange(ROWS) * 1e-3
    rows = _spoilt(rows, 1)
    third = ROWS // 3  # each but the first has some rows of the one before
    weeks = [rows.iloc[max(at - copies, 0) : at + third] for at in range(0, ROWS, third)]
    files = [_csv(week, tmp_path / f"{at}.csv") for at, week in enumerate(made(weeks))]
    whole = everything(files, contract, tmp_path, labelled, machine)
    assert ("stand in an earlier file" in str(whole["findings"])) == bool(copies)
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setattr(check, "_SIZE", 40_000)
    caplog.set_level("INFO")
    assert everything(files, contract, tmp_path, labelled, machine) == whole
    assert "looking at them whole" not in caplog.text


# A full disk


def test_a_disk_that_is_full_while_a_file_is_rearranged_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _csv(_melted(_spoilt(table(), 0), ["flow", "head"]), tmp_path / "long.csv")
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "temporary").mkdir()
    work = tmp_path / "work"
    work.mkdir()

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(by_time, "text_of", full)
    with pytest.raises(DiskFullError, match="no room for temporary files"):
        check_files([str(path)], LONG, work=work, quarantine=tmp_path / "aside", labelled=False)
    assert not [*(tmp_path / "temporary").iterdir(), *work.iterdir()]


# What only checks


def _spoilt(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows with cells missing, of text, far out and too fast, here and there or in one place."""
    random = np.random.default_rng(seed)
    cells = rows[["flow", "head"]].astype(str)
    for name in cells:
        begin = random.integers(ROWS // 2) * random.integers(2)
        too_fast = ["99.5"] if name == "flow" else []
        for bad in random.permutation(["", "bad wire", "400", "-3", *too_fast])[:3]:
            at = random.integers(begin, ROWS, random.integers(1, 60))
            cells.loc[at, name] = bad
    return rows.assign(**cells)


def _as_it_is(rows: pd.DataFrame, _: int) -> pd.DataFrame:
    return rows


@pytest.mark.parametrize(
    ("seed", "write", "disorder"),
    [
        *((seed, _csv, _as_it_is) for seed in range(6)),
        *((seed, _parquet, _as_it_is) for seed in (1, 4)),
        (1, _parquet, _shuffle),
        *((seed, _csv, _take_turns) for seed in (0, 5)),
        (2, _csv, _repeat),
    ],
)
def test_a_dirty_file_that_is_only_checked_is_judged_in_parts_as_a_whole(
    seed: int,
    write: Callable[[pd.DataFrame, Path], Path],
    disorder: Callable[[pd.DataFrame, int], pd.DataFrame],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = table(("F 1", "F 2")[: 1 + seed % 2])
    rows["head"] += np.arange(ROWS) * 1e-6  # no two rows with equal readings have two labels
    rows = _spoilt(rows, seed)
    # Each run has one label, so that parts have one class, or two.
    rows["state"] = np.where(rows["run"].isin(["r1", "r2"]) & (seed != 5), "bad", "ok")
    if seed == 4:
        later = pd.to_datetime(rows["time"]) + pd.to_timedelta(np.arange(ROWS) * 3, unit="min")
        rows["time"] = later.dt.strftime("%Y-%m-%d %H:%M:%S")
    path = write(disorder(rows, seed), tmp_path / "week.csv")
    contract = LABELLED
    whole = everything([path], contract, tmp_path, None)
    codes = {finding["code"] for finding in whole["findings"]}  # type: ignore[attr-defined]
    assert len(codes) > 2
    assert ("LABEL-ONE-CLASS" in codes) == (seed == 5)
    assert disorder is not _as_it_is or ("TIME-STEP" in codes) == (seed == 4)
    monkeypatch.setattr(check, "LARGE", 1)
    monkeypatch.setattr(check, "_FARTHER", 1)
    monkeypatch.setattr(cutting, "_DEALT", 2)
    caplog.set_level("INFO")
    for size in (300, 700) if path.suffix == ".parquet" else (11_000, 31_000):
        monkeypatch.setattr(check, "_ROWS" if size < 1000 else "_SIZE", size)
        assert everything([path], contract, tmp_path, None) == whole
    assert "looking at them whole" not in caplog.text
