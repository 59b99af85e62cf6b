"""Where nobody names the label column, the columns that may be it are shown, the likeliest first."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from faultxfer.drafting.contracts import draft_contract
from faultxfer.errors import ContractError


def export(path: Path, label: str, normal: str, fault: str, separator: str) -> str:
    """Twelve rows: a clock, a state word, two measurements, and a label in the middle."""
    rows = pd.DataFrame({
        "when": pd.date_range("2026-03-01", periods=12, freq="h").astype(str),
        "duty": ["low", "high", "high"] * 4,
        label: [normal] * 9 + [fault] * 3,
        "p 1": [f"{4.1 + number / 7:.3f}" for number in range(12)],
        "flow": [f"{33.2 - number / 9:.3f}" for number in range(12)],
    })  # fmt: skip
    rows.to_csv(path, sep=separator, index=False)
    return str(path)


@pytest.mark.parametrize(
    ("label", "normal", "fault", "separator"),
    [
        ("fault", "0", "1", ","),
        ("Zustand", "i.O.", "n.i.O.", ";"),
        ("failure mode", "none", "bearing", "\t"),
    ],
)
def test_the_likeliest_column_is_named_in_the_remedy(
    label: str, normal: str, fault: str, separator: str, tmp_path: Path
) -> None:
    files = [export(tmp_path / "week.csv", label, normal, fault, separator)]
    with pytest.raises(ContractError, match="No column was named as the label") as asked:
        draft_contract(files, tmp_path / "contract.yaml", label=None)
    assert list(asked.value.received) == [label, "duty"]
    assert f"{normal} (9 rows)" in str(asked.value.received[label])
    named = f"'{label}'" if " " in label else label
    assert asked.value.remedy == f"Name it, for example --label {named}"
    assert not (tmp_path / "contract.yaml").exists()


def test_without_any_such_column_it_says_what_to_add(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"a": [n / 3 for n in range(40)], "b": [n / 7 for n in range(40)]})
    numbers.to_csv(tmp_path / "week.csv", index=False)
    with pytest.raises(ContractError, match="none has few enough") as asked:
        draft_contract([str(tmp_path / "week.csv")], tmp_path / "contract.yaml", label=None)
    assert "0 for normal and 1 for fault" in str(asked.value.remedy)
