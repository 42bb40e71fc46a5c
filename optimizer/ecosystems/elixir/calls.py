"""What a command line of `mix` asks for.

Source: `mix help deps.get`, `deps.compile`, `local.hex`, `local.rebar` and `do` of Elixir 1.14 to 1.18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: options without a value that change neither places nor what is read of the project
_SWITCHES = {
    "deps.get": frozenset({"--check-locked", "--no-archives-check", "--no-compile", "--no-deps-check"}),
    "deps.compile": frozenset(
        {"--force", "--include-children", "--skip-umbrella-children", "--skip-local-deps", "--no-archives-check"}
    ),
    "local.hex": frozenset({"--force", "--if-missing"}),
    "local.rebar": frozenset({"--force", "--if-missing"}),
}
#: options with a value
_VALUED = {"deps.get": frozenset({"--only"})}


@dataclass(frozen=True, slots=True)
class Call:
    """One task."""

    task: str
    options: frozenset[str] = frozenset()


def calls_of(argv: Sequence[str | None]) -> list[Call] | str:
    """Return the tasks that a command runs, or why that is not known."""
    words = argv[1:]
    if not words or words[0] is None:
        return "its task is not known before the build"
    if words[0] != "do":
        call = _call(words)
        return call if isinstance(call, str) else [call]
    parts: list[list[str | None]] = [[]]
    for word in words[1:]:
        if word == "+":
            parts.append([])
        elif word is not None and word.endswith(","):
            parts[-1].append(word[:-1])
            parts.append([])
        else:
            parts[-1].append(word)
    calls = []
    for part in parts:
        call = _call(part)
        if isinstance(call, str):
            return call
        calls.append(call)
    return calls


def _call(words: Sequence[str | None]) -> Call | str:
    task = words[0] if words else None
    if task is None:
        return "its task is not known before the build"
    if task not in _SWITCHES:
        return f"no model of the task `{task}`"
    options: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        name, equals, _ = (word or "").partition("=")
        if name in _VALUED.get(task, ()):
            # which environment it is for may be a build argument: its value is part of the command
            if not equals and (not rest or (rest.pop(0) or "").startswith("-")):
                return f"`{name}` has no value"
        elif word in _SWITCHES[task]:
            options.append(name)
        elif word is None:
            return "an argument is not known before the build"
        elif word.startswith("-"):
            return f"the option `{word}` is not modelled"
        elif task == "deps.get":
            return "`deps.get` takes no names"
        elif task == "local.rebar" or (task == "local.hex" and not word[:1].isdigit()):
            return f"`{word}` is not modelled"
    return Call(task, frozenset(options))
