"""The state of a stage: file system, environment, user, working directory, shell and run configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.symbolic.terms import Term, literal, term


class Value(NamedTuple):
    """The value of a variable: a term, and its text where that is known before the build."""

    term: Term
    text: str | None = None


def known(text: str) -> Value:
    """Return the value of a variable whose text is known."""
    return Value(literal(text), text)


@dataclass(frozen=True, slots=True)
class Config:
    """The run configuration that an image carries beside its environment (terms are compared, texts are printed)."""

    settings: Mapping[str, Term] = field(default_factory=dict)
    #: CMD was set in this stage: a later ENTRYPOINT does not drop it (BuildKit convert.go, dispatchEntrypoint)
    cmd_here: bool = False

    def set(self, name: str, value: Term) -> Config:
        """Return the configuration with one setting replaced.

        The value becomes an object of its own: who set it can then be told even where it is what it was (`graph.steps`).
        """
        return replace(self, settings={**self.settings, name: Term(*value)})

    def drop(self, name: str) -> Config:
        """Return the configuration without one setting."""
        return replace(self, settings={k: v for k, v in self.settings.items() if k != name})


@dataclass(frozen=True, slots=True)
class StageState:
    """All that later instructions and the exported image can see of a stage at one point."""

    files: FileSystem
    #: image environment: ENV of this stage, its parents and the base
    env: Mapping[str, Value] = field(default_factory=dict)
    #: build arguments with a value; RUN sees both, the last writer wins (reference §0.7)
    args: Mapping[str, Value] = field(default_factory=dict)
    #: facts of the base: None for a variable that is surely unset
    base_env: Mapping[str, str | None] = field(default_factory=dict)
    base: Term = field(default_factory=lambda: term("nothing"))
    cwd: str | None = None
    cwd_term: Term = field(default_factory=lambda: term("nothing"))
    user: str | None = None
    user_term: Term = field(default_factory=lambda: term("nothing"))
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    config: Config = field(default_factory=Config)
    #: True where the environment of the base is complete (`scratch`)
    closed_env: bool = False
    #: variables that such a base sets to values that are not known
    versions: frozenset[str] = frozenset()
    #: what the cache key chain has taken in so far: "context:PATH", "stage:N", "image:REF"
    inputs: frozenset[str] = frozenset()

    def over(self, files: FileSystem) -> StageState:
        """Return the same state over other files."""
        # `dataclasses.replace` takes five times as long
        return StageState(
            files,
            self.env,
            self.args,
            self.base_env,
            self.base,
            self.cwd,
            self.cwd_term,
            self.user,
            self.user_term,
            self.shell,
            self.config,
            self.closed_env,
            self.versions,
            self.inputs,
        )

    def variable(self, name: str) -> Value | None:
        """Return what RUN and expansion see of a variable; None: surely unset."""
        if name in self.args:
            return self.args[name]
        if name in self.env:
            return self.env[name]
        if name in self.base_env:
            text = self.base_env[name]
            # the exact value belongs to the base, the text is a fact about it
            return None if text is None else Value(term("base-env", self.base, name, text=f"${name} of the base"), text)
        if self.closed_env and name not in self.versions:
            return None
        return Value(term("base-env", self.base, name, text=f"${name} of the base"))

    def environment(self) -> dict[str, Value]:
        """Return the variables that instructions have set, as RUN sees them."""
        return {**self.env, **self.args}

    def image(self) -> dict[str, Term]:
        """Return the settings that are compared between two images (the file system apart)."""
        settings = {f"env {name}": value.term for name, value in self.env.items()}
        settings |= {"user": self.user_term, "working directory": self.cwd_term, "shell": term("shell", *self.shell)}
        return settings | dict(self.config.settings)
