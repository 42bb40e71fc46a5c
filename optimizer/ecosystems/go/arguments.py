"""Flags and operands of the `go` command, on its command line and in GOFLAGS.

Sources: `cmd/go/internal/work/build.go` (flags), `cmd/go/internal/base/goflags.go` and `cmd/internal/quoted` (GOFLAGS) of Go 1.26.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

#: build flags that take a value as the next argument
_VALUE_FLAGS = frozenset(
    "-o -p -asmflags -buildmode -compiler -gccgoflags -gcflags -installsuffix -ldflags -mod -pgo -tags -covermode -coverpkg "
    "-coverprofile -run -count -timeout -parallel -cpu -vet".split()
)
_SWITCHES = frozenset(
    "-a -v -x -race -msan -asan -cover -trimpath -linkshared -modcacherw -buildvcs -json -u -s -w".split()
)
#: -n does nothing, -work leaves its temporary files behind, -i and -pkgdir write packages elsewhere
_UNMODELLED = frozenset("-C -modfile -overlay -toolexec -exec -workfile -n -work -i -pkgdir".split())
#: these write more files than the one that `-o` names (a header beside the library)
_PLAIN_BUILDMODES = frozenset("default exe pie archive plugin".split())
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'", re.DOTALL)
_FLAG_HEAD = re.compile(r"[\"']?(--?[a-z]+)=")
_ENTRY = re.compile(r"\"[^\"]*\"?|'[^']*'?|[^ \t\r\n]+")
#: `-X package.variable=value`: what the value is cannot make another flag of it, as long as it holds no blank
_EXPANSION = r"\$\w+|\$\{[^}]*\}|\$\([^()]*\)|`[^`]*`"
_STAMP = re.compile(
    rf"-X[= ]\s*(?:'[\w./${{}}-]+=(?:{_EXPANSION}|[^'$`])*'|\\?\"[\w./${{}}-]+=(?:{_EXPANSION}|[^\"\\$`])*\\?\""
    rf"|[\w./${{}}-]+=(?:{_EXPANSION}|[^\s\"'`$])*)"
)
_PLAIN_HEAD = re.compile(r"[\"']?[\w./@]")


class Flags:
    """Flags and operands of a go subcommand."""

    def __init__(self, arguments: Sequence[str | None], raw: Sequence[str] | None = None) -> None:
        """Take the arguments; None stands for one that is not known before the build, then `raw` has it as it is written."""
        self.values: dict[str, str | None] = {}
        self.operands: list[str | None] = []
        self.problem: str | None = None  #: why they are not understood
        items = list(zip(arguments, raw if raw is not None else [word or "" for word in arguments], strict=True))
        while items and self.problem is None:
            item, written = items.pop(0)
            if self.operands:
                self.operands.append(item)
            elif item is None:
                self._unknown(written)
            elif item.startswith("-"):
                name, equals, value = item.partition("=")
                name = "-" + name.lstrip("-")
                if equals or name in _SWITCHES:
                    self._set(name, value if equals else "true")
                elif name not in _VALUE_FLAGS:
                    self._set(name, None)  # refused by its name
                elif items:
                    value_item, value_written = items.pop(0)
                    if value_item is None and not _is_one_word(value_written):
                        self.problem = f"`{value_written}` may be more than one argument"
                    self._set(name, value_item)
            else:
                self.operands.append(item)
        mode = self.values.get("-buildmode", "default")
        if mode not in _PLAIN_BUILDMODES and self.problem is None:
            self.problem = f"`-buildmode={mode or '?'}` is not modelled"

    def _set(self, name: str, value: str | None) -> None:
        if name in _UNMODELLED:
            self.problem = f"`{name}` is not modelled"
        elif name not in _VALUE_FLAGS | _SWITCHES:
            self.problem = f"the flag `{name}` is not known"
        self.values[name] = value

    def _unknown(self, written: str) -> None:
        """Take an argument of which only the text in the Dockerfile is known."""
        head = _FLAG_HEAD.match(written)
        if head is not None and _is_one_word(written):
            self._set("-" + head[1].lstrip("-"), None)
        elif _PLAIN_HEAD.match(written):
            self.operands.append(None)  # whatever it becomes, nothing behind its first letter is a flag any more
        else:
            self.problem = f"`{written}` may be a flag"


class Settings(NamedTuple):
    """The flags of one command together with those of GOFLAGS."""

    flags: Flags
    goflags: Flags
    words: tuple[str, ...] | None = None  #: all words of the command as they are written, where that can be told

    def value(self, name: str) -> tuple[bool, str | None]:
        """Return whether a flag's value is known, and the value (None: not given); the command line wins over GOFLAGS."""
        for flags in (self.flags, self.goflags):
            if name in flags.values:
                return flags.values[name] is not None, flags.values[name]
        return True, None

    def linker(self) -> str | None:
        """Return what goes to the linker, values of `-X` left out where they are not known; None where more is not known."""
        known, text = self.value("-ldflags")
        if known:
            return text or ""
        for word, following in zip(self.words or (), (*(self.words or ()), "")[1:], strict=True):
            found = re.fullmatch(r"[\"']?--?ldflags(=?)(.*)", word, re.DOTALL)
            if found is not None:
                written = found[2] if found[1] else following
                rest = _STAMP.sub(" ", written)
                return None if re.search(r"[$`]", rest) else rest.strip("\"'")
        return None


def _is_one_word(written: str) -> bool:
    """Tell whether the shell surely makes one argument of a word: what it expands stands in double quotes."""
    if "@" in written and re.search(r"\$@|\$\{[^}]*@", written):
        return False
    return not re.search(r"[$`*?\[]", _QUOTED.sub("", written))


def split_goflags(text: str) -> Flags:
    """Return the flags that GOFLAGS adds to every command.

    Entries stand apart by white space; one that starts with a quote ends with the next, and nothing inside is special.
    """
    entries: list[str] = []
    for found in _ENTRY.finditer(text):
        entry = found[0]
        if entry[0] in "'\"":
            if len(entry) < 2 or entry[-1] != entry[0]:
                return _refused(text)
            entry = entry[1:-1]
        name, equals, _ = entry.partition("=")
        name = "-" + name.lstrip("-")
        if not entry.startswith("-") or name == "-o" or (not equals and name not in _SWITCHES):
            return _refused(text)
        entries.append(entry)
    flags = Flags(entries)
    if flags.problem is not None:
        flags.problem = f"GOFLAGS is `{text}`: {flags.problem}"
    return flags


def _refused(text: str) -> Flags:
    flags = Flags(())
    flags.problem = f"GOFLAGS is `{text}`, which is not modelled"
    return flags
