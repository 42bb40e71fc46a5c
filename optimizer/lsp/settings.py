"""The settings of an editor, section `dockopt`; described in `docs/language-server.md`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user wants of the server. Names are those of the settings, in Python's spelling."""

    #: ids of rewrites to run; None: all that are on by default
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    #: the build context, relative to the workspace folder; None: found out, as on the command line
    context: str | None = None
    #: what `--all` is on the command line: run the rewrites that change the image on purpose too, and show what they offer as hints.
    #: What the others would change in the image is offered as an action in any case
    image_changing: bool = False
    #: show what is not proven as hints
    unproven: bool = False
    code_lens: bool = False
    inlay_hints: bool = False
    #: read the whole repository where the workspace is a part of it
    whole_repository: bool = False
    #: where the pages of the rewrites are, for the links of diagnostics (`{documentation}/split-copy.md`)
    documentation: str | None = None


class Understood(NamedTuple):
    """Settings, and what was wrong with what the client sent."""

    settings: Settings
    problems: tuple[str, ...]


def settings_of(sent: Any) -> Understood:
    """Read what a client sends; what is not understood counts as not said, and is told."""
    if sent is None:
        return Understood(Settings(), ())
    if not isinstance(sent, dict):
        return Understood(Settings(), ("the settings `dockopt` are no object",))
    known = {_spelled(field.name): field.name for field in fields(Settings)}
    found: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in sent.items():
        if key not in known:
            alike = get_close_matches(str(key), known, 1)
            hint = f"did you mean `{alike[0]}`?" if alike else f"known are {', '.join(f'`{name}`' for name in known)}"
            problems.append(f"there is no setting `dockopt.{key}`; {hint}")
            continue
        try:
            found[known[key]] = _value(known[key], value)
        except ValueError as error:
            problems.append(f"`dockopt.{key}` {error}")
    return Understood(replace(Settings(), **found), tuple(problems))


def _spelled(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _value(name: str, value: Any) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError("is neither true nor false")
        return value
    if value is None:
        return default
    if name in ("select", "ignore"):
        return _ids(value) if value else default
    if not isinstance(value, str):
        raise ValueError("is no text")
    if "\0" in value:
        raise ValueError("holds a NUL, which no path has")
    return value or None


def _ids(value: Any) -> tuple[str, ...]:
    from dockopt.optimizer.rules import UnknownRule, known_ids

    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("is no list of texts")
    try:
        known_ids(value)
    except UnknownRule as error:
        raise ValueError(str(error)) from None
    return tuple(value)
