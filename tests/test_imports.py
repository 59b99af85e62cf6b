"""Nobody who only asks for help waits for TensorFlow, and importing changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "tensorflow",
    "keras",
    "mlflow",
    "prefect",
    "great_expectations",
    "sklearn",
    "lightgbm",
    "matplotlib",
)

LOOK = """
import json, logging, os, sys, warnings
before = (dict(os.environ), sorted(os.listdir(".")), logging.root.level, len(logging.root.handlers))
{work}
after = (dict(os.environ), sorted(os.listdir(".")), logging.root.level, len(logging.root.handlers))
loaded = [name for name in {heavy!r} if name in sys.modules]
print("\\n" + json.dumps({{"loaded": loaded, "changed": before != after}}))
"""

CASES = {
    "import faultxfer": "import faultxfer",
    "help, a version and usage errors": "import time\nfrom faultxfer.cli import main\n"
    "for typed in ['--help'], ['--version'], ['score'], ['validate', '--no-such-option']:\n"
    "    try:\n        main(typed)\n    except SystemExit:\n        pass\n"
    "assert 'pandas' not in sys.modules\n"
    # Of the processor, all four together: others may keep the machine busy meanwhile.
    "assert time.process_time() < 1",
    "a watcher that waits": "import faultxfer.cli.watching, faultxfer.landing.apart, "
    "faultxfer.landing.watching\nassert 'pandas' not in sys.modules",
    "whether a machine has a version": "import faultxfer.steps.scorers",
    "what a rollback needs beside MLflow": "import faultxfer.registry.maintenance",
    "a row to be scored that breaks a rule": "import pandas\nfrom faultxfer.contract.schema import "
    "Contract\nfrom faultxfer.contract.served import MachineRows\nagreed = Contract.model_validate("
    "{'family': 'f', 'label': {'column': 'y'}, 'sensors': {'a': {'max': 9}}})\n"
    "judged = MachineRows(agreed, 'm').judge(pandas.DataFrame({'a': [1.0, 10.0]}))\n"
    "assert judged.remark[1] == 'set aside: SENSOR-OUT-OF-RANGE (a)'",
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_heavy_is_loaded_and_nothing_changes(name: str, tmp_path: Path) -> None:
    program = LOOK.format(work=CASES[name], heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"loaded": [], "changed": False}


def test_bad_requests_are_refused_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    work = (
        "from faultxfer.cli import main\ntry:\n"
        "    main(['transfer', 'nowhere.csv', '--contract', 'c.yaml', '--model', 'm', "
        "'--equipment', 'e'])\n"
        "except SystemExit as left:\n    assert left.code == 2"
    )
    program = LOOK.format(
        work=work, heavy=("tensorflow", "mlflow", "prefect", "great_expectations")
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["loaded"] == []


def test_rows_are_scored_without_what_trains_draws_and_serves(tmp_path: Path) -> None:
    work = (
        "from pathlib import Path\nfrom test_missing_rows import readings, scored\n"
        "from test_speaking import explaining_bundle, save_bundle\n"
        "save_bundle(explaining_bundle('format_2', 'stack'), Path('bundle'))\n"
        "result, scores = scored(Path('bundle'), Path('.'), readings())\n"
        "assert len(scores) and any(one.top_sensors for one in result.alarms)"
    )
    program = LOOK.format(
        work=work, heavy=("tensorflow", "keras", "prefect", "great_expectations", "matplotlib")
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["loaded"] == []


def test_tensorflow_is_set_up_alike_for_whoever_loads_the_network(tmp_path: Path) -> None:
    work = (
        "import faultxfer.network\n"
        "assert os.environ['TF_ENABLE_ONEDNN_OPTS'] == '0' and "
        "os.environ['TF_CPP_MIN_LOG_LEVEL'] == '2'\n"
        "assert not [name for name in sys.modules if name.startswith(('keras', 'tensorflow'))]"
    )
    program = LOOK.format(work=work, heavy=())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_checking_dirty_rows_loads_no_heavy_library(tmp_path: Path) -> None:
    rows = "".join(f"{row},{row % 2}\n" for row in range(40))
    (tmp_path / "a.csv").write_text(f"flow,fault\n{rows}900,0\n,0\nbroken,1\n")
    (tmp_path / "c.yaml").write_text(
        "{version: 1, family: f, label: {column: fault}, "
        "sensors: {flow: {max: 99, max_missing: 0.2}}}"
    )
    work = (
        "import faultxfer\nchecked = faultxfer.validate(['a.csv'], 'c.yaml')\n"
        "assert (checked.accepted, checked.quarantined) == (40, 3)"
    )
    program = LOOK.format(work=work, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["loaded"] == []


def test_every_public_name_can_be_imported() -> None:
    import faultxfer

    for name in faultxfer.__all__:
        assert getattr(faultxfer, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        faultxfer.nothing  # noqa: B018
