"""What a command model may ask about the place where its command runs, answered from the symbolic image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockopt.optimizer.symbolic import placing
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.symbolic.state import StageState, Value
from dockopt.optimizer.symbolic.terms import Term

if TYPE_CHECKING:
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed


@dataclass
class Shell:
    """Shell state between the commands of one RUN."""

    cwd: str | None
    cwd_term: Term
    local: dict[str, Value]
    options: tuple[str, ...] = ()


class ImageSurroundings:
    """What a command model may ask (see `dockopt.optimizer.commands.registry.Surroundings`)."""

    def __init__(
        self,
        executor: Executor,
        state: StageState,
        files: FileSystem,
        unit: Shell,
        roots: tuple[str, ...],
        online: bool,
        until: Executed | None = None,
    ) -> None:
        """Answer for one place; `until` is the command that stands there, where the whole file has been executed already."""
        self._until = until
        self._executor, self._state, self._files, self._shell = executor, state, files, unit
        self.project_roots = roots
        self.online = online

    @property
    def cwd(self) -> str | None:
        """Working directory of the next command, None if it is not known before the build."""
        return self._shell.cwd

    @property
    def user(self) -> str | None:
        """Name of the user, None if it is not known."""
        return self._state.user

    def variable(self, name: str) -> tuple[bool, str | None]:
        """Return whether the value of a variable is known, and the value (None: it is unset, or not known)."""
        value = self._shell.local.get(name) or self._state.variable(name)
        return (True, None) if value is None else (value.text is not None, value.text)

    def assigned(self) -> dict[str, str | None]:
        """Return the variables that instructions and the shell have set."""
        return {name: value.text for name, value in {**self._state.environment(), **self._shell.local}.items()}

    def earlier(self, program: str) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
        """Return text and arguments of the commands of a program that ran before, in the stages that this one builds on too."""
        run = self._executor.stages[-1 if self._until is None else self._until.stage]
        chain = {run.stage.index}
        while (parent := self._executor.stage_named(run.stage.base, run.stage.index)) is not None:
            run = parent
            chain.add(run.stage.index)
        found = []
        for command in self._executor.executed:
            if command is self._until:
                break
            called = command.name.rsplit("/", 1)[-1] == program
            if command.stage in chain and (called or (not command.name and program in command.text)):
                found.append((command.text, command.argv if called else ()))
        return tuple(found)

    def may_be_copied(self, path: str) -> str | None:
        """Return the COPY or ADD that may have put a file at a path, None if there is none."""
        found = placing.may_be_copied(self._files, path)
        self._executor.tells_lines |= found is not None
        return found

    def context_path(self, path: str) -> str | None:
        """Return the file of the context that an image path surely comes from."""
        found = self._files.context_file(path)
        return None if found is None else found[0]

    def kind(self, path: str) -> str:
        """Return what is at an image path: "file", "directory", "absent" or "unknown"."""
        return self._files.kind(path)

    def placed(self, path: str) -> str:
        """Return what is at an image path, in a directory that was empty before the first COPY reached it."""
        return placing.placed(self._files, path)

    def listing(self, path: str) -> tuple[str, ...] | None:
        """Return the names of what the Dockerfile put into a directory, None where that is not certain."""
        return placing.listing(self._files, path)

    def kept_out(self, path: str) -> bool:
        """Tell whether no COPY of a directory of the context can bring anything to a path."""
        return placing.kept_out(self._files, path)

    def read_context(self, path: str) -> bytes | None:
        """Return the bytes of an image path that surely comes from the context."""
        found = self._files.context_file(path)
        return None if found is None else self._executor.files.read(found[0])
