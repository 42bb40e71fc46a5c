"""Logical lines to typed instructions: `parser/line_parsers.go`, `split_command.go` and `instructions/parse.go`."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

from dockopt.optimizer.syntax.lexer import SPACES, is_space
from dockopt.optimizer.syntax.tree import DockerfileSyntaxError, Flag, Instruction, Mount, Pair, Span, Stage

_KEYWORD_END = re.compile(r"[\t\v\f\r ]+")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")
KEYWORDS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split()
)
_JSON_OR_TEXT = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_JSON_OR_WORDS = frozenset({"ADD", "COPY", "VOLUME"})
_WORDS = frozenset({"FROM", "EXPOSE"})
#: flags by instruction (reference §1.5); ARG, STOPSIGNAL and HEALTHCHECK NONE swallow any flag
_FLAGS: dict[str, dict[str, str]] = {
    "FROM": {"platform": "string"},
    "ADD": dict.fromkeys(("chown", "chmod", "checksum"), "string") | dict.fromkeys(("link", "keep-git-dir", "unpack"), "bool") | {"exclude": "list"},
    "COPY": dict.fromkeys(("chown", "chmod", "from"), "string") | dict.fromkeys(("link", "parents"), "bool") | {"exclude": "list"},
    "RUN": {"mount": "list", "network": "string", "security": "string", "device": "list"},
    "HEALTHCHECK": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), "string"),
}
_LENIENT = frozenset({"ARG", "STOPSIGNAL"})
_MOUNT_KEYS = frozenset(
    "type from source src target dst destination readonly ro readwrite rw id sharing required size mode uid gid env".split()
)
_MOUNT_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})


def _fail(node: Instruction, message: str) -> DockerfileSyntaxError:
    return DockerfileSyntaxError(message, node.start_line, 1, node.span.start)


def typed(node: Instruction, escape: str, *, strict: bool = True) -> Instruction:
    """Fill in keyword, flags and arguments of an instruction whose logical text is known.

    Raises DockerfileSyntaxError for what the line parser of BuildKit refuses, unless `strict` is off.
    """
    text = node.logical
    start = len(text) - len(text.lstrip(SPACES))
    found = _KEYWORD_END.search(text, start)
    stop = len(text.rstrip(SPACES))
    end = found.start() if found and found.start() < stop else stop
    keyword_raw = text[start:end]
    args_start = min(found.end(), stop) if found and found.start() < stop else stop
    args_start += len(text[args_start:stop]) - len(text[args_start:stop].lstrip(SPACES))
    flags, args_start = _flags(node, text, args_start, stop)
    node = replace(node, keyword=keyword_raw.upper(), keyword_raw=keyword_raw, args=text[args_start:stop], args_start=args_start, flags=flags)
    try:
        return _arguments(node, escape)
    except DockerfileSyntaxError:
        if strict:
            raise
        return node


def _flags(node: Instruction, text: str, at: int, stop: int) -> tuple[tuple[Flag, ...], int]:
    """Read leading `--flags` (split_command.go); return them and where the arguments start."""
    flags: list[Flag] = []
    while True:
        while at < stop and is_space(text[at]):
            at += 1
        if not text.startswith("--", at, stop):
            return tuple(flags), at
        begin, word, quote = at, "", ""
        while at < stop and (quote or not is_space(text[at])):
            char = text[at]
            at += 1
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
            elif char == "\\":
                if at < stop:
                    word += text[at]
                    at += 1
            else:
                word += char
        if word == "--":
            while at < stop and is_space(text[at]):
                at += 1
            return tuple(flags), at
        name, equals, value = word[2:].partition("=")
        span = Span(node.offset_of(begin), node.offset_of(at))
        flags.append(Flag(name, value if equals else None, text[begin:at], span))


def _arguments(node: Instruction, escape: str) -> Instruction:
    keyword, args = node.keyword, node.args
    if keyword in _JSON_OR_TEXT:
        return replace(node, json=_json(node))
    if keyword in _JSON_OR_WORDS:
        items = _json(node)
        return replace(node, json=items, words=tuple(args.split()) if items is None and args.isascii() else items or _go_fields(args))
    if keyword in _WORDS:
        return replace(node, words=_go_fields(args))
    if keyword in ("ENV", "LABEL"):
        return replace(node, pairs=_name_values(node, escape))
    if keyword == "ARG":
        pairs = []
        for word in _parse_words(args, escape):
            key, equals, value = word.partition("=")
            pairs.append(Pair(key, value if equals else None, word))
        return replace(node, pairs=tuple(pairs))
    if keyword == "HEALTHCHECK":
        kind, _, rest = args.partition(" ")
        return replace(node, words=(kind.upper(), rest.strip()) if args else ())
    if keyword == "ONBUILD" and args:
        base = node.offset_of(node.args_start)
        shift = len(node.logical[: node.args_start].encode("utf-8", "surrogateescape"))
        pieces = [(max(0, at - shift), offset if at >= shift else base) for at, offset in node.pieces if at >= shift] or []
        if not pieces or pieces[0][0] != 0:
            pieces.insert(0, (0, base))
        child = Instruction(node.span, node.raw, node.start_line, node.end_line, "", "", args, "", 0, pieces=tuple(pieces))
        return replace(node, child=typed(child, escape))
    return node


def _go_fields(text: str) -> tuple[str, ...]:
    """Split at white space; BuildKit's regular expression knows ASCII blanks only."""
    return tuple(word for word in _KEYWORD_END.split(text) if word)


def _json(node: Instruction) -> tuple[str, ...] | None:
    """Return the JSON form, None for the shell form (line_parsers.go, parseJSON: strict since frontend 1.9)."""
    text = node.args
    if not text.startswith("["):
        return None

    def refuse(_constant: str) -> object:
        raise ValueError

    try:
        value = json.loads(text.strip(" \t\r\n"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list) or text.strip(SPACES) != text.strip(" \t\r\n"):
        return None
    if not all(isinstance(item, str) for item in value):
        raise _fail(node, "only string type is allowed in JSON format arrays")
    return tuple(re.sub("[\ud800-\udfff]", "\ufffd", item) for item in value)


def _parse_words(text: str, escape: str) -> list[str]:
    """Split into quote-aware words, quotes and escapes kept (line_parsers.go, parseWords)."""
    words: list[str] = []
    word, quote, blank_ok, inside = "", "", False, False
    i = 0
    while i < len(text):
        char = text[i]
        i += 1
        if not inside:
            if is_space(char):
                continue
            inside = True
        if not quote:
            if is_space(char):
                if blank_ok or word:
                    words.append(word)
                word, blank_ok, inside = "", False, False
                continue
            if char in "'\"":
                quote, blank_ok = char, True
            elif char == escape:
                if i == len(text):
                    continue
                word += char
                char = text[i]
                i += 1
            word += char
        else:
            if char == quote:
                quote = ""
            elif char == escape and quote != "'":
                if i == len(text):
                    quote = ""
                    continue
                word += char
                char = text[i]
                i += 1
            word += char
    if inside and (blank_ok or word):
        words.append(word)
    return words


def _name_values(node: Instruction, escape: str) -> tuple[Pair, ...]:
    words = _parse_words(node.args, escape)
    if not words:
        return ()
    if "=" not in words[0]:
        parts = re.split(r"[\t\v\f\r ]+", node.args, maxsplit=1)
        if len(parts) < 2:
            raise _fail(node, f"{node.keyword} must have two arguments")
        return (Pair(parts[0], parts[1], node.args),)
    pairs = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise _fail(node, f"Syntax error - can't find = in {word!r}. Must be of the form: name=value")
        pairs.append(Pair(key, value, word))
    return tuple(pairs)


# -- what instructions.Parse refuses -----------------------------------------------------------------------------------


def check_instructions(nodes: tuple[Instruction, ...], _escape: str) -> tuple[tuple[Instruction, ...], tuple[Stage, ...], tuple[Instruction, ...]]:
    """Check every instruction as instructions.Parse does and sort them into stages. Raises DockerfileSyntaxError."""
    numbered: list[Instruction] = []
    meta: list[Instruction] = []
    stages: list[tuple[Instruction, list[Instruction]]] = []
    for index, node in enumerate(nodes):
        _check(node)
        mounts = tuple(_mount(node, value) for value in node.flag_values("mount")) if node.keyword == "RUN" else ()
        instruction = replace(node, index=index, stage=len(stages) - (node.keyword != "FROM"), mounts=mounts)
        numbered.append(instruction)
        if instruction.keyword == "FROM":
            stages.append((instruction, []))
        elif stages:
            stages[-1][1].append(instruction)
        elif instruction.keyword == "ARG":
            meta.append(instruction)
        else:
            raise _fail(instruction, "no build stage in current context")
    if not stages:
        raise _fail(numbered[-1], "no build stage in current context")
    return tuple(numbered), tuple(_stage(i, f, body) for i, (f, body) in enumerate(stages)), tuple(meta)


def _stage(index: int, node: Instruction, body: list[Instruction]) -> Stage:
    raw = node.words[2] if len(node.words) == 3 else None
    return Stage(index, node, node.words[0], node.flag("platform"), raw.lower() if raw else None, raw, tuple(body))


def _check(node: Instruction) -> None:
    keyword = node.keyword
    if keyword not in KEYWORDS:
        raise _fail(node, f"unknown instruction: {node.keyword_raw}")
    lenient = keyword in _LENIENT or (keyword == "HEALTHCHECK" and node.words[:1] == ("NONE",))
    known = _FLAGS.get(keyword, {})
    seen: set[str] = set()
    for flag in () if lenient else node.flags:
        kind = known.get(flag.name)
        if kind is None:
            raise _fail(node, f"unknown flag: --{flag.name}")
        if flag.name in seen and kind != "list":
            raise _fail(node, f"duplicate flag specified: {flag.name}")
        seen.add(flag.name)
        if kind == "bool" and (flag.value or "true").lower() not in ("true", "false"):
            raise _fail(node, f"expecting boolean value for flag {flag.name}, not: {flag.value}")
        if kind != "bool" and flag.value is None:
            raise _fail(node, f"missing a value on flag: {flag.name}")
    _check_arguments(node)


def _check_arguments(node: Instruction) -> None:
    keyword = node.keyword
    if keyword == "FROM":
        if len(node.words) not in (1, 3) or (len(node.words) == 3 and node.words[1].lower() != "as"):
            raise _fail(node, "FROM requires either one or three arguments")
        if len(node.words) == 3 and not _STAGE_NAME.fullmatch(node.words[2].lower()):
            raise _fail(node, f'invalid name for build stage: "{node.words[2]}", name can\'t start with a number or contain symbols')
    elif keyword in ("ADD", "COPY"):
        if len(node.words) < 2:
            raise _fail(node, f"{keyword} requires at least two arguments, but only {len(node.words)} provided. Destination could not be determined")
        if any(heredoc.word == node.words[-1] for heredoc in node.heredocs):
            raise _fail(node, f"{keyword} cannot accept a heredoc as a destination")
    elif keyword in ("ENV", "LABEL", "ARG"):
        if not node.pairs:
            raise _fail(node, f"{keyword} requires at least one argument")
        if any(not pair.key for pair in node.pairs):
            raise _fail(node, f"{keyword} names can not be blank")
    elif keyword in ("EXPOSE", "VOLUME"):
        if not node.words:
            raise _fail(node, f"{keyword} requires at least one argument")
        if keyword == "VOLUME" and any(not word.strip(SPACES) for word in node.words):
            raise _fail(node, "VOLUME specified can not be an empty string")
    elif keyword == "SHELL":
        if node.json is None:
            raise _fail(node, f"SHELL requires the arguments to be in JSON form, not: {node.args}")
        if not node.json:
            raise _fail(node, "SHELL requires at least one argument")
    elif keyword in ("WORKDIR", "USER", "STOPSIGNAL", "MAINTAINER"):
        if not node.args:
            raise _fail(node, f"{keyword} requires exactly one argument")
    elif keyword == "HEALTHCHECK":
        if not node.words:
            raise _fail(node, "HEALTHCHECK requires at least one argument")
        if node.words[0] not in ("NONE", "CMD"):
            raise _fail(node, f"unknown type {node.words[0]!r} in HEALTHCHECK (try CMD)")
        if node.words[0] == "CMD" and not node.words[1]:
            raise _fail(node, "missing command after HEALTHCHECK CMD")
    elif keyword == "ONBUILD":
        if node.child is None:
            raise _fail(node, "ONBUILD requires at least one argument")
        if node.child.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
            raise _fail(node, f"{node.child.keyword} isn't allowed as an ONBUILD trigger")
    elif keyword == "RUN" and node.json == ():
        raise _fail(node, "arguments are required")


def _mount(node: Instruction, raw: str) -> Mount:
    """Read one --mount value (commands_runmount.go, parseMount)."""
    fields = next(csv.reader([raw], strict=True), [])
    options: dict[str, str] = {}
    for item in fields:
        key, equals, value = item.partition("=")
        key = key.lower().strip()
        if key not in _MOUNT_KEYS:
            raise _fail(node, f"unexpected key '{key}' in '{item}'")
        if not equals and key not in ("readonly", "ro", "readwrite", "rw", "required"):
            raise _fail(node, f"invalid field '{item}' must be a key=value pair")
        options[key] = value if equals else "true"
    kind = options.get("type", "bind").lower()
    if kind not in _MOUNT_TYPES:
        raise _fail(node, f"unsupported mount type {kind!r}")
    target = options.get("target") or options.get("dst") or options.get("destination")
    readonly = None
    for key, meaning in (("readonly", True), ("ro", True), ("readwrite", False), ("rw", False)):
        if key in options:
            readonly = meaning == (options[key].lower() != "false")
    source = options.get("source") or options.get("src")
    return Mount(kind, target, source, options.get("from"), options.get("id"), options.get("sharing"), readonly, options, raw)
