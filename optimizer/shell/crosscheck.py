"""The second reader: tree-sitter-bash, compared with what the grammar found.

tree-sitter repairs what it cannot read, so a tree with ERROR or MISSING nodes says nothing, and it is silently wrong
about some valid scripts. Only a script in which both readers see the same commands, words, operators and comments at
the same offsets counts. The comparison is flat, since the tree nests lists and redirections in ways of its own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dockopt.optimizer.shell.model import Command

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
_UNNAMED_COMMANDS = frozenset({"declaration_command", "unset_command"})
# a bare file_redirect is a whole command in `$(<file)`
_STATEMENT_PARENTS = frozenset(
    {
        "program", "list", "pipeline", "negated_command", "subshell", "compound_statement", "if_statement",
        "elif_clause", "else_clause", "while_statement", "do_group", "case_item", "command_substitution",
    }
)  # fmt: skip


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def disagreement(
    text: str, commands: list[Command], marks: list[tuple[int, str]], comments: list[tuple[int, int]]
) -> str | None:
    """Why tree-sitter does not confirm the reading, or None if it does."""
    source = text.encode()
    root = _parser().parse(source).root_node
    if root.has_error:
        return "tree-sitter-bash cannot read it"
    seen = _Seen()
    seen.visit(root)
    ours_commands = [command.start for command in commands]
    ours_words: list[tuple[int, int]] = []
    for command in commands:
        for word in command.words:
            ours_words.append((word.start, word.end))
        for assignment in command.assignments:
            ours_words.append((assignment.start, assignment.end))
        for redirect in command.redirects:
            ours_words.append((redirect.target.start, redirect.target.end))
    if len(source) != len(text):
        offsets = _byte_offsets(text)
        ours_commands = [offsets[start] for start in ours_commands]
        ours_words = [(offsets[start], offsets[end]) for start, end in ours_words]
        marks = [(offsets[start], mark) for start, mark in marks]
        comments = [(offsets[start], offsets[end]) for start, end in comments]
    for what, ours, theirs in (
        ("commands", sorted(ours_commands), sorted(seen.commands)),
        ("words", sorted(ours_words), sorted(seen.words)),
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
        """Statements and what they consist of."""
        parent = node.type
        operators = parent in _OPERATOR_PARENTS
        statements = parent in _STATEMENT_PARENTS
        for child in node.children:
            kind = child.type
            if kind == "command":
                self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind in _OPERATORS:
                if operators and not (parent == "command_substitution" and kind in "()"):
                    self.marks.append((child.start_byte, kind))
            elif kind == "redirected_statement":
                self._redirected(child)
            elif kind in _UNNAMED_COMMANDS:
                self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "test_command":
                self._test(child)
            elif kind in {"variable_assignment", "variable_assignments"} and statements:
                self.commands.append(child.start_byte)
                if kind == "variable_assignment":
                    self._word(child)
                else:
                    self._arguments(child)
            elif kind in {"file_redirect", "herestring_redirect"}:
                if statements:
                    self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count:
                self.visit(child)

    def _redirected(self, node: Node) -> None:
        first = node.children[0]
        compound = False
        if first.type in {"file_redirect", "herestring_redirect", "heredoc_redirect"}:
            self.commands.append(first.start_byte)
        else:
            compound = first.type not in {"command", "test_command", "variable_assignment", *_UNNAMED_COMMANDS}
        for child in node.children:
            kind = child.type
            if kind == "command":
                # a leading redirection is part of the command to us
                if child is first:
                    self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind in _UNNAMED_COMMANDS:
                self.commands.append(child.start_byte)
                self._arguments(child)
            elif kind == "variable_assignment":
                if child is first:
                    self.commands.append(child.start_byte)
                self._word(child)
            elif kind == "test_command":
                self._test(child)
            elif kind in {"file_redirect", "herestring_redirect"}:
                self._arguments(child, count=not compound)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count:
                self.visit_one(child)

    def visit_one(self, node: Node) -> None:
        """A compound command, or a pipeline, below a redirection."""
        self.visit(node)

    def _arguments(self, node: Node, count: bool = True) -> None:
        keyword = node.type in _UNNAMED_COMMANDS
        for child in node.children:
            kind = child.type
            if kind in _WORDS:
                if count:
                    self._word(child)
                else:
                    self.visit(child)
            elif kind in {"file_redirect", "herestring_redirect"}:
                self._arguments(child, count)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif child.child_count:
                self.visit(child)
            elif keyword and not child.is_named:
                self.words.append((child.start_byte, child.end_byte))

    def _word(self, node: Node) -> None:
        self.words.append((node.start_byte, node.end_byte))
        if node.child_count:
            self.visit(node)

    def _test(self, node: Node) -> None:
        """`[ ... ]` is an ordinary command to us; the tree has an expression, whose leaves that touch make a word."""
        double = node.children[0].type == "[["
        spans: list[tuple[int, int]] = []
        self._leaves(node, spans)
        if double:
            return
        self.commands.append(node.start_byte)
        joined: list[tuple[int, int]] = []
        for start, end in spans:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        self.words += joined

    def _leaves(self, node: Node, spans: list[tuple[int, int]]) -> None:
        for child in node.children:
            if child.type in _WORDS:
                spans.append((child.start_byte, child.end_byte))
                if child.child_count:
                    self.visit(child)
            elif child.child_count:
                self._leaves(child, spans)
            else:
                spans.append((child.start_byte, child.end_byte))
