"""The corpus of bad and valid files.

``python tests/corpus/write.py --out FOLDER`` writes it for people to look at.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import bad_clocks
import bad_columns
import bad_content
import bad_copies
import bad_jumps
import bad_keys
import bad_labels
import bad_losses
import bad_machines
import bad_measured
import bad_pins
import bad_ranges
import bad_sensors
import bad_shape
import bad_shapes
import bad_times
import valid_columns
import valid_dialects
import valid_machines
import valid_measured
import valid_modes
import valid_rows
import valid_shapes
import valid_times
import yaml
from cases import Bad, Valid

_BAD_PARTS = (
    bad_content, bad_shape, bad_pins, bad_columns, bad_keys, bad_sensors, bad_ranges, bad_times, bad_clocks, bad_jumps,
    bad_copies, bad_labels, bad_machines, bad_measured, bad_losses, bad_shapes,
)  # fmt: skip
_VALID_PARTS = (
    valid_dialects,
    valid_times,
    valid_columns,
    valid_rows,
    valid_machines,
    valid_measured,
    valid_modes,
    valid_shapes,
)

BAD: tuple[Bad, ...] = tuple(case for part in _BAD_PARTS for case in part.cases())
VALID: tuple[Valid, ...] = tuple(case for part in _VALID_PARTS for case in part.cases())


def write_corpus(folder: Path) -> None:
    """Write ``bad`` and ``valid``.

    The files, a contract for each case, and a list of what must come out.
    """
    _write(folder / "bad", BAD, [_expected(case) for case in BAD])
    _write(folder / "valid", VALID, [{"name": case.name, "story": case.story} for case in VALID])


def _expected(case: Bad) -> dict[str, object]:
    return {
        "name": case.name,
        "story": case.story,
        "files": [name for name, _ in case.files],
        "code": case.code,
        "severity": case.severity,
        "line": case.line,
        "column": case.column,
        "set_aside": case.set_aside,
        "labelled": case.labelled,
        "equipment": case.equipment,
    }


def _write(
    folder: Path, cases: tuple[Bad, ...] | tuple[Valid, ...], expected: list[dict[str, object]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        for name, content in case.files:
            (folder / name).write_bytes(content)
        contract = yaml.safe_dump(case.contract, allow_unicode=True, sort_keys=False)
        (folder / f"{case.name}.contract.yaml").write_text(contract, encoding="utf-8")
    listed = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / "expected.json").write_text(listed, encoding="utf-8")


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder, made if it is not there")
    write_corpus(parser.parse_args().out)


if __name__ == "__main__":
    main()
