"""YAML as plain data in which mappings and texts of several lines know where they stand.

What has a tag of its own (`!reset`, `!reference`) becomes UNREAD, a value that is equal to nothing a caller asks for.
Merged keys are bounded: a few lines of `<<` can ask for more of them than memory holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from dockopt.optimizer.context.builds.model import NotUnderstood

_MAX_KEYS = 2000


class Lined(dict[Any, Any]):
    """A mapping; `line` is that of its first key, `lines` has the line of each value (all 1-based)."""

    line: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}

    def line_of(self, key: object) -> int:
        """Return the line of a value, that of the mapping for one that was merged into it."""
        return self.lines.get(key, self.line)


class LinedText(str):
    """A text; `line` is the one in which its first line stands."""

    __slots__ = ("line",)
    line: int


UNREAD = object()


def documents(data: bytes) -> list[object]:
    """Return the documents of a file. Raises NotUnderstood."""
    import yaml

    try:
        return list(yaml.load_all(data, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        raise NotUnderstood(f"it is no YAML ({error.problem or error.context})", line) from error
    # what broken or odd scalars (`!!int ""`, `2001-99-99`) make PyYAML raise
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise NotUnderstood("it is no YAML that can be read") from error


@cache
def _loader() -> type[Any]:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # the base is chosen at run time
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            super().flatten_mapping(node)
            if len(node.value) > _MAX_KEYS:
                raise yaml.constructor.ConstructorError(None, None, "too many keys", node.start_mark)

    def mapping(loader: Any, node: yaml.MappingNode) -> Iterator[Lined]:
        found = Lined()
        found.line = node.start_mark.line + 1
        yield found
        own = [(key, value.start_mark.line + 1) for key, value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        found.update(loader.construct_mapping(node))
        for key, line in own:
            if isinstance(key, yaml.ScalarNode):
                found.lines[key.value] = line

    def text(loader: Any, node: yaml.ScalarNode) -> LinedText:
        found = LinedText(loader.construct_scalar(node))
        # a block begins in the line below its `|`
        found.line = node.start_mark.line + (2 if node.style in ("|", ">") else 1)
        return found

    def unread(_loader: Any, _suffix: str, _node: yaml.Node) -> object:
        return UNREAD

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:str", text)
    Loader.add_multi_constructor("!", unread)
    return Loader
