"""One instruction between two symbolic states: what it read, what it wrote, and whether it may change places with another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from dockopt.optimizer.effects import ALWAYS_READ, Kind, matches
from dockopt.optimizer.regions import Region, below, join
from dockopt.optimizer.symbolic.execute import evaluate
from dockopt.optimizer.symbolic.filesystem import Op
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.symbolic.state import StageState
from dockopt.optimizer.symbolic.terms import literal, term
from dockopt.optimizer.syntax import Instruction, variables

_ACCOUNTS = Region(("/etc/group", "/etc/passwd"))
_SHOWN_PATHS = 3
#: the directory that WORKDIR and COPY make as root
_PLAIN_DIRECTORY = term("directory", literal("0755"), literal("0:0")).digest
_SETTERS = {"WORKDIR": "working directory", "USER": "user", "SHELL": "shell"}


@dataclass(eq=False)
class Step:
    """An instruction of a stage; number 0 is its FROM."""

    number: int
    node: str
    instruction: Instruction
    before: StageState
    after: StageState
    escape: str
    commands: list[Executed] = field(default_factory=list)

    @cached_property
    def unknown(self) -> bool:
        """Some command of it is not understood."""
        return any(command.effects.unknown is not None for command in self.commands)

    @cached_property
    def caches(self) -> frozenset[str]:
        """The caches of its tools."""
        return frozenset(cache for command in self.commands for cache in command.effects.caches)

    @cached_property
    def written(self) -> tuple[Op, ...]:
        """What it wrote: the writes that the state before it did not have."""
        old = {id(op) for op in self.before.files.ops}
        return tuple(op for op in self.after.files.ops if id(op) not in old)

    @cached_property
    def settings(self) -> frozenset[str]:
        """What it set of the run configuration (`cmd`, `label version`, …), also where that is what it was already."""
        old, new = self.before.config.settings, self.after.config.settings
        return frozenset(name for name in old.keys() | new.keys() if old.get(name) is not new.get(name))

    @cached_property
    def defined(self) -> tuple[tuple[str, str], ...]:
        """The variables that it sets, each with "env" or "arg"."""
        kind = self.instruction.keyword.lower()
        if kind not in ("env", "arg"):
            return ()
        old, new = (self.before.env, self.after.env) if kind == "env" else (self.before.args, self.after.args)
        return tuple((kind, name) for name, value in new.items() if value is not old.get(name))

    @property
    def changed(self) -> tuple[str, ...]:
        """The setting that it makes for the instructions after it, also where that is the one they have already."""
        setting = _SETTERS.get(self.instruction.keyword)
        return () if setting is None else (setting,)

    @cached_property
    def works_under(self) -> frozenset[str]:
        """The settings of the stage that its meaning depends on."""
        instruction, keyword = self.instruction, self.instruction.keyword
        found = set()
        if keyword == "RUN":
            found = {"user", "working directory"}
        elif keyword in ("COPY", "ADD"):
            target = evaluate(instruction.words[-1], self.before, self.escape, instruction.start_line).text
            found = set() if target is not None and target.startswith("/") else {"working directory"}
        elif keyword == "WORKDIR":
            found = {"user"} if self.written else set()
            found |= set() if instruction.args.startswith("/") else {"working directory"}
        if keyword in ("RUN", "CMD", "ENTRYPOINT") and instruction.json is None:
            found.add("shell")
        return frozenset(found)

    def looks_at(self, name: str) -> str:
        """Tell whether it depends on a variable: "yes", "no", or "maybe" for a command that is not understood."""
        if name in self._named:
            return "yes"
        if any(
            c.effects.variables is not None and matches(name, (*ALWAYS_READ, *c.effects.variables))
            for c in self.commands
        ):
            return "yes"
        # it sees them all; nobody knows which it looks at
        return "maybe" if any(command.effects.variables is None for command in self.commands) else "no"

    @cached_property
    def _named(self) -> frozenset[str]:
        """The variables that its text expands."""
        instruction = self.instruction
        words = [flag.value for flag in instruction.flags if flag.value is not None]
        found: set[str] = set()
        if instruction.keyword == "RUN":
            from dockopt.optimizer.shell import parse_script

            dialect = "bash" if self.before.shell[:1] and self.before.shell[0].endswith("bash") else "sh"
            for command in self.commands if instruction.json is None else ():
                found |= {name for step in parse_script(command.text, dialect).steps for name in step.variables}
        elif instruction.pairs:
            words += [text for pair in instruction.pairs for text in (pair.key, pair.value) if text is not None]
        elif instruction.keyword in ("COPY", "ADD", "EXPOSE", "VOLUME"):
            words += [*instruction.words, *(heredoc.body for heredoc in instruction.heredocs if heredoc.expand)]
        elif instruction.keyword in ("WORKDIR", "USER", "STOPSIGNAL"):
            words.append(instruction.args)
        return frozenset(found).union(*(variables(word, self.escape) for word in words))

    @cached_property
    def mounted(self) -> tuple[str, ...]:
        """Paths at which its commands see a mount and not the image."""
        targets = [mount.target for mount in self.instruction.mounts]
        return tuple(join(self.before.cwd or "/", target) for target in targets if target and "$" not in target)

    def reads(self) -> Iterator[tuple[StageState, Region]]:
        """Yield the parts of the image that it read, each with the state in which it did; `probes` come on top."""
        for command in self.commands:
            yield command.before, command.region.minus(*self.mounted)
        owner = self.instruction.flag("chown")
        if self.instruction.keyword in ("COPY", "ADD") and owner and not owner.replace(":", "").isdigit():
            yield self.before, _ACCOUNTS  # names are looked up in the image (symbolic/copying.py)

    def probes(self) -> Iterator[tuple[StageState, str]]:
        """Yield the single paths that it looked for, found or not, and the directories that it read as a whole."""
        for command in self.commands:
            for probe in (*command.effects.probes, *command.effects.trees):
                if not any(below(probe, target) for target in self.mounted):
                    yield command.before, probe


def written_by(state: StageState, probe: str) -> tuple[Op, ...]:
    """Return the writes that decide what lies at one path; a copied directory that lacks the path decides nothing."""
    files = state.files
    if replace(files, ops=()).resolve(probe).digest == files.resolve(probe).digest:
        return ()
    return files.affecting(Region((probe,)))


def clashes(first: Step, second: Step) -> str:
    """Say on what two steps of a stage conflict, "" if they may change places: neither sees a difference in the end."""
    paths: dict[str, Op] = {}
    before, after = second.before.files, second.after.files
    for op in second.written:
        for _, region in first.reads():
            if op.region.overlaps(region) and before.read(region).digest != after.read(region).digest:
                paths |= dict.fromkeys(meeting(op.region, region), op)
        for _, probe in first.probes():
            if op.region.overlaps(Region((probe,))) and before.resolve(probe).digest != after.resolve(probe).digest:
                paths[probe] = op
        for old in first.written:
            if op.region.overlaps(old.region) and not _agree(first, old, second, op):
                paths |= dict.fromkeys(meeting(op.region, old.region), op)
    for made in first.written:
        if (
            made.kind in ("dir", "dir-set")
            and not (made.value.digest == _PLAIN_DIRECTORY and _makes_plain_directories(second))
            and _needs_directory(second, made.path)
        ):
            paths[made.path] = made  # the other way round the second one would make it, in its own way
    for gone in second.written:
        if gone.kind == "kill":
            paths |= {path: gone for path in gone.region.include if _needs_directory(first, path)}
    names = [
        f"{kind} {name}"
        for kind, name in second.defined
        if first.looks_at(name) != "no" or name in (other for _, other in first.defined)
    ]
    names += [name for name in second.changed if name in first.works_under or name in first.changed]
    names += first.settings & second.settings
    return ", ".join([*([shown_paths(paths)] if paths else []), *sorted(names)])


def _makes_plain_directories(step: Step) -> bool:
    """Tell whether a missing directory would get root's ownership and the usual mode from this step."""
    instruction = step.instruction
    if instruction.keyword == "WORKDIR":
        return step.before.user == "root"
    return instruction.keyword in ("COPY", "ADD") and not (instruction.flag("chown") or instruction.flag("chmod"))


def _needs_directory(step: Step, path: str) -> bool:
    """Tell whether a step makes a directory that is missing, as a parent of what it writes or for its own sake."""
    if any(below(op.path, path) and op.path != path for op in step.written):
        return True
    if step.instruction.keyword == "WORKDIR" and step.after.cwd is not None and below(step.after.cwd, path):
        return True
    return any(
        below(include, path)
        for command in step.commands
        for write in command.effects.writes
        if write.kind in (Kind.DIRECTORY, Kind.SET)
        for include in write.region.include
    )


def _agree(first: Step, old: Op, second: Step, new: Op) -> bool:
    """Tell whether two writes leave the same in either order."""
    if old.kind == new.kind == "dir" and old.value.digest == new.value.digest:
        return True
    if old.region == new.region and old.path in first.caches & second.caches:
        return True  # both only add to it
    if old.kind == "put" and len(old.region.include) == 1 and old.source is not None:
        ends = (step.after.files.resolve(old.path).digest for step in (first, second))
        return len(set(ends)) == 1
    return False


def meeting(one: Region, other: Region) -> list[str]:
    """Return the paths at which two regions meet: of each nested pair the deeper one."""
    found = set()
    for a in one.include:
        for b in other.include:
            if Region((a,)).overlaps(Region((b,))):
                found.add(b if below(b, a) else a)
    return sorted(found)


def shown_paths(paths: Iterable[str] | dict[str, Op]) -> str:
    """Return some paths as text; directories that were only made on the way are left out where something is in them."""
    names = set(paths)
    if isinstance(paths, dict):
        real = {path for path, op in paths.items() if op.kind not in ("dir", "dir-set")}
        names = real or names
    if "/" in names:
        return "everything"
    ordered = sorted(name for name in names if not any(below(name, above) for above in names - {name}))
    if len(ordered) > _SHOWN_PATHS + 1:
        return f"{', '.join(ordered[:_SHOWN_PATHS])} and {len(ordered) - _SHOWN_PATHS} more"
    return ", ".join(ordered)
