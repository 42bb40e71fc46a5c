"""Walks through a script and reports the effects of every call to a `ScriptReader`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst
from dockopt.optimizer.ecosystems.python import library
from dockopt.optimizer.ecosystems.python.scopes import (
    Scope,
    Source,
    Texts,
    Values,
    argument_names,
    dotted,
    full_name,
    owner,
    scope_of,
)

if TYPE_CHECKING:
    from dockopt.optimizer.ecosystems.python.scripts import ScriptReader

#: how deep calls of a script's own functions are followed
_DEPTH = 6


class Walk:
    """One file; `run` looks at all that happens when it is executed."""

    def __init__(self, reader: ScriptReader, source: Source, depth: int) -> None:
        self.reader, self.source, self.depth = reader, source, depth
        self.values = Values(source, reader.around.cwd)
        #: the line of the call of `setup`
        self.setup_line = 0
        self._followed: set[tuple[int, tuple[tuple[str, Texts], ...]]] = set()

    def run(self) -> None:
        """Look at the statements of the module; a function counts with the calls of it."""
        scope = scope_of(self.source.module)
        self.suite(self.source.module, scope, 0)
        if self.depth:
            # who calls the functions of a module that is imported, and with what, is not followed
            for functions in scope.functions.values():
                for function in functions:
                    self.follow(function, scope, unknown_arguments(function), 0)

    def suite(self, top: libcst.CSTNode, scope: Scope, calls: int) -> None:
        """Look at a module, a class, or the body of a function."""
        top.visit(_Visitor(self, top, scope, calls))

    def problem(self, reason: str, node: libcst.CSTNode) -> None:
        """Note something that is not understood."""
        self.reader.problem(reason, self.source.path, self.source.line(node))

    # -- functions of the script -----------------------------------------------------------------------------------

    def follow(self, function: libcst.FunctionDef, where: Scope, arguments: dict[str, Texts], calls: int) -> None:
        """Look at the body of a function as it is called with these arguments."""
        key = (id(function), tuple(sorted(arguments.items())))
        if key in self._followed:
            return
        self._followed.add(key)
        if calls > _DEPTH:
            self.problem("calls functions too deeply", function)
            return
        self.suite(function, scope_of(function, where, arguments), calls + 1)

    def called(self, node: libcst.Call, scope: Scope, calls: int) -> bool:
        """Follow the call of a function, or of a class, of the script itself. False: it is none."""
        if not isinstance(node.func, libcst.Name):
            return False
        name = node.func.value
        where = owner(name, scope)
        if where is None or (name not in where.functions and name not in where.classes) or name in where.names:
            return False
        for function in where.functions.get(name, ()):
            self.follow(function, where, self._bound(function, node.args, scope), calls)
        return True

    def _bound(self, function: libcst.FunctionDef, given: Sequence[libcst.Arg], scope: Scope) -> dict[str, Texts]:
        names = unknown_arguments(function)
        if any(argument.star for argument in given):
            return names
        parameters = list(argument_names(function))
        for parameter in (*parameters, *function.params.kwonly_params):
            names[parameter.name.value] = (
                self.values.of(parameter.default, scope) if parameter.default is not None else None
            )
        for position, argument in enumerate(given):
            value = self.values.of(argument.value, scope)
            if argument.keyword is not None:
                names[argument.keyword.value] = value
            elif position < len(parameters):
                names[parameters[position].name.value] = value
        return names

    # -- calls -----------------------------------------------------------------------------------------------------

    def call(self, node: libcst.Call, scope: Scope, calls: int) -> None:
        """Report what a call does."""
        if self.called(node, scope, calls):
            return
        name = full_name(node.func, scope)
        if name is not None and (self._library(name, node, scope) or self.reader.defines(name)):
            return
        if isinstance(node.func, libcst.Attribute) and self._method(node.func, node, scope):
            return
        shown = dotted(node.func)
        self.problem(
            f"calls `{shown}`, which is not followed" if shown else "calls something that is not followed", node
        )

    def _library(self, name: str, node: libcst.Call, scope: Scope) -> bool:
        reader, line = self.reader, self.source.line(node)
        if any(arg.keyword is not None and arg.keyword.value in library.LEADING_KEYWORDS for arg in node.args):
            return False
        if name in library.PURE:
            return True
        if reader.setup and name in library.SETUP:
            self.setup_line = line
            return True
        if reader.setup and name in library.SETUP_PURE:
            return True
        if reader.setup and name in library.PACKAGES:
            where = self._argument(node, 0, "where", scope) if node.args else (".",)
            self._paths(where, node, reader.lists)
            return True
        if any(arg.star for arg in node.args):
            return False
        first = self._argument(node, 0, "file" if name in library.OPENS else "path", scope)
        if name in library.READS:
            self._paths(first, node, reader.reads)
        elif name in library.OPENS:
            self._opened(first, self._argument(node, 1, "mode", scope) if self._has(node, 1, "mode") else ("r",), node)
        elif name in library.LISTS:
            patterns = name.startswith("glob.")
            self._paths(_heads(first) if patterns else first if node.args else (".",), node, reader.lists)
        elif name in library.WRITES:
            self._paths(first, node, reader.writes)
        elif name in library.COPIES:
            self._paths(first, node, reader.reads)
            if name in ("shutil.move", "os.rename", "os.replace"):
                self._paths(first, node, reader.writes)
            self._paths(self._argument(node, 1, "dst", scope), node, reader.writes)
        else:
            return False
        return True

    def _method(self, function: libcst.Attribute, node: libcst.Call, scope: Scope) -> bool:
        method = function.attr.value
        if full_name(function.value, scope) in library.MODULES:
            return False  # a function of a module, not a method
        if method in library.METHODS:
            return self._by_arguments(method, node, scope)
        texts = self.values.of(function.value, scope)
        if method in library.PATH_READS:
            self._paths(texts, node, self.reader.reads)
        elif method in library.PATH_LISTS:
            self._paths(texts, node, self.reader.lists)
        elif method in library.PATH_WRITES:
            self._paths(texts, node, self.reader.writes)
        elif method == "open" and texts is not None:
            self._opened(texts, self._argument(node, 0, "mode", scope) if self._has(node, 0, "mode") else ("r",), node)
        else:
            return False
        return True

    def _by_arguments(self, method: str, node: libcst.Call, scope: Scope) -> bool:
        """Look at methods that touch files on some objects; False: it may be one of those."""
        counts = library.BY_ARGUMENTS.get(method)
        if counts is None or (len(node.args) in counts and not any(arg.star for arg in node.args)):
            return True
        if method != "read":
            return False
        size = len(node.args) == 1 and isinstance(node.args[0].value, libcst.Integer)
        if not size:
            self._paths(self._argument(node, 0, "filenames", scope), node, self.reader.reads)
        return True

    def _opened(self, names: Texts, modes: Texts, node: libcst.Call) -> None:
        if modes is None:
            self.problem("opens a file in a mode that is only known when it runs", node)
            return
        if any(set(mode) & set("wax+") for mode in modes):
            self._paths(names, node, self.reader.writes)
        if any(set(mode) & set("ra+") or not set(mode) & set("wax") for mode in modes):
            self._paths(names, node, self.reader.reads)

    def _paths(self, names: Texts, node: libcst.Call, report: object) -> None:
        if names is None:
            self.problem(f"uses a path that is only known when it runs (`{_shown(node, self.source)}`)", node)
            return
        assert callable(report)
        report(names, self.source, self.source.line(node))

    @staticmethod
    def _has(node: libcst.Call, position: int, keyword: str) -> bool:
        return _given(node, position, keyword) is not None

    def _argument(self, node: libcst.Call, position: int, keyword: str, scope: Scope) -> Texts:
        return self.values.of(_given(node, position, keyword), scope)


def _given(node: libcst.Call, position: int, keyword: str) -> libcst.BaseExpression | None:
    """Return the expression of one argument, None if it is not given (or hidden behind a star)."""
    for at, argument in enumerate(node.args):
        if argument.keyword is not None and argument.keyword.value == keyword:
            return argument.value
        if argument.keyword is None and at == position and not argument.star:
            return argument.value
    return None


def _heads(patterns: Texts) -> Texts:
    """Return the directories that hold all matches of patterns."""
    if patterns is None:
        return None
    return tuple(_head(pattern) for pattern in patterns)


def _head(pattern: str) -> str:
    cut = min((pattern.find(c) for c in "*?[" if c in pattern), default=len(pattern))
    return pattern[: pattern.rfind("/", 0, cut) + 1] or "."


def _shown(node: libcst.CSTNode, source: Source) -> str:
    text = " ".join(source.module.code_for_node(node).split())
    return text if len(text) <= 60 else text[:57] + "..."


def unknown_arguments(function: libcst.FunctionDef) -> dict[str, Texts]:
    """Return all parameters of a function, without a known value."""
    parameters = function.params
    named = [*argument_names(function), *parameters.kwonly_params]
    named += [p for p in (parameters.star_arg, parameters.star_kwarg) if isinstance(p, libcst.Param)]
    return {parameter.name.value: None for parameter in named}


class _Visitor(libcst.CSTVisitor):
    """Visits what is executed in one suite; functions below it are followed where they are called or handed on."""

    def __init__(self, walk: Walk, top: libcst.CSTNode, scope: Scope, calls: int) -> None:
        super().__init__()
        self._walk, self._top, self._scope, self._calls = walk, top, scope, calls

    def on_visit(self, node: libcst.CSTNode) -> bool:
        """Look at one node, and tell whether what lies below it is looked at in the usual way."""
        match node:
            case libcst.FunctionDef():
                return self._function(node)
            case libcst.ClassDef():
                return self._class(node)
            case libcst.Import():
                return self._import(node)
            case libcst.ImportFrom():
                return self._import_from(node)
            case libcst.Call():
                return self._call(node)
            case libcst.Attribute():
                return self._attribute(node)
            case libcst.Name():
                return self._name(node)
            case libcst.AssignTarget():
                return self._target(node)
            case libcst.AnnAssign() | libcst.Param():
                return self._annotated(node)
        return True

    def _annotated(self, node: libcst.AnnAssign | libcst.Param) -> bool:
        """Annotations of names are no calls that matter; values and defaults are looked at."""
        value = node.value if isinstance(node, libcst.AnnAssign) else node.default
        if value is not None:
            value.visit(self)
        return False

    def _function(self, node: libcst.FunctionDef) -> bool:
        if node is self._top:
            node.body.visit(self)
            return False
        for part in (*node.decorators, node.params):
            part.visit(_Visitor(self._walk, part, self._scope, self._calls))
        if isinstance(self._top, libcst.ClassDef) or node.decorators:
            # who calls it is not known
            self._walk.follow(node, self._scope, unknown_arguments(node), self._calls)
        return False

    def _class(self, node: libcst.ClassDef) -> bool:
        if node is self._top:
            node.body.visit(self)
            return False
        for base in node.bases:
            name = full_name(base.value, self._scope)
            local = (
                isinstance(base.value, libcst.Name)
                and owner(base.value.value, self._scope) is not None
                and name is None
            )
            if not local and name not in (
                "object",
                "Exception",
                "str",
                "dict",
                "list",
                "enum.Enum",
                "typing.NamedTuple",
            ):
                self._walk.problem(f"has a class of `{dotted(base.value)}`, which is not followed", node)
        self._walk.suite(node, scope_of(node, self._scope), self._calls)
        return False

    def _import(self, node: libcst.Import) -> bool:
        for alias in node.names:
            self._walk.reader.imports(
                dotted(alias.name) or "?", self._walk.source, self._walk.source.line(node), self._walk.depth
            )
        return False

    def _import_from(self, node: libcst.ImportFrom) -> bool:
        walk, line = self._walk, self._walk.source.line(node)
        module = dotted(node.module) if node.module is not None else None
        if node.relative or module is None or isinstance(node.names, libcst.ImportStar):
            walk.problem("imports by a relative name or a star, which is not followed", node)
            return False
        own = walk.reader.own_module(module)
        walk.reader.imports(module, walk.source, line, walk.depth)
        for alias in node.names:
            if own is not None and walk.reader.own_module(f"{module}.{dotted(alias.name)}") not in (None, own):
                walk.reader.imports(f"{module}.{dotted(alias.name)}", walk.source, line, walk.depth)
        return False

    def _call(self, node: libcst.Call) -> bool:
        self._walk.call(node, self._scope, self._calls)
        # the function itself is not handed on; its arguments may be
        if not isinstance(node.func, libcst.Name):
            called = node.func.value if isinstance(node.func, libcst.Attribute) else node.func
            called.visit(self)
        for argument in node.args:
            argument.value.visit(self)
        return False

    def _attribute(self, node: libcst.Attribute) -> bool:
        name = full_name(node, self._scope)
        touching = library.PATH_READS | library.PATH_LISTS | library.PATH_WRITES | {"open"}
        if (
            name is not None
            and name.split(".")[0] in library.MODULES
            and owner(name.split(".")[0], self._scope) is not None
        ):
            if name not in library.PURE | library.HELD and not node.attr.value.isupper():
                self._walk.problem(f"hands on `{name}`, which is not followed", node)
            return False
        if node.attr.value in touching:
            self._walk.problem(f"hands on `{node.attr.value}` of something", node)
        node.value.visit(self)
        return False

    def _name(self, node: libcst.Name) -> bool:
        where = owner(node.value, self._scope)
        if where is not None and node.value in where.functions:
            for function in where.functions[node.value]:
                self._walk.follow(function, where, unknown_arguments(function), self._calls)
        elif where is None and node.value in (
            "eval",
            "exec",
            "compile",
            "__import__",
            "globals",
            "getattr",
            "setattr",
            "open",
        ):
            self._walk.problem(f"hands on `{node.value}`, which is not followed", node)
        elif where is not None and node.value in where.imports:
            self._imported(node, where)
        return False

    def _imported(self, node: libcst.Name, where: Scope) -> None:
        """A library function that is handed on is called by whoever gets it."""
        name = where.imports[node.value]
        effects = library.READS | library.OPENS | library.LISTS | library.WRITES | library.COPIES
        if name in effects:
            self._walk.problem(f"hands on `{name}`, which is not followed", node)

    def _target(self, node: libcst.AssignTarget) -> bool:
        target = node.target
        if (
            isinstance(target, libcst.Attribute)
            and full_name(target, self._scope) is not None
            and owner((dotted(target) or "?").split(".")[0], self._scope) is not None
        ):
            self._walk.problem(f"changes `{dotted(target)}`", node)
        if isinstance(target, libcst.Subscript):
            target.visit(self)
        return False
