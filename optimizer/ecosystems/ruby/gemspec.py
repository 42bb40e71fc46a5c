"""Gemspecs of gems that lie in the project: whether they look at nothing outside of their own directory.

Bundler runs the gemspec of such a gem where it lies (`Bundler.load_gemspec`). Its directory is copied as a whole, so patterns in it
are welcome; what leads outside, or starts another program (`git ls-files`), is an obstacle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.ruby.expressions import OPAQUE, Expressions
from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import below, join

if TYPE_CHECKING:
    from tree_sitter import Node

#: how deep below a gem's directory Bundler looks for gemspecs (source/path.rb, DEFAULT_GLOB `{,*,*/*}.gemspec`)
_DEPTH = 2
_MOST_DIRECTORIES = 400
_DEPENDENCIES = frozenset(
    "add_dependency add_development_dependency add_runtime_dependency add_bindir require_paths=".split()
)
_LIBRARIES = frozenset({"rubygems", "rbconfig", "date", "English"})


def check_gem(view: View, directory: str) -> None:
    """Check all gemspecs that Bundler finds in a directory. Raises `Obstacle`."""
    places, seen = [(directory, 0)], 0
    while places:
        place, depth = places.pop()
        seen += 1
        if seen > _MOST_DIRECTORIES:
            raise Obstacle(f"`{directory}` has too many directories in which Bundler may find a gemspec", directory)
        for name in view.listing(place):
            path = join(place, name)
            if name.endswith(".gemspec"):
                _Reader(view, path, directory).read()
            elif depth < _DEPTH and not name.startswith(".") and view.kind(path) == "directory":
                places.append((path, depth + 1))


class _Reader(Expressions):
    def __init__(self, view: View, path: str, directory: str) -> None:
        super().__init__(view, path, path.rpartition("/")[0] or "/")
        self.tree = directory
        #: name of the block's parameter that is the specification
        self.subject = ""
        #: where its programs lie (Gem::Specification's `bindir`), and the line that names programs
        self.programs = ["bin"]
        self.executables: Node | None = None
        self.loaded = [path]
        #: where `require` looks first
        self.library = [join(self.directory, "lib")]

    def read(self) -> None:
        data = self.view.around.read_context(self.path)
        if data is None:
            raise Obstacle(f"`{self.path}` does not surely come from the build context", self.path)
        text = data.decode("utf-8", "replace")
        if text.startswith("---"):
            raise Obstacle("a gemspec in YAML is not understood", self.path, 1)
        with self.shallow():
            for statement in self.parse(text).named_children:
                self._top(statement)
        if self.executables is None:
            return
        for name in self.programs:
            if self.view.kind(join(self.directory, name)) != "absent":
                # Gem::Installer#generate_bin
                raise self.obstacle(self.executables, "makes RubyGems set the modes of files of the project")

    def _top(self, node: Node) -> None:
        if node.type == "call":
            receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
            name = "" if method is None else self.text(method)
            if receiver is None and name in ("require", "require_relative"):
                self._require(node, name)
                return
            if receiver is not None and self.text(receiver) == "Gem::Specification" and name == "new":
                self._specification(node)
                return
            if receiver is not None and self.text(receiver) in ("$:", "$LOAD_PATH") and name in ("push", "unshift"):
                self._search(node)
                return
        if node.type in ("if_modifier", "unless_modifier"):
            body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
            if body is not None and condition is not None:
                if "$LOAD_PATH" not in self.text(condition) and "$:" not in self.text(condition):
                    self.value(condition)
                self._top(body)
                return
        self.pure(node)

    def _search(self, node: Node) -> None:
        for argument in self.arguments(node):
            where = self.value(argument)
            if not isinstance(where, str) or not below(join(self.cwd, where), self.tree):
                raise self.obstacle(node, "looks for code outside of the gem")
            self.library.append(join(self.cwd, where))

    def _require(self, node: Node, how: str) -> None:
        arguments = self.arguments(node)
        name = self.value(arguments[0]) if len(arguments) == 1 else None
        if not isinstance(name, str):
            raise self.obstacle(node, "loads code that is not known before the build")
        if how == "require" and name in _LIBRARIES:
            return
        starts = [self.directory] if how == "require_relative" else self.library
        for start in starts:
            path = join(start, name if name.endswith(".rb") else f"{name}.rb")
            if below(path, self.tree) and self.view.kind(path) == "file":
                if path not in self.loaded:
                    self.loaded.append(path)
                    self._constants(path)
                return
        raise self.obstacle(node, "runs code that is not followed")

    def _constants(self, path: str) -> None:
        """Check that a file such as `lib/NAME/version.rb` defines nothing but constants and plain methods."""
        inner = _Reader(self.view, path, self.tree)
        inner.loaded = self.loaded
        data = self.view.around.read_context(path)
        if data is None:
            raise Obstacle(f"`{path}` does not surely come from the build context", path)
        inner._definitions(inner.parse(data.decode("utf-8", "replace")))

    def _definitions(self, node: Node) -> None:
        for child in node.named_children:
            if child.type in ("module", "class", "body_statement"):
                self._definitions(child)
            elif child.type in ("constant", "scope_resolution", "comment", "superclass", "method_parameters", "self"):
                continue
            elif child.type in ("method", "singleton_method"):
                self.block(child)
            else:
                self._top(child)

    def _constant(self, node: Node) -> object:
        # constants of the gem itself: what they are is said by files of its directory
        return self.bindings.get(self.text(node), OPAQUE)

    _scope_resolution = _constant

    def _call(self, node: Node) -> object:
        receiver = node.child_by_field_name("receiver")
        plain = not self.arguments(node) and node.child_by_field_name("block") is None
        if plain and receiver is not None and self.text(receiver) == self.subject:
            return OPAQUE  # an attribute that was set above
        return super()._call(node)

    def _specification(self, node: Node) -> None:
        block = node.child_by_field_name("block")
        parameters = None if block is None else block.child_by_field_name("parameters")
        names = [] if parameters is None else parameters.named_children
        if block is None or len(names) != 1:
            raise self.obstacle(node, "is not understood")
        for argument in self.arguments(node):
            self.value(argument)
        self.subject = self.text(names[0])
        self.bindings[self.subject] = OPAQUE
        body = block.child_by_field_name("body")
        for statement in [] if body is None else body.named_children:
            self._line(statement)

    def _line(self, node: Node) -> None:
        if node.type in ("if_modifier", "unless_modifier"):
            body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
            if body is None or condition is None:
                raise self.obstacle(node, "is not understood")
            self.value(condition)
            self._line(body)
        elif node.type in ("if", "unless", "then", "else", "elsif"):
            for child in node.named_children:
                if child == node.child_by_field_name("condition"):
                    self.value(child)
                else:
                    self._line(child)
        elif node.type in ("assignment", "operator_assignment"):
            self._attribute(node)
        elif node.type == "call":
            receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
            if receiver is not None and method is not None and self.text(receiver) == self.subject:
                if self.text(method) not in _DEPENDENCIES:
                    raise self.obstacle(node, "is not understood")
                for argument in self.arguments(node):
                    self._argument(argument)
                return
            self.pure(node)
        else:
            self.pure(node)

    def _attribute(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            raise self.obstacle(node, "is not understood")
        written = self.text(left)
        if written.startswith(f"{self.subject}.extensions"):
            raise self.obstacle(node, "builds extensions among the files of the project")
        if not written.startswith(f"{self.subject}."):
            self.assign(node)
            return
        value = self.value(right)
        if written == f"{self.subject}.executables" and value != []:
            self.executables = node
        if written == f"{self.subject}.bindir":
            if not isinstance(value, str):
                raise self.obstacle(node, "is not known before the build")
            self.programs = [value]
