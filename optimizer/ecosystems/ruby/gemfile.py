"""Gemfiles: which gems they ask for, and which files of the project they make Bundler read.

The words of a Gemfile are those of gemfile(5) and of Bundler's `dsl.rb`. Both branches of a condition count, unless it asks
whether a file exists: then the answer is known, and a frozen input.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.ruby.expressions import OPAQUE, Expressions, strings
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import join

if TYPE_CHECKING:
    from tree_sitter import Node

#: words with a block, of which every line counts
_BLOCKS = frozenset({"group", "platform", "platforms", "install_if", "env"})
_REMOTE = frozenset({"git", "github", "gist", "bitbucket", "gitlab"})
#: parts of Ruby's own library that a Gemfile may load: they read nothing of a project
_LIBRARIES = frozenset(
    {"rbconfig", "rubygems", "rubygems/version", "json", "yaml", "etc", "pathname", "uri", "bundler", "set"}
)
_SAID = frozenset({"puts", "warn", "raise", "abort", "p", "print"})
_MOST_FILES = 30


@dataclass(frozen=True, slots=True)
class Gem:
    """One `gem` line."""

    name: str
    #: requirements as written ("~> 7.0"), None where they are not known before the build
    requirements: tuple[str, ...] | None
    path: str
    line: int
    #: it stands under no condition
    certain: bool


@dataclass(slots=True)
class Gemfile:
    """What a Gemfile and those that it evaluates say."""

    gems: list[Gem] = field(default_factory=list)
    #: local directories with gems (image paths), with the file and line that name them, and whether that is under no condition
    directories: dict[str, tuple[str, int, bool]] = field(default_factory=dict)
    variables: list[str] = field(default_factory=list)
    #: a name of a gem is not known before the build
    open_ended: bool = False


def read_gemfile(view: View, path: str, working_directory: str) -> Gemfile:
    """Read a Gemfile at an image path. Raises `Obstacle`."""
    found = Gemfile()
    _Reader(view, path, working_directory, found, path.rpartition("/")[0] or "/", [path]).read()
    return found


class _Reader(Expressions):
    def __init__(
        self, view: View, path: str, working_directory: str, found: Gemfile, root: str, opened: list[str]
    ) -> None:
        super().__init__(view, path, working_directory)
        self.found, self.root, self.opened = found, root, opened
        self.variables = found.variables

    def read(self) -> None:
        text = self.view.text(self.path)
        with self.shallow():
            self._all(self.parse(text).named_children)

    def _all(self, statements: list[Node]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: Node) -> None:
        if node.type in ("comment", "empty_statement", "heredoc_body"):
            return
        if node.type in ("if", "unless", "elsif"):
            self._condition(node)
        elif node.type in ("if_modifier", "unless_modifier"):
            body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
            if body is None or condition is None:
                raise self.obstacle(node, "is not understood")
            self._branches(condition, [body], [], negated=node.type == "unless_modifier")
        elif node.type == "case":
            self._case(node)
        elif node.type in ("then", "else", "body_statement", "block_body", "parenthesized_statements", "begin"):
            self._all(node.named_children)
        elif node.type == "assignment" and self._is_environment(node):
            right = node.child_by_field_name("right")
            if right is not None:
                self.value(right)
        elif node.type == "assignment":
            self.assign(node)
        elif node.type == "operator_assignment":
            self._operator_assignment(node)
        elif node.type == "identifier":
            self._word(node, self.text(node), [], None)
        elif node.type == "call":
            self._dsl_call(node)
        else:
            # an expression of its own, such as `A && gem("x")`, may hold words of the Gemfile: those are no values
            self.value(node)

    def _is_environment(self, node: Node) -> bool:
        left = node.child_by_field_name("left")
        if left is None or left.type != "element_reference" or self.text(left.named_children[0]) != "ENV":
            return False
        self.value(left)
        return True

    def _operator_assignment(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            raise self.obstacle(node, "is not understood")
        self.value(right)
        if left.type == "identifier":
            self.bindings[self.text(left)] = OPAQUE
        elif not self._is_environment(node):
            raise self.obstacle(node, "is not understood")

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _condition(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        if condition is None:
            raise self.obstacle(node, "is not understood")
        consequence, alternative = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
        self._branches(
            condition,
            [] if consequence is None else [consequence],
            [] if alternative is None else [alternative],
            negated=node.type == "unless",
        )

    def _branches(self, condition: Node, first: list[Node], second: list[Node], *, negated: bool) -> None:
        answer = self.value(condition)
        if isinstance(answer, bool):
            self._all(first if answer is not negated else second)
            return
        saved, self.conditional = self.conditional, True
        self._all(first)
        self._all(second)
        self.conditional = saved

    def _case(self, node: Node) -> None:
        saved, self.conditional = self.conditional, True
        for child in node.named_children:
            if child.type == "when":
                for part in child.named_children:
                    if part.type == "pattern":
                        for inner in part.named_children:
                            self.value(inner)
                    else:
                        self._statement(part)
            elif child.type == "else":
                self._statement(child)
            elif child.type != "comment":
                self.value(child)
        self.conditional = saved

    # -- words ---------------------------------------------------------------------------------------------------------

    def _dsl_call(self, node: Node) -> None:
        receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        block = node.child_by_field_name("block")
        if method is None:
            raise self.obstacle(node, "is not understood")
        name = self.text(method)
        if receiver is None:
            self._word(node, name, self.arguments(node), block)
        elif name == "each" and block is not None:
            self._each(node, receiver, block)
        else:
            self.value(node)

    def _each(self, node: Node, receiver: Node, block: Node) -> None:
        items = strings(self.value(receiver))
        parameters = block.child_by_field_name("parameters")
        names = [] if parameters is None else parameters.named_children
        body = block.child_by_field_name("body")
        if items is None or len(names) != 1 or names[0].type != "identifier":
            raise self.obstacle(node, "is not understood: what it repeats is not known before the build")
        name = self.text(names[0])
        saved = self.bindings.get(name)
        for item in items:
            self.bindings[name] = item
            self._all([] if body is None else body.named_children)
        self.bindings.pop(name, None)
        if saved is not None:
            self.bindings[name] = saved

    def _word(self, node: Node, name: str, arguments: list[Node], block: Node | None) -> None:
        if name == "gem":
            self._gem(node, arguments)
        elif name in _BLOCKS:
            for argument in arguments:
                self._argument(argument)
            self._inside(node, block)
        elif name == "source":
            self._source(node, arguments, block)
        elif name == "path":
            self._local(node, arguments[0] if arguments else None, arguments[1:])
            self._inside(node, block)
        elif name in _REMOTE:
            self._options(arguments)
            self._inside(node, block)
        elif name == "git_source":
            for argument in arguments:
                self._argument(argument)
            if block is not None:
                self.block(block)
        elif name == "ruby":
            self._ruby(arguments)
        elif name == "eval_gemfile":
            self._evaluate(node, arguments)
        elif name == "gemspec":
            raise self.obstacle(node, "makes Bundler run the gemspec of the project, which may look at any file of it")
        elif name == "plugin":
            raise self.obstacle(node, "loads a plugin of Bundler, which may do anything")
        elif name == "require" and len(arguments) == 1 and self.value(arguments[0]) in _LIBRARIES:
            return
        elif name in ("require", "require_relative", "load", "eval", "instance_eval"):
            raise self.obstacle(node, "runs Ruby code that is not followed")
        elif name in _SAID:
            for argument in arguments:
                self._argument(argument)
        else:
            raise self.obstacle(node, "is not understood")

    def _inside(self, node: Node, block: Node | None) -> None:
        body = None if block is None else block.child_by_field_name("body")
        if block is None:
            raise self.obstacle(node, "is not understood")
        self._all([] if body is None else body.named_children)

    def _options(self, arguments: list[Node]) -> dict[str, tuple[object, Node]]:
        found: dict[str, tuple[object, Node]] = {}
        for argument in arguments:
            if argument.type == "pair":
                key, value = self.pair(argument)
                if not isinstance(key, str):
                    raise self.obstacle(argument, "is not understood")
                found[key.strip("\"'")] = (value, argument)
            elif argument.type == "hash":
                found |= self._options([child for child in argument.named_children if child.type == "pair"])
            elif argument.type in ("hash_splat_argument", "splat_argument", "block_argument"):
                raise self.obstacle(argument, "is not understood")
            else:
                self.value(argument)
        for key in _REMOTE & found.keys():
            value, place = found[key]
            if key == "git" and not (
                isinstance(value, str) and re.match(r"(https?|git|ssh)://|[\w.-]+@[\w.-]+:", value)
            ):
                raise self.obstacle(place, "may be a repository of the project")
        return found

    def _gem(self, node: Node, arguments: list[Node]) -> None:
        if not arguments:
            raise self.obstacle(node, "is not understood")
        name = self.value(arguments[0])
        options = self._options(arguments[1:])
        if "path" in options:
            value, place = options["path"]
            self._directory(value, place)
        if not isinstance(name, str):
            self.found.open_ended = True
            return
        requirements: list[str] | None = []
        for argument in arguments[1:]:
            if argument.type in ("pair", "hash"):
                continue
            value = self.value(argument)
            texts = [value] if isinstance(value, str) else strings(value)
            requirements = None if texts is None or requirements is None else [*requirements, *texts]
        self.found.gems.append(
            Gem(
                name,
                None if requirements is None else tuple(requirements),
                self.path,
                node.start_point[0] + 1,
                not self.conditional,
            )
        )

    def _local(self, node: Node, where: Node | None, arguments: list[Node]) -> None:
        if where is None:
            raise self.obstacle(node, "is not understood")
        self._options(arguments)
        self._directory(self.value(where), node)

    def _directory(self, value: object, node: Node) -> None:
        if not isinstance(value, str):
            raise self.obstacle(node, "names a directory that is not known before the build")
        path = join(self.directory, value)
        self.found.directories.setdefault(path, (self.path, node.start_point[0] + 1, not self.conditional))

    def _source(self, node: Node, arguments: list[Node], block: Node | None) -> None:
        for argument in arguments:
            found = self.value(argument) if argument.type != "pair" else ""
            if isinstance(found, str) and found.startswith(("file:", "/", ".")):
                path = join(self.root, found.removeprefix("file://").removeprefix("file:"))
                if self.view.around.project_roots and any(
                    path == root or path.startswith(root + "/") for root in self.view.around.project_roots
                ):
                    raise self.obstacle(node, "has gems in the project")
        if block is not None:
            self._inside(node, block)

    def _ruby(self, arguments: list[Node]) -> None:
        options = self._options(arguments)
        if "file" not in options:
            return
        value, place = options["file"]
        if not isinstance(value, str):
            raise self.obstacle(place, "names a file that is not known before the build")
        # Bundler's ruby_dsl.rb: below the directory of the Gemfile that was asked for
        path = join(self.root, value)
        if not self.view.has(path):
            raise self.obstacle(place, "reads a file that is not there", path)

    def _evaluate(self, node: Node, arguments: list[Node]) -> None:
        if len(arguments) != 1:
            raise self.obstacle(node, "is not understood")
        # Bundler's dsl.rb, `eval_gemfile`: relative to the Gemfile that says so
        path = join(self.directory, self.known(arguments[0], "Bundler evaluates that file"))
        if path in self.opened or len(self.opened) > _MOST_FILES:
            raise self.obstacle(node, "evaluates a file again")
        if not self.view.has(path):
            raise self.obstacle(node, "evaluates a file that is not there", path)
        self.opened.append(path)
        inner = _Reader(self.view, path, self.cwd, self.found, self.root, self.opened)
        inner.conditional = self.conditional
        inner.read()


__all__ = ["Gem", "Gemfile", "Obstacle", "read_gemfile"]
