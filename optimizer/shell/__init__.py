"""Shell text of RUN: simple commands with offsets, or an honest refusal to read it.

Two readers that share nothing must agree: `grammar` (POSIX, written for this purpose, builds the result) and
tree-sitter-bash (`crosscheck`). Whatever either of them does not understand makes the script opaque, with the reason;
nothing is guessed.
"""

from dockopt.optimizer.shell.model import (
    STATE_BUILTINS,
    Assignment,
    Command,
    Glob,
    Lit,
    Other,
    Part,
    Redirect,
    Script,
    Step,
    Subst,
    Var,
    Word,
)
from dockopt.optimizer.shell.parse import DIALECTS, parse_script

__all__ = [
    "DIALECTS",
    "STATE_BUILTINS",
    "Assignment",
    "Command",
    "Glob",
    "Lit",
    "Other",
    "Part",
    "Redirect",
    "Script",
    "Step",
    "Subst",
    "Var",
    "Word",
    "parse_script",
]
