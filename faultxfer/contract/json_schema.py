"""The contract's JSON Schema, by which an editor completes and checks a contract while it is written."""

from __future__ import annotations

import json
from typing import Any

from faultxfer.contract.schema import Contract

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a contract file.

    It says less than :func:`faultxfer.contract.schema.parse_contract`: no schema can tell that ``min`` lies below
    ``max``, or that a column has one role.
    """
    return {
        "$schema": _DIALECT,
        **Contract.model_json_schema(),
        "title": "Data contract of faultxfer",
    }


def schema_text() -> str:
    """The schema as it stands in a file."""
    return json.dumps(json_schema(), indent=2) + "\n"
