"""The second reader: tree-sitter-bash, compared with what the grammar found.

tree-sitter repairs what it cannot read, so a tree with ERROR or MISSING nodes says nothing, and it is silently wrong
about some valid scripts. Only a script in which both readers see the same commands, words, operators and comments at
the same offsets counts. The comparison is flat, since the tree nests lists and redirections in ways of its own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dockopt.optimizer.shell.model import Command, Redirect

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_WORDS = frozenset(
    {
        "word", "number", "concatenation", "string", "raw_string", "simple_expansion", "expansion", "variable_name",
        "command_substitution", "arithmetic_expansion", "ansi_c_string", "translated_string", "brace_expression",
        "command_name", "variable_assignment", "special_variable_name",
    }
)  # fmt: skip
_OPERATOR_PARENTS = frozenset(
    {
        "program", "list", "pipeline", "negated_command", "subshell", "compound_statement", "if_statement",
        "elif_clause", "else_clause", "for_statement", "while_statement", "do_group", "case_statement",
        "heredoc_redirect", "command_substitution",
    }
)  # fmt: skip
_OPERATORS = frozenset(
    {
        "&&", "||", "|", "&", "(", ")", "{", "}", "!", "if", "then", "elif", "else", "fi", "for", "while", "until",
        "do", "done", "case", "esac", "in",
    }
)  # fmt: skip
_KEYWORD_COMMANDS = frozenset({"declaration_command", "unset_command"})
_COMMANDS = _KEYWORD_COMMANDS | {"command", "variable_assignments"}
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect"})
# a bare file_redirect is a whole command in `$(<file)`
_STATEMENT_PARENTS = frozenset(
    {
        "program", "list", "pipeline", "negated_command", "subshell", "compound_statement", "if_statement",
        "elif_clause", "else_clause", "while_statement", "do_group", "case_item", "command_substitution",
    }
)  # fmt: skip


_DOLLAR_BEFORE_NAME = re.compile(rb"\$(?=[A-Za-z_])")


@cache
def bash_parser() -> Parser:
    """Return a parser for bash; made once, since that takes longer than most scripts."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def disagreement(
    text: str,
    commands: list[Command],
    compound_redirects: list[Redirect],
    marks: list[tuple[int, str]],
    comments: list[tuple[int, int]],
) -> str | None:
    """Why tree-sitter does not confirm the reading, or None if it does."""
    source = text.encode()
    # `/x-$A-$B/y` is one word, tree-sitter-bash makes two of it; a letter instead of `$` leaves every boundary in place
    root = bash_parser().parse(_DOLLAR_BEFORE_NAME.sub(b"v", source)).root_node
    if root.has_error:
        return "tree-sitter-bash cannot read it"
    seen = _Seen()
    seen.visit(root)
    starts = [command.start for command in commands]
    words = [(redirect.target.start, redirect.target.end) for redirect in compound_redirects]
    for command in commands:
        words += [(word.start, word.end) for word in command.words]
        if command.assignments:
            words += [(assignment.start, assignment.end) for assignment in command.assignments]
        if command.redirects:
            words += [(redirect.target.start, redirect.target.end) for redirect in command.redirects]
    if len(source) != len(text):
        offsets = _byte_offsets(text)
        starts = [offsets[start] for start in starts]
        words = [(offsets[start], offsets[end]) for start, end in words]
        marks = [(offsets[start], mark) for start, mark in marks]
        comments = [(offsets[start], offsets[end]) for start, end in comments]
    for what, ours, theirs in (
        ("commands", sorted(starts), sorted(seen.commands)),
        ("words", sorted(words), sorted(seen.words)),
        ("operators", sorted(marks), sorted(seen.marks)),
        ("comments", sorted(comments), sorted(seen.comments)),
    ):
        if ours != theirs:
            return f"two parsers do not see the same {what} in it"
    return None


def _byte_offsets(text: str) -> list[int]:
    offsets = [0]
    for char in text:
        offsets.append(offsets[-1] + len(char.encode()))
    return offsets


class _Seen:
    """What the tree says, in byte offsets."""

    def __init__(self) -> None:
        self.commands: list[int] = []
        self.words: list[tuple[int, int]] = []
        self.marks: list[tuple[int, str]] = []
        self.comments: list[tuple[int, int]] = []

    def visit(self, node: Node) -> None:
        """Look at statements and at what they consist of."""
        # each `&&` is one level of the tree: a long chain is deeper than calls may be nested
        levels = [node]
        while levels:
            self._level(levels.pop(), levels)

    def _level(self, node: Node, deeper: list[Node]) -> None:
        parent = node.type
        operators = parent in _OPERATOR_PARENTS
        statements = parent in _STATEMENT_PARENTS
        for child in node.children:
            kind = child.type
            if kind in _COMMANDS:
                self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind in _OPERATORS:
                # the parentheses of `$()` are of no interest, those of a subshell are
                if operators and not (parent == "command_substitution" and kind in "()"):
                    self.marks.append((child.start_byte, kind))
            elif kind == "redirected_statement":
                self._redirected(child)
            elif kind == "test_command":
                self._test(child)
            elif kind == "variable_assignment" and statements:
                self.commands.append(child.start_byte)
                self._word(child)
            elif kind in _REDIRECTS:
                if statements:
                    self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "heredoc_redirect":
                self._heredoc(child)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count:
                deeper.append(child)

    def _redirected(self, node: Node) -> None:
        first = node.children[0]
        simple = first.type in _COMMANDS or first.type in {"variable_assignment", "test_command"}
        leading = first.type in _REDIRECTS or first.type == "heredoc_redirect"
        if leading or first.type == "variable_assignment":
            self.commands.append(first.start_byte)
        for child in node.children:
            kind = child.type
            if kind in _COMMANDS:
                # a redirection before it is part of the command to us
                if not leading:
                    self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "test_command":
                self._test(child, counts=not leading)
            elif kind == "variable_assignment":
                self._word(child)
            elif kind in _REDIRECTS:
                self._arguments(child)
            elif kind == "heredoc_redirect":
                self._heredoc(child)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count and not simple:
                self.visit(child)

    def _heredoc(self, node: Node) -> None:
        """The rest of the line stands below the heredoc in the tree: words, redirections, even `| b && c`."""
        for child in node.children:
            kind = child.type
            if kind == "heredoc_start" or kind in _WORDS:
                self._word(child)
            elif kind in _REDIRECTS:
                self._arguments(child)
            elif kind in _OPERATORS:
                self.marks.append((child.start_byte, kind))
            elif kind in _COMMANDS:
                self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "redirected_statement":
                self._redirected(child)
            elif child.child_count:
                self.visit(child)

    def _arguments(self, node: Node) -> None:
        for child in node.children:
            kind = child.type
            if kind in _WORDS:
                self._word(child)
            elif kind in _REDIRECTS:
                self._arguments(child)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count:
                self.visit(child)
            elif node.type in _KEYWORD_COMMANDS and not child.is_named:
                self.words.append((child.start_byte, child.end_byte))

    def _word(self, node: Node) -> None:
        self.words.append((node.start_byte, node.end_byte))
        if node.child_count:
            self.visit(node)

    def _test(self, node: Node, counts: bool = True) -> None:
        """`[ ... ]` is an ordinary command to us; the tree has an expression, whose leaves that touch make a word."""
        spans: list[tuple[int, int]] = []
        self._leaves(node, spans)
        if node.children[0].type == "[[":
            return
        if counts:
            self.commands.append(node.start_byte)
        joined: list[tuple[int, int]] = []
        for start, end in spans:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        self.words += joined

    def _leaves(self, node: Node, spans: list[tuple[int, int]]) -> None:
        # each `!` is one level of the tree
        nodes = node.children[::-1]
        while nodes:
            child = nodes.pop()
            if child.type in _WORDS:
                spans.append((child.start_byte, child.end_byte))
                if child.child_count:
                    self.visit(child)
            elif child.child_count:
                nodes += child.children[::-1]
            else:
                spans.append((child.start_byte, child.end_byte))
