"""Reads words: quoting, escapes and expansions (POSIX.1-2017, Shell Command Language 2.2 and 2.6)."""

from __future__ import annotations

import re

from dockopt.optimizer.shell.model import NO_NAMES, Command, Glob, Lit, Other, Part, Redirect, Script, Subst, Var, Word

TERMINATORS = frozenset(" \t\n|&;<>()")
_PLAIN = re.compile(r"""[^ \t\n|&;<>()$`\\"'*?\[~{]+""")
_QUOTED_PLAIN = re.compile(r'[^"$`\\]+')
_HEREDOC_PLAIN = re.compile(r"[^$`\\]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SPECIAL = re.compile(r"[@*#?$!0-9-]")
_BRACED_HEAD = re.compile(r"(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])")
_BRACED_OP = re.compile(r":[-+?=]|[-+?=]|%%?|##?")
_BASH_BRACED_REST = re.compile(r"(?:/|:(?![-+?=])|\^|,)[A-Za-z0-9_./:^,@%+= -]*\}")
_ARITHMETIC = re.compile(r"[A-Za-z0-9_ \t+\-*/%<>=!&|^~?:,()$]*")
_ARITHMETIC_ASSIGNS = re.compile(r"(?<![=!<>])=(?!=)|(?:<<|>>)=|\+\+|--")
_BRACKET = re.compile(r"\[[^\] \t\n|&;<>()$`\\\"'\[/]+\]")
_BRACE = re.compile(r"\{[A-Za-z0-9_./:@%+-]*(?:,[A-Za-z0-9_./:@%+-]*)+\}|\{[A-Za-z0-9-]+\.\.[A-Za-z0-9-]+\}")
_TILDE = re.compile(r"~[A-Za-z0-9_.-]*(?=[/: \t\n|&;<>()]|$)")
_UNQUOTED_RUN = re.compile(r"""[^ \t\n|&;<>()"'$`\\]*""")
_MAX_DEPTH = 30


class OpaqueError(Exception):
    """The script is not understood; the message is the reason."""


class WordReader:
    """Position in a text, and the reading of words from there. `Grammar` adds commands."""

    def __init__(self, text: str, dialect: str) -> None:
        self.text = text
        self.dialect = dialect
        self.pos = 0
        self.limit = len(text)
        self.depth = 0
        # logs in reading order; who needs what lies inside a construct takes the slice since its start
        self.names: list[str] = []
        self.scripts: list[Script] = []
        self.commands: list[Command] = []
        self.compound_redirects: list[Redirect] = []
        self.loop_names: list[str] = []
        self.comments: list[tuple[int, int]] = []

    def nested_script(self, start: int, closer: str) -> Script:
        """Read a list from the current position up to `closer` (or the limit), which is left unread."""
        raise NotImplementedError

    def at(self, index: int) -> str:
        """The character at `index`, "" at or beyond the limit."""
        return self.text[index] if index < self.limit else ""

    def word(self, assignment: bool = False) -> Word | None:
        """The word at the current position; None where none starts. In an assignment's value no patterns exist.

        Raises `OpaqueError`.
        """
        text, start, limit = self.text, self.pos, self.limit
        plain = _PLAIN.match(text, start, limit)
        if plain is not None:
            stop = plain.end()
            if stop == limit or text[stop] in TERMINATORS:
                self.pos = stop
                raw = plain.group()
                return Word(raw, start, stop, raw, (Lit(raw),))
        elif start == limit or text[start] in TERMINATORS:
            return None
        return self._composed(start, assignment)

    def _composed(self, start: int, assignment: bool) -> Word | None:
        text, limit = self.text, self.limit
        seen = len(self.names)
        parts: list[Part] = []
        pos = start
        while pos < limit:
            plain = _PLAIN.match(text, pos, limit)
            if plain is not None:
                parts.append(Lit(plain.group()))
                pos = plain.end()
                continue
            char = text[pos]
            if char in TERMINATORS:
                break
            if char == "'":
                stop = text.find("'", pos + 1, limit)
                if stop < 0:
                    raise OpaqueError("a single quote is not closed")
                parts.append(Lit(text[pos + 1 : stop]))
                pos = stop + 1
            elif char == '"':
                pos = self._double_quoted(pos + 1, parts)
            elif char == "\\":
                if pos + 1 >= limit:
                    raise OpaqueError("a backslash ends the script")
                if text[pos + 1] == "\n":
                    if pos + 2 >= limit or text[pos + 2] in TERMINATORS:
                        break
                    raise OpaqueError("a word is continued over a line end")
                parts.append(Lit(text[pos + 1]))
                pos += 2
            elif char == "$":
                pos = self._dollar(pos, False, parts)
            elif char == "`":
                pos = self._backquoted(pos, False, parts)
            else:
                pos = self._pattern(start, pos, assignment, parts)
        if pos == start:
            return None
        self.pos = pos
        return self._finish(start, pos, parts, seen)

    def _finish(self, start: int, end: int, parts: list[Part], seen: int) -> Word:
        joined: list[Part] = []
        for part in parts:
            if isinstance(part, Lit) and joined and isinstance(joined[-1], Lit):
                joined[-1] = Lit(joined[-1].text + part.text)
            elif not (isinstance(part, Lit) and not part.text and len(parts) > 1):
                joined.append(part)
        if not joined:
            joined = [Lit("")]
        only = joined[0]
        literal = only.text if len(joined) == 1 and isinstance(only, Lit) else None
        names = frozenset(self.names[seen:]) if len(self.names) > seen else NO_NAMES
        return Word(self.text[start:end], start, end, literal, tuple(joined), names)

    def _pattern(self, start: int, pos: int, assignment: bool, parts: list[Part]) -> int:
        """One of `* ? [ ~ {`, unquoted."""
        text, limit = self.text, self.limit
        char = text[pos]
        if char == "~":
            if pos == start or text[pos - 1] in "=:":
                tilde = _TILDE.match(text, pos, limit)
                parts.append(Glob(tilde.group()) if tilde else Other("~"))
                return tilde.end() if tilde else pos + 1
        elif not assignment:
            if char in "*?":
                parts.append(Glob(char))
                return pos + 1
            if char == "[":
                bracket = _BRACKET.match(text, pos, limit)
                if bracket is not None:
                    parts.append(Glob(bracket.group()))
                    return bracket.end()
                if self._reaches(pos, "]"):
                    parts.append(Other("["))
                    return pos + 1
            elif char == "{":
                brace = _BRACE.match(text, pos, limit)
                if brace is not None:
                    # dash and busybox leave braces alone, a bash that is called sh expands them
                    parts.append(Glob(brace.group()) if self.dialect == "bash" else Other(brace.group()))
                    return brace.end()
                if self._reaches(pos, "}") and (self._reaches(pos, ",") or self._reaches(pos, "..")):
                    parts.append(Other("{"))
                    return pos + 1
        parts.append(Lit(char))
        return pos + 1

    def _reaches(self, pos: int, mark: str) -> bool:
        """Whether `mark` may stand in the same word after `pos`. Errs towards yes: quotes are not looked at."""
        run = _UNQUOTED_RUN.match(self.text, pos + 1, self.limit)
        stop = run.end() if run else pos + 1
        if self.text.find(mark, pos + 1, stop) >= 0:
            return True
        return self.at(stop) not in TERMINATORS | {""} and self.text.find(mark, stop, self.limit) >= 0

    def _double_quoted(self, pos: int, parts: list[Part]) -> int:
        """Read from after the opening quote; returns the index after the closing one."""
        text, limit = self.text, self.limit
        parts.append(Lit(""))
        while True:
            plain = _QUOTED_PLAIN.match(text, pos, limit)
            if plain is not None:
                parts.append(Lit(plain.group()))
                pos = plain.end()
            if pos >= limit:
                raise OpaqueError("a double quote is not closed")
            if text[pos] == '"':
                return pos + 1
            pos = self._inside_quotes(pos, '$`"\\', parts)

    def _inside_quotes(self, pos: int, escapable: str, parts: list[Part]) -> int:
        """One of `$`, backquote, backslash, where they are special inside double quotes and heredocs."""
        text = self.text
        if text[pos] == "$":
            return self._dollar(pos, True, parts)
        if text[pos] == "`":
            return self._backquoted(pos, True, parts)
        following = self.at(pos + 1)
        if following == "\n":
            return pos + 2
        if following and following in escapable:
            parts.append(Lit(following))
            return pos + 2
        parts.append(Lit("\\"))
        return pos + 1

    def heredoc_body(self, start: int, end: int, literal: bool) -> Word:
        """The body of a heredoc; `literal` if its delimiter was quoted."""
        raw = self.text[start:end]
        if literal:
            return Word(raw, start, end, raw, (Lit(raw),))
        outer, self.limit = self.limit, end
        seen = len(self.names)
        parts: list[Part] = [Lit("")]
        pos = start
        while pos < end:
            plain = _HEREDOC_PLAIN.match(self.text, pos, end)
            if plain is not None:
                parts.append(Lit(plain.group()))
                pos = plain.end()
            else:
                pos = self._inside_quotes(pos, "$`\\", parts)
        self.limit = outer
        return self._finish(start, end, parts, seen)

    def _dollar(self, pos: int, quoted: bool, parts: list[Part]) -> int:
        text, limit = self.text, self.limit
        following = self.at(pos + 1)
        name = _NAME.match(text, pos + 1, limit)
        if name is not None:
            self.names.append(name.group())
            parts.append(Var(name.group(), text[pos : name.end()], quoted))
            return name.end()
        if following == "{":
            plain = _PLAIN_BRACED.match(text, pos, limit)
            if plain is not None:
                self.names.append(plain.group(1))
                parts.append(Var(plain.group(1), plain.group(), quoted))
                return plain.end()
            return self._braced(pos, quoted, parts)
        if following == "(":
            if self.at(pos + 2) == "(":
                return self._arithmetic(pos, quoted, parts)
            self.pos = pos + 2
            script = self.nested_script(pos + 2, ")")
            if self.at(self.pos) != ")":
                raise OpaqueError("`$(` is not closed")
            self.scripts.append(script)
            parts.append(Subst(script, text[pos : self.pos + 1], quoted))
            return self.pos + 1
        if following == "\n" or (following == "\\" and self.at(pos + 2) == "\n"):
            raise OpaqueError("`$` stands at the end of a line")
        if following == "[":
            raise OpaqueError("`$[` means different things in different shells")
        if following and _SPECIAL.match(following):
            parts.append(Other(text[pos : pos + 2], quoted=quoted))
            return pos + 2
        if following == "'" and not quoted:
            stop = text.find("'", pos + 2, limit)
            if stop < 0 or "\\" in text[pos:stop]:
                # with a backslash inside, dash and bash disagree about where it ends
                raise OpaqueError("`$'..'` with a backslash is read differently by different shells")
            parts.append(Other(text[pos : stop + 1]))
            return stop + 1
        if following == '"' and not quoted:
            raise OpaqueError('`$".."` is read differently by different shells')
        parts.append(Lit("$"))
        return pos + 1

    def _braced(self, pos: int, quoted: bool, parts: list[Part]) -> int:
        """`${...}` with more than a name inside."""
        text, limit = self.text, self.limit
        names, scripts = len(self.names), len(self.scripts)
        head = _BRACED_HEAD.match(text, pos + 2, limit)
        if head is None:
            raise OpaqueError("`${` is followed by something that is not understood")
        if _NAME.match(head.group(2)):
            self.names.append(head.group(2))
        at = head.end()
        if self.at(at) == "}":
            at += 1
        elif head.group(1):
            raise OpaqueError("`${#` is followed by something that is not understood")
        else:
            operator = _BRACED_OP.match(text, at, limit)
            if operator is None:
                rest = _BASH_BRACED_REST.match(text, at, limit)
                if rest is None:
                    raise OpaqueError(f"`${{{head.group(2)}...}}` has an operator that is not understood")
                at = rest.end()
            elif operator.group() in {"=", ":="}:
                raise OpaqueError(f"`${{{head.group(2)}{operator.group()}...}}` assigns a variable while it expands")
            else:
                at = self._braced_word(operator.end(), quoted)
        parts.append(Other(text[pos:at], frozenset(self.names[names:]), tuple(self.scripts[scripts:]), quoted))
        return at

    def _braced_word(self, pos: int, quoted: bool) -> int:
        """The word after the operator of `${x:-word}`; returns the index after the closing brace."""
        text = self.text
        discarded: list[Part] = []
        self._enter()
        while True:
            char = self.at(pos)
            if char == "}":
                self.depth -= 1
                return pos + 1
            if char in {"", "\n"}:
                raise OpaqueError("`${` is not closed")
            if char in "'\"" and quoted:
                raise OpaqueError("quotes inside `${...}` inside quotes are read differently by different shells")
            if char == "'":
                stop = text.find("'", pos + 1, self.limit)
                if stop < 0:
                    raise OpaqueError("a single quote is not closed")
                pos = stop + 1
            elif char == '"':
                pos = self._double_quoted(pos + 1, discarded)
            elif char == "$":
                pos = self._dollar(pos, quoted, discarded)
            elif char == "`":
                pos = self._backquoted(pos, quoted, discarded)
            elif char in "{<>(":
                raise OpaqueError(f"`{char}` inside `${{...}}` is not understood")
            else:
                pos += 2 if char == "\\" else 1

    def _arithmetic(self, pos: int, quoted: bool, parts: list[Part]) -> int:
        inside = _ARITHMETIC.match(self.text, pos + 3, self.limit)
        level, stop = 0, -1
        for index in range(pos + 3, inside.end() if inside else pos + 3):
            char = self.text[index]
            if char == "(":
                level += 1
            elif char == ")":
                if level == 0:
                    stop = index
                    break
                level -= 1
        if stop < 0 or self.at(stop + 1) != ")":
            raise OpaqueError("`$((` is followed by something that is not understood")
        expression = self.text[pos + 3 : stop]
        if _ARITHMETIC_ASSIGNS.search(expression):
            raise OpaqueError("`$((...))` assigns a variable while it expands")
        if re.search(r"\$(?![A-Za-z_])", expression):
            raise OpaqueError("`$((` is followed by something that is not understood")
        names = re.findall(r"(?<![A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*", expression)
        self.names += names
        parts.append(Other(self.text[pos : stop + 2], frozenset(names), (), quoted))
        return stop + 2

    def _backquoted(self, pos: int, quoted: bool, parts: list[Part]) -> int:
        # the shell looks for the closing backquote first and parses what is between them afterwards
        stop = self.text.find("`", pos + 1, self.limit)
        if stop < 0:
            raise OpaqueError("a backquote is not closed")
        inside = self.text[pos + 1 : stop]
        if "\\" in inside:
            raise OpaqueError("a backslash inside backquotes is not understood")
        if inside.lstrip(" \t").startswith("#"):
            raise OpaqueError("a comment inside backquotes is not understood")
        outer, self.limit = self.limit, stop
        self.pos = pos + 1
        script = self.nested_script(pos + 1, "")
        if self.pos != stop:
            raise OpaqueError("the text between backquotes is not understood")
        self.limit = outer
        self.scripts.append(script)
        parts.append(Subst(script, self.text[pos : stop + 1], quoted))
        return stop + 1

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise OpaqueError("it is nested too deeply")
