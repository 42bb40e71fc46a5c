"""The lossless syntax tree of a Dockerfile and the expansion of its words.

The grammar is BuildKit's (`frontend/dockerfile/parser`, `instructions` and `shell`): what it accepts is accepted with the same
meaning, what it refuses raises `DockerfileSyntaxError`.
"""

from dockopt.optimizer.syntax.lexer import ExpansionError, expand, expand_body, expand_words, variables
from dockopt.optimizer.syntax.parser import parse
from dockopt.optimizer.syntax.structure import cross_check, structure
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
    Warning_,
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
    "Warning_",
    "cross_check",
    "expand",
    "expand_body",
    "expand_words",
    "parse",
    "structure",
    "variables",
]
