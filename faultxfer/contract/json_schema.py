"""The contract's JSON Schema, by which an editor completes and checks a contract while it is written."""

from __future__ import annotations

import json

from faultxfer.contract.schema import Contract

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """JSON Schema (draft 2020-12) of a contract file, indented.

    It says less than :func:`faultxfer.contract.schema.parse_contract`: that ``min`` lies below ``max``, or that a column
    has one role, no schema can tell.
    """
    schema = {"$schema": _DIALECT, **Contract.model_json_schema(), "title": "Data contract of faultxfer"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
