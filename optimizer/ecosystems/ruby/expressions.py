"""Ruby expressions that have no effect but to read files: their value, as far as it is certain, and which files those are.

A Gemfile and a gemspec are programs. The grammar (tree-sitter-ruby) takes them apart; of what comes out only forms that are
listed here are taken for understood, and everything else is an obstacle with its line.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dockopt.optimizer.ecosystems.view import Obstacle, View
from dockopt.optimizer.regions import below, join

if TYPE_CHECKING:
    from tree_sitter import Node


class _Opaque:
    """The value of an expression that is understood, and is not known before the build."""

    def __repr__(self) -> str:
        return "OPAQUE"


OPAQUE = _Opaque()

#: constants whose values say something of Ruby, not of the project
_CONSTANTS = frozenset(
    "RUBY_VERSION RUBY_PLATFORM RUBY_ENGINE RUBY_ENGINE_VERSION RUBY_PATCHLEVEL RUBY_RELEASE_DATE JRUBY_VERSION ENV Gem "
    "Gem::VERSION Gem::Version Gem::Requirement Gem::Platform Gem::Platform::RUBY Gem::Dependency Bundler Bundler::VERSION "
    "RbConfig RbConfig::CONFIG Config::CONFIG Etc Integer Float String".split()
)
#: methods of strings, numbers, arrays, hashes, versions and `nil` that look at nothing else (Ruby's core documentation)
_METHODS = frozenset(
    "strip lstrip rstrip chomp chop to_s to_sym to_str to_i to_f to_a to_h inspect freeze dup start_with? end_with? include? nil? "
    "empty? any? none? all? split lines first last min max sort sort_by uniq compact flatten join match match? =~ downcase upcase "
    "capitalize tr gsub sub delete delete_prefix delete_suffix squeeze size length count length [] slice key? "
    "has_key? fetch dig keys values map select filter reject grep grep_v find detect each_line reverse + - * == != < > <= >= "
    "segments version release prerelease? bump satisfied_by? os cpu new create local win_platform? ruby_version rubygems_version "
    "ruby_api_version between? zero? positive? negative? itself merge format".split()
)
_READS = frozenset({"read", "readlines", "binread", "foreach"})
_EXISTS = frozenset({"exist?", "exists?", "file?", "readable?", "size?", "directory?"})


class Expressions:
    """Values of expressions in one file of Ruby text."""

    def __init__(self, view: View, path: str, working_directory: str) -> None:
        self.view = view
        self.path = path
        #: where relative paths lead
        self.cwd = working_directory
        self.directory = posixpath.dirname(path) or "/"
        self.bindings: dict[str, object] = {}
        #: names of variables of the environment that it asks for
        self.variables: list[str] = []
        #: what is assigned now counts only under a condition
        self.conditional = False
        #: files may be asked for by patterns; a directory that is read as a whole, "" for none
        self.tree = ""

    @contextmanager
    def shallow(self) -> Iterator[None]:
        """Turn a text that is nested too deeply to be followed into an obstacle."""
        try:
            yield
        except RecursionError as error:
            raise Obstacle("it is nested too deeply", self.path) from error

    def parse(self, text: str) -> Node:
        """Return the syntax tree of a text. Raises `Obstacle` where the grammar finds an error."""
        from tree_sitter import Language, Parser
        from tree_sitter_ruby import language

        tree = Parser(Language(language())).parse(text.encode())
        if tree.root_node.has_error:
            bad = next(_errors(tree.root_node), tree.root_node)
            raise self.obstacle(bad, "is not understood as Ruby")
        return tree.root_node

    def obstacle(self, node: Node, what: str, missing: str = "") -> Obstacle:
        """Return the obstacle that a place in the text is; `missing` is a file that it needs unless it stands under a condition."""
        shown = " ".join(self.text(node).split())
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return Obstacle(f"`{shown}` {what}", self.path, node.start_point[0] + 1, "" if self.conditional else missing)

    @staticmethod
    def text(node: Node) -> str:
        """Return the text of a node."""
        return (node.text or b"").decode("utf-8", "replace")

    def arguments(self, call: Node) -> list[Node]:
        """Return the arguments of a call without comments."""
        listed = call.child_by_field_name("arguments")
        return [] if listed is None else [n for n in listed.named_children if n.type != "comment"]

    def value(self, node: Node) -> object:
        """Return the value of an expression: str, list, bool, None or int, OPAQUE where it is not known. Raises `Obstacle`."""
        handler: Callable[[Node], object] | None = getattr(self, f"_{node.type}", None)
        if handler is None:
            raise self.obstacle(node, "is not understood")
        return handler(node)

    def known(self, node: Node, what: str) -> str:
        """Return the text that an expression surely gives."""
        found = self.value(node)
        if not isinstance(found, str):
            raise self.obstacle(node, f"is not known before the build, and {what}")
        return found

    # -- literals ------------------------------------------------------------------------------------------------------

    def _string(self, node: Node) -> object:
        text: str | None = ""
        for child in node.named_children:
            if child.type == "string_content":
                text = None if text is None else text + self.text(child)
            elif child.type == "interpolation":
                parts = [self.value(inner) for inner in child.named_children]
                text = text + parts[0] if text is not None and len(parts) == 1 and isinstance(parts[0], str) else None
            elif child.type == "escape_sequence":
                text = None
            else:
                raise self.obstacle(child, "is not understood")
        return OPAQUE if text is None else text

    _bare_string = _bare_symbol = _delimited_symbol = _string

    def _simple_symbol(self, node: Node) -> object:
        return self.text(node).lstrip(":")

    def _hash_key_symbol(self, node: Node) -> object:
        return self.text(node)

    def _chained_string(self, node: Node) -> object:
        parts = [self.value(child) for child in node.named_children]
        return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else OPAQUE

    def _heredoc_beginning(self, _node: Node) -> object:
        return OPAQUE

    def _heredoc_body(self, node: Node) -> object:
        for child in node.named_children:
            if child.type == "interpolation":
                for inner in child.named_children:
                    self.value(inner)
        return OPAQUE

    def _array(self, node: Node) -> object:
        return [self.value(child) for child in node.named_children if child.type != "comment"]

    _string_array = _symbol_array = _array

    def _hash(self, node: Node) -> object:
        for child in node.named_children:
            if child.type == "pair":
                self.pair(child)
            elif child.type != "comment":
                raise self.obstacle(child, "is not understood")
        return OPAQUE

    def pair(self, node: Node) -> tuple[object, object]:
        """Return key and value of `key: value`."""
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if key is None or value is None:
            raise self.obstacle(node, "is not understood")
        return self.value(key), self.value(value)

    def _regex(self, node: Node) -> object:
        for child in node.named_children:
            if child.type == "interpolation":
                for inner in child.named_children:
                    self.value(inner)
        return OPAQUE

    def _integer(self, _node: Node) -> object:
        return OPAQUE

    _float = _rational = _character = _integer

    def _true(self, _node: Node) -> object:
        return True

    def _false(self, _node: Node) -> object:
        return False

    def _nil(self, _node: Node) -> object:
        return None

    def _subshell(self, node: Node) -> object:
        raise self.obstacle(node, "starts a program, which may look at any file")

    # -- names ---------------------------------------------------------------------------------------------------------

    def _identifier(self, node: Node) -> object:
        name = self.text(node)
        if name == "__dir__":
            return self.directory
        if name == "__FILE__":
            return self.path
        if name in self.bindings:
            return self.bindings[name]
        raise self.obstacle(node, "is not understood")

    def _constant(self, node: Node) -> object:
        name = self.text(node)
        if name in self.bindings:
            return self.bindings[name]
        if name in _CONSTANTS:
            return OPAQUE
        raise self.obstacle(node, "is not understood")

    _scope_resolution = _constant

    def _element_reference(self, node: Node) -> object:
        subject, *keys = node.named_children
        if self.text(subject) == "ENV":
            self._environment(node, keys)
            return OPAQUE
        if self.text(subject) == "Dir":
            return self._pattern(node, keys)
        for child in node.named_children:
            self.value(child)
        return OPAQUE

    def _environment(self, node: Node, keys: list[Node]) -> None:
        name = self.value(keys[0]) if keys else None
        if not isinstance(name, str):
            raise self.obstacle(node, "may ask for any variable")
        self.variables.append(name)

    # -- operators -----------------------------------------------------------------------------------------------------

    def _operands(self, node: Node) -> object:
        for child in node.named_children:
            if child.type != "comment":
                self.value(child)
        return OPAQUE

    _conditional = _range = _operands

    def _parenthesized_statements(self, node: Node) -> object:
        values = [self.value(child) for child in node.named_children if child.type != "comment"]
        return values[-1] if values else None

    def _unary(self, node: Node) -> object:
        found = self.value(node.named_children[-1])
        return (not found) if isinstance(found, bool) and self.text(node)[0] == "!" else OPAQUE

    def _binary(self, node: Node) -> object:
        left, right = (self.value(child) for child in node.named_children)
        first = node.named_children[0]
        sign = node.child_by_field_name("operator")
        operator = "" if sign is None else self.text(sign)
        if operator == "<<":
            if first.type != "identifier":
                raise self.obstacle(node, "is not understood")
            self.bindings[self.text(first)] = OPAQUE
        if operator in ("&&", "and") and False in (left, right):
            return False
        if operator in ("||", "or"):
            return left if isinstance(left, str) else right if left is None or left is False else OPAQUE
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return left + right
        return OPAQUE

    def _lambda(self, node: Node) -> object:
        body = node.child_by_field_name("body")
        if body is not None:
            self.block(body)
        return OPAQUE

    def block(self, node: Node) -> None:
        """Check that a block has no effect; its parameters may be anything."""
        saved = dict(self.bindings)
        parameters = node.child_by_field_name("parameters")
        for name in [] if parameters is None else parameters.named_children:
            if name.type != "identifier":
                raise self.obstacle(name, "is not understood")
            self.bindings[self.text(name)] = OPAQUE
        body = node.child_by_field_name("body")
        if body is not None and body.type not in ("block_body", "body_statement"):
            self.pure(body)  # `def name = expression`
        else:
            for statement in [] if body is None else body.named_children:
                self.pure(statement)
        self.bindings = saved

    def pure(self, node: Node) -> object:
        """Return the value of a statement that changes nothing but local variables. Raises `Obstacle`."""
        if node.type in ("comment", "heredoc_body"):
            return None
        if node.type == "assignment":
            return self.assign(node)
        if node.type in ("if_modifier", "unless_modifier"):
            body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
            if body is None or condition is None:
                raise self.obstacle(node, "is not understood")
            self.value(condition)
            self.pure(body)
            return OPAQUE
        return self.value(node)

    def assign(self, node: Node) -> object:
        """Follow an assignment to a local variable or a constant."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None or left.type not in ("identifier", "constant"):
            raise self.obstacle(node, "is not understood")
        name, value = self.text(left), self.value(right)
        # either value may count of a variable that is set twice, or under a condition
        self.bindings[name] = OPAQUE if name in self.bindings or self.conditional else value
        return value

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, node: Node) -> object:
        receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
        if receiver is None or method is None:
            raise self.obstacle(node, "is not understood")
        name, subject = self.text(method), self.text(receiver)
        arguments = self.arguments(node)
        block = node.child_by_field_name("block")
        if subject in ("File", "IO", "::File"):
            return self._file(node, name, arguments)
        if subject == "Dir":
            return self._pattern(node, arguments) if name in ("glob", "[]") else self._in_directory(node, name, block)
        if subject == "ENV":
            if name not in ("fetch", "key?", "has_key?", "include?", "[]"):
                raise self.obstacle(node, "is not understood")
            self._environment(node, arguments)
            for argument in arguments[1:]:
                self.value(argument)
        elif name not in _METHODS:
            raise self.obstacle(node, "is not understood")
        else:
            found = self.value(receiver)
            for argument in arguments:
                self._argument(argument)
            if isinstance(found, str) and name in ("strip", "chomp") and not arguments:
                return found.strip() if name == "strip" else found.removesuffix("\n")
            if isinstance(found, str) and name in ("freeze", "to_s", "dup", "to_sym"):
                return found
            if isinstance(found, list) and name in ("freeze", "to_a", "dup", "flatten", "compact"):
                return found
        if block is not None:
            self.block(block)
        return OPAQUE

    def _argument(self, node: Node) -> None:
        if node.type == "pair":
            self.pair(node)
        elif node.type == "block_argument":
            if node.named_children and node.named_children[0].type != "simple_symbol":
                raise self.obstacle(node, "is not understood")
        else:
            self.value(node)

    def _file(self, node: Node, name: str, arguments: list[Node]) -> object:
        """Follow a call of `File`: paths are computed, files are read."""
        values = [self.value(argument) for argument in arguments if argument.type != "pair"]
        texts = [value for value in values if isinstance(value, str)]
        if name in ("join", "expand_path", "dirname", "basename", "absolute_path", "realpath"):
            if len(texts) != len(values) or not texts:
                return OPAQUE
            return self._path(name, texts)
        if name not in _READS | _EXISTS:
            raise self.obstacle(node, "is not understood")
        if not texts or not isinstance(values[0], str):
            if self.tree and name in _EXISTS:
                return OPAQUE
            raise self.obstacle(node, "may read any file")
        path = join(self.cwd, texts[0])
        if self.tree and below(path, self.tree):
            return OPAQUE
        if name in _EXISTS:
            return self.view.has(path)
        if not self.view.has(path):
            raise self.obstacle(node, "reads a file that is not there", path)
        # what is in it counts as not known: it is one of the files that the installation reads
        return OPAQUE

    def _path(self, name: str, texts: list[str]) -> str:
        if name == "join":
            return posixpath.join(texts[0], *(text.lstrip("/") for text in texts[1:]))
        if name == "dirname":
            return posixpath.dirname(texts[0])
        if name == "basename":
            base = posixpath.basename(texts[0])
            return base.removesuffix(texts[1]) if len(texts) > 1 else base
        start = join(self.cwd, texts[1]) if len(texts) > 1 else self.cwd
        return join(start, texts[0])

    def _pattern(self, node: Node, arguments: list[Node]) -> object:
        if not self.tree:
            raise self.obstacle(node, "looks for files by a pattern")
        for argument in arguments:
            found = self.value(argument) if argument.type != "pair" else ""
            for pattern in found if isinstance(found, list) else [found]:
                if not isinstance(pattern, str):
                    raise self.obstacle(argument, "may name files anywhere")
                if ".." in pattern or not below(join(self.cwd, pattern), self.tree):
                    raise self.obstacle(argument, f"looks outside of `{self.tree}`")
        return OPAQUE

    def _in_directory(self, node: Node, name: str, block: Node | None) -> object:
        arguments = self.arguments(node)
        if name != "chdir" or block is None or len(arguments) != 1 or not self.tree:
            raise self.obstacle(node, "is not understood")
        where = self.value(arguments[0])
        if not isinstance(where, str) or not below(join(self.cwd, where), self.tree):
            raise self.obstacle(node, "may look anywhere")
        saved, self.cwd = self.cwd, join(self.cwd, where)
        self.block(block)
        self.cwd = saved
        return OPAQUE


def _errors(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.is_error or child.is_missing:
            yield child
        elif child.has_error:
            yield from _errors(child)


def strings(value: Any) -> list[str] | None:
    """Return the texts of a list of known texts, None if one is not known."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return value
