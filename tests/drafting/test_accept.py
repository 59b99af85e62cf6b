"""Drafted limits inform until a person accepts them; accepting leaves the rest of the file alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from faultxfer.cli import main
from faultxfer.contract.check import check_table
from faultxfer.contract.schema import Contract, load_contract, parse_contract
from faultxfer.drafting.accept import accept_limits
from faultxfer.errors import ConfigError, ContractError
from faultxfer.reading.read_csv import read_csv

# One contract in the styles that people and programs write.
HEAD = "family: pumps  # ours\nlabel: {column: fault}\n"
STYLES = {
    "braces": HEAD
    + "sensors:\n"
    + "  flow: {min: 0, max: 9, drafted: true}  # seen 1 to 8\n"
    + '  "Druck, bar": {drafted: true, min: 0, max: 9}   # seen 2 to 3\n'
    + "  c[1]: {min: 0, drafted: true, max: 9}\n",
    "lines": HEAD
    + "sensors:\n"
    + "  flow:\n    min: 0  # the pipe is closed\n    drafted: true   # of May\n    max: 9\n"
    + "  Druck, bar:\n    drafted: true\n    min: 0\n    max: 9\n"
    + "  c[1]:\n    min: 0\n    max: 9\n    drafted: yes\n",
    "json": json.dumps(
        {
            "family": "pumps",
            "label": {"column": "fault"},
            "sensors": {
                name: {"min": 0, "max": 9, "drafted": True}
                for name in ("flow", "Druck, bar", "c[1]")
            },
        },
        indent=2,
    ),
    "windows": (HEAD + "sensors:\n  flow: {max: 9,\n    drafted: true}\n").replace("\n", "\r\n")
    + "  Druck, bar: {max: 9, drafted: true, }\r\n  c[1]: {drafted: true,   max: 9}\r\n",
}
SENSORS = ["flow", "Druck, bar", "c[1]"]


@pytest.fixture(params=STYLES)
def contract(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_bytes(STYLES[request.param].encode())
    return path


def drafted(path: Path) -> list[str]:
    return [name for name, sensor in load_contract(path).sensors.items() if sensor.drafted]


def test_all_are_accepted_and_nothing_else_changes(contract: Path) -> None:
    before, before_text = load_contract(contract), contract.read_bytes()
    comments = before_text.count(b"#")
    done = accept_limits(contract, [])
    assert (done["accepted"], done["left"]) == (SENSORS, [])
    after = load_contract(contract)
    assert drafted(contract) == []
    plain = before.model_dump(exclude={"sensors"})
    assert after.model_dump(exclude={"sensors"}) == plain
    for name in SENSORS:
        kept = before.sensors[name].model_copy(update={"drafted": False})
        assert after.sensors[name] == kept
    # Only a comment on the mark's own line goes with it.
    gone = int(b"# of May" in before_text)
    assert contract.read_bytes().count(b"#") == comments - gone
    assert not list(contract.parent.glob(".*"))


def test_one_by_one(contract: Path) -> None:
    accept_limits(contract, ["Druck, bar"])
    assert drafted(contract) == ["flow", "c[1]"]
    again = accept_limits(contract, ["Druck, bar", "c[1]"])
    assert (again["accepted"], again["before"], again["left"]) == (
        ["c[1]"],
        ["Druck, bar"],
        ["flow"],
    )


def test_line_ends_stay(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(STYLES["windows"].encode())
    accept_limits(path, [])
    text = path.read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n")


@pytest.mark.parametrize(
    ("typed", "question"),
    [("flwo", "Did you mean 'flow'?"), ("druck, Bar", "Did you mean 'Druck, bar'?"), ("xyz", "")],
)
def test_an_unknown_sensor_changes_nothing(typed: str, question: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(STYLES["braces"])
    with pytest.raises(ConfigError) as failed:
        accept_limits(path, ["flow", typed])
    assert question in str(failed.value)
    assert path.read_text() == STYLES["braces"]


def test_marks_that_two_sensors_share_are_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    shared = HEAD + "sensors:\n  a: &own {max: 9, drafted: true}\n  b: *own\n"
    path.write_text(shared)
    with pytest.raises(ContractError, match="by hand"):
        accept_limits(path, ["a"])
    assert path.read_text() == shared


# What the marks do

ROWS = "flow,fault\n1,0\n2,0\n55,1\n3,0\n3,0\n3,0\n"


def checked(tmp_path: Path, **sensor: object) -> list[tuple[str, str]]:
    csv = tmp_path / "rows.csv"
    csv.write_text(ROWS)
    outcome = check_table(read_csv(csv), of(**sensor), labelled=True)
    return [(finding.code, finding.severity) for finding in outcome.findings]


def of(**sensor: object) -> Contract:
    plain = {"family": "pumps", "label": {"column": "fault"}, "sensors": {"flow": sensor}}
    return parse_contract(plain, where="here")


LIMITS = {
    "SENSOR-OUT-OF-RANGE": {"min": 0, "max": 9},
    "SENSOR-RATE": {"max_rate": 20},
    "SENSOR-STUCK": {"stuck_after": 3},
}


@pytest.mark.parametrize("breach", ["warn", "quarantine", "refuse"])
@pytest.mark.parametrize("code", LIMITS)
def test_drafted_limits_inform_and_accepted_ones_do_what_they_say(
    code: str, breach: str, tmp_path: Path
) -> None:
    limits = {**LIMITS[code], "on_breach": breach}
    found = dict(checked(tmp_path, **limits, drafted=True))
    assert found[code] == "info"
    assert dict(checked(tmp_path, **limits))[code] != "info"


def test_a_contract_without_marks_has_the_digest_that_it_had() -> None:
    assert of(max=9).digest() == of(max=9, drafted=False).digest()
    assert of(max=9).digest() != of(max=9, drafted=True).digest()
    assert "drafted" not in of(max=9).model_dump()["sensors"]["flow"]


def test_a_severity_of_notes_cannot_be_chosen() -> None:
    with pytest.raises(ContractError, match="on_breach"):
        of(max=9, on_breach="info")


# The commands


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out + said.err


def test_infer_marks_validate_tells_and_accept_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tags = [f"T{number}" for number in range(7)]
    for name, shift in (("old.csv", 0), ("new.csv", 50)):
        cells = [
            [shift + (at * 7 + tag * 3) % 11 * (1 + tag) / 7 for tag in range(7)]
            for at in range(40)
        ]
        rows = [",".join(map(str, [*row, int(at % 13 > 7)])) for at, row in enumerate(cells)]
        Path(name).write_text("\n".join([",".join([*tags, "bad"]), *rows]) + "\n")
    assert run(capsys, "contract", "infer", "old.csv", "--out", "c.yaml", "--label", "bad")[0] == 0
    drafts = yaml.safe_load(Path("c.yaml").read_text())["sensors"]
    assert all(sensor["drafted"] is True for sensor in drafts.values())
    code, said = run(capsys, "validate", "new.csv", "--contract", "c.yaml")
    assert code == 0
    lines = said.splitlines()
    assert lines[0].startswith("accepted: 40 rows read")
    (told,) = [line for line in lines if "SENSOR-OUT-OF-RANGE" in line]
    assert "7 sensors outside drafted limits: T0, T1, T2, T3 and 3 more (" in told
    assert "  faultxfer contract accept c.yaml" in lines
    assert lines[-1].startswith("  faultxfer pretrain new.csv --contract c.yaml --model")
    code, said = run(capsys, "validate", "new.csv", "--contract", "c.yaml", "--details")
    assert said.count("SENSOR-OUT-OF-RANGE") == 7
    code, said = run(capsys, "validate", "new.csv", "--contract", "c.yaml", "--json")
    found = json.loads(said)["findings"]
    assert [one["severity"] for one in found].count("info") == 7
    code, said = run(capsys, "contract", "accept", "c.yaml", "T1", "T0")
    assert code == 0
    assert "Still drafted: T2, T3, T4, T5, T6" in said
    code, said = run(capsys, "validate", "new.csv", "--contract", "c.yaml")
    assert "  warning  2 sensors outside their limits: T0, T1" in said
    assert "     note  5 sensors outside drafted limits: T2, T3, T4, T5, T6" in said
    code, said = run(capsys, "contract", "accept", "c.yaml")
    assert "accepted: T2 (min" in said
    code, said = run(capsys, "contract", "accept", "c.yaml")
    assert said.startswith("unchanged")
