"""YAML as plain data."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice; YAML's own loader silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key if isinstance(key, Hashable) else None)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Plain data; nothing in it is run.

    Raises:
        yaml.YAMLError: it is not YAML, names a Python object, or has a key twice.
    """
    return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  # a safe loader
