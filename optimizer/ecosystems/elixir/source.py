"""What running a `mix.exs` or a configuration file can do: which files it reads and which settings it makes.

Both are programs. Nothing is run here: a file counts as understood if no word in it reaches files, processes, the network, or code that
is not written down in it; what is left can only compute values. Names that are no module's belong to `Kernel`, `Config`, or the file
itself (hexdocs.pm/elixir, *Kernel*, *Kernel.SpecialForms*, *Config*; hexdocs.pm/mix, *Mix.Project*).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dockopt.optimizer.ecosystems.elixir.tokens import NotElixir, Token, tokens_of

#: settings of a project that lead to other places (Mix.Project, "Configuration")
PLACES = ("apps_path", "build_path", "config_path", "deps_path", "lockfile")
#: keys by which a dependency is a directory (Mix.Tasks.Deps, "Dependency definition options")
_LOCAL = ("path", "in_umbrella")
#: keys that only a git repository has
_REPOSITORY = frozenset({"git", "github"})
#: tasks that run or are modelled here; an alias of that name replaces them (Mix, "Aliases")
_TASKS = frozenset("do deps.get deps.compile deps.loadpaths deps.precompile loadconfig local.hex local.rebar".split())
#: options that only a dependency has (Mix.Tasks.Deps; Hex's usage)
_OPTIONS = frozenset(
    "app compile env git github hex in_umbrella manager only optional organization override path ref repo runtime sparse submodules "
    "system_env branch tag targets depth".split()
)
#: functions and macros of `Kernel` that start, define or call what is not written down where they stand
_REACHING = frozenset(
    "apply spawn spawn_link spawn_monitor send receive quote unquote unquote_splicing defmacro defmacrop defdelegate defprotocol "
    "defimpl defoverridable defguard defguardp alias require struct struct! var! binding dbg node defexception import_file".split()
)
#: attributes that call functions or give options to the compiler (Module, "Module attributes")
_ATTRIBUTES = frozenset("on_load before_compile after_compile after_verify on_definition compile nifs".split())
#: modules of which every function only computes (hexdocs.pm/elixir)
_PURE = frozenset("String Enum Keyword Map List Integer Float Version Tuple MapSet Regex Logger".split())
#: functions of other modules that change nothing and read no files; what System tells is part of the environment
_FUNCTIONS = frozenset(
    "System.get_env System.fetch_env System.fetch_env! System.version System.otp_release Path.join Path.expand Path.basename "
    "Path.dirname Path.extname Path.rootname Path.relative_to Mix.env Mix.target Mix.compilers Atom.to_string".split()
)
#: of these, some make atoms, and so keys, that nobody sees written, and some give another result each time
_HIDDEN = frozenset(
    "String.to_atom String.to_existing_atom List.to_atom List.to_existing_atom Enum.random Enum.shuffle Enum.take_random".split()
)
#: functions of File that look at one file
_LOOKING = frozenset("read! read exists? regular?".split())
#: `use` and `import` of these bring nothing but what is known here
_BROUGHT = frozenset({("use", "Mix.Project"), ("use", "Mix.Config"), ("import", "Config")})
#: applications whose configuration changes what mix itself does
_OF_MIX = frozenset("mix hex elixir kernel stdlib ssl inets public_key crypto sasl rebar iex".split())

_OPEN, _CLOSE = ("(", "[", "{", "%{", "<<"), (")", "]", "}", ">>")
_REQUIREMENT = re.compile(r"[~><=!\d]")
#: `{:a, [path: "b"]}`
_DEEPEST_OPTION = 2


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of a list of dependencies."""

    name: str
    requirement: str  #: "" if it has none
    line: int
    kind: str  #: "hex", "git" or "local"


@dataclass
class Source:
    """What one file says and looks at."""

    #: files by the paths that it names, relative to the working directory, with their lines
    files: list[tuple[str, int]] = field(default_factory=list)
    #: settings of `PLACES` with their lines
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: directories of dependencies
    paths: list[tuple[str, int]] = field(default_factory=list)
    #: the line in which a dependency lies in the umbrella, 0 if none does
    umbrella: int = 0
    dependencies: list[Dependency] = field(default_factory=list)
    #: files of configuration by the paths that `import_config` names, relative to this file; `{}` stands for MIX_ENV
    imports: list[tuple[str, int]] = field(default_factory=list)
    #: the environment may be another than MIX_ENV for some tasks
    chooses_environment: bool = False


def read_mix_exs(text: str) -> Source:
    """Return what a `mix.exs` says. Raises `NotElixir` where that cannot be told."""
    tokens = tokens_of(text)
    _check(tokens)
    source = Source(files=list(_files(tokens)))
    for i, token in enumerate(tokens):
        if token.kind == "atom" and token.text in (*PLACES, *_LOCAL, *_TASKS):
            raise NotElixir(f"`:{token.text}` may become a setting", token.line)
        if token.kind == "text" and token.text.startswith("~") and token.text.endswith("a"):
            words = {*token.text[3:-2].split()}
            if words & {*PLACES, *_LOCAL, *_TASKS} or "#{" in token.text:
                raise NotElixir(f"the atoms of `{token.text}` may become settings", token.line)
        if token.kind != "key":
            continue
        if token.text in _TASKS and (token.text != "do" or _is_entry(tokens, i)):
            raise NotElixir(f"an alias replaces the task `{token.text}`", token.line)
        if token.text in ("preferred_cli_env", "preferred_envs", "default_env"):
            source.chooses_environment = True
        elif token.text == "in_umbrella":
            source.umbrella = token.line
        elif token.text in (*PLACES, "path"):
            value = _literal(tokens, i + 1)
            if value is None:
                raise NotElixir(f"`{token.text}:` is no plain string", token.line)
            if token.text == "path":
                source.paths.append((value, token.line))
            elif source.places.setdefault(token.text, (value, token.line))[0] != value:
                raise NotElixir(f"`{token.text}:` is set twice", token.line)
    source.dependencies = list(_dependencies(tokens))
    return source


def read_config(text: str) -> Source:
    """Return what a file of configuration reads. Raises `NotElixir` where that cannot be told."""
    tokens = tokens_of(text)
    _check(tokens)
    source = Source(files=list(_files(tokens)))
    for i, token in enumerate(tokens):
        if token.kind != "name":
            continue
        here = i + 2 if _is(tokens, i + 1, "mark", "(") else i + 1
        if token.text == "import_config":
            named = _imported(tokens, here)
            if named is None:
                raise NotElixir("which file `import_config` reads is not known", token.line)
            source.imports.append((named, token.line))
        elif token.text == "config":
            of = tokens[here] if here < len(tokens) else token
            if of.kind != "atom" or of.text in _OF_MIX:
                raise NotElixir("it may configure mix itself", token.line)
    return source


def _check(tokens: Sequence[Token]) -> None:
    """Raise `NotElixir` at the first word that may reach out of the file."""
    for i, token in enumerate(tokens):
        if _is(tokens, i - 1, "mark", "."):
            _check_call(tokens, i)
        elif token.text == "__struct__" or (_is(tokens, i - 1, "mark", "%") and token.kind in ("alias", "name")):
            # `Enum` reads what a struct of `File.Stream` stands for
            raise NotElixir("what a struct does is up to its module", token.line)
        elif token.kind == "name":
            if _is(tokens, i - 1, "mark", "@"):
                if token.text in _ATTRIBUTES:
                    raise NotElixir(f"`@{token.text}` lets the compiler call something", token.line)
            elif token.text in ("use", "import"):
                module = tokens[i + 1] if i + 1 < len(tokens) else token
                if (token.text, module.text) not in _BROUGHT or _is(tokens, i + 2, "mark", ","):
                    raise NotElixir(f"`{token.text} {module.text}` brings code that is not read", token.line)
            elif token.text in _REACHING:
                raise NotElixir(f"`{token.text}` may run code that is not read", token.line)


def _check_call(tokens: Sequence[Token], i: int) -> None:
    """Check what stands behind a dot: only functions that are known by module and name, or a call of a function value."""
    token = tokens[i]
    module = tokens[i - 2] if i > 1 else token
    if token.kind == "mark" and token.text == "(":
        return  # `f.()`: its code stands in this file
    name = f"{module.text}.{token.text}"
    if module.kind == "alias" and token.kind in ("name", "key"):
        if (module.text in _PURE or name in _FUNCTIONS) and name not in _HIDDEN:
            return
        if module.text == "File" and token.text in _LOOKING and _argument(tokens, i) is not None:
            return
    raise NotElixir(f"`{name}` may read or run something", token.line)


def _argument(tokens: Sequence[Token], i: int) -> str | None:
    """Return the string that is the only argument of a call."""
    if _is(tokens, i + 1, "mark", "(") and _is(tokens, i + 3, "mark", ")"):
        return tokens[i + 2].text if tokens[i + 2].kind == "string" else None
    return None


def _files(tokens: Sequence[Token]) -> Iterator[tuple[str, int]]:
    for i, token in enumerate(tokens):
        if i > 1 and tokens[i - 2].text == "File" and tokens[i - 2].kind == "alias" and token.text in _LOOKING:
            named = _argument(tokens, i)
            if named is not None:
                yield named, token.line


def _imported(tokens: Sequence[Token], i: int) -> str | None:
    """Return the operand of `import_config`, None if it is neither a string nor one with MIX_ENV in it."""
    if i >= len(tokens):
        return None
    if tokens[i].kind == "string":
        after = i + 1
        named = tokens[i].text
    elif tokens[i].kind == "template":
        named = tokens[i].text[1:-1]
        for environment in ("#{config_env()}", "#{Mix.env()}", "#{Mix.env}", "#{config_env}"):
            named = named.replace(environment, "{}")
        if "#{" in named or "\\" in named:
            return None
        depth, after = 0, i + 1
        while after < len(tokens):
            depth += (tokens[after].text == "(") - (tokens[after].text == ")")
            after += 1
            if not depth:
                break
    else:
        return None
    joined = after < len(tokens) and tokens[after].kind == "mark" and tokens[after].text in ("<>", "|>", ".")
    return None if joined or "*" in named else named


def _literal(tokens: Sequence[Token], i: int) -> str | None:
    """Return the string at a place if nothing is done to it."""
    if i >= len(tokens) or tokens[i].kind != "string":
        return None
    after = tokens[i + 1] if i + 1 < len(tokens) else None
    ends = after is None or after.text in (",", "]", "}", ")", "end") or after.kind in ("name", "key")
    return tokens[i].text if ends else None


def _is_entry(tokens: Sequence[Token], i: int) -> bool:
    """Tell whether a key `do:` is an entry of a keyword list in brackets, and no body of a function or condition."""
    depth = 0
    for before in range(i - 1, -1, -1):
        token = tokens[before]
        if token.kind == "mark" and token.text in _CLOSE:
            depth += 1
        elif token.kind == "mark" and token.text in _OPEN:
            if not depth:
                return token.text == "[" and tokens[before + 1].kind == "key"
            depth -= 1
    return False


def _dependencies(tokens: Sequence[Token]) -> Iterator[Dependency]:
    """Yield every tuple that may be a dependency: an atom, then a requirement or options."""
    for i, token in enumerate(tokens):
        if not _is(tokens, i, "mark", "{") or not _is(tokens, i + 1, "atom") or not _is(tokens, i + 2, "mark", ","):
            continue
        requirement = tokens[i + 3].text if _is(tokens, i + 3, "string") else ""
        keys, depth = set[str](), 0
        for other in tokens[i:]:
            if other.kind == "mark":
                depth += (other.text in _OPEN) - (other.text in _CLOSE)
            elif other.kind == "key" and depth <= _DEEPEST_OPTION:
                keys.add(other.text)
            if not depth:
                break
        if not _REQUIREMENT.match(requirement) and (requirement or not keys & _OPTIONS):
            continue
        kind = "git" if keys & _REPOSITORY else "local" if keys & {*_LOCAL} else "hex"
        yield Dependency(tokens[i + 1].text, requirement, token.line, kind)


def _is(tokens: Sequence[Token], i: int, kind: str, *texts: str) -> bool:
    return 0 <= i < len(tokens) and tokens[i].kind == kind and (not texts or tokens[i].text in texts)


Term = str | list["Term"] | tuple["Term", ...] | Mapping[str, "Term"] | Token


def read_term(text: str) -> Term:
    """Return a file that is one literal of maps, tuples, lists and strings (`mix.lock`). Raises `NotElixir` for anything else."""
    reader = _Terms(tokens_of(text))
    found = reader.term(0)
    reader.end()
    return found


class _Terms:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.at = tokens, 0

    def _next(self) -> Token:
        if self.at >= len(self.tokens):
            raise NotElixir("it ends too early", self.tokens[-1].line if self.tokens else 1)
        self.at += 1
        return self.tokens[self.at - 1]

    def end(self) -> None:
        """Raise `NotElixir` if something is left."""
        if self.at < len(self.tokens):
            raise NotElixir(f"`{self.tokens[self.at].text}` is not expected", self.tokens[self.at].line)

    def term(self, depth: int) -> Term:
        """Read one term."""
        token = self._next()
        if depth > 32:
            raise NotElixir("it is nested too deeply", token.line)
        if token.kind in ("string", "number"):
            return token.text
        if token.kind == "atom" or (token.kind == "name" and token.text in ("true", "false", "nil")):
            return token
        if token.kind == "mark" and token.text in ("[", "{"):
            items = list(self._items("]" if token.text == "[" else "}", depth))
            return items if token.text == "[" else tuple(items)
        if token.kind == "mark" and token.text == "%{":
            return {key: value for item in self._items("}", depth) for key, value in (_pair(item, token.line),)}
        raise NotElixir(f"`{token.text}` is no literal", token.line)

    def _items(self, closing: str, depth: int) -> Iterator[Term]:
        while not _is(self.tokens, self.at, "mark", closing):
            key = self.tokens[self.at] if self.at < len(self.tokens) else None
            if key is not None and key.kind == "key":
                self.at += 1
                yield (key.text, self.term(depth + 1))
            else:
                item = self.term(depth + 1)
                if _is(self.tokens, self.at, "mark", "=>"):
                    self.at += 1
                    item = (item, self.term(depth + 1))
                yield item
            if not _is(self.tokens, self.at, "mark", ","):
                break
            self.at += 1
        if not _is(self.tokens, self.at, "mark", closing):
            raise NotElixir(f"`{closing}` is missing", self._next().line)
        self.at += 1


def _pair(item: Term, line: int) -> tuple[str, Term]:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item[0], item[1]
    raise NotElixir("a key of a map is no string", line)
