"""Reads commands: POSIX.1-2017, Shell Command Language 2.10, as far as dash, busybox and bash agree on it."""

from __future__ import annotations

import re

from dockopt.optimizer.shell.model import NO_NAMES, Assignment, Command, Lit, Redirect, Script, Step, Word
from dockopt.optimizer.shell.words import OpaqueError, WordReader

_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_SUBSCRIPT_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\[[^\]]*\]\+?=")
_REDIRECT = re.compile(r"([0-9]*)(<<<|<<-|<<|<&|<>|<\(|<|>>|>&|>\||>\(|>|&>>|&>)")
# an argument without anything special, with the blanks behind it; digits may be the start of a redirection
_PLAIN_ARGUMENT = re.compile(
    r"""([^ \t\n|&;<>()$`\\"'*?\[~{#0-9][^ \t\n|&;<>()$`\\"'*?\[~{]*)(?:[ \t]+|(?=[\n|&;<>()])|\Z)"""
)
_DESCRIPTOR = re.compile(r"[0-9]+-?|-")
_NAMED_DESCRIPTOR = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}[<>]")
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|in|[{}!]|\[\[|function|select|time|coproc)"
    r"(?=[ \t\n|&;<>()]|\\\n|$)"
)
_BASH_ONLY = frozenset({"[[", "function", "select", "time", "coproc"})
_NO_STOPS: frozenset[str] = frozenset()


class Grammar(WordReader):
    """Reads a script from its text; raises `OpaqueError` for what it does not understand."""

    def __init__(self, text: str, dialect: str) -> None:
        super().__init__(text, dialect)
        # newline at which heredoc bodies begin -> where the script goes on behind them
        self.bodies: dict[int, int] = {}
        self.bodies_passed: set[int] = set()
        # operators and keywords with their offsets, for the comparison with the other reader
        self.marks: list[tuple[int, str]] = []

    def script(self) -> tuple[Step, ...]:
        """The steps of the whole text."""
        steps = self._list(_NO_STOPS)
        if self.pos < self.limit:
            raise OpaqueError(f"`{self.text[self.pos]}` is not expected here")
        if len(self.bodies_passed) != len(self.bodies):
            # the newline stands inside quotes or a substitution
            raise OpaqueError("a heredoc's body is not where it was expected")
        return steps

    def nested_script(self, start: int, closer: str) -> Script:
        """The script in a substitution; see `WordReader`."""
        self._enter()
        comments = len(self.comments)
        steps = self._list(_NO_STOPS)
        self.depth -= 1
        if closer and self.at(self.pos) != closer:
            raise OpaqueError(f"`{closer}` is missing")
        return Script(self.text, self.dialect, steps, None, tuple(self.comments[comments:]), start, self.pos)

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _list(self, stops: frozenset[str]) -> tuple[Step, ...]:
        """Steps up to a reserved word of `stops`, a `)`, `;;` or the end."""
        steps: list[Step] = []
        connector = ""
        text = self.text
        while True:
            if self._skip_lines() and not connector and steps:
                connector = "\n"
            char = self.at(self.pos)
            if char in {"", ")"}:
                break
            if char in {";", "&", "|"}:
                if text.startswith(";;", self.pos):
                    break
                raise OpaqueError(f"`{char}` is not expected here")
            reserved = _RESERVED.match(text, self.pos, self.limit)
            if reserved is not None and reserved.group() in stops:
                break
            first = len(steps)
            names, commands = len(self.names), len(self.commands)
            redirects, loops = len(self.compound_redirects), len(self.loop_names)
            start = self.pos
            steps.append(self._pipeline(connector))
            while True:
                operator = text[self.pos : self.pos + 2]
                if operator not in {"&&", "||"}:
                    break
                self._mark(operator)
                self._skip_lines()
                steps.append(self._pipeline(operator))
            connector = ""
            char = self.at(self.pos)
            if char == "&":
                background = self._step(None, "other", (), start, connector, names, commands, redirects, loops)
                background = background._replace(connector=steps[first].connector, end=steps[-1].end, background=True)
                del steps[first:]
                steps.append(background)
                self._mark("&")
                connector = "&"
            elif char == ";":
                if text.startswith(";;", self.pos):
                    break
                self.pos += 1
                connector = ";"
            elif char not in {"", ")", "\n"}:
                # also for the valid `fi done`, which tree-sitter-bash cannot read
                raise OpaqueError(f"`{char}` is not expected here")
        return tuple(steps)

    def _skip_blanks(self) -> None:
        """Skip blanks, continued line ends and a comment."""
        pos, limit = self.pos, self.limit
        if pos >= limit:
            return
        char = self.text[pos]
        if char in " \t\\":
            blanks = _BLANKS.match(self.text, pos, limit)
            if blanks is not None:
                self.pos = pos = blanks.end()
                char = self.at(pos)
        if char == "#":
            stop = self.text.find("\n", pos, limit)
            stop = limit if stop < 0 else stop
            self.comments.append((pos, stop))
            self.pos = stop

    def _skip_lines(self) -> bool:
        """Skip blanks, comments and newlines, with the heredoc bodies after a newline; True if there was a newline."""
        found = False
        self._skip_blanks()
        while self.at(self.pos) == "\n":
            found = True
            behind = self.bodies.get(self.pos)
            if behind is None:
                self.pos += 1
            else:
                self.bodies_passed.add(self.pos)
                self.pos = behind
            self._skip_blanks()
        return found

    def _mark(self, operator: str) -> None:
        self.marks.append((self.pos, operator))
        self.pos += len(operator)

    # -- pipelines and commands ----------------------------------------------------------------------------------------

    def _pipeline(self, connector: str) -> Step:
        names, commands = len(self.names), len(self.commands)
        redirects, loops = len(self.compound_redirects), len(self.loop_names)
        start = self.pos
        negated = self._keyword("!")
        members: list[tuple[Command | None, str]] = [self._command()]
        while self.at(self.pos) == "|" and self.at(self.pos + 1) != "|":
            if self.at(self.pos + 1) == "&":
                raise OpaqueError("`|&` is bash only")
            self._mark("|")
            self._skip_lines()
            members.append(self._command())
        command: Command | None = None
        simple: tuple[Command, ...] = ()
        if len(members) == 1:
            command, kind = members[0]
        else:
            kind = "pipeline"
            found = tuple(member for member, _ in members if member is not None)
            simple = found if len(found) == len(members) else ()
        if negated:
            command, kind, simple = None, "negated", ()
        return self._step(command, kind, simple, start, connector, names, commands, redirects, loops)

    def _step(
        self,
        command: Command | None,
        kind: str,
        pipeline: tuple[Command, ...],
        start: int,
        connector: str,
        names: int,
        commands: int,
        redirects: int,
        loops: int,
    ) -> Step:
        inside = self.commands[commands:]
        if len(inside) > 1:
            inside.sort(key=_start)
        end = self.pos
        if command is not None:
            end = command.end
        else:
            # blanks and a comment after the last character were skipped already
            while self.text[end - 1] in " \t\n" or any(a < end <= b for a, b in self.comments[-1:]):
                end = self.comments[-1][0] if any(a < end <= b for a, b in self.comments[-1:]) else end - 1
        return Step(
            command,
            kind,
            pipeline,
            start,
            end,
            connector,
            tuple(inside),
            False,
            frozenset(self.names[names:]) if len(self.names) > names else NO_NAMES,
            tuple(self.compound_redirects[redirects:]),
            frozenset(self.loop_names[loops:]) if len(self.loop_names) > loops else NO_NAMES,
        )

    def _keyword(self, keyword: str) -> bool:
        """Take the reserved word if it is next; False if it is not."""
        reserved = _RESERVED.match(self.text, self.pos, self.limit)
        if reserved is None or reserved.group() != keyword:
            return False
        self._mark(keyword)
        self._skip_blanks()
        return True

    def _expect(self, keyword: str) -> None:
        if not self._keyword(keyword):
            raise OpaqueError(f"`{keyword}` is missing")

    def _command(self) -> tuple[Command | None, str]:
        if self.at(self.pos) == "(":
            if self.at(self.pos + 1) == "(":
                raise OpaqueError("`((` is read differently by different shells")
            self._enter()
            self._mark("(")
            self._body(_NO_STOPS)
            if self.at(self.pos) != ")":
                raise OpaqueError("`)` is missing")
            self._mark(")")
            return self._compound("subshell")
        reserved = _RESERVED.match(self.text, self.pos, self.limit)
        if reserved is None:
            return self._simple(), "simple"
        keyword = reserved.group()
        if keyword in _BASH_ONLY:
            if keyword == "[[" and self.dialect == "bash":
                self._enter()
                self._test()
                return self._compound("test")
            raise OpaqueError(f"`{keyword}` is not understood" + ("" if self.dialect == "bash" else " (not in POSIX)"))
        self._enter()
        if keyword == "{":
            self._keyword("{")
            self._body(frozenset({"}"}))
            self._expect("}")
            return self._compound("group")
        if keyword == "if":
            return self._if()
        if keyword in {"while", "until"}:
            self._keyword(keyword)
            self._body(frozenset({"do"}))
            self._do_group()
            return self._compound("other")
        if keyword == "for":
            return self._for()
        if keyword == "case":
            return self._case()
        if keyword == "in":
            self.depth -= 1
            return self._simple(), "simple"
        raise OpaqueError(f"`{keyword}` is not expected here")

    def _body(self, stops: frozenset[str]) -> None:
        if not self._list(stops):
            raise OpaqueError("a command is missing")

    def _compound(self, kind: str) -> tuple[None, str]:
        """The end of a compound command, with its redirections."""
        self.depth -= 1
        self._skip_blanks()
        while True:
            redirect = self._redirect()
            if redirect is None:
                return None, kind
            self.compound_redirects.append(redirect)
            self._skip_blanks()

    def _if(self) -> tuple[None, str]:
        self._keyword("if")
        while True:
            self._body(frozenset({"then"}))
            self._expect("then")
            self._body(frozenset({"elif", "else", "fi"}))
            if not self._keyword("elif"):
                break
        if self._keyword("else"):
            self._body(frozenset({"fi"}))
        self._expect("fi")
        return self._compound("if")

    def _do_group(self) -> None:
        self._expect("do")
        self._body(frozenset({"done"}))
        self._expect("done")

    def _for(self) -> tuple[None, str]:
        self._keyword("for")
        name = self.word()
        if name is None or name.literal is None or name.literal != name.raw or not name.raw.isidentifier():
            raise OpaqueError("`for` is followed by something that is not understood")
        self.loop_names.append(name.raw)
        self._skip_lines()
        if self._keyword("in"):
            while self.word() is not None:
                self._skip_blanks()
        if self.at(self.pos) == ";" and self.at(self.pos + 1) != ";":
            self.pos += 1
        self._skip_lines()
        self._do_group()
        return self._compound("for")

    def _case(self) -> tuple[None, str]:
        self._keyword("case")
        if self.word() is None:
            raise OpaqueError("`case` has no word")
        self._skip_lines()
        self._expect("in")
        self._skip_lines()
        while not self._keyword("esac"):
            if self.at(self.pos) == "(":
                self.pos += 1
                self._skip_blanks()
            while True:
                if self.word() is None:
                    raise OpaqueError("`case` has a pattern that is not understood")
                self._skip_blanks()
                if self.at(self.pos) != "|":
                    break
                self.pos += 1
                self._skip_blanks()
            if self.at(self.pos) != ")":
                raise OpaqueError("`case` has a pattern that is not understood")
            self.pos += 1
            self._list(frozenset({"esac"}))
            if self.text.startswith(";;", self.pos):
                self.pos += 2
                if self.at(self.pos) in {"&", ";"}:
                    raise OpaqueError("`;;&` is bash only")
                self._skip_lines()
            elif self.at(self.pos) != "e":
                raise OpaqueError("`case` is not closed")
        return self._compound("case")

    def _test(self) -> None:
        """`[[ ... ]]` of bash: read over it; its words matter only for the names in them."""
        self.pos += 2
        while True:
            self._skip_blanks()
            char = self.at(self.pos)
            if self.text.startswith(("&&", "||"), self.pos):
                self.pos += 2
                continue
            if char and char in "<>()":
                self.pos += 1
                continue
            word = self.word()
            if word is None:
                raise OpaqueError("`[[` is not closed")
            if word.raw == "]]":
                return
            if word.raw == "=~":
                raise OpaqueError("`=~` in `[[` is not understood")

    # -- simple commands -----------------------------------------------------------------------------------------------

    def _simple(self) -> Command:
        text = self.text
        start = end = self.pos
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirects: list[Redirect] = []
        limit = self.limit
        while True:
            pos = self.pos
            plain = _PLAIN_ARGUMENT.match(text, pos, limit)
            if plain is not None:
                raw = plain.group(1)
                if words or ("=" not in raw and text[plain.end() : plain.end() + 1] != "("):
                    end = plain.end(1)
                    words.append(Word(raw, pos, end, raw, (Lit(raw),)))
                    self.pos = plain.end()
                    continue
            char = text[pos] if pos < limit else ""
            if char in "#\\":
                self._skip_blanks()
                pos = self.pos
                char = self.at(pos)
            if char in "\n;|)":
                break
            if char in "<>&0123456789":
                redirect = self._redirect()
                if redirect is not None:
                    redirects.append(redirect)
                    end = redirect.end
                    self._skip_blanks()
                    continue
            if not words:
                match = _ASSIGNMENT.match(text, pos, limit)
                if match is not None:
                    assignments.append(self._assignment(match.group(1), bool(match.group(2)), match.end()))
                    end = self.pos
                    self._skip_blanks()
                    continue
                if _SUBSCRIPT_ASSIGNMENT.match(text, pos, limit):
                    raise OpaqueError("an array is assigned to")
            if char == "{" and _NAMED_DESCRIPTOR.match(text, pos, limit):
                raise OpaqueError("`{name}>` is bash only")
            word = self.word()
            if word is None:
                break
            words.append(word)
            end = word.end
            if len(words) == 1 and not assignments and self._opens_function():
                raise OpaqueError("a shell function is defined")
            self._skip_blanks()
        if end == start:
            raise OpaqueError(f"`{self.at(start)}` is not expected here" if self.at(start) else "a command is missing")
        command = Command(tuple(words), tuple(assignments), tuple(redirects), start, end)
        self.commands.append(command)
        return command

    def _opens_function(self) -> bool:
        blanks = _BLANKS.match(self.text, self.pos, self.limit)
        return self.at(blanks.end() if blanks else self.pos) == "("

    def _assignment(self, name: str, append: bool, value_start: int) -> Assignment:
        if append and self.dialect != "bash":
            raise OpaqueError("`+=` is bash only")
        start = self.pos
        self.pos = value_start
        if self.at(value_start) == "(":
            raise OpaqueError("an array is assigned to")
        value = self.word(assignment=True) or Word("", value_start, value_start, "", ())
        return Assignment(name, value, append, start, self.pos)

    def _redirect(self) -> Redirect | None:
        """The redirection at the current position, or None."""
        match = _REDIRECT.match(self.text, self.pos, self.limit)
        if match is None:
            return None
        number, op = match.groups()
        if len(number) > 1:
            raise OpaqueError("a descriptor of two digits is not POSIX")
        if op in {"<(", ">("}:
            raise OpaqueError("process substitution is not understood")
        if op in {"<<<", "&>", "&>>"} and self.dialect != "bash":
            raise OpaqueError(f"`{op}` is bash only")
        if number and op[0] == "&":
            raise OpaqueError(f"a number before `{op}` is not understood")
        start = self.pos
        self.pos = match.end()
        self._skip_blanks()
        target = self.word()
        if target is None:
            raise OpaqueError(f"`{op}` has no target")
        end = self.pos
        if op in {">&", "<&"} and not _DESCRIPTOR.fullmatch(target.raw):
            raise OpaqueError(f"`{op}` with a target that is not a number is not POSIX")
        if op in {"<<", "<<-"}:
            return self._heredoc(op, number, target, start)
        return Redirect(op, int(number) if number else None, target, start, end)

    def _heredoc(self, op: str, number: str, target: Word, start: int) -> Redirect:
        """A heredoc whose delimiter was just read; its body begins after this line and the bodies before it."""
        text, end = self.text, self.pos
        if not target.literal or "\n" in target.raw:
            raise OpaqueError("a heredoc's delimiter is not understood")
        newline = text.find("\n", end, self.limit)
        if newline < 0:
            raise OpaqueError("a heredoc has no body")
        if text[newline - 1] == "\\":
            raise OpaqueError("a line with a heredoc is continued")
        quoted = target.raw != target.literal
        tabs = op == "<<-"
        body_start = at = self.bodies.get(newline, newline + 1)
        while True:
            if at >= self.limit:
                raise OpaqueError(f"a heredoc is not closed by `{target.literal}`")
            stop = text.find("\n", at, self.limit)
            stop = self.limit if stop < 0 else stop
            line = text[at:stop]
            if (line.lstrip("\t") if tabs else line) == target.literal:
                break
            at = stop + 1
        if not quoted and text[max(body_start, at - 2) : at] == "\\\n":
            raise OpaqueError("a backslash joins a heredoc's last line with its end")
        if tabs and "\t" in text[body_start:at]:
            raise OpaqueError("a heredoc from which tabs are removed is not understood")
        self.bodies[newline] = min(stop + 1, self.limit)
        body = self.heredoc_body(body_start, at, quoted)
        self.pos = end
        return Redirect(op, int(number) if number else None, target, start, end, body)


def _start(command: Command) -> int:
    return command.start
