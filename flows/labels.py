"""What a flow run is called, and the tags that find it: its machine and its source model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

Values = Mapping[str, Any]


def name_of(kind: str, values: Values) -> str:
    """The name of a run.

    Args:
        kind: name of the flow.
        values: fields of its request.

    >>> name_of("transfer", {"model": "pumps", "equipment": "pump-9", "files": ["monday.csv"]})
    'transfer pumps → pump-9'
    >>> name_of("score", {"model": "pumps", "equipment": "pump-9", "files": ["in/monday.csv"]})
    'score pump-9 ← monday.csv'
    >>> name_of("pretrain", {"model": "pumps", "files": ["1.csv", "2.csv"]})
    'pretrain pumps ← 2 files'
    """
    name = _NAMES[kind](values)
    return f"{name} (dry run)" if values.get("dry_run") else name


def tags_of(values: Values) -> list[str]:
    """Machine and source model, where a request names them.

    >>> tags_of({"model": "pumps", "equipment": "pump-9"})
    ['pump-9', 'pumps']
    """
    named = [values.get("equipment"), values.get("model")]
    return [str(name) for name in named if name]


def tag_this_run(values: Values) -> None:
    """Add the tags to those that the present flow run has, of its deployment for one."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    run = context.flow_run
    more = [tag for tag in tags_of(values) if tag not in run.tags]
    if more:
        run.tags = [*run.tags, *more]
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, tags=run.tags)


def _files(values: Values) -> str:
    files: str | Sequence[str | Path] = values.get("files") or ()
    listed = [files] if isinstance(files, str | Path) else list(files)
    return Path(listed[0]).name if len(listed) == 1 else f"{len(listed)} files"


def _transfer(values: Values) -> str:
    return f"transfer {values.get('model')} → {values.get('equipment')}"


def _score(values: Values) -> str:
    return f"score {values.get('equipment') or values.get('model')} ← {_files(values)}"


def _pretrain(values: Values) -> str:
    return f"pretrain {values.get('model')} ← {_files(values)}"


def _validate(values: Values) -> str:
    return f"validate {_files(values)}"


def _watch(values: Values) -> str:
    return f"watch {values.get('landing')}"


def _curve(values: Values) -> str:
    return f"learning curve {values.get('model')} → {values.get('equipment')}"


def _fleet(values: Values) -> str:
    manifest = values.get("manifest") or ()
    listed = [manifest] if isinstance(manifest, str | Path) else list(manifest)
    names = Path(listed[0]).name if len(listed) == 1 else f"{len(listed)} files"
    return f"fleet {values.get('task')} ← {names}"


_NAMES: dict[str, Callable[[Values], str]] = {
    "transfer": _transfer,
    "score": _score,
    "pretrain": _pretrain,
    "validate": _validate,
    "learning-curve": _curve,
    "watch-folder": _watch,
    "fleet": _fleet,
}
