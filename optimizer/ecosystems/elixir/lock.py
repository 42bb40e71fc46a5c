"""Reads mix.lock, and tells whether it has what a project asks for.

Source: `Mix.Dep.Lock`, and `Hex.SCM`, `Hex.Utils.lock` of Hex 2: `{:hex, name, version, inner checksum, managers, dependencies,
repository, outer checksum}`; `Mix.SCM.Git`: `{:git, url, commit, options}`. Requirements: hexdocs.pm/elixir, *Version*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.elixir.source import Dependency, Term, read_term
from dockopt.optimizer.ecosystems.elixir.tokens import NotElixir, Token

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_CONDITION = re.compile(r"(~>|>=|<=|==|!=|>|<|)\s*(\d+\.\d+(?:\.\d+)?)")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Locked:
    """One entry of mix.lock."""

    version: str  #: of a package; "" for a repository
    #: names of the packages that it cannot do without
    needs: tuple[str, ...]
    #: a hash says what is fetched
    hashed: bool


def read_lock(text: str) -> Mapping[str, Locked]:
    """Return the entries of a mix.lock. Raises `NotElixir`."""
    if not text.strip():
        return {}
    term = read_term(text)
    if not isinstance(term, Mapping):
        raise NotElixir("it holds no map", 1)
    return {name: _entry(name, value) for name, value in term.items()}


def _entry(name: str, value: Term) -> Locked:
    if isinstance(value, tuple) and len(value) > 3 and isinstance(value[0], Token):
        if value[0].text == "hex" and len(value) > 5:
            sums = [item for item in (value[3], *value[7:8]) if isinstance(item, str)]
            hashed = bool(sums) and all(_CHECKSUM.fullmatch(item) for item in sums)
            version = value[2] if isinstance(value[2], str) else ""
            return Locked(version, tuple(_needed(value[5])), hashed and bool(version))
        if value[0].text == "git" and isinstance(value[2], str):
            return Locked("", (), _COMMIT.fullmatch(value[2]) is not None)
    line = next((item.line for item in value if isinstance(item, Token)), 0) if isinstance(value, tuple) else 0
    raise NotElixir(f"the entry of `{name}` is not understood", line)


def _needed(dependencies: Term) -> Iterable[str]:
    for item in dependencies if isinstance(dependencies, list) else ():
        if isinstance(item, tuple) and isinstance(item[0], Token):
            options = item[2] if len(item) > 2 and isinstance(item[2], list) else []
            optional = any(
                isinstance(o, tuple) and o[0] == "optional" and isinstance(o[1], Token) and o[1].text == "true"
                for o in options
            )
            if not optional:
                yield item[0].text


def out_of_step(wanted: Iterable[Dependency], lock: Mapping[str, Locked]) -> tuple[str, int] | None:
    """Return why mix would write the lock file anew, with the line of mix.exs (0 for the lock file itself); None if nothing says so."""
    local = {dependency.name for dependency in wanted if dependency.kind == "local"}
    for dependency in wanted:
        if dependency.kind == "local":
            continue
        locked = lock.get(dependency.name)
        if locked is None:
            return f"it has no entry of `{dependency.name}`", dependency.line
        if locked.version and satisfies(locked.version, dependency.requirement) is False:
            asked = f"`{dependency.name}` {dependency.requirement}"
            return f"it has `{dependency.name}` {locked.version} where mix.exs asks for {asked}", dependency.line
    for name, locked in lock.items():
        for needed in locked.needs:
            if needed not in lock and needed not in local:
                return f"it has no entry of `{needed}`, which `{name}` needs", 0
    return None


def satisfies(version: str, requirement: str) -> bool | None:
    """Tell whether a version is one that a requirement asks for; None where that is not certain (pre-releases and the like)."""
    found = _VERSION.fullmatch(version)
    if not requirement:
        return True
    if found is None:
        return None
    have = (int(found[1]), int(found[2]), int(found[3] or 0))
    alternatives = []
    for alternative in re.split(r"\s+or\s+", requirement.strip()):
        answers = []
        for condition in re.split(r"\s+and\s+", alternative):
            parts = _CONDITION.fullmatch(condition.strip())
            if parts is None:
                return None
            answers.append(_holds(have, parts[1] or "==", parts[2]))
        alternatives.append(all(answers))
    return any(alternatives)


def _holds(have: tuple[int, int, int], operator: str, text: str) -> bool:
    numbers = [int(part) for part in text.split(".")]
    want = (numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else 0)
    if operator == "~>":
        above = (want[0], want[1] + 1, 0) if len(numbers) > 2 else (want[0] + 1, 0, 0)
        return want <= have < above
    return {
        "==": have == want,
        "!=": have != want,
        ">=": have >= want,
        "<=": have <= want,
        ">": have > want,
        "<": have < want,
    }[operator]
