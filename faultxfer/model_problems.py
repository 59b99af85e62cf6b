"""What is wrong with plain data, by a pydantic model: one sentence a field, and what was meant."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from faultxfer.spelling import did_you_mean


def questions(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Each problem's question what was meant, in the order of ``error.errors()``; often empty."""
    return [_question(dict(item), model) for item in error.errors()]


def _question(item: dict[str, Any], model: type[BaseModel]) -> str:
    if item["type"] == "extra_forbidden":
        owner = _owner(model, item["loc"][:-1])
        return did_you_mean(str(item["loc"][-1]), owner.model_fields)
    if item["type"] == "literal_error":
        return did_you_mean(str(item["input"]), re.findall(r"'([^']*)'", item["ctx"]["expected"]))
    return ""


def _owner(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that a place lies in; keys of dictionaries and places of lists lead no deeper."""
    for part in place:
        field = model.model_fields.get(str(part))
        model = (field and _model_in(field.annotation)) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = map(_model_in, get_args(annotation))
    return next((model for model in found if model is not None), None)
