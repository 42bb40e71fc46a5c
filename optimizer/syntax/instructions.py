"""What `instructions.Parse` of BuildKit refuses (`instructions/parse.go`, `bflag.go`), in its order and with its messages."""

from __future__ import annotations

import re

from dockopt.optimizer.syntax.arguments import KEYWORDS
from dockopt.optimizer.syntax.gotext import lower, quote, trim, upper
from dockopt.optimizer.syntax.heredocs import is_heredoc_word
from dockopt.optimizer.syntax.mounts import MountError, check_device, parse_mount
from dockopt.optimizer.syntax.tree import DockerfileSyntaxError, Flag, Instruction, Stage

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
_AS = re.compile(r"[aA][sS\u017f]")  # Go's EqualFold knows the long s
_KNOWN = frozenset(KEYWORDS.values())
#: flags by instruction; ARG, STOPSIGNAL and HEALTHCHECK NONE swallow any flag
_FLAGS: dict[str, dict[str, str]] = {
    "FROM": {"platform": "string"},
    "ADD": dict.fromkeys(("chown", "chmod", "checksum"), "string")
    | dict.fromkeys(("link", "keep-git-dir", "unpack"), "bool")
    | {"exclude": "list"},
    "COPY": dict.fromkeys(("chown", "chmod", "from"), "string")
    | dict.fromkeys(("link", "parents"), "bool")
    | {"exclude": "list"},
    "RUN": {"mount": "list", "network": "string", "security": "string", "device": "list"},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), "string"),
}
_DURATIONS = ("interval", "timeout", "start-period", "start-interval")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION_PART = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^.0-9]*)")
_LIMIT = 1 << 63


class _RefusedError(ValueError):
    """A message of instructions.Parse, and the flag to blame."""

    def __init__(self, message: str, flag: Flag | None = None) -> None:
        super().__init__(message)
        self.flag = flag


def stages_of(instructions: tuple[Instruction, ...]) -> tuple[tuple[Stage, ...], tuple[Instruction, ...]]:
    """Check every instruction (at least one) and sort them into stages and global ARGs. Raises DockerfileSyntaxError."""
    meta: list[Instruction] = []
    stages: list[tuple[Instruction, list[Instruction]]] = []
    for node in instructions:
        try:
            _check(node)
        except (_RefusedError, MountError) as error:
            flag = error.flag if isinstance(error, _RefusedError) else None
            raise refused(node, str(error), flag) from None
        if node.keyword == "FROM":
            stages.append((node, []))
        elif stages:
            stages[-1][1].append(node)
        elif node.keyword == "ARG":
            meta.append(node)
        else:
            raise refused(node, "no build stage in current context")
    if not stages:
        raise refused(instructions[-1], "dockerfile contains no stages to build")
    return tuple(_stage(i, node, body) for i, (node, body) in enumerate(stages)), tuple(meta)


def refused(node: Instruction, message: str, flag: Flag | None = None) -> DockerfileSyntaxError:
    """Build the error for an instruction: its place is the flag to blame, else the keyword."""
    offset = flag.span.start if flag else node.offset_of(0)
    before = node.raw[: offset - node.span.start]
    line = node.start_line + before.count(b"\n")
    return DockerfileSyntaxError(message, line, len(before) - (before.rfind(b"\n") + 1) + 1, offset)


def _stage(index: int, node: Instruction, body: list[Instruction]) -> Stage:
    raw = node.words[2] if len(node.words) == 3 else None
    return Stage(index, node, node.words[0], node.flag("platform"), lower(raw) if raw else None, raw, tuple(body))


def _check(node: Instruction) -> None:
    keyword = node.keyword
    if keyword not in _KNOWN:
        raise _RefusedError(f"unknown instruction: {node.keyword_raw}")
    if keyword in ("ADD", "COPY", "FROM", "ONBUILD", "HEALTHCHECK"):
        _CHECKS[keyword](node)
    elif keyword in ("ENV", "LABEL"):
        check_flags(node)
        _at_least_one(node, bool(node.pairs))
        if not all(pair.key for pair in node.pairs):
            raise _RefusedError(f"{keyword} names can not be blank")
    elif keyword == "ARG":
        _at_least_one(node, bool(node.pairs))
        if not all(pair.key for pair in node.pairs):
            raise _RefusedError("ARG names can not be blank")
    elif keyword in ("WORKDIR", "USER", "MAINTAINER", "STOPSIGNAL"):
        if not node.args:
            raise _RefusedError(f"{keyword} requires exactly one argument")
        if keyword != "STOPSIGNAL":
            check_flags(node)
    elif keyword in ("EXPOSE", "VOLUME"):
        _at_least_one(node, bool(node.words))
        check_flags(node)
        if keyword == "VOLUME" and not all(trim(word) for word in node.words):
            raise _RefusedError("VOLUME specified can not be an empty string")
    elif keyword == "SHELL":
        check_flags(node)
        _at_least_one(node, bool(node.args) and node.json != ())
        if node.json is None:
            raise _RefusedError("SHELL requires the arguments to be in JSON form")
    else:
        check_flags(node)
        if keyword == "RUN":
            _check_run(node)


def _at_least_one(node: Instruction, given: bool) -> None:
    if not given:
        raise _RefusedError(f"{node.keyword} requires at least one argument")


def check_flags(node: Instruction) -> None:
    """Check names, values and repetition of flags (BFlags.Parse)."""
    known = _FLAGS.get(node.keyword, {})
    seen: set[str] = set()
    for flag in node.flags:
        name = f"--{flag.name}"
        kind = known.get(flag.name)
        if kind is None:
            raise _RefusedError(f"unknown flag: {name}", flag)
        if flag.name in seen and kind != "list":
            raise _RefusedError(f"duplicate flag specified: {name}", flag)
        seen.add(flag.name)
        if flag.value is None and kind != "bool":
            raise _RefusedError(f"missing a value on flag: {name}", flag)
        if kind == "bool" and flag.value == "":
            raise _RefusedError(f"missing a value on flag: {name}", flag)
        if kind == "bool" and lower(flag.value or "true") not in ("true", "false"):
            raise _RefusedError(f"expecting boolean value for flag {name}, not: {flag.value}", flag)


def _check_copy(node: Instruction) -> None:
    if len(node.words) < 2:
        raise _RefusedError(
            f"{node.keyword} requires at least two arguments, but only one was provided. Destination could not be determined"
        )
    check_flags(node)
    if is_heredoc_word(node.words[-1]):
        raise _RefusedError(f"{node.keyword} cannot accept a heredoc as a destination")


def _check_from(node: Instruction) -> None:
    words = node.words
    if len(words) == 3 and _AS.fullmatch(words[1]):
        if not _STAGE_NAME.fullmatch(lower(words[2])):
            raise _RefusedError(
                f"invalid name for build stage: {quote(words[2])}, name can't start with a number or contain symbols"
            )
    elif len(words) != 1:
        raise _RefusedError("FROM requires either one or three arguments")
    check_flags(node)


def _check_onbuild(node: Instruction) -> None:
    _at_least_one(node, node.child is not None)
    check_flags(node)
    trigger = upper(trim(node.child.keyword_raw)) if node.child else ""
    if trigger == "ONBUILD":
        raise _RefusedError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise _RefusedError(f"{trigger} isn't allowed as an ONBUILD trigger")


def _check_run(node: Instruction) -> None:
    for value in node.flag_values("device"):
        check_device(value)
    for value in node.flag_values("mount"):
        parse_mount(value)
    network, security = node.flag("network"), node.flag("security")
    if network is not None and network not in ("default", "none", "host"):
        raise _RefusedError(f"invalid network mode {quote(network)}")
    if security is not None and security not in ("insecure", "sandbox"):
        raise _RefusedError(f"security {quote(security)} is not valid")


def _check_health(node: Instruction) -> None:
    _at_least_one(node, bool(node.words))
    kind = node.words[0]
    if kind == "NONE":
        if len(node.words) > 1:
            raise _RefusedError("HEALTHCHECK NONE takes no arguments")
        return
    check_flags(node)
    if kind != "CMD":
        raise _RefusedError(f"Unknown type {quote(kind)} in HEALTHCHECK (try CMD)")
    if len(node.words) == 1:
        raise _RefusedError("Missing command after HEALTHCHECK CMD")
    for name in _DURATIONS:
        value = node.flag(name)
        if value and 0 != _nanoseconds(value) < 10**6:
            raise _RefusedError(f"Interval {quote(name)} cannot be less than 1ms")
    retries = node.flag("retries")
    if retries:
        if not re.fullmatch(r"[+-]?[0-9]+", retries):
            raise _RefusedError(f"strconv.ParseInt: parsing {quote(retries)}: invalid syntax")
        count = int(retries) if len(retries.lstrip("+-0")) < 12 else 10**12
        if not -(1 << 31) <= count < 1 << 31:
            raise _RefusedError(f"strconv.ParseInt: parsing {quote(retries)}: value out of range")
        if count < 0:
            raise _RefusedError(f"--retries cannot be negative ({count})")


def _nanoseconds(text: str) -> int:
    """Read a Go duration (time.ParseDuration). Raises _RefusedError."""
    wrong = _RefusedError(f"time: invalid duration {quote(text)}")
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise wrong
    total = at = 0
    while at < len(rest):
        found = _DURATION_PART.match(rest, at)
        if found is None:
            raise wrong
        whole, point, fraction, unit = found.groups()
        if not whole and not fraction:
            raise wrong
        if not unit:
            raise _RefusedError(f"time: missing unit in duration {quote(text)}")
        if unit not in _UNITS:
            raise _RefusedError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        value = int(whole) if whole and len(whole.lstrip("0")) < 20 else _LIMIT + 1 if whole else 0
        value *= _UNITS[unit]
        if point and fraction:
            value += int(int(fraction[:18]) * (_UNITS[unit] / 10 ** len(fraction[:18])))
        total += value
        if total > _LIMIT:
            raise wrong
        at = found.end()
    if text.startswith("-"):
        return -total
    if total > _LIMIT - 1:
        raise wrong
    return total


_CHECKS = {
    "ADD": _check_copy,
    "COPY": _check_copy,
    "FROM": _check_from,
    "ONBUILD": _check_onbuild,
    "HEALTHCHECK": _check_health,
}
