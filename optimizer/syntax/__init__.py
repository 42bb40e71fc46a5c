"""The lossless syntax tree of a Dockerfile and the expansion of its words."""

from dockopt.optimizer.syntax.lexer import ExpansionError, expand, expand_words, variables
from dockopt.optimizer.syntax.parser import parse
from dockopt.optimizer.syntax.tree import (
    Blank,
    Bom,
    Comment,
    Directive,
    Dockerfile,
    DockerfileSyntaxError,
    Flag,
    Heredoc,
    Instruction,
    Mount,
    Node,
    Pair,
    Span,
    Stage,
)

__all__ = [
    "Blank",
    "Bom",
    "Comment",
    "Directive",
    "Dockerfile",
    "DockerfileSyntaxError",
    "ExpansionError",
    "Flag",
    "Heredoc",
    "Instruction",
    "Mount",
    "Node",
    "Pair",
    "Span",
    "Stage",
    "expand",
    "expand_words",
    "parse",
    "variables",
]
