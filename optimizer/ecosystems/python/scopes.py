"""A parsed script: where names come from, and what an expression can be before it runs.

A value is the set of all texts that an expression may be, or None where that is not known. Names are looked at without regard to the
order of statements: what is assigned anywhere in a scope may be what is read.
"""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider

#: all texts that an expression may be; None: anything
Texts = tuple[str, ...] | None
_MOST = 64

_SUITES = (libcst.FunctionDef, libcst.ClassDef, libcst.Lambda)


@dataclass(eq=False)
class Source:
    """One file of Python."""

    path: str  #: in the image
    wrapper: MetadataWrapper

    def __post_init__(self) -> None:
        self._positions = self.wrapper.resolve(PositionProvider)
        self.module = self.wrapper.module

    def line(self, node: libcst.CSTNode) -> int:
        """Return the line in which a node begins."""
        position = self._positions.get(node)
        return 0 if position is None else position.start.line


@dataclass(eq=False)
class Scope:
    """The names of a module or of one call of a function."""

    names: Mapping[str, list[libcst.BaseExpression | None]]
    functions: Mapping[str, list[libcst.FunctionDef]]
    classes: frozenset[str]
    imports: Mapping[str, str]
    arguments: Mapping[str, Texts] = field(default_factory=dict)
    parent: Scope | None = None
    #: names that are being looked up, so that `x = x + "a"` ends
    busy: set[str] = field(default_factory=set)


class Bindings(libcst.CSTVisitor):
    """Collects what binds names directly in one suite, not in the functions and classes below it."""

    def __init__(self, top: libcst.CSTNode) -> None:
        super().__init__()
        self._top = top
        self.names: dict[str, list[libcst.BaseExpression | None]] = {}
        self.functions: dict[str, list[libcst.FunctionDef]] = {}
        self.classes: set[str] = set()
        self.imports: dict[str, str] = {}
        self.globals: set[str] = set()

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Stop at functions and classes below."""
        if node is not self._top and isinstance(node, _SUITES):
            if isinstance(node, libcst.FunctionDef):
                self.functions.setdefault(node.name.value, []).append(node)
            elif isinstance(node, libcst.ClassDef):
                self.classes.add(node.name.value)
            return False
        if isinstance(node, libcst.Assign):
            for target in node.targets:
                self._bind(target.target, node.value)
        elif isinstance(node, libcst.AnnAssign):
            self._bind(node.target, node.value)
        elif isinstance(node, (libcst.AugAssign, libcst.NamedExpr, libcst.Del)):
            self._bind(node.target, node.value if isinstance(node, libcst.NamedExpr) else None)
        elif isinstance(node, (libcst.For, libcst.CompFor)):
            self._bind_each(node.target, node.iter)
        elif isinstance(node, libcst.AsName):
            self._bind(node.name, None)
        elif isinstance(node, libcst.WithItem) and node.asname is not None:
            self._bind(node.asname.name, None)
        elif isinstance(node, (libcst.Global, libcst.Nonlocal)):
            self.globals |= {item.name.value for item in node.names}
        elif isinstance(node, (libcst.Import, libcst.ImportFrom)):
            self._imports(node)
            return False
        return True

    def _bind(self, target: libcst.BaseExpression, value: libcst.BaseExpression | None) -> None:
        if isinstance(target, libcst.Name):
            self.names.setdefault(target.value, []).append(value)
        elif isinstance(target, (libcst.Tuple, libcst.List)):
            for element in target.elements:
                self._bind(element.value, None)

    def _bind_each(self, target: libcst.BaseExpression, iterated: libcst.BaseExpression) -> None:
        """Bind the target of a loop to the elements of a list that is written down."""
        if isinstance(iterated, (libcst.List, libcst.Tuple, libcst.Set)):
            for element in iterated.elements:
                self._bind(target, element.value)
        else:
            self._bind(target, None)

    def _imports(self, node: libcst.Import | libcst.ImportFrom) -> None:
        if isinstance(node.names, libcst.ImportStar):
            return
        module = dotted(node.module) or "" if isinstance(node, libcst.ImportFrom) and node.module is not None else ""
        for alias in node.names:
            name = dotted(alias.name) or "?"
            full = f"{module}.{name}" if isinstance(node, libcst.ImportFrom) else name
            bound = (
                alias.asname.name.value
                if alias.asname is not None and isinstance(alias.asname.name, libcst.Name)
                else None
            )
            if bound is None:
                bound = name.split(".")[0]
                full = full if isinstance(node, libcst.ImportFrom) else bound
            if self.imports.setdefault(bound, full) != full:
                self.imports[bound] = "?"


def scope_of(top: libcst.CSTNode, parent: Scope | None = None, arguments: Mapping[str, Texts] | None = None) -> Scope:
    """Return the names of a module, function or class."""
    bindings = Bindings(top)
    top.visit(bindings)
    names = {name: values for name, values in bindings.names.items() if name not in bindings.globals}
    return Scope(names, bindings.functions, frozenset(bindings.classes), bindings.imports, arguments or {}, parent)


def dotted(node: libcst.CSTNode | None) -> str | None:
    """Return `a.b.c` of names and attributes, None for another expression."""
    if isinstance(node, libcst.Name):
        return node.value
    if isinstance(node, libcst.Attribute):
        head = dotted(node.value)
        return None if head is None else f"{head}.{node.attr.value}"
    return None


def owner(name: str, scope: Scope) -> Scope | None:
    """Return the scope that binds a name, None for a builtin."""
    at: Scope | None = scope
    while at is not None:
        if name in at.arguments or name in at.names or name in at.functions or name in at.classes or name in at.imports:
            return at
        at = at.parent
    return None


def full_name(node: libcst.BaseExpression, scope: Scope) -> str | None:
    """Return the dotted name of a library function with its module (`os.path.join`), None if the name may be something else."""
    name = dotted(node)
    if name is None:
        return None
    head, dot, rest = name.partition(".")
    where = owner(head, scope)
    if where is None:
        return name
    if head in where.names or head in where.functions or head in where.classes or head in where.arguments:
        return None
    module = where.imports[head]
    return None if module == "?" else f"{module}{dot}{rest}"


# -- values ----------------------------------------------------------------------------------------------------------


class Values:
    """Evaluates expressions of one file to the texts that they may be."""

    def __init__(self, source: Source, cwd: str | None) -> None:
        self._source, self._cwd = source, cwd

    def of(self, node: libcst.BaseExpression | None, scope: Scope) -> Texts:
        """Return all texts that an expression may be, None where that is not known."""
        found = self._of(node, scope)
        return None if found is None or len(found) > _MOST else tuple(dict.fromkeys(found))

    def _of(self, node: libcst.BaseExpression | None, scope: Scope) -> Texts:
        if isinstance(node, libcst.SimpleString):
            value = node.evaluated_value
            return (value,) if isinstance(value, str) else None
        if isinstance(node, libcst.ConcatenatedString):
            return self._joined("", node.left, node.right, scope=scope)
        if isinstance(node, libcst.FormattedString):
            return self._formatted(node, scope)
        if isinstance(node, libcst.Name):
            return self._named(node.value, scope)
        if isinstance(node, libcst.BinaryOperation):
            if isinstance(node.operator, libcst.Add):
                return self._joined("", node.left, node.right, scope=scope)
            if isinstance(node.operator, libcst.Divide):
                return self._joined("/", node.left, node.right, scope=scope)
            return None
        if isinstance(node, libcst.IfExp):
            one, other = self.of(node.body, scope), self.of(node.orelse, scope)
            return None if one is None or other is None else one + other
        if isinstance(node, libcst.Attribute):
            if node.attr.value == "parent":
                return self._each(posixpath.dirname, self.of(node.value, scope))
            if node.attr.value == "name":
                return self._each(posixpath.basename, self.of(node.value, scope))
            return ("/",) if full_name(node, scope) in ("os.sep", "os.path.sep") else None
        if isinstance(node, libcst.Subscript):
            return self._parent_at(node, scope)
        return self._call(node, scope) if isinstance(node, libcst.Call) else None

    def _named(self, name: str, scope: Scope) -> Texts:
        where = owner(name, scope)
        if where is None:
            return (self._source.path,) if name == "__file__" else None
        if name in where.arguments:
            return where.arguments[name] if name not in where.names else None
        if name not in where.names or name in where.busy or name in where.functions or name in where.imports:
            return None
        where.busy.add(name)
        found: tuple[str, ...] = ()
        for value in where.names[name]:
            texts = self.of(value, where)
            if texts is None:
                where.busy.discard(name)
                return None
            found += texts
        where.busy.discard(name)
        return found

    def _joined(self, glue: str, *nodes: libcst.BaseExpression, scope: Scope) -> Texts:
        parts = [self.of(node, scope) for node in nodes]
        if any(part is None for part in parts):
            return None
        combined = itertools.islice(itertools.product(*(part for part in parts if part is not None)), _MOST + 1)
        join = posixpath.join if glue == "/" else lambda *words: "".join(words)
        return tuple(join(*words) for words in combined)

    def _formatted(self, node: libcst.FormattedString, scope: Scope) -> Texts:
        parts: list[tuple[str, ...]] = []
        for part in node.parts:
            if isinstance(part, libcst.FormattedStringText):
                parts.append((part.value,))
            elif (
                isinstance(part, libcst.FormattedStringExpression)
                and part.format_spec is None
                and part.conversion is None
            ):
                texts = self.of(part.expression, scope)
                if texts is None:
                    return None
                parts.append(texts)
            else:
                return None
        if any("\\" in text or "{{" in text or "}}" in text for texts in parts for text in texts):
            return None
        return tuple("".join(words) for words in itertools.islice(itertools.product(*parts), _MOST + 1))

    def _each(self, change: object, texts: Texts) -> Texts:
        assert callable(change)
        return None if texts is None else tuple(change(text) for text in texts)

    def _parent_at(self, node: libcst.Subscript, scope: Scope) -> Texts:
        """Return `path.parents[n]`."""
        if not (
            isinstance(node.value, libcst.Attribute) and node.value.attr.value == "parents" and len(node.slice) == 1
        ):
            return None
        index = node.slice[0].slice
        if not isinstance(index, libcst.Index) or not isinstance(index.value, libcst.Integer):
            return None
        texts = self.of(node.value.value, scope)
        for _ in range(min(int(index.value.value), _MOST) + 1):
            texts = self._each(posixpath.dirname, texts)
        return texts

    def _call(self, node: libcst.Call, scope: Scope) -> Texts:
        if any(arg.star or arg.keyword is not None for arg in node.args):
            return None
        arguments = [arg.value for arg in node.args]
        name = full_name(node.func, scope)
        if name == "os.path.join" and arguments:
            return self._joined("/", *arguments, scope=scope)
        if name in ("pathlib.Path", "pathlib.PurePath", "pathlib.PurePosixPath"):
            return self._joined("/", *arguments, scope=scope) if arguments else (".",)
        if name in ("os.getcwd", "pathlib.Path.cwd") and not arguments:
            return None if self._cwd is None else (self._cwd,)
        if name in ("str", "os.fspath") and len(arguments) == 1:
            return self.of(arguments[0], scope)
        if name in ("os.path.abspath", "os.path.realpath", "os.path.normpath") and len(arguments) == 1:
            return self._absolute(self.of(arguments[0], scope))
        if name == "os.path.dirname" and len(arguments) == 1:
            return self._each(posixpath.dirname, self.of(arguments[0], scope))
        if name == "os.path.basename" and len(arguments) == 1:
            return self._each(posixpath.basename, self.of(arguments[0], scope))
        if isinstance(node.func, libcst.Attribute):
            method = node.func.attr.value
            if method in ("resolve", "absolute", "as_posix", "expanduser") and not arguments and method != "expanduser":
                texts = self.of(node.func.value, scope)
                return texts if method == "as_posix" else self._absolute(texts)
            if method == "joinpath":
                return self._joined("/", node.func.value, *arguments, scope=scope)
        return None

    def _absolute(self, texts: Texts) -> Texts:
        if texts is None or (self._cwd is None and not all(text.startswith("/") for text in texts)):
            return None
        return tuple(posixpath.normpath(posixpath.join(self._cwd or "/", text)) for text in texts)


def argument_names(function: libcst.FunctionDef) -> Iterator[libcst.Param]:
    """Yield the positional parameters of a function in order."""
    yield from function.params.posonly_params
    yield from function.params.params
