"""What the check of a large file to be scored costs, by kind of file: in parts and as a whole.

    uv run python benchmarks/checking_parts.py [--rows 1000000 3000000] [--kinds ...] [--whole]
                                               [--only-checked]

Writes files of 20 sensors of each kind and checks each in a process of its own. The table has the
seconds of the processor, and the largest memory of the process (``VmHWM``). ``--whole`` checks them
as a whole as well, for which a million rows of the long form, each of 20 readings, take more memory
than most machines have; ``--only-checked`` checks them as ``validate`` does, for nobody to score; a process that takes more than ``--limit`` GB of address space ends.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from validation_speed import CONTRACT, _high_water

from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.steps import intake
from faultxfer.steps.intake import check_files

SENSORS = [f"s{number:02d}" for number in range(20)]
PIECE = 200_000
BEGIN = pd.Timestamp("2024-01-01")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The check of large files, by kind.")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000])
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--whole", action="store_true", help="check them as a whole as well")
    parser.add_argument("--only-checked", action="store_true", help="nobody scores the rows")
    parser.add_argument("--limit", type=float, default=12.0, help="GB of address space")
    parser.add_argument("--check", nargs=3, metavar=("KIND", "CSV", "HOW"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.check:
        print(_checked(*arguments.check, limit=arguments.limit, score=not arguments.only_checked))
        return
    print("| file | rows | how | processor, s | memory, MB | rows set aside |")
    print("|---|---|---|---|---|---|")
    for kind in arguments.kinds:
        for rows in arguments.rows:
            with tempfile.TemporaryDirectory() as name:
                path = Path(name) / "week.csv"
                _write(path, kind, rows)
                for how in ("in parts", "whole")[: 1 + arguments.whole]:
                    told = _told(kind, path, how, arguments.limit, arguments.only_checked)
                    print(f"| {kind} | {rows:,} | {how} | {told} |", flush=True)


def _told(kind: str, path: Path, how: str, limit: float, only_checked: bool) -> str:
    command = [sys.executable, __file__, "--limit", str(limit), "--check", kind, str(path), how]
    command += ["--only-checked"] if only_checked else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"{done.stderr.strip().splitlines()[-1][:60]} | – | –"


def _checked(kind: str, csv: str, how: str, *, limit: float, score: bool) -> str:
    """Seconds of the processor, memory and rows set aside of one check."""
    most = int(limit * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if how == "whole":
        intake.are_large = lambda paths: False  # type: ignore[assignment]
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        done = check_files(
            _files(Path(csv), kind, Path(name)),
            contract_of(kind),
            work=Path(name) if score else None,
            quarantine=Path(name),
            labelled=False if score else None,
        )
    spent = time.process_time() - began
    return f"{spent:.1f} | {1000 * _high_water():.0f} | {done.quarantined:,}"


def _files(csv: Path, kind: str, folder: Path) -> list[str]:
    """The file; of two exports that overlap, the file and its second half; files of tags."""
    if kind in WRITTEN:
        return [str(path) for path in sorted(csv.parent.iterdir())]
    if kind != "half of it in a second file":
        return [str(csv)]
    second = folder / "second.csv"
    with csv.open("rb") as source, second.open("wb") as half:
        half.write(source.readline())
        source.seek(csv.stat().st_size // 2)
        source.readline()
        shutil.copyfileobj(source, half)
    return [str(csv), str(second)]


def contract_of(kind: str) -> Contract:
    """Of the files of a kind."""
    more: dict[str, Any] = {"equipment_column": "machine"}
    if kind == TAGS:
        more["tag_files"] = {"time": "timestamp", "value": "value", "file": "{machine}_{tag}"}
    if kind.endswith("under where"):
        more["where"] = {"mode": ["1"]}
    if kind.startswith("long"):
        more["long"] = {"time": "timestamp", "tag": "tag", "value": "value"}
    return parse_contract({**CONTRACT, **more}, where="benchmark")


# Kinds of files


def _write(path: Path, kind: str, rows: int) -> None:
    _write_csv(path, KINDS[kind], rows)
    if kind in WRITTEN:
        WRITTEN[kind](path)
        path.unlink()


def _write_csv(path: Path, make: Callable[[np.ndarray, int], pa.Table], rows: int) -> None:
    writer = None
    for begin in range(0, rows, PIECE):
        place = np.arange(begin, min(begin + PIECE, rows))
        table = make(place, rows)
        options = pa.csv.WriteOptions(quoting_style="none")
        writer = writer or pa.csv.CSVWriter(path, table.schema, write_options=options)
        writer.write_table(table)
    if writer:
        writer.close()


def _rows(
    place: np.ndarray,
    moment: np.ndarray,
    machine: np.ndarray | None = None,
    dirty: float = 0.0,
    run: int = 100_000,
) -> pa.Table:
    """Rows of a file, in runs of so many moments, a second apart."""
    random = np.random.default_rng(int(place[0]))
    X = random.normal(50, 10, (len(place), len(SENSORS))).round(3)
    stamps = np.datetime64(BEGIN, "s") + moment.astype("timedelta64[s]")
    names = np.full(len(place), "M1") if machine is None else machine
    runs = np.char.add("r", (moment // run).astype(str))
    cells: dict[str, Any] = {
        "timestamp": pa.array(np.char.replace(np.datetime_as_string(stamps), "T", " ")),
        "machine": names,
        "run": runs,
    }
    texts = X.astype(str).astype(object)
    spoilt = random.random(X.shape) < dirty
    texts[spoilt] = random.choice(np.array(["", "bad wire", "999", "-500"], object), spoilt.sum())
    columns = texts.T if dirty else X.T
    return pa.table(cells | dict(zip(SENSORS, columns, strict=True)))


def _one_after_the_other(place: np.ndarray, rows: int) -> pa.Table:
    machine, moment = np.divmod(place, max(rows // 4, 1))
    return _rows(place, moment, np.char.add("M", machine.astype(str)))


def _shuffled(place: np.ndarray, rows: int) -> pa.Table:
    order = np.random.default_rng(0).permutation(rows)
    return _rows(place, order[place])


def _twice(place: np.ndarray, rows: int) -> pa.Table:
    """The first piece again at the end, as another run."""
    if not place[0] or place[-1] < rows - 1:
        return _rows(place, place)
    again = np.arange(len(place))
    runs = pa.array(np.full(len(place), "again"))
    return _rows(again, again).set_column(2, "run", runs)


def _many_runs(place: np.ndarray, rows: int) -> pa.Table:
    """So far apart that they are dealt out by run."""
    order = np.random.default_rng(0).permutation(rows)
    return _rows(place, order[place], run=max(rows // 1_000, 1))


def _tag_by_tag(place: np.ndarray, rows: int) -> pa.Table:
    """One reading in each line, all of one tag before those of the next."""
    tag, moment = np.divmod(place, max(rows // len(SENSORS), 1))
    return _readings(place, tag, moment)


def _in_turn(place: np.ndarray, _: int) -> pa.Table:
    moment, tag = np.divmod(place, len(SENSORS))
    return _readings(place, tag, moment)


def _readings(place: np.ndarray, tag: np.ndarray, moment: np.ndarray) -> pa.Table:
    random = np.random.default_rng(int(place[0]))
    stamps = np.datetime64(BEGIN, "s") + moment.astype("timedelta64[s]")
    return pa.table(
        {
            "timestamp": np.char.replace(np.datetime_as_string(stamps), "T", " "),
            "machine": np.full(len(place), "M1"),
            "tag": np.array(SENSORS)[tag % len(SENSORS)],
            "value": random.normal(50, 10, len(place)).round(3),
        }
    )


def _with_modes(place: np.ndarray, rows: int) -> pa.Table:
    """Tag by tag, one of which says when the machine runs: it rests for an hour of each day."""
    tag, moment = np.divmod(place, max(rows // (len(SENSORS) + 1), 1))
    table = _readings(place, tag, moment)
    modes = tag == len(SENSORS)
    names = np.where(modes, "mode", table.column("tag").to_numpy())
    runs = (moment % 86_400 >= 3_600).astype(float)
    values = np.where(modes, runs, table.column("value").to_numpy())
    return table.set_column(2, "tag", pa.array(names)).set_column(3, "value", pa.array(values))


def _as_parquet(path: Path) -> None:
    """The same in Parquet, moments and numbers as such."""
    with (
        pa.csv.open_csv(path) as rows,
        pq.ParquetWriter(path.with_suffix(".parquet"), rows.schema) as out,
    ):
        for batch in rows:
            out.write_batch(batch)


def _as_utf16(path: Path) -> None:
    with (
        path.open(encoding="utf-8") as rows,
        path.with_name("w.csv").open("w", encoding="utf-16") as out,
    ):
        shutil.copyfileobj(rows, out)


def _as_tag_files(path: Path) -> None:
    """A file for each tag, of moments and readings."""
    with pa.csv.open_csv(path) as rows:
        for batch in rows:
            frame = batch.to_pandas()
            for tag, own in frame.groupby("tag", sort=False):
                out = path.with_name(f"M1_{tag}.csv")
                own[["timestamp", "value"]].to_csv(
                    out, mode="a", index=False, header=not out.exists()
                )


TAGS = "files of one tag each"
# Kinds that are written otherwise than as one CSV in UTF-8.
WRITTEN: dict[str, Callable[[Path], None]] = {
    TAGS: _as_tag_files,
    "long, in Parquet": _as_parquet,
    "in UTF-16": _as_utf16,
}
KINDS: dict[str, Callable[[np.ndarray, int], pa.Table]] = {
    "in order": lambda place, _: _rows(place, place),
    "1 % of the cells bad": lambda place, _: _rows(place, place, dirty=0.01),
    "newest first": lambda place, rows: _rows(place, rows - 1 - place),
    "machines one after the other": _one_after_the_other,
    "its beginning twice": _twice,
    "half of it in a second file": lambda place, _: _rows(place, place),
    "shuffled": _shuffled,
    "shuffled, 1,000 runs": _many_runs,
    "long, tags in turn": _in_turn,
    "long, tag by tag": _tag_by_tag,
    "long, in Parquet": _tag_by_tag,
    "long, under where": _with_modes,
    "files of one tag each": _tag_by_tag,
    "in UTF-16": lambda place, _: _rows(place, place),
}

if __name__ == "__main__":
    main()
