"""builds a Go program without C, without paths of the building machine, and without debug tables

What it does
    Puts `CGO_ENABLED=0` in front of a `go build` whose program surely needs no C, and adds `-trimpath` and `-ldflags="-s -w"`
    to it, merged with the flags that are there.

Why it changes the image
    A program that is built with cgo on needs the C library of the image that it was built in, as soon as `net` or `os/user` is
    part of it: it starts neither in `scratch` nor in `distroless/static`, and one of Debian not on Alpine. `-s -w` leaves out
    symbol table and debug information, about a third of the file, and `-trimpath` the directories of the build.

Before
    FROM golang:1.22 AS build
    WORKDIR /src
    COPY . .
    RUN go build -o /app .
    FROM scratch
    COPY --from=build /app /app
    CMD ["/app"]

After
    FROM golang:1.22 AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /app .
    FROM scratch
    COPY --from=build /app /app
    CMD ["/app"]

When it does not fire
    `CGO_ENABLED=0` only where every file that the program is built from is known not to import "C": its own sources are
    followed import by import, and of each module that go.mod requires it has to be known; never where `CGO_ENABLED=1` is
    written down, where a file is built only with cgo or only without, and where a flag needs C (`-linkmode external`, `-asan`) or may.
    The flags not for a build that is made to be debugged (`-gcflags=all=-N`, `dlv`), not where `-ldflags` comes from
    a variable or from GOFLAGS, and not for tools that stay in the building stage. Builds in a here-document or in exec form,
    and those that a script starts, are left alone.

Why it is safe
    Nothing but the command is replaced: the validator proves the rest of the Dockerfile as it stands, and declares what the
    command writes. What may be different at run time stands in the proposal: names are looked up by Go's own resolver,
    which does not ask plugins of the C library (LDAP, mDNS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockopt.optimizer.ecosystems.go.binary import GoBuild
from dockopt.optimizer.ecosystems.go.c_packages import Without
from dockopt.optimizer.ecosystems.go.module_facts import C_STANDARD
from dockopt.optimizer.ecosystems.go.shipping import Shipped, shipped
from dockopt.optimizer.entrypoint import started
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit, Proposal, Refusal
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.shell import Word, parse_script
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.symbolic.units import dialect_of
from dockopt.rewrites.runtime_choice import zones_needed

ID = "static-go"
_DEBUGGER = re.compile(r"\bdlv\b|-N\b.*-l\b|-l\b.*-N\b")
#: `-ldflags` as one word: what stands before its value, and the quote
_LDFLAGS = re.compile(r"(?P<head>(?P<before>[\"']?)--?ldflags=)(?P<quote>[\"']?)", re.DOTALL)
#: a value for some packages only: `pattern=flags`
_PATTERN = re.compile(r"(?!-)[\w./-]+=")
#: flags that ask for the C library or the dynamic loader, by themselves or by what they link against
_NEEDS_C = ("-race", "-msan", "-asan", "-linkshared")
_EXTERNAL = re.compile(r"-linkmode[= ][\"']?external")
_TOKEN = re.compile(r"(?<![\w=./-])-(s|w)(?![\w-])(=(?:true|1))?")


#: what a program would be without cgo that uses C
_WITHOUT = {
    None: "it would not work",
    Without.NO_BUILD: "it would not build",
    Without.FAILS: "it would build, and fail when it runs",
    Without.OTHER: "it would work by other means, and whether that does is for you to say",
}

#: what finds files by where the program, or Go itself, was built
_OWN_PLACE = re.compile(rb"runtime\.(?:Caller|GOROOT)|\"go/(?:build|importer)\"")


class _Insertion(NamedTuple):
    """Text to put in at a character of the script of a RUN."""

    at: int
    text: str
    end: int = -1  #: up to where text is replaced


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at each build whose programs end up in an image."""
    seen: set[tuple[int, int, int]] = set()
    for found in shipped(build):
        command = found.build.command
        if found.copy is None and not any(found.path in p.places for p in started(build, found.stage).programs):
            continue  # a tool of the image that it was built in
        if not found.program.directory:
            yield Refusal(
                ID, command.line, f"`{found.program.package}` is a program of another module", "", command.line
            )
            continue
        key = (command.stage, command.instruction.index, command.start)
        if key not in seen:
            seen.add(key)
            yield from _one(build, found)


def _one(build: Build, found: Shipped) -> Iterator[Proposal | Refusal]:
    command, line = found.build.command, found.build.command.line
    script = _script(command)
    if isinstance(script, str):
        yield Refusal(ID, line, script, "", line)
        return
    words, start = script
    insertions: list[_Insertion] = []
    done: list[str] = []
    risks: list[str] = []
    notes: list[str] = []
    cgo = _cgo(found.build)
    if isinstance(cgo, Refusal):
        yield cgo
    elif cgo is not None:
        insertions.append(_Insertion(start, "CGO_ENABLED=0 "))
        done.append("`CGO_ENABLED=0`")
        notes.append(cgo)
        risks.append("names of hosts and users are looked up without the C library's plugins (LDAP, mDNS)")
    flags = _flags(build, found, words)
    if isinstance(flags, Refusal):
        yield flags
    else:
        insertions += flags
        if any("-trimpath" in insertion.text for insertion in flags):
            done.append("`-trimpath`")
            risks.append("stack traces name files by their module, not by their directory")
        if any("-s" in insertion.text for insertion in flags):
            done.append('`-ldflags="-s -w"`')
            risks.append("a debugger finds no symbols (stack traces keep functions and lines)")
    if not insertions:
        return
    edits = tuple(_edit(command, insertion) for insertion in _joined(insertions))
    wrong: list[str] = []
    carried: list[str] = []
    if isinstance(cgo, str):
        wrong.append("needs" if found.build.linking.static is False else "may need")
        wrong[-1] += " the C library of the image that it is built in"
    if any("-s" in text for text in done):
        carried.append("symbols and debug information")
    if "`-trimpath`" in done:
        carried.append("paths of the build")
    if carried:
        wrong.append(f"carries {' and '.join(carried)}")
    yield Proposal(
        ID,
        line,
        f"`{found.path}` {', and '.join(wrong)}",
        edits,
        gain=f"{', '.join(done)}: {_gain(done)}",
        replacing=edits,
        risk="; ".join(risks),
        notes=tuple(notes),
    )


def without_c(made: GoBuild) -> tuple[Edit, str] | Refusal | None:
    """Return the edit that builds a program without C and why it may, a Refusal where it must not; None: it is built so already."""
    cgo = _cgo(made)
    if not isinstance(cgo, str):
        return cgo
    script = _script(made.command)
    if isinstance(script, str):
        return Refusal(ID, made.command.line, script, "", made.command.line)
    return _edit(made.command, _Insertion(script[1], "CGO_ENABLED=0 ")), cgo


def _joined(insertions: list[_Insertion]) -> list[_Insertion]:
    """Return the insertions in their order, those for one place as one."""
    texts: dict[tuple[int, int], str] = {}
    for insertion in insertions:
        place = insertion.at, insertion.end
        texts[place] = texts.get(place, "") + insertion.text
    return [_Insertion(at, text, end) for (at, end), text in sorted(texts.items())]


def _gain(done: list[str]) -> str:
    parts = []
    if "`CGO_ENABLED=0`" in done:
        parts.append("one file that runs in any Linux image, `scratch` too")
    if any("-s" in text for text in done):
        parts.append("about a third smaller")
    if "`-trimpath`" in done:
        parts.append("the same bytes from every directory")
    return ", ".join(parts)


def _cgo(made: GoBuild) -> str | Refusal | None:
    """Return why cgo can surely be switched off (a note), a Refusal where it must not be, None where there is nothing to do."""
    line = made.command.line
    if made.cgo.on is False or made.linking.static is True:
        return None
    if made.cgo.explicit and made.cgo.on is True:
        return Refusal(ID, line, "`CGO_ENABLED=1` is written down: somebody wants C", "", line)
    if made.cgo.explicit:
        return Refusal(ID, line, made.cgo.why, "", line)
    problem = _flag_with_c(made)
    if problem is not None:
        return Refusal(ID, line, problem, "", line)
    if made.facts is None:
        cause = made.problem
        reason = "its sources cannot be followed" if cause is None else cause.reason
        path, at = ("", line) if cause is None else (cause.path, cause.line)
        return Refusal(ID, line, f"whether it needs C is not known: {reason}", path, at)
    if made.facts.dynamic is not None:
        use = made.facts.dynamic
        return Refusal(ID, line, f"`{use.package}` needs {use.what}", use.path, use.line)
    for use in made.facts.uses:
        what = use.what if use.own else f"needs {use.what}"
        return Refusal(
            ID,
            line,
            f"`{use.package}` {'has ' if use.own else ''}{what}: without cgo {_WITHOUT[use.without]}",
            use.path,
            use.line,
        )
    only = next((use for use in made.facts.standard if not C_STANDARD[use.package]), None)
    if only is not None:
        return Refusal(ID, line, f"`{only.package}` works with cgo only", only.path, only.line)
    if made.facts.open:
        first, rest = made.facts.open[0], len(made.facts.open) - 1
        more = f", and of {rest} more" if rest else ""
        return Refusal(ID, line, f"whether it needs C is not known: {first.reason}{more}", first.path, first.line)
    reasons = [use.what for use in made.facts.standard]
    used = f"; cgo is on and {' and '.join(reasons)} would use the C library" if reasons else ""
    return f"nothing that it is built from imports C{used}"


def _flag_with_c(made: GoBuild) -> str | None:
    """Return which flag would not work without cgo, or would have the program need a C library all the same."""
    for name in _NEEDS_C:
        if name in made.settings.flags.values or name in made.settings.goflags.values:
            return f"`{name}` needs cgo"
    known, mode = made.settings.value("-buildmode")
    if not known or mode not in (None, "default", "exe"):
        why = "has the dynamic loader of a C library start it" if mode == "pie" else "needs cgo"
        return f"`-buildmode={mode or '?'}` {why}"
    linker = made.settings.linker()
    if linker is None:
        return "what is handed to the linker is not known, and may ask for cgo (`-linkmode external`)"
    if _EXTERNAL.search(linker):
        return "`-linkmode external` needs cgo (cmd/link, config.go)"
    return None


def _script(command: Executed) -> tuple[tuple[Word, ...], int] | str:
    """Return the words of a command with their places in the script of the RUN, and where it starts; a str says why not."""
    if command.instruction.json is not None:
        return "the command is in exec form, where nothing can be set in front of it"
    if not command.end:
        return "the command stands in a here-document"
    dialect = dialect_of(command.before.shell)
    if dialect is None:
        return "its shell is not a plain sh or bash"
    script = parse_script(command.instruction.args, dialect)
    for found in script.commands:
        if found.start == command.start and found.words:
            return found.words, command.start
    return "its words cannot be told apart"


def _finds_its_sources(found: Shipped) -> bool:
    """Tell whether a program may look for files beside its sources or Go's, which its image has: `-trimpath` hides where."""
    facts, tree = found.build.facts, found.build.tree
    if found.copy is not None:
        return False
    if found.build.base.facts is None or found.build.base.facts.libc != "glibc":
        return True  # without the package tzdata, time zones are those of Go's own directory (time/zoneinfo_goroot.go)
    return facts is None or any(_OWN_PLACE.search(tree.read(path) or b"") for path in facts.files)


def _reads_zones_of_its_tree(build: Build, found: Shipped) -> bool:
    """Tell whether a program may find time zones only in the Go tree that built it, whose place `-trimpath` takes from it.

    `runtime.GOROOT` is empty then (`time`, zoneinfo.go, loadLocation). That tree is there where the program is built, and where its
    archive of zones is copied to.
    """
    if found.copy is not None and not any(
        "zoneinfo.zip" in i.args for i in build.dockerfile.stages[found.stage].instructions if i.keyword == "COPY"
    ):
        return False
    facts = base_of(build.executor, found.stage).facts
    lacking = facts is None or facts.time_zones is not True
    return lacking and zones_needed(build, found.stage, found) is not None


def _flags(build: Build, found_program: Shipped, words: tuple[Word, ...]) -> list[_Insertion] | Refusal:
    """Return what has to be put in for `-trimpath` and `-s -w`, nothing where both are there."""
    made = found_program.build
    line = made.command.line
    if "-gcflags" in made.settings.flags.values or _DEBUGGER.search(build.dockerfile.source.decode("utf-8", "replace")):
        return Refusal(ID, line, "it is built to be debugged: a debugger needs symbols and paths", "", line)
    if any(name in made.settings.flags.values for name in _NEEDS_C):
        return []  # a detector shows where it found something, and what is linked shared has to be built alike
    found: list[_Insertion] = []
    after_build = words[1].end
    trimmed = "-trimpath" in made.settings.flags.values or "-trimpath" in made.settings.goflags.values
    hides = _finds_its_sources(found_program) or _reads_zones_of_its_tree(build, found_program)
    if not trimmed and not hides:
        found.append(_Insertion(after_build, " -trimpath"))
    if "-ldflags" in made.settings.goflags.values:
        return Refusal(ID, line, "GOFLAGS has `-ldflags`, which others in the command would replace", "", line)
    if "-ldflags" not in made.settings.flags.values:
        return [*found, _Insertion(after_build, ' -ldflags="-s -w"')]
    positions = [i for i, word in enumerate(words) if re.fullmatch(r"[\"']?--?ldflags(=.*)?", word.raw, re.DOTALL)]
    if len(positions) != 1:
        return Refusal(ID, line, "where the value of `-ldflags` stands cannot be told", "", line)
    position = positions[0]
    word = words[position]
    glued = _LDFLAGS.match(word.raw)
    if glued is not None:
        value = word.raw[glued.end() :]
        quote = glued["quote"] or glued["before"]
        at = word.start + glued.end()
    else:
        word = words[position + 1]
        quote = word.raw[0] if word.raw[:1] in ("'", '"') else ""
        value = word.raw[1:] if quote else word.raw
        at = word.start + len(quote)
    inner = value.removesuffix(quote) if quote else value
    missing = _missing(inner)
    if not missing:
        return found
    if re.match(r"\s*[$`]", inner) or not inner.strip():
        return Refusal(ID, line, f"what `{inner.strip()}` hands to the linker is not known", "", line)
    if _PATTERN.match(inner):
        return Refusal(ID, line, "`-ldflags` is for some packages only", "", line)
    if quote:
        if quote in inner.replace("\\" + quote, ""):
            return Refusal(ID, line, "the value of `-ldflags` is put together of several pieces", "", line)
        return [*found, _Insertion(at, f"{missing} ")]
    if re.search(r"[\s\"'\\$`]", value):
        return Refusal(ID, line, "the value of `-ldflags` is not quoted", "", line)
    return [*found, _Insertion(at, f'"{missing} {value}"', at + len(value))]


def _missing(flags: str) -> str:
    """Return what `-s -w` lacks among linker flags; `-s` says the other since Go 1.22, and both are clearer before."""
    given = {match[1] for match in _TOKEN.finditer(flags)}
    return " ".join(f"-{name}" for name in ("s", "w") if name not in given) if "s" not in given else ""


def _edit(command: Executed, insertion: _Insertion) -> Edit:
    instruction = command.instruction
    base = instruction.args_start
    if insertion.end >= 0:
        span = instruction.span_of(base + insertion.at, base + insertion.end)
        return Edit(span.start, span.end, insertion.text.encode())
    # behind the last character of a word, not in front of the next one: a line may end between them
    at = instruction.offset_of(base + insertion.at)
    if insertion.text.startswith(" "):
        at = instruction.span_of(base, base + insertion.at).end
    return Edit(at, at, insertion.text.encode())
