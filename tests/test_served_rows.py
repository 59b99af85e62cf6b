"""A machine's own rows get from pyfunc and from parsed JSON the answers that ``score`` gives for their file."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import onnx
import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY
from mlflow.exceptions import MlflowException
from mlflow.utils.proto_json_utils import dataframe_from_parsed_json

from faultxfer.bundle.bundle import load_bundle, save_bundle
from faultxfer.bundle.delays import Delays
from faultxfer.bundle.graph.check import Session
from faultxfer.bundle.imputer import fit_imputer
from faultxfer.bundle.manifest import GRAPH_FILE
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.contract.served import MachineRows
from faultxfer.data.moments import Moments
from faultxfer.errors import BundleError, DataError
from faultxfer.registry.graphs import write_graph
from faultxfer.registry.model_files import write_model
from faultxfer.registry.pyfunc import FaultModel, MachineModel, scores_of
from faultxfer.registry.store import Version
from faultxfer.requests import ScoreRequest
from faultxfer.steps.intake import CheckedRows, check_rows
from faultxfer.steps.opening import Opened
from faultxfer.steps.scorers import CHAMPION
from faultxfer.steps.scoring import Detector, score_rows

KEPT = REPOSITORY / "tests" / "kept_bundles"
READINGS = pd.read_csv(KEPT / "rows.csv")
UNITS = ["rpm", "m3/h", "bar", "bar", "A", "mm/s", "mm/s", "degC", "degC", "degC"]
RANGES = [(0, 4000), (0, 2000), (-1, 10), (-1, 40), (0, 1000), (0, 50), (0, 50), *[(-20, 200)] * 3]


@dataclass(frozen=True)
class Twin:
    """A made-up plant.

    Attributes:
        contract: without its sensors' units and ranges.
        machine: whose rows they are.
        rows: as the machine writes them.
        separator, decimal: of its files.
    """

    contract: dict[str, Any]
    machine: str
    rows: pd.DataFrame
    separator: str = ","
    decimal: str = "."

    @property
    def agreed(self) -> Contract:
        content = copy.deepcopy(self.contract)
        for place, own in enumerate(content["sensors"].values()):
            low, high = RANGES[place]
            own |= {"unit": UNITS[place], "min": low, "max": high, "max_missing": 1.0}
        return parse_contract({"family": "pumps", **content}, where="test")

    def write(self, folder: Path) -> Path:
        path = folder / "week.csv"
        self.rows.to_csv(path, index=False, sep=self.separator, decimal=self.decimal)
        return path


def named(names: list[str]) -> pd.DataFrame:
    return READINGS.set_axis(names, axis="columns")


def tags_and_units() -> Twin:
    """Own tags, units and a scale; a file with semicolons and decimal commas; a word in a cell."""
    names, tags = list(READINGS), [f"TI-{place}.PV" for place in range(10)]
    own = {
        "aliases": dict(zip(tags, names, strict=True)),
        "units": {names[2]: "psi", names[3]: "kPa", names[7]: "degF"},
        "scale": {names[0]: {"factor": 0.5, "offset": 10}},
    }
    rows = named(tags)
    rows[tags[2]] *= 14.503773773020923
    rows[tags[3]] *= 100
    rows[tags[7]] = rows[tags[7]] * 1.8 + 32
    rows[tags[0]] = (rows[tags[0]] - 10) / 0.5
    rows = rows.astype({tags[4]: object})
    rows.loc[5, tags[4]] = "I/O Timeout"
    rows.loc[6, tags[4]] = "see log"
    rows[tags[4]] = [f"{each}".replace(".", ",") for each in rows[tags[4]]]
    contract = {
        "label": {"column": "fault"},
        "sensors": {name: {} for name in names},
        "equipment": {"K 7": own, "K 8": {}},
    }
    return Twin(contract, "K 7", rows[list(reversed(tags))], ";", ",")


def modes_and_quality() -> Twin:
    """Rows outside `where`, rows that are excluded, bad quality, another machine's, impossible ones."""
    names = [f"x{9 - place}" for place in range(10)]
    rows = named(names)
    rows.insert(3, "state", np.where(np.arange(40) % 7 == 3, "IDLE", "RUN"))
    rows.insert(0, "x9_q", np.where(np.arange(40) % 5 == 2, 24, 192))
    rows["asset"] = np.where(np.arange(40) % 11 == 4, "B-2", "B-1")
    rows["verdict"] = np.where(np.arange(40) % 9 == 5, "service", "good")
    rows.loc[[8, 9], "x4"] = [-3.0, 51.0]
    rows.loc[[12, 13], ["x8", "x1"]] = np.nan
    sensors: dict[str, Any] = {name: {} for name in names}
    sensors["x9"] = {"quality": {"column": "x9_q", "good": ["192"]}}
    contract = {
        "label": {"column": "verdict", "exclude": ["service"]},
        "equipment_column": "asset",
        "where": {"state": ["RUN"]},
        "sensors": sensors,
        "ignore": ["remark"],
    }
    return Twin(contract, "B-1", rows.assign(remark="no sensor"))


def long_form() -> Twin:
    """A row for each reading, with bad ones, words, repeated ones, and tags that are written seldom."""
    names = [f"Messung {place}" for place in range(10)]
    readings = []
    for place, cells in enumerate(named(names).to_dict(orient="records")):
        for number, (name, value) in enumerate(cells.items()):
            if number == 3 and place % 4:
                continue  # held
            shown = "Bad" if (place, number) == (6, 5) else repr(value).replace(".", ",")
            state = "Uncertain" if (place, number) == (9, 1) else "Good"
            tag = "PT-3" if number == 3 else name
            time = f"{1 + place // 24:02d}.03.2026 {place % 24:02d}:00"
            readings.append((state, shown, tag, time, "M1"))
    rows = pd.DataFrame(readings, columns=["Status", "Wert", "Name", "Zeit", "Anlage"])
    sensors: dict[str, Any] = {name: {} for name in names}
    sensors[names[3]] = {"hold": "2h"}
    contract = {
        "label": {"column": "fault"},
        "equipment_column": "Anlage",
        "time_column": "Zeit",
        "long": {"time": "Zeit", "tag": "Name", "value": "Wert", "quality": "Status"},
        "csv": {"day_first": True},
        "equipment": {"M1": {"aliases": {"PT-3": names[3]}}},
        "sensors": sensors,
    }
    return Twin(contract, "M1", rows.sort_values("Name", kind="stable"), ";", ",")


def held_values() -> Twin:
    """Date and time of day apart, values that are held inside a batch, units inside cells."""
    names = [f"{unit} no. {place}" for place, unit in enumerate(UNITS)]
    rows = named(names)
    for name in names[:3]:
        rows.loc[rows.index % 4 != 0, name] = np.nan
    rows[names[9]] = [f"{value * 1.8 + 32} °F" for value in rows[names[9]]]
    times = pd.date_range("2026-03-01 12:00", periods=40, freq="5min")
    rows.insert(2, "clock", times.strftime("%H:%M:%S"))
    rows.insert(7, "day", times.strftime("%Y-%m-%d"))
    rows["batch"] = np.arange(40) // 13
    contract = {
        "label": {"column": "fault"},
        "run_column": "batch",
        "time_column": "day clock",
        "csv": {"time_parts": ["day", "clock"], "decimal": "."},
        "sensors": {name: {"hold": "10min"} if name in names[:3] else {} for name in names},
    }
    return Twin(contract, "H9", rows, "\t")


TWINS = {
    made.__name__: made for made in (tags_and_units, modes_and_quality, long_form, held_values)
}


@dataclass(frozen=True)
class Served:
    """A twin with its bundle, and the model as MLflow loads it."""

    twin: Twin
    bundle: Path
    model: Any

    def score(self, folder: Path) -> tuple[CheckedRows, pd.DataFrame]:
        """The file of its rows through the steps of ``score``."""
        path = self.twin.write(folder)
        request = ScoreRequest(
            files=(str(path),), model="pumps", equipment=self.twin.machine, out=folder / "out.csv"
        )
        work = folder / "work"
        work.mkdir()
        opened = Opened(request, work, False, self.twin.machine, folder / "quarantine", None)
        version = Version("pumps--machine", "1", "", "")
        detector = Detector(version, self.bundle, self.twin.agreed, CHAMPION)
        rows = check_rows(opened, self.twin.agreed, detector)
        score_rows(opened, detector, rows)
        return rows, pd.read_csv(folder / "out.csv")

    def answer(self, folder: Path, form: str) -> pd.DataFrame:
        """The rows of the same file as pandas reads them, through pyfunc."""
        path, twin = self.twin.write(folder), self.twin
        rows = pd.read_csv(path, sep=twin.separator, decimal=twin.decimal)
        if form != "pandas":
            text = rows.to_json(orient=form)
            schema = self.model.metadata.get_input_schema()
            rows = dataframe_from_parsed_json(json.loads(text), form, schema)
        answer: pd.DataFrame = self.model.predict(rows)
        return answer


def with_imputer(twin: Twin, folder: Path) -> Path:
    """A bundle of the twin: that of an earlier release with its names, which fills readings in."""
    older, agreed = load_bundle(KEPT / "format_2" / "stack"), twin.agreed
    X = READINGS.to_numpy(dtype=float)
    r2, cost = np.full(10, 0.9), np.zeros(10)
    r2[9], cost[9] = 0.1, 0.3  # the last sensor matters, and nothing predicts it
    imputer = dataclasses.replace(fit_imputer(X), r2=r2, cost=cost, max_share=0.5)
    lineage = older.lineage | {"contract": agreed.model_dump(mode="json")}
    new = dataclasses.replace(
        older, features=agreed.features, imputer=imputer, lineage=lineage, units={}
    )
    save_bundle(new, folder / "bundle", X)
    return folder / "bundle"


def serve(twin: Twin, folder: Path) -> Served:
    """Write and load a model as the registry and MLflow do."""
    bundle, example = with_imputer(twin, folder), READINGS.to_numpy(dtype=float)[:3]
    write_model(
        folder / "model",
        bundle,
        twin.agreed.features,
        example,
        twin.machine,
        model_id="m-1",
        run_id="1",
    )
    return Served(twin, bundle, mlflow.pyfunc.load_model(str(folder / "model")))


Plants = Callable[[str], Served]


@pytest.fixture(scope="module")
def plants(tmp_path_factory: pytest.TempPathFactory) -> Plants:
    """Twins by name, each made once."""
    return functools.cache(lambda name: serve(TWINS[name](), tmp_path_factory.mktemp(name)))


def test_a_graph_says_how_the_machines_own_columns_become_what_it_takes(
    plants: Plants, tmp_path: Path
) -> None:
    plant = plants("tags_and_units")
    folder = tmp_path / "bundle"
    shutil.copytree(plant.bundle, folder)
    write_graph(folder, "pumps--K 7", plant.twin.machine)
    graph = (folder / GRAPH_FILE).read_bytes()
    said = {entry.key: entry.value for entry in onnx.load_from_string(graph).metadata_props}
    assert (said["machine"], said["model"]) == ("K 7", "pumps--K 7")
    own = plant.twin.rows.astype(str).apply(lambda column: column.str.replace(",", "."))
    own = own.apply(lambda column: pd.to_numeric(column, errors="coerce"))
    columns = [
        own[one["column"]] * one["factor"] + one["offset"] for one in json.loads(said["columns"])
    ]
    readings = np.column_stack(columns)
    bundle = load_bundle(folder)
    expected = bundle.probabilities(bundle.completed(readings))
    np.testing.assert_allclose(Session(graph)(readings)[0], expected, rtol=0, atol=1e-5)
    kept = ~np.isnan(readings)
    np.testing.assert_allclose(readings[kept], READINGS.to_numpy()[kept], rtol=1e-9)


@pytest.mark.parametrize("form", ["pandas", "split", "records"])
@pytest.mark.parametrize("name", TWINS)
def test_rows_get_the_answers_of_score(
    plants: Plants, name: str, form: str, tmp_path: Path
) -> None:
    plant = plants(name)
    checked, scores = plant.score(tmp_path)
    answer = plant.answer(tmp_path, form)
    scores = scores.set_index("row")
    known = scores["fault_probability"].dropna()
    given = answer["fault_probability"].astype(float)
    assert len(known) > 20
    assert answer.index[given.notna()].tolist() == known.index.tolist()
    np.testing.assert_allclose(given.dropna(), known, rtol=0, atol=1e-9)
    alarms = scores.loc[known.index, "alarm"].astype(str)
    assert answer["alarm"].dropna().astype(str).tolist() == alarms.tolist()
    nothing = pd.Series("", index=answer.index)
    imputed = scores.get("imputed", nothing).fillna("")
    assert answer.get("imputed", nothing)[known.index].tolist() == imputed[known.index].tolist()
    remarks = scores.get("remark", nothing[:0]).dropna()
    assert answer.get("remark", nothing)[remarks.index].tolist() == remarks.tolist()
    assert len(answer) == checked.read
    json.dumps(answer.to_dict(orient="records"), allow_nan=False, default=bool)


def test_a_row_without_a_score_says_why(plants: Plants, tmp_path: Path) -> None:
    remark = plants("modes_and_quality").answer(tmp_path, "pandas")["remark"]
    assert remark[3] == "not scored: state is IDLE"
    assert remark[4] == "not scored: no row of B-1"
    assert remark[5] == "excluded: verdict is service"
    assert remark[8] == "set aside: SENSOR-OUT-OF-RANGE (x4)"
    assert remark[0] == ""
    cells = plants("tags_and_units").answer(tmp_path, "records")
    assert cells["remark"][6] == "set aside: SENSOR-NOT-A-NUMBER (TI-4.PV)"
    assert cells["imputed"][5] == READINGS.columns[4]


def test_rows_in_long_form_come_back_as_moments(plants: Plants, tmp_path: Path) -> None:
    plant = plants("long_form")
    _, scores = plant.score(tmp_path)
    answer = plant.answer(tmp_path, "split")
    assert list(answer)[:4] == ["equipment", "Zeit", "fault_probability", "alarm"]
    known = scores["row"].tolist()
    assert answer["Zeit"][known].tolist() == scores["Zeit"].tolist()
    assert set(answer["equipment"]) == {"M1"}


def test_a_tag_without_a_reading_is_filled_in_and_no_known_tag_is_refused(plants: Plants) -> None:
    plant = plants("long_form")
    rows = plant.twin.rows
    last = rows[rows["Zeit"] == "01.03.2026 00:00"]
    answer = plant.model.predict(last[~last["Name"].isin(["PT-3", "Messung 8"])])
    assert answer["imputed"].tolist() == ["Messung 3, Messung 8"]
    assert len(plant.model.predict(last)) == 1
    with pytest.raises(MlflowException, match="COLUMN-MISSING"):
        plant.model.predict(last.assign(Name="another"))


@pytest.mark.parametrize("name", ["tags_and_units", "modes_and_quality", "held_values"])
def test_one_row_alone_is_scored_as_far_as_it_can_be(plants: Plants, name: str) -> None:
    plant = plants(name)
    every = plant.model.predict(plant.twin.rows)
    for place in (0, 1, 5, 20):
        answer = plant.model.predict(plant.twin.rows.iloc[[place]])
        assert answer.index.tolist() == [place]
        both = [answer["fault_probability"][place], every["fault_probability"][place]]
        if name != "held_values" or place % 4 == 0:  # others are held, and imputed here
            # A batch of another size is rounded otherwise in the last bits.
            np.testing.assert_allclose(*np.array(both, dtype=float)[:, None], rtol=0, atol=1e-6)
        assert answer["fault_probability"][place] is not None


def test_rows_of_which_none_can_be_scored_get_an_answer_each(plants: Plants) -> None:
    plant = plants("modes_and_quality")
    idle = plant.model.predict(plant.twin.rows.iloc[[3, 10]])
    assert idle["fault_probability"].tolist() == idle["alarm"].tolist() == [None, None]
    assert idle["remark"].tolist() == ["not scored: state is IDLE"] * 2
    rows = plant.twin.rows.iloc[[0, 1]].assign(
        x8=np.nan, x7=np.nan, x6=np.nan, x5=None, x3="", x1=""
    )
    bare = plant.model.predict(rows)
    assert bare["fault_probability"].tolist() == [None, None]
    assert bare["remark"].str.startswith("set aside: SENSOR-MISSING (x8), ").all()


# What is refused


@pytest.mark.parametrize(
    ("name", "column", "factor", "said"),
    [
        ("tags_and_units", "TI-2.PV", 6894.76, ["-14.5038 to 145.038 psi", "145"]),
        ("modes_and_quality", "x6", 1e5, ["-1 to 40 bar", "00 bar"]),
        ("held_values", "A no. 4", 1e3, ["0 to 1000 A", "00 A"]),
        ("tags_and_units", "TI-7.PV", 100, ["-4 to 392 degF", "degF"]),
    ],
)
def test_a_column_in_another_unit_is_refused(
    plants: Plants, name: str, column: str, factor: float, said: list[str]
) -> None:
    plant = plants(name)
    rows = plant.twin.rows.copy()
    rows[column] = pd.to_numeric(rows[column]) * factor
    with pytest.raises(MlflowException) as refused:
        plant.model.predict(rows)
    for words in (f"column {column!r} lies outside", *said, "Received: "):
        assert words in refused.value.message
    assert refused.value.get_http_status_code() == 400
    assert isinstance(refused.value.__cause__, DataError)


def test_limits_that_only_warn_refuse_nothing(tmp_path: Path) -> None:
    twin = tags_and_units()
    content = twin.agreed.model_dump(mode="json")
    content["sensors"][READINGS.columns[2]]["on_breach"] = "warn"
    taken = MachineRows(parse_contract(content, where="test"), twin.machine)
    rows = twin.rows.assign(**{"TI-2.PV": 1e6})
    assert "SENSOR-OUT-OF-RANGE" not in " ".join(taken.judge(rows).remark)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ({"TI-2.PV": "psi"}, None),
        ({"TI-2.PV": "PSI", "TI-7.PV": "°F", "TI-1.PV": "m3/h"}, None),
        ({"TI-2.PV": "bar"}, "takes column 'TI-2.PV' in psi, not in bar"),
        ({"TI-7.PV": "degC"}, "takes column 'TI-7.PV' in degF, not in degC"),
        ({"TI-0.PV": "Hz"}, "takes column 'TI-0.PV' in rpm, not in Hz"),
    ],
)
def test_units_that_are_given_must_be_those_of_the_machine(
    plants: Plants, units: dict[str, str], said: str | None
) -> None:
    plant = plants("tags_and_units")
    if said is None:
        assert len(plant.model.predict(plant.twin.rows, {"units": units})) == len(READINGS)
        return
    with pytest.raises(MlflowException, match=said):
        plant.model.predict(plant.twin.rows, {"units": units})


def test_a_unit_of_no_column_is_refused(plants: Plants) -> None:
    taken = MachineRows(tags_and_units().agreed, "K 7")
    with pytest.raises(DataError, match="no sensor of K 7"):
        taken.require_units({"flow": "m3/h"})
    plant = plants("tags_and_units")
    with pytest.raises(MlflowException, match="flow"):
        plant.model.predict(plant.twin.rows, {"units": {"flow": "m3/h"}})


@pytest.mark.parametrize(
    ("name", "column"),
    [("tags_and_units", "TI-9.PV"), ("modes_and_quality", "x9_q"), ("modes_and_quality", "state"),
     ("long_form", "Status"), ("held_values", "clock")],
)  # fmt: skip
def test_a_column_that_is_missing_is_named(plants: Plants, name: str, column: str) -> None:
    plant = plants(name)
    rows = plant.twin.rows.drop(columns=column)
    with pytest.raises(MlflowException, match=column):
        plant.model.predict(rows)
    taken = MachineRows(plant.twin.agreed, plant.twin.machine)
    with pytest.raises(DataError, match=column):
        taken.judge(rows)


# A sensor that is gone


@pytest.mark.parametrize("form", ["pandas", "split", "records"])
@pytest.mark.parametrize(
    ("name", "column", "sensor"),
    [("tags_and_units", "TI-2.PV", READINGS.columns[2]), ("modes_and_quality", "x3", "x3"),
     ("held_values", "A no. 4", "A no. 4")],
)  # fmt: skip
def test_rows_without_a_column_score_as_if_every_reading_were_missing(
    plants: Plants, name: str, column: str, sensor: str, form: str
) -> None:
    plant = plants(name)
    rows = plant.twin.rows
    emptied = plant.model.predict(rows.assign(**{column: ""}))
    fewer = rows.drop(columns=column)
    if form != "pandas":
        schema = plant.model.metadata.get_input_schema()
        fewer = dataframe_from_parsed_json(json.loads(fewer.to_json(orient=form)), form, schema)
    answer = plant.model.predict(fewer)
    scored = answer["fault_probability"].notna()
    assert scored.sum() > 20
    for key in ("alarm", "imputed"):
        assert answer[key].tolist() == emptied[key].tolist()
    given, expected = (each["fault_probability"].astype(float) for each in (answer, emptied))
    np.testing.assert_allclose(given, expected, rtol=0, atol=1e-12)
    assert answer["imputed"][scored].str.contains(sensor, regex=False).all()


def test_a_column_of_quality_is_optional_with_its_sensor_alone(plants: Plants) -> None:
    plant = plants("modes_and_quality")
    fewer = plant.twin.rows.drop(columns=["x9", "x9_q"])
    assert (plant.model.predict(fewer)["imputed"].str.contains("x9")).sum() > 20
    with pytest.raises(MlflowException, match="x9_q"):
        plant.model.predict(fewer.assign(x9=plant.twin.rows["x9"]))


def test_more_columns_than_may_be_filled_in_set_every_row_aside(plants: Plants) -> None:
    plant = plants("tags_and_units")
    fewer = plant.twin.rows.drop(columns=[f"TI-{place}.PV" for place in range(6)])
    answer = plant.model.predict(fewer)
    assert answer["fault_probability"].isna().all()
    assert answer["remark"].str.contains("set aside: SENSOR-MISSING").all()


def test_a_column_that_it_cannot_do_without_ends_with_the_way_on(plants: Plants) -> None:
    plant = plants("tags_and_units")
    model = MachineModel(load_bundle(plant.bundle), plant.twin.machine)
    with pytest.raises(MlflowException, match=r"The rows lack 1 column\(s\)") as refused:
        model.predict(plant.twin.rows.drop(columns="TI-9.PV"))
    command = "faultxfer transfer NEW.csv --contract contract.yaml --model NEW --equipment NEW"
    assert f"`{command} --without {READINGS.columns[9]}`" in refused.value.message


def test_readings_in_the_contracts_units_may_lack_a_column_too(plants: Plants) -> None:
    bundle = load_bundle(plants("tags_and_units").bundle)
    raw = FaultModel(bundle)
    gone, needed = READINGS.columns[2], READINGS.columns[9]
    answer = raw.predict(READINGS.drop(columns=gone))
    assert (answer["imputed"] == gone).all()
    emptied = raw.predict(READINGS.assign(**{gone: np.nan}))
    assert answer["fault_probability"].tolist() == emptied["fault_probability"].tolist()
    for columns in ([needed], list(READINGS.columns[:6])):
        with pytest.raises(BundleError, match="lack columns"):
            raw.predict(READINGS.drop(columns=columns))


def test_a_version_of_before_needs_all_its_columns(plants: Plants, tmp_path: Path) -> None:
    """It fills nothing in, and its signature says so."""
    older = load_bundle(KEPT / "format_2" / "stack")
    example = READINGS.to_numpy(dtype=float)[:3]
    write_model(
        tmp_path / "model",
        KEPT / "format_2" / "stack",
        older.features,
        example,
        model_id="m-1",
        run_id="1",
    )
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    names = model.metadata.get_input_schema().required_input_names()
    assert names == list(older.features)
    with pytest.raises(MlflowException, match=older.features[1]):
        model.predict(READINGS.drop(columns=older.features[1]))


# What the registry says of the model


def test_the_signature_has_the_machines_columns_and_units(plants: Plants) -> None:
    metadata = plants("tags_and_units").model.metadata
    tags = [f"TI-{place}.PV" for place in range(10)]
    assert metadata.get_input_schema().input_names()[:10] == tags
    # The model predicts the others, and takes rows without their columns.
    assert metadata.get_input_schema().required_input_names() == tags[9:]
    (units,) = metadata.get_params_schema().params
    assert list(units.default.items())[:3] == [
        ("TI-0.PV", "rpm"), ("TI-1.PV", "m3/h"), ("TI-2.PV", "psi")
    ]  # fmt: skip
    quality = plants("modes_and_quality").model.metadata.get_input_schema()
    assert quality.required_input_names() == ["x0", "state"]
    sensors = [f"x{9 - place}" for place in range(9)]
    assert quality.optional_input_names() == [*sensors, "x9_q", "asset", "verdict"]
    long = plants("long_form").model.metadata.get_input_schema()
    assert long.required_input_names() == ["Zeit", "Name", "Wert", "Status"]
    apart = plants("held_values").model.metadata.get_input_schema()
    assert apart.required_input_names() == ["degC no. 9", "day", "clock"]
    assert apart.optional_input_names()[-1] == "batch"


@pytest.mark.parametrize("name", TWINS)
def test_the_example_in_the_registry_is_scored(plants: Plants, name: str) -> None:
    plant = plants(name)
    example = plant.model.input_example
    expected = load_bundle(plant.bundle).probabilities(READINGS.to_numpy(dtype=float)[:3])
    given = plant.model.predict(example)["fault_probability"]
    np.testing.assert_allclose(given.astype(float), expected, rtol=0, atol=1e-6)


def test_readings_in_the_contracts_units_are_scored_as_before(
    plants: Plants, tmp_path: Path
) -> None:
    plant = plants("tags_and_units")
    own = plant.model.get_raw_model().predict(READINGS)
    features = tuple(READINGS)
    write_model(
        tmp_path / "model",
        plant.bundle,
        features,
        READINGS.to_numpy()[:1],
        model_id="m",
        run_id="1",
    )
    before = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert tuple(before.metadata.get_input_schema().input_names()) == features
    assert before.metadata.get_params_schema() is None
    pd.testing.assert_frame_equal(before.predict(READINGS), own)
    assert list(own) == ["fault_probability", "alarm"]


def test_alarms_of_a_request_are_delayed_and_a_row_that_is_sent_alone_waits_for_no_other() -> None:
    delays = Delays(60.0, 0.0, 0.0, 600.0)
    bundle = dataclasses.replace(load_bundle(KEPT / "format_2" / "stack"), delays=delays)
    X = READINGS[list(bundle.features)].to_numpy(dtype=np.float64)
    fault = X[np.argmax(bundle.probabilities(X))]
    recording = np.array([0, 0, 0, 1])
    moments = Moments(recording, 1.7e9 + 60.0 * np.arange(4))
    found = scores_of(bundle, np.tile(fault, (4, 1)), moments)
    assert found["alarm"].tolist() == [False, True, True, True]
    assert scores_of(bundle, fault[None])["alarm"].tolist() == [True]


# The document

SERVING = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")


class SameForAll:
    """What a model asks of its bundle; every row gets one probability."""

    features = ("flow", "pressure")
    fills: frozenset[str] = frozenset()
    smoothing = delays = windows = None

    def __init__(self, contract: dict[str, Any]) -> None:
        self.lineage = {"contract": contract}

    def completed(self, X: np.ndarray) -> np.ndarray:
        return X

    def probabilities(self, X: np.ndarray, moments: object = None) -> np.ndarray:
        return np.full(len(X), 0.03)

    def alarms(self, probabilities: np.ndarray, moments: object = None) -> np.ndarray:
        return probabilities > 0.5


def test_the_request_in_the_document_gets_the_answer_in_the_document() -> None:
    (contract,) = re.findall(r"```yaml\n(.*?)```", SERVING, re.DOTALL)
    request, answer = map(json.loads, re.findall(r"```json\n(.*?)```", SERVING, re.DOTALL))
    model = MachineModel(SameForAll(yaml.safe_load(contract)), "pump-9")  # type: ignore[arg-type]
    rows = pd.DataFrame(**request["dataframe_split"])
    assert model.predict(rows, request["params"]).to_dict(orient="records") == answer["predictions"]
    readings = model.rows.judge(rows).checked.accepted["pressure"]
    np.testing.assert_allclose(readings, [87 / 14.503773773] * 2, rtol=1e-6)
