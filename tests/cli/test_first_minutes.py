"""What somebody meets in the first minutes: version, completion, slips of the pen, the registry."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from faultxfer.cli import main
from faultxfer.contract.check import begin_check
from faultxfer.contract.schema import parse_contract
from faultxfer.findings import Finding
from faultxfer.reading.read_csv import read_csv
from faultxfer.spelling import asking, did_you_mean


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--version")
    assert code == 0
    assert out.startswith("faultxfer ")
    assert out.split()[1][0].isdigit()


# Completion, as the shell asks for it


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("faultxfer tra", ["transfer"]),
        ("faultxfer contract a", ["accept"]),
        ("faultxfer registry pro", ["promote"]),
        ("faultxfer validate --det", ["--details"]),
        ("faultxfer transfer --strategy linear", ["linear_probe_fine_tune"]),
    ],
)
def test_the_shell_completes(
    line: str,
    completed: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_FAULTXFER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    code, out, _ = run(capsys)
    assert code == 0
    assert out.split() == completed


# Slips of the pen


@pytest.mark.parametrize(
    ("name", "known", "question"),
    [
        ("Presure", ["pressure", "flow"], "Did you mean 'pressure'?"),
        ("STACK", ["stack"], "Did you mean 'stack'?"),
        ("durchflus", ["Durchfluss", "Druck"], "Did you mean 'Durchfluss'?"),
        # Numbers tell machines and tags apart; zeros in front do not.
        ("pump-9", ["pump-1", "pump-8"], ""),
        ("PT101", ["PT102"], ""),
        ("pump 09", ["pump-9"], "Did you mean 'pump-9'?"),
        ("wholly else", ["pump-9"], ""),
        ("x", [], ""),
    ],
)
def test_what_was_meant(name: str, known: list[str], question: str) -> None:
    assert did_you_mean(name, known) == question
    assert asking(name, known, "Look") == f"{question} Look".strip()


CSV = "time,flow,presure,machine,state\n" + "".join(
    f"2026-01-01 00:{minute:02},{1 + minute % 7},{2 + minute % 5},Pumpe-{1 + minute % 3},"
    f"{'NOK' if minute % 11 > 7 else 'OK'}\n"
    for minute in range(60)
)
CONTRACT = (
    "family: pumps\nlabel: {column: state, normal: [OK], fault: [NOK]}\n"
    "equipment_column: machine\ntime_column: time\nsensors:\n  flow: {}\n  presure: {}\n"
)


@pytest.fixture
def files() -> None:
    Path("rows.csv").write_text(CSV)
    Path("c.yaml").write_text(CONTRACT)


TRANSFER = ("transfer", "rows.csv", "--contract", "c.yaml", "--model", "pumps", "--equipment", "x")


@pytest.mark.parametrize(
    ("words", "question"),
    [
        (("transfre",), "Did you mean 'transfer'?"),
        (("registry", "lst"), "Did you mean 'list'?"),
        (("validate", "rows.csv", "--contrat", "c.yaml"), "--contract"),
        ((*TRANSFER, "--strategy", "stak"), "Did you mean 'stack'?"),
        ((*TRANSFER, "--strategy", "finetune"), "Did you mean 'fine_tune'?"),
        ((*TRANSFER, "--input-map", "sorce"), "Did you mean 'source'?"),
        ((*TRANSFER, "--gate", "gate.yaml"), "Did you mean 'pr_auc'?"),
        ((*TRANSFER, "--config", "options.yaml"), "Did you mean 'false_alarm_rate'?"),
        (("contract", "infer", "rows.csv", "--out", "d.yaml", "--label", "State"), "'state'?"),
        (("validate", "rows.csv", "--contract", "slips.yaml"), "Did you mean 'TIME-GAP'?"),
        (("validate", "rows.csv", "--contract", "slips.yaml"), "Did you mean 'max'?"),
        (("validate", "rows.csv", "--contract", "slips.yaml"), "Did you mean 'number'?"),
        (("validate", "rows.csv", "--contract", "slips.yaml"), "Did you mean 'ignore'?"),
    ],
)
def test_a_slip_is_answered_before_anything_is_loaded(
    words: tuple[str, ...],
    question: str,
    files: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for heavy in ("tensorflow", "mlflow", "faultxfer.strategies"):
        monkeypatch.setitem(sys.modules, heavy, None)  # importing it would fail
    Path("gate.yaml").write_text("value: {pr_acu: {min: 0.5}}\n")
    Path("options.yaml").write_text("false_alarm_rat: 0.1\n")
    Path("slips.yaml").write_text(
        "family: pumps\nlabel: {column: state}\nignor: [x]\nrules: {TIME-GAPS: warn}\n"
        "sensors: {flow: {dtype: nmber}, presure: {mx: 3}}\n"
    )
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert question in err


def test_a_wrong_source_model_is_told_before_anything_is_loaded(
    files: None,
    migrated_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(migrated_folder, "mlruns")
    with sqlite3.connect("mlruns/mlflow.db") as database:
        for name in ("turbines", "pumps", "pumps--state--pump 9"):
            database.execute("INSERT INTO registered_models (name) VALUES (?)", (name,))
            database.execute(
                "INSERT INTO registered_model_aliases (alias, version, name) VALUES (?, 1, ?)",
                ("champion", name),
            )
    database.close()
    for heavy in ("tensorflow", "mlflow", "faultxfer.strategies"):
        monkeypatch.setitem(sys.modules, heavy, None)
    machine = ("--contract", "c.yaml", "--equipment", "Pumpe-1")
    for words in (
        ("transfer", "rows.csv", *machine, "--dry-run"),
        ("transfer", "rows.csv", *machine),
        ("learning-curve", "rows.csv", *machine),
        ("score", "rows.csv", "--out", "scores.csv"),
    ):
        code, _, err = run(capsys, *words, "--model", "pmups")
        assert code == 2
        assert "There is no source model of this name in the registry" in err
        assert "known=['pumps', 'turbines']" in err
        assert "Did you mean 'pumps'?" in err


# The registry


READING = [
    ("registry", "list"),
    ("registry", "show", "pumps"),
    ("registry", "history", "pumps", "--equipment", "pump-9"),
    ("registry", "journal", "pumps"),
    ("registry", "verify"),
    ("registry", "doctor"),
    ("registry", "doctor", "--dry-run"),
    ("registry", "prune"),
    ("registry", "relocate", "--dry-run"),
    ("registry", "backup", "copy"),
    ("registry", "rollback", "pumps", "--reason", "x"),
    (*TRANSFER, "--dry-run"),
    TRANSFER,
    ("learning-curve", *TRANSFER[1:]),
    ("score", "rows.csv", "--model", "pumps", "--out", "scores.csv"),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_only_reads_makes_no_registry(
    words: tuple[str, ...], files: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, _, err = run(capsys, *words)
    assert code in (2, 3)
    assert f"sqlite:///{tmp_path}/mlruns/mlflow.db" in err
    assert "faultxfer pretrain" in err  # the next command
    assert sorted(tmp_path.rglob("*")) == before


def test_commands_say_which_registry_they_used(
    migrated_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(migrated_folder, "mlruns")
    code, _, err = run(capsys, "registry", "list")
    assert code == 0
    assert err.splitlines()[-1] == f"Registry: sqlite:///{tmp_path}/mlruns/mlflow.db"
    code, out, _ = run(capsys, "registry", "list", "--json")
    assert json.loads(out)["models"] == []


# Machines


def refusal(contract: str, equipment: str | None) -> Finding:
    plain = json.loads(contract)
    outcome = begin_check(
        read_csv(Path("rows.csv")), parse_contract(plain, "c"), labelled=True, equipment=equipment
    ).ended()
    return next(found for found in outcome.findings if found.severity == "refuse")


def with_machines(**machines: object) -> str:
    return json.dumps(
        {
            "family": "pumps",
            "label": {"column": "state", "normal": ["OK"], "fault": ["NOK"]},
            "equipment_column": "machine",
            "time_column": "time",
            "sensors": {"flow": {}, "presure": {}},
            "equipment": machines,
        }
    )


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ("pumpe1", "Did you mean 'Pumpe-1'? Check --equipment"),
        ("Pumpe-7", "Check --equipment"),
        ("Kompressor", "Check --equipment"),
    ],
)
def test_a_machine_that_is_not_in_the_file(files: None, asked: str, remedy: str) -> None:
    found = refusal(with_machines(), asked)
    assert found.code == "EQUIPMENT-ABSENT"
    assert found.message == (
        f"Machine {asked!r} is not in the file, which has 'Pumpe-1', 'Pumpe-2', 'Pumpe-3'"
    )
    assert found.remedy.startswith(remedy)


def test_a_machine_that_is_not_in_the_contract(files: None) -> None:
    found = refusal(with_machines(**{"pumpe 01": {}}), "Pumpe-1")
    assert found.code == "EQUIPMENT-UNKNOWN"
    assert found.message == "Machine 'Pumpe-1' is not in the contract, which has 'pumpe 01'"
    assert found.remedy.startswith("Did you mean 'pumpe 01'?")


def test_a_misspelt_column_is_recognised(files: None) -> None:
    plain = with_machines().replace('"presure"', '"Pressure"')
    found = refusal(plain, None)
    assert found.code == "COLUMN-MISSING"
    assert found.remedy.startswith("Is it 'presure' for 'Pressure'?")


# Labels


def infer(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    return run(
        capsys, "contract", "infer", "rows.csv", "--out", "d.yaml", "--label", "state", *more
    )


def test_spellings_are_told_with_their_counts(
    files: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = infer(capsys)
    assert code == 0
    assert "normal: OK (45 rows); fault: NOK (15 rows)" in out
    assert out.splitlines()[-1] == "  faultxfer validate rows.csv --contract d.yaml"


@pytest.mark.parametrize(
    ("more", "normal", "fault"),
    [
        (("--normal", "run", "--normal", "idle", "--fault", "leak"), ["run", "idle"], ["leak"]),
        (("--normal", "run,idle", "--fault", "leak"), ["run", "idle"], ["leak"]),
        (("--normal", "run", "--fault", "leak", "--fault", "idle"), ["run"], ["leak", "idle"]),
    ],
)
def test_words_for_normal_and_fault_may_be_given_one_by_one(
    more: tuple[str, ...],
    normal: list[str],
    fault: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["run", "idle", "leak"]
    rows = [f"{3 * row % 7},{row % 5},{words[row % 3]}" for row in range(30)]
    Path("rows.csv").write_text("\n".join(["flow,level,state", *rows]) + "\n")
    code, out, _ = infer(capsys, *more, "--json")
    assert code == 0
    told = json.loads(out)["label"]
    assert [one["spelling"] for one in told if one["class"] == "normal"] == normal
    assert [one["spelling"] for one in told if one["class"] == "fault"] == fault
    assert {one["rows"] for one in told} == {10}


def test_unknown_words_are_told_with_counts_and_the_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [f"{3 * row % 7},{row % 5},{'gut' if row % 4 else 'Leck'}" for row in range(40)]
    Path("rows.csv").write_text("\n".join(["flow,level,state", *rows]).replace("gut", "Lauf"))
    code, _, err = infer(capsys)
    assert code != 0
    assert "Lauf (30 rows)" in err
    assert "Leck (10 rows)" in err
    assert "--normal A --fault B,C" in err
