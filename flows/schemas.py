"""The form of a deployment: the JSON schema that Prefect stores with it, and renders.

A few fields are shown. The rest are in one group that Prefect's pages fold: a choice between a
group without fields, *As deployed*, and the group itself, *Change*.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.forms import LEFT_OUT, MORE, USUAL_FILES, added, may_be_left_out

Schema = dict[str, Any]
_REFERENCE = "#/definitions/{model}"
_REST = "Rest"
_AS_DEPLOYED = {"type": "object", "title": "As deployed", "properties": {}}
_CHANGE = "Change"
# Who approves is said by the deployment and the gate file, not by whoever starts a run.
_OF_THE_DEPLOYMENT = {"policy", "self_approval", "approval_days", USUAL_FILES}


def form(
    kind: type[BaseModel], short: Iterable[str], today: dict[str, Any], *, folds: bool = True
) -> Schema:
    """A form with a few fields, and the rest folded.

    Args:
        kind: the request.
        short: names of the fields that are shown, in order.
        today: the deployment's own values, by field, also of the models in it; folded fields show
            them.
        folds: whether the other fields are part of the form.
    """
    whole = kind.model_json_schema(ref_template=_REFERENCE)
    more = _without(_text(added(kind)[MORE].field), "type")
    models = _models(whole.pop("$defs", {}), today)
    fields = {name: _unfolded(one, models) for name, one in whole["properties"].items()}
    fields |= {name: _text(one.field) for name, one in added(kind).items() if name != MORE}
    for name in may_be_left_out(kind):
        fields[name] |= {"description": f"{fields[name]['description']} {LEFT_OUT[name]}"}
    shown = [name for name in short if name in fields]
    rest = [name for name in fields if name not in {*shown, *_OF_THE_DEPLOYMENT}]
    models[_REST] = _model({name: _shows(fields[name], today.get(name)) for name in rest})
    outer = {name: _shows(fields[name], today.get(name)) for name in shown}
    if folds:
        outer[MORE] = _folded(more, _REST, models)
    return _model(outer) | {"title": "Parameters", "definitions": models}


def choose_one(field: Schema, values: Iterable[str], *, only: bool = True) -> Schema:
    """A field with a list to choose from, where there is one.

    Args:
        field: as it was.
        values: the list; any text where it is empty.
        only: whether the only value of a list is chosen already.
    """
    listed = list(values)
    chosen = _without(field, "enum") | {"type": "string"}
    if listed:
        chosen["enum"] = listed
    if only and len(listed) == 1:
        chosen["default"] = listed[0]
    return chosen


def choose_many(field: Schema, values: Iterable[str]) -> Schema:
    """A field of which several can be chosen, where there is a list."""
    listed = list(values)
    items: Schema = {"type": "string", "enum": listed} if listed else {"type": "string"}
    return _without(field, "default") | {"type": "array", "items": items, "uniqueItems": True}


def _models(definitions: dict[str, Schema], today: dict[str, Any]) -> dict[str, Schema]:
    """Models inside the form, innermost first, as their fields refer to those before them."""
    models: dict[str, Schema] = {}
    for name, definition in sorted(definitions.items(), key=lambda one: "$ref" in str(one[1])):
        values = today.get(name, {})
        fields = {
            key: _shows(_unfolded(one, definitions | models), values.get(key))
            for key, one in definition.get("properties", {}).items()
            if key not in _OF_THE_DEPLOYMENT
        }
        models[name] = _model(fields) if fields else definition
    return models


def _model(fields: dict[str, Schema]) -> Schema:
    placed = {name: one | {"position": place} for place, (name, one) in enumerate(fields.items())}
    return {"type": "object", "title": _CHANGE, "properties": placed, "required": []}


def _unfolded(field: Schema, models: dict[str, Schema]) -> Schema:
    """A field as it is best shown: a model folded, an optional value as that value."""
    if "$ref" in field:
        return _folded(_without(field, "$ref", "default"), field["$ref"].rsplit("/")[-1], models)
    options = [one for one in field.get("anyOf", []) if one.get("type") != "null"]
    if len(options) == 1 and "$ref" not in options[0]:
        field = _without(field, "anyOf") | options[0]
    if field.get("default", "") is None:
        field = _without(field, "default")
    return _without(field, "format")


def _folded(field: Schema, model: str, models: dict[str, Schema]) -> Schema:
    """A model that is shown when somebody wants to change it.

    The first choice would let anything pass, so the fields stand beside the choices too: Prefect
    then says which field is wrong, and not that neither choice fits.
    """
    choices = [_AS_DEPLOYED, {"$ref": _REFERENCE.format(model=model)}]
    beside = {"properties": models[model].get("properties", {}), "additionalProperties": False}
    return field | {"anyOf": choices, **beside, "default": {}}


def _text(field: Any) -> Schema:
    return {"title": field.title, "description": field.description, "type": "string"}


def _shows(field: Schema, value: Any) -> Schema:
    """A field with today's value."""
    if value is None or "anyOf" in field:
        return field
    return field | {"default": str(value) if isinstance(value, Path) else value}


def _without(field: Schema, *names: str) -> Schema:
    return {name: value for name, value in field.items() if name not in names}
