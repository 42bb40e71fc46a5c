"""Finds build commands in shell text, and follows `cd` and variables as far as they are literal.

tree-sitter-bash gives the structure; each command is then read by `dockopt.optimizer.shell`, so one that its two readers do
not agree on is left out. A variable counts where the text assigns it once; everything else is a hole in the word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockopt.optimizer.context.builds.command_line import HOLE, BuildCommand, build_command
from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, resolved
from dockopt.optimizer.presence import is_file

if TYPE_CHECKING:
    from dockopt.optimizer.shell import Part, Script, Word
    from tree_sitter import Node

#: how a command may begin that builds or changes the directory; a variable or a quote may stand for anything
_INTERESTING = re.compile(
    r"(?:\w+=\S*\s+)*(?:[\"'$]|(?:cd|pushd|popd|sudo|exec|time|command|nice|nohup|env|eatmydata)(?:\s|$)"
    r"|\S*(?:docker|podman|buildah|nerdctl|depot|executor)\s)"
)
_PROGRAM = re.compile(r"\b(?:docker|podman|buildah|nerdctl|depot|executor)\b")
_BUILD = re.compile(r"\b(?:build|bud|b|executor)\b")
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*|\d+):?-([^${}`\"'\\]*)\}")
#: bash's name for what `$0` is in a script that is run as a file
_BASH_SOURCE = re.compile(r"\$BASH_SOURCE\b|\$\{BASH_SOURCE(?:\[0\])?(%/\*)?\}")
_BRANCHES = frozenset({"if_statement", "while_statement", "for_statement", "c_style_for_statement", "case_statement"})
_ASIDE = frozenset({"subshell", "command_substitution", "process_substitution", "pipeline", "function_definition"})
#: what holds no command and no assignment
_LEAVES = frozenset(
    {
        "word", "raw_string", "number", "simple_expansion", "expansion", "command_name", "variable_name", "comment",
        "test_command", "heredoc_body", "heredoc_start", "heredoc_end", "string_content", "file_redirect",
        "special_variable_name", "ansi_c_string", "regex",
    }
)  # fmt: skip
_MAX_DEPTH = 100


@dataclass(slots=True)
class ShellText:
    """A script, and what is known where it starts."""

    text: str
    file: Path
    root: Path
    directory: Path | None  #: the working directory
    line: int = 1  #: of the first line of the text in the file
    name: str = ""
    #: path of the script itself, None for text that is not run as a file
    script: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    def builds(self) -> Iterator[DeclaredBuild]:
        """Yield the builds of local Dockerfiles, in source order. Raises NotUnderstood."""
        if may_build(self.text):
            yield from _Walk(self).builds()


def may_build(text: str) -> bool:
    """Tell, cheaply, whether there may be a build command in a text."""
    return _PROGRAM.search(text) is not None and _BUILD.search(text) is not None


def from_either(starts: Iterable[Path], read: Callable[[Path], Iterable[DeclaredBuild]]) -> Iterator[DeclaredBuild]:
    """Yield the builds of a text that may be started in several directories: those that make sense in one of them only."""
    readings = [[build for build in read(start) if is_file(build.dockerfile)] for start in dict.fromkeys(starts)]
    places = dict.fromkeys(build.place for reading in readings for build in reading)
    for place in places:
        found = {(b.dockerfile, b.context): b for reading in readings for b in reading if b.place == place}
        if len(found) == 1:
            yield from found.values()


class _Walk:
    def __init__(self, shell: ShellText) -> None:
        from dockopt.optimizer.shell.crosscheck import bash_parser

        self.shell = shell
        self.directory = shell.directory
        self.stack: list[Path | None] = []
        text = _BASH_SOURCE.sub(lambda match: f"${{0{match[1] or ''}}}", shell.text)
        self.source = text.encode("utf-8", "replace")
        self.tree = bash_parser().parse(self.source).root_node
        self.assigned: dict[str, list[str | None]] = {}
        self.pending: set[str] = set()
        self.found: list[DeclaredBuild] = []

    def builds(self) -> list[DeclaredBuild]:
        self._collect(self.tree, 0)
        self._visit(self.tree)
        return self.found

    # -- structure -----------------------------------------------------------------------------------------------------

    def _collect(self, node: Node, depth: int) -> None:
        """Note every assignment of a variable; None is a value that the text does not tell. Raises NotUnderstood."""
        if depth > _MAX_DEPTH:
            raise NotUnderstood("it is nested too deeply", self.shell.line + node.start_point.row)
        for child in node.named_children:
            if child.type == "variable_assignment" and node.type != "command":
                name = child.child_by_field_name("name")
                if name is not None:
                    text = self._text(child)
                    value = text if re.match(r"[A-Za-z_]\w*=", text) else None
                    self.assigned.setdefault(self._text(name), []).append(value)
            elif child.type in ("for_statement", "select_statement"):
                name = child.child_by_field_name("variable")
                if name is not None:
                    self.assigned.setdefault(self._text(name), []).append(None)
            elif child.type == "command" and self._text(child).startswith(("read ", "mapfile ", "getopts ")):
                for word in self._text(child).split()[1:]:
                    self.assigned.setdefault(word, []).append(None)
            if child.type not in _LEAVES:
                self._collect(child, depth + 1)

    def _visit(self, node: Node) -> None:
        """Read commands in order; the depth is bounded since `_collect` was here."""
        before, stack = self.directory, list(self.stack)
        if node.type == "command":
            self._command(node)
        for child in node.named_children:
            if child.type not in _LEAVES:
                self._visit(child)
        if node.type in _ASIDE:
            self.directory, self.stack = before, stack
        elif node.type in _BRANCHES and self.directory != before:
            self.directory, self.stack = None, []

    def _text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    # -- commands ------------------------------------------------------------------------------------------------------

    def _command(self, node: Node) -> None:
        text = self._text(node)
        if _INTERESTING.match(text) is None or node.has_error:
            return
        from dockopt.optimizer.shell import parse_script

        commands = [step.command for step in parse_script(text, "bash").steps if step.command is not None]
        if len(commands) != 1:
            return
        words = [field for word in commands[0].words for field in self._fields(word)]
        if not words:
            return
        if words[0] in ("cd", "pushd", "popd"):
            self._change_directory(words)
            return
        command = build_command(words)
        if command is not None:
            self._add(command, self.shell.line + node.start_point.row)

    def _change_directory(self, words: list[str]) -> None:
        if words[0] == "popd":
            self.directory = self.stack.pop() if self.stack else None
            return
        if words[0] == "pushd":
            self.stack.append(self.directory)
        operands = [word for word in words[1:] if word not in ("-P", "-L", "--")]
        self.directory = self._path(operands[0]) if len(operands) == 1 and operands[0] != "-" else None

    def _path(self, text: str) -> Path | None:
        if HOLE in text or (self.directory is None and not text.startswith("/")):
            return None
        return resolved(self.directory or Path("/"), text)

    def _add(self, command: BuildCommand, line: int) -> None:
        context = self._path(command.context)
        dockerfile: Path | None = None
        if command.dockerfile is not None:
            dockerfile = self._path(command.dockerfile)
            if (
                command.from_context
                and context is not None
                and (dockerfile is None or not is_file(dockerfile))
                and HOLE not in command.dockerfile
            ):
                dockerfile = resolved(context, command.dockerfile)
        elif context is not None:
            named = [context / name for name in command.defaults]
            dockerfile = next((path for path in named if is_file(path)), named[-1])
        if dockerfile is None:
            return
        target = command.target or None
        unknown = target is not None and HOLE in target
        self.found.append(
            DeclaredBuild(
                self.shell.file,
                line,
                self.shell.name,
                dockerfile,
                context,
                None if unknown else target,
                any_target=unknown,
                args=command.args,
                named_contexts=tuple(name for name in command.named_contexts if HOLE not in name),
            )
        )

    # -- words ---------------------------------------------------------------------------------------------------------

    def _fields(self, word: Word) -> list[str]:
        """Return what the shell makes of a word: one field, several where a variable is not quoted, or none."""
        if word.literal is not None:
            return [word.literal]
        values = [self._part(part) for part in word.parts]
        text = "".join(values)
        bare = [v for part, v in zip(word.parts, values, strict=True) if getattr(part, "quoted", True) is False]
        if len(word.parts) == 1 and bare and HOLE not in text:
            return text.split()
        if any(re.search(r"[\s*?\[]", value) for value in bare):
            return [HOLE]
        return [text]

    def _part(self, part: Part) -> str:
        from dockopt.optimizer.shell import Lit, Other, Subst, Var

        if isinstance(part, Lit):
            return part.text
        if isinstance(part, Var):
            return self._variable(part.name)
        if isinstance(part, Subst):
            return self._substitution(part.script)
        if isinstance(part, Other):
            if part.raw in ("$0", "${0}") and self.shell.script is not None:
                return str(self.shell.script)
            if part.raw == "${0%/*}" and self.shell.script is not None:
                return str(self.shell.script.parent)
            default = _DEFAULT.fullmatch(part.raw)
            if default is not None:
                given = self._variable(default[1])
                return default[2] if given == HOLE and len(self.assigned.get(default[1], ())) <= 1 else given
        return HOLE

    def _variable(self, name: str) -> str:
        values = self.assigned.get(name)
        if values is None:
            if name == "PWD" and self.directory is not None:
                return str(self.directory)
            return self.shell.variables.get(name, HOLE)
        if len(values) != 1 or values[0] is None or name in self.pending:
            return HOLE
        from dockopt.optimizer.shell import parse_script

        steps = parse_script(values[0], "bash").steps
        command = steps[0].command if len(steps) == 1 else None
        if command is None or len(command.assignments) != 1:
            return HOLE
        self.pending.add(name)
        try:
            return "".join(self._part(part) for part in command.assignments[0].value.parts)
        finally:
            self.pending.discard(name)

    def _substitution(self, script: Script) -> str:
        """Return what a few commands print that only tell where something is."""
        commands = [
            [field for word in step.command.words for field in self._fields(word)]
            for step in script.steps
            if step.command is not None
        ]
        if len(commands) != len(script.steps):
            return HOLE
        here = HOLE if self.directory is None else str(self.directory)
        match commands:
            case [["pwd"]] | [["pwd", "-P"]]:
                return here
            case [["git", "rev-parse", "--show-toplevel"]]:
                return str(self.shell.root)
            case [["dirname", path]] | [["dirname", "--", path]] if HOLE not in path:
                return str(Path(path).parent)
            case [["realpath", path]] | [["readlink", "-f", path]]:
                return str(self._path(path) or HOLE)
            case [["cd", path], ["pwd", *_]] | [["cd", "-P", path], ["pwd", *_]] | [["cd", "--", path], ["pwd", *_]]:
                return str(self._path(path) or HOLE)
        return HOLE
