"""Ignore files (`.dockerignore`), matched exactly as BuildKit and fsutil match them.

Sources: moby/patternmatcher 0.6.1 `patternmatcher.go` and `ignorefile/ignorefile.go`, fsutil `filter.go` (the walk that
decides what the client sends). See reference §3 for the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from dockopt.optimizer.context import gopath, goregexp

#: what Go's strings.TrimSpace removes; str.strip() would take U+001C..U+001F as well
_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
#: bufio.MaxScanTokenSize: a line of this many bytes or more makes the build fail
_MAX_LINE = 64 * 1024
#: characters that patternmatcher escapes in its expression; its table misses `{`, `}` and `|`
_ESCAPED = frozenset(".+()$")
#: `[^/]*` as `goregexp` writes it
_STAR = r"(?:[^\U0000002f-\U0000002f])*"
#: that, characters that stand for themselves, and a look at the next one
_STARS = re.compile(rf"{re.escape(_STAR)}((?:\\[^\w/]|[\w \-,;:@%=~#&!'\"])+)(?={re.escape(_STAR)}(?![?*+{{]))")
_INVALID_BYTES = re.compile("[\udc80-\udcff]")


class IgnoreFileError(ValueError):
    """The builder would refuse the ignore file, or a pattern in it is beyond what can be modelled."""

    def __init__(self, message: str, path: str | None, line: int | None) -> None:
        """Say what is wrong; the line counts from 1."""
        super().__init__(f"{path or 'ignore file'}{f':{line}' if line else ''}: {message}")
        self.message = message
        self.path = path
        self.line = line


@dataclass(frozen=True, slots=True)
class Pattern:
    """One effective line of an ignore file."""

    text: str  #: cleaned, without the `!`
    negated: bool
    line: int  #: counts from 1

    def __str__(self) -> str:
        return f"!{self.text}" if self.negated else self.text


class _Matcher(NamedTuple):
    """How one pattern matches (patternmatcher's matchType)."""

    kind: str  # "exact", "prefix", "suffix", "regexp"
    text: str
    regexp: re.Pattern[str] | None

    def matches(self, path: str) -> bool:
        if self.kind == "exact":
            return path == self.text
        if self.kind == "prefix":
            return path.startswith(self.text[:-2])
        if self.kind == "suffix":
            suffix = self.text[2:]
            return path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])
        assert self.regexp is not None
        return self.regexp.search(_INVALID_BYTES.sub("\ufffd", path)) is not None


class _Seen(NamedTuple):
    """What the walk of fsutil knows after one path."""

    ignored: bool
    rule: int  # index of the deciding pattern, -1 if none matched
    matched: tuple[bool, ...]  # per pattern; patterns that the walk did not evaluate count as unmatched
    skipped: bool  # the walk does not descend


class IgnoreRules:
    """One parsed ignore file. Without a file nothing is ignored.

    A path is decided by a walk from the root, as the builder's client walks: a pattern is evaluated only while it could
    change the outcome, and a directory hands its results down. This differs from `MatchesOrParentMatches` in one
    corner: with `a/b` and then `!a`, the file `a/b` stays ignored, because `!a` was not evaluated at `a`.
    """

    path: str | None
    source: bytes
    patterns: tuple[Pattern, ...]

    def __init__(self, path: str | None, source: bytes, patterns: tuple[Pattern, ...]) -> None:
        """Compile the patterns; use `parse` for bytes. Raises IgnoreFileError."""
        self.path = path
        self.source = source
        self.patterns = patterns
        self._matchers = tuple(_compile(pattern, path) for pattern in patterns)
        self._exceptions = tuple(_without_trailing_glob(p.text) for p in patterns if p.negated)
        self._prefix_exceptions = not any(char in text for text in self._exceptions for char in "*[]?^\\")
        self._root = _Seen(False, -1, (), False)
        self._directories: dict[str, _Seen] = {}

    @classmethod
    def parse(cls, source: bytes, path: str | None) -> IgnoreRules:
        """Read an ignore file.

        Raises IgnoreFileError where the build would fail. Of a pattern that is no regular expression that is said at once,
        although the builder fails only when it first puts a path to it: which paths there are may change.
        """
        patterns: list[Pattern] = []
        lines = source.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for number, raw in enumerate(lines, 1):
            if len(raw) >= _MAX_LINE:
                raise IgnoreFileError("the line is longer than the 64 KiB that the builder reads", path, number)
            text = _read_line(raw.removesuffix(b"\r"), first=number == 1)
            if text is None:
                continue
            # patternmatcher.New works on the output of ignorefile.ReadAll and cleans once more
            text = text.strip(_GO_SPACE)
            if not text:
                continue
            text = gopath.clean(text)
            negated = text[0] == "!"
            if negated:
                text = text[1:]
                if not text:
                    raise IgnoreFileError(
                        "`!` without a pattern is refused by the builder; remove the line", path, number
                    )
            patterns.append(Pattern(text, negated, number))
        return cls(path, source, tuple(patterns))

    @classmethod
    def none(cls) -> IgnoreRules:
        """Return the rules of a context without an ignore file."""
        return cls(None, b"", ())

    @property
    def has_exceptions(self) -> bool:
        """Whether any pattern is negated; only without one does BuildKit lint ignored COPY sources."""
        return bool(self._exceptions)

    def added_to(self, old: IgnoreRules) -> tuple[str, ...] | None:
        """Return the paths that these rules keep out, with all below them, in addition to what older rules do.

        None where they differ in another way: the older patterns have to come first and unchanged, and each new one has to be a
        literal path that nothing readmits.
        """
        count = len(old.patterns)
        before = [(p.text, p.negated) for p in old.patterns]
        if [(p.text, p.negated) for p in self.patterns[:count]] != before:
            return None
        added = self.patterns[count:]
        for pattern in added:
            literal = _expression(pattern.text)[0] == "exact" and "*" not in pattern.text
            if pattern.negated or not literal or not self.ignored(pattern.text) or self.may_readmit_below(pattern.text):
                return None
        return tuple(pattern.text for pattern in added)

    def ignored(self, rel: str) -> bool:
        """Tell whether the builder's client leaves out a path; every component above it is taken to be a directory.

        A directory for which this is true may still be sent, empty of what stays ignored: see `may_readmit_below`.
        """
        return self._see(rel).ignored

    def rule_for(self, rel: str) -> Pattern | None:
        """Return the pattern that decided about a path, a negated one if it was re-included, None if none matched."""
        rule = self._see(rel).rule
        return None if rule < 0 else self.patterns[rule]

    def may_readmit_below(self, rel: str) -> bool:
        """Tell whether a negated pattern could re-include something below an ignored directory."""
        seen = self._see(rel)
        if not self.patterns or rel in ("", "."):
            return bool(self._exceptions)
        if seen.skipped:
            return False
        # what matched the directory matches everything below it: only a later exception can change that
        return any(
            pattern.negated and _can_match_below(self._matchers[index], pattern.text, rel)
            for index, pattern in enumerate(self.patterns)
            if index > seen.rule
        )

    def _see(self, rel: str) -> _Seen:
        rel = rel.strip("/")
        if not self.patterns or rel in ("", "."):
            return self._root
        seen = self._root
        for end in _ends(rel):
            prefix = rel[:end]
            if end < len(rel):
                above = self._directories.get(prefix)
                if above is None:
                    above = self._directories[prefix] = self._step(prefix, seen)
                seen = above
                if seen.skipped:
                    return seen
            else:
                seen = self._directories.get(prefix) or self._step(prefix, seen)
        return seen

    def _step(self, path: str, parent: _Seen) -> _Seen:
        """Do `MatchesUsingParentResults` for one path, then fsutil's decision whether to descend."""
        ignored = False
        rule = -1
        matched = [False] * len(self.patterns)
        for index, pattern in enumerate(self.patterns):
            match = bool(parent.matched) and parent.matched[index]
            if not match:
                if pattern.negated != ignored:
                    continue
                match = self._matchers[index].matches(path)
            matched[index] = match
            if match:
                # a repetition of the same outcome does not decide anything
                if rule < 0 or ignored == pattern.negated:
                    rule = index
                ignored = not pattern.negated
        skipped = (
            ignored
            and self._prefix_exceptions
            and not any(f"{text}/".startswith(f"{path}/") for text in self._exceptions)
        )
        return _Seen(ignored, rule, tuple(matched), skipped)


def _ends(rel: str) -> list[int]:
    return [index for index, char in enumerate(rel) if char == "/"] + [len(rel)]


def _read_line(raw: bytes, *, first: bool) -> str | None:
    """Do what `ignorefile.ReadAll` does with one line; None for a comment or blank line."""
    if first:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.startswith(b"#"):
        return None
    # the patterns travel to the client as JSON, where Go writes U+FFFD for an invalid byte
    text = _INVALID_BYTES.sub("\ufffd", raw.decode("utf-8", "surrogateescape")).strip(_GO_SPACE)
    if not text:
        return None
    negated = text[0] == "!"
    if negated:
        text = text[1:].strip(_GO_SPACE)
    if text:
        text = gopath.clean(text)
        if len(text) > 1 and text[0] == "/":
            text = text[1:]
    return f"!{text}" if negated else text


def _without_trailing_glob(text: str) -> str:
    return text.removesuffix("/**").removesuffix("/*")


def _compile(pattern: Pattern, path: str | None) -> _Matcher:
    """Do `Pattern.compile` of patternmatcher."""
    text = pattern.text
    try:
        gopath.match(text, ".")
    except gopath.BadPatternError as error:
        raise IgnoreFileError(f"the builder refuses the pattern `{pattern}`: {error}", path, pattern.line) from error
    kind, expression = _expression(text)
    if kind != "regexp":
        return _Matcher(kind, text, None)
    try:
        return _Matcher(kind, text, _without_choice(goregexp.translate(expression)))
    except goregexp.RegexpError as error:
        raise IgnoreFileError(
            f"the pattern `{pattern}` is no regular expression for the builder: {error}", path, pattern.line
        ) from error


def _without_choice(regexp: re.Pattern[str]) -> re.Pattern[str]:
    """Return the same expression with the choice taken out of `*` where another `*` follows in the same component.

    Python tries all places for each of them, which takes minutes for half a dozen; Go does not. The first place of what stands
    between two of them is as good as any other, since the second one takes whatever is left.
    """
    return re.compile(_STARS.sub(r"(?>[^/]*?\1)", regexp.pattern), regexp.flags)


def _expression(text: str) -> tuple[str, str]:
    """Return the match type and the Go expression that patternmatcher builds."""
    # text/scanner drops a byte order mark at the start
    text = text.removeprefix("\ufeff")
    kind = "exact"
    out = ["^"]
    at = steps = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            if text[at : at + 1] == "*":
                at += 1
                if text[at : at + 1] == "/":
                    at += 1
                if at == len(text):
                    if kind == "exact":
                        kind = "prefix"
                    else:
                        out.append(".*")
                        kind = "regexp"
                else:
                    out.append("(.*/)?")
                    kind = "regexp"
                if steps == 0:
                    kind = "suffix"
            else:
                out.append("[^/]*")
                kind = "regexp"
        elif char == "?":
            out.append("[^/]")
            kind = "regexp"
        elif char in _ESCAPED:
            out.append(f"\\{char}")
        elif char == "\\":
            # filepath.Match has refused a backslash at the end
            out.append(f"\\{text[at : at + 1]}")
            at += 1
            kind = "regexp"
        else:
            out.append(char)
            if char in "[]":
                kind = "regexp"
        steps += 1
    return kind, "".join(out) + "$"


def _can_match_below(matcher: _Matcher, text: str, rel: str) -> bool:
    """Tell whether a pattern could match a path below a directory; may err to the side of True."""
    below = f"{rel}/"
    if matcher.kind == "exact":
        return text.startswith(below)
    if matcher.kind == "prefix":
        prefix = text[:-2]
        return prefix.startswith(below) or below.startswith(prefix)
    if matcher.kind == "suffix" or any(char in text for char in "|{}^\\"):
        return True
    # leading components without `**` and classes match one component each
    for ours, theirs in zip(rel.split("/"), text.split("/"), strict=False):
        if "**" in theirs or any(char in theirs for char in "[]"):
            return True
        if not gopath.match(theirs, ours):
            return False
    return True
