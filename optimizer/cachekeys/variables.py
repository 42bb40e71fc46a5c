"""What words of an instruction expand to in one build, as far as that is known before it.

Source: BuildKit `dockerfile2llb/convert.go` (`dispatchArg`, `dispatchEnv`, `expandAndAddMetaArgs`); reference §1.8. Unlike the symbolic
image, which holds for every build argument, this is about one build; and the order in which variables were set counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dockopt.optimizer.bases import facts_of
from dockopt.optimizer.cachekeys.options import BaseImage, KeyOptions
from dockopt.optimizer.cachekeys.steps import Unpredictable
from dockopt.optimizer.symbolic.state import Value, known
from dockopt.optimizer.symbolic.terms import Term, term
from dockopt.optimizer.syntax import ExpansionError, Pair, expand, expand_body, variables

#: stands for all variables of a base image of which not all are known
_BASE = "(base)"
#: arguments that say something to BuildKit and never become variables (`nonEnvArgs`)
_NO_VARIABLES = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_Lookup = Callable[[str], Value | None]


def global_variables(
    meta_args: Sequence[Pair], options: KeyOptions, escape: str, last_stage: str | None
) -> dict[str, Value]:
    """Return what FROM sees: arguments above the first one, and those that BuildKit sets itself. Raises Unpredictable."""
    system, architecture, variant = [*options.platform.split("/"), ""][:3]
    found = {name: Value(term("platform", name)) for name in _BUILDER}
    for name, text in (
        ("TARGETPLATFORM", options.platform),
        ("TARGETOS", system),
        ("TARGETARCH", architecture),
        ("TARGETVARIANT", variant),
        ("TARGETSTAGE", options.target or last_stage or "default"),
    ):
        found[name] = known(options.build_args.get(name, text))
    for name in _BUILDER:
        if name in options.build_args:
            found[name] = known(options.build_args[name])
    for pair in meta_args:
        if pair.key in options.build_args:
            found[pair.key] = known(options.build_args[pair.key])
        elif pair.value is not None:
            found[pair.key] = _expanded(pair.value, found.get, escape, expand)
    return found


_BUILDER = ("BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT", "TARGETOSVERSION")


class Environment:
    """The variables of one stage: what its RUNs get, in that order, and what the image of the stage keeps."""

    def __init__(
        self, base: str, image: BaseImage | None, globals_: Mapping[str, Value], build_args: Mapping[str, str]
    ):
        """Begin with a base image; None for one of which only the general facts are known."""
        self._globals, self._build_args, self._base = globals_, build_args, term("base", base)
        self._facts: Mapping[str, str | None] = {} if image is not None else facts_of(base).environment
        #: in the order of the last assignment
        self._state: dict[str, Value] = {}
        #: in the order of the first one
        self._image: dict[str, Value] = {}
        if image is None:
            self._image[_BASE] = Value(self._base)
        else:
            self._image = {name: known(value) for name, value in image.env}
            self._image.setdefault("PATH", known(DEFAULT_PATH))
        self._complete = image is not None
        self._restate()

    def child(self) -> Environment:
        """Return what a stage begins with that starts from this one: all is set once more, in the order of the image."""
        found: Environment = object.__new__(Environment)
        found._globals, found._build_args, found._base = self._globals, self._build_args, self._base
        found._facts, found._complete = self._facts, self._complete
        found._state, found._image = dict(self._state), dict(self._image)
        found._restate()
        return found

    def _restate(self) -> None:
        for name, value in self._image.items():
            self._state.pop(name, None)
            self._state[name] = value

    def lookup(self, name: str) -> Value | None:
        """Return the value of a variable; None: surely unset."""
        if name in self._state:
            return self._state[name]
        if self._complete or (name in self._facts and self._facts[name] is None):
            return None
        return Value(term("base-env", self._base, name), self._facts.get(name))

    def env(self, pairs: Sequence[Pair], escape: str) -> None:
        """Do what ENV does; all its pairs see the variables before it."""
        values = [(self._name(pair, escape), self.expand(pair.value or "", escape)) for pair in pairs]
        for name, value in values:
            self._image[name] = value
            self._set(name, value)

    def arg(self, pairs: Sequence[Pair], escape: str) -> None:
        """Do what ARG does; one without a value adds nothing."""
        for pair in pairs:
            if pair.key in self._build_args:
                value: Value | None = known(self._build_args[pair.key])
            elif pair.value is not None:
                value = self.expand(pair.value, escape)
            else:
                value = self._globals.get(pair.key)
            if value is not None and pair.key not in _NO_VARIABLES:
                self._set(pair.key, value)

    def _set(self, name: str, value: Value) -> None:
        self._state.pop(name, None)
        self._state[name] = value

    def _name(self, pair: Pair, escape: str) -> str:
        name = self.expand(pair.key, escape).text
        if name is None:
            raise Unpredictable(f"the name of the variable `{pair.key}` is not known before the build")
        return name

    def expand(self, word: str, escape: str) -> Value:
        """Return what a word stands for."""
        return _expanded(word, self.lookup, escape, expand)

    def expand_document(self, body: str) -> Value:
        """Return what the body of a here-document of COPY stands for."""
        return _expanded(body, self.lookup, "\\", lambda text, lookup, _: expand_body(text, lookup))

    def parts(self) -> list[str | Term]:
        """Return the variables of a RUN as parts of its key: their order counts."""
        found: list[str | Term] = []
        for name, value in self._state.items():
            found += [name, value.term]
        return found


def expand_with(word: str, lookup: _Lookup, escape: str) -> Value:
    """Return what a word of FROM stands for."""
    return _expanded(word, lookup, escape, expand)


def _expanded(
    word: str,
    lookup: _Lookup,
    escape: str,
    how: Callable[[str, Callable[[str], str | None], str], str],
) -> Value:
    values = {name: lookup(name) for name in sorted(variables(word, escape))}
    if all(value is None or value.text is not None for value in values.values()):
        try:
            return known(how(word, lambda name: None if (v := values.get(name)) is None else v.text, escape))
        except ExpansionError as error:
            raise Unpredictable(f"`{word}` does not expand: {error}") from error
    parts: list[str | Term] = [word]
    for name, value in values.items():
        parts += [name, term("unset") if value is None else value.term]
    return Value(term("expand", *parts, text=word))
