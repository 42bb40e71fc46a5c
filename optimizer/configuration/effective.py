"""What holds for one Dockerfile: the settings of all files and tables that speak of it, the nearest last, each with its place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dockopt.optimizer.configuration.declared import Declared
from dockopt.optimizer.configuration.settings import ENGINE_FLOOR, ENGINE_FLOORS

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Invocation, Surroundings
    from dockopt.optimizer.effects import Effects


@dataclass(frozen=True, slots=True)
class Document:
    """One file that has settings."""

    path: Path
    text: str
    #: keys above the settings: none, or `tool` and `dockopt`
    above: tuple[str, ...]
    settings: Mapping[str, Any]

    def line(self, keys: Iterable[str]) -> int:
        """Return the 1-based line of a key, 0 where it cannot be told."""
        from dockopt.optimizer.configuration.places import line_of

        return line_of(self.text, (*self.above, *keys))


class Layer(NamedTuple):
    """Settings of one table of one file; the keys lead to the table."""

    document: Document
    keys: tuple[str, ...]
    values: Mapping[str, Any]


class Value(NamedTuple):
    """What a setting is, and where that is said; a configuration that says nothing of it has none."""

    value: Any
    document: Document
    keys: tuple[str, ...]

    @property
    def shown_place(self) -> str:
        """`file:line`, the file relative to the working directory where that is shorter."""
        line = self.document.line(self.keys)
        return f"{shown(self.document.path)}{f':{line}' if line else ''}"


class Choice(NamedTuple):
    """Whether a rewrite runs, and what says so; None where nothing does."""

    runs: bool
    by: Value | None


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings that count for one Dockerfile."""

    #: the nearest file that has settings
    path: Path | None = None
    declared: tuple[Declared, ...] = ()
    #: from the farthest to the nearest
    layers: tuple[Layer, ...] = ()
    #: every file that was read: where one of these changes, the settings may
    files: tuple[Path, ...] = ()

    def value(self, name: str) -> Value | None:
        """Return what the nearest table says that speaks of a setting."""
        return next(self._values(name), None)

    def _values(self, name: str) -> Iterator[Value]:
        """What each table says of a setting, the nearest first."""
        for layer in reversed(self.layers):
            if name in layer.values:
                yield Value(layer.values[name], layer.document, (*layer.keys, name))

    def text(self, name: str) -> str | None:
        """Return a setting that is a text, None where nothing is said."""
        found = self.value(name)
        return None if found is None else str(found.value)

    def rules(self, known: Iterable[str]) -> frozenset[str]:
        """Return which of the known rewrites run."""
        return frozenset(rule for rule, verdict in self.choices(known).items() if verdict.runs)

    def choices(self, known: Iterable[str]) -> dict[str, Choice]:
        """Return for each known rewrite whether it runs, and what says so.

        A table with `select` starts anew; `ignore` takes away from what the tables before left.
        """
        found = {rule: Choice(True, None) for rule in known}
        for layer in self.layers:
            if "select" in layer.values:
                by = Value(layer.values["select"], layer.document, (*layer.keys, "select"))
                found = {rule: Choice(rule in by.value, by) for rule in found}
            if "ignore" in layer.values:
                by = Value(layer.values["ignore"], layer.document, (*layer.keys, "ignore"))
                found |= {rule: Choice(False, by) for rule, choice in found.items() if rule in by.value and choice.runs}
        return found

    @property
    def applied(self) -> frozenset[str]:
        """Rewrites that are as good as named by every call: repairs and changes of the image are applied, too."""
        found = self.value("apply")
        return frozenset() if found is None else frozenset(found.value)

    @property
    def targets(self) -> tuple[str, ...]:
        """Stages that somebody builds by name."""
        found = self.value("targets")
        return () if found is None else tuple(found.value)

    @property
    def frontend_floor(self) -> tuple[int, int]:
        """The version of the frontend (major, minor) that every engine surely has."""
        return ENGINE_FLOORS[self.text("engine-floor") or ENGINE_FLOOR]

    def effects(self, invocation: Invocation, around: Surroundings) -> Effects | None:
        """Return the declared effects of a command, the longest declaration first; None where there is none."""
        for declared in sorted(self.declared, key=lambda d: -len(d.words)):
            if invocation.argv[: len(declared.words)] == declared.words:
                return declared.effects(around)
        return None


def shown(path: Path) -> str:
    """Return a path as a user would write it: relative to the working directory where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


NOTHING = Configuration()
