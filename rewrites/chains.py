"""RUNs that are plain chains of commands joined by `&&`: where they can be cut, and what can be appended to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.shell import Script, Step, parse_script
from dockopt.optimizer.shell.model import STATE_BUILTINS
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.symbolic.units import dialect_of
from dockopt.optimizer.syntax import Dockerfile, Instruction, Stage
from dockopt.rewrites.editing import indentation


@dataclass(frozen=True, slots=True)
class Link:
    """One command of a chain with what is known of it; shell state such as `cd` has nothing executed."""

    step: Step
    executed: Executed | None

    @property
    def is_state(self) -> bool:
        """Tell whether it changes what the commands after it see of the shell: directory, variables, options."""
        command = self.step.command
        return command is not None and (not command.words or command.name in STATE_BUILTINS)


@dataclass(frozen=True, slots=True)
class Chain:
    """A RUN in shell form, without flags and here-documents, whose steps are joined by `&&` alone."""

    instruction: Instruction
    script: Script
    links: tuple[Link, ...]

    def text(self, link: Link) -> str:
        """Return a command as written."""
        return self.script.text[link.step.start : link.step.end]


def chain_of(build: Build, stage: Stage, instruction: Instruction) -> Chain | str:
    """Return a RUN as a chain; a str says why it cannot be taken apart or added to."""
    if instruction.json is not None:
        return "it is in exec form"
    if instruction.heredocs:
        return "it is a here-document"
    if instruction.flags:
        return f"its `--{instruction.flags[0].name}` serves all of its commands"
    position = next(i for i, other in enumerate(stage.instructions) if other is instruction)
    dialect = dialect_of(build.runs[stage.index].states[position].shell)
    if dialect is None:
        return "its shell is not a plain sh or bash"
    script = parse_script(instruction.args, dialect)
    if script.opaque is not None:
        return script.opaque
    if not script.is_chain() or script.comments or any(step.background for step in script.steps):
        return "its commands are joined by something else than `&&`"
    by_start = {command.start: command for command in build.commands_of(stage.index, instruction.index)}
    return Chain(instruction, script, tuple(Link(step, by_start.get(step.start)) for step in script.steps))


def cut(dockerfile: Dockerfile, chain: Chain, at: int) -> tuple[Edit, ...]:
    """Return the edits that let the link with index `at` begin a RUN of its own.

    Comments between the lines of the two commands come to stand above the new RUN; a change of the shell's state before the cut
    is repeated after it.
    """
    instruction, source = chain.instruction, dockerfile.source
    start = instruction.args_start
    left = instruction.span_of(start, start + chain.links[at - 1].step.end).end
    right = instruction.offset_of(start + chain.links[at].step.start)
    indent, newline = indentation(instruction), dockerfile.newline
    state = "".join(chain.text(link) + " && " for link in chain.links[:at] if link.is_state)
    begin = indent + instruction.keyword_raw.encode() + b" " + state.encode()
    line_end = source.find(b"\n", left, right)
    if line_end < 0:
        return (Edit(left, right, newline + begin),)
    # the line break stays where it is, so that the new RUN has the line of its command
    last_line = source.rfind(b"\n", left, right) + 1
    between = source[line_end + 1 : last_line].splitlines()
    comments = b"".join(indent + line.strip() + newline for line in between if line.strip().startswith(b"#"))
    content_end = line_end - 1 if source[line_end - 1 : line_end] == b"\r" else line_end
    return Edit(left, content_end, b""), Edit(line_end + 1, right, comments + begin)


def join_below(dockerfile: Dockerfile, chain: Chain, below: Instruction) -> Edit | None:
    """Return the edit that appends the script of the RUN directly below to a chain, in the style of its line breaks.

    None where a comment stands between the last command of the one and the first of the other.
    """
    instruction = chain.instruction
    start = instruction.args_start
    end = instruction.span_of(start, start + len(chain.script.text.rstrip())).end
    begin = below.offset_of(below.args_start)
    if b"#" in dockerfile.source[end:begin]:
        return None
    lines = dockerfile.source[instruction.span.start : end].splitlines()
    own = indentation(instruction) + b"    "
    leading = next((line[: -len(line.lstrip())] for line in lines[1:] if line.strip()), own)
    escape, newline = dockerfile.escape.encode(), dockerfile.newline
    if any(line.lstrip().startswith(b"&&") for line in lines[1:]):
        glue = b" " + escape + newline + leading + b"&& "
    else:
        glue = b" && " + escape + newline + leading
    return Edit(end, begin, glue)


#: words by which a script that is not taken apart may take back what came before it
_REMOVING_WORD = re.compile(r"\b(rm|rmdir|unlink|remove|purge|autoremove|erase|del|uninstall|clean)\b")
#: programs that remove files, and subcommands by which package managers take back what they brought
_REMOVERS = frozenset({"rm", "rmdir", "unlink"})
_MANAGERS = frozenset({"apt-get", "apt", "apk", "dnf", "yum", "microdnf"})
#: subcommands that empty the caches of installs (`npm cache clean`)
_CLEANERS = frozenset({("npm", "cache"), ("yarn", "cache"), ("pnpm", "store"), ("bun", "pm"), ("go", "clean")})
_REMOVING = frozenset(
    "remove purge autoremove auto-remove autopurge erase del clean autoclean auto-clean distclean".split()
)


def called(executed: Executed | None) -> tuple[str | None, ...]:
    """Return program and first operand of a command (`apt-get`, `install`), options left out; () for shell state."""
    argv = () if executed is None else executed.argv
    return tuple(word for word in argv if word is None or not word.startswith("-"))[:2]


def removes(link: Link) -> bool:
    """Tell whether all that a command does is to remove files or packages."""
    name, *operand = called(link.executed) or (None,)
    if operand and (name, operand[0]) in _CLEANERS:
        return True
    return name in _REMOVERS or (name in _MANAGERS and operand[:1] != [] and operand[0] in _REMOVING)


def may_remove(chain: Chain, link: Link) -> bool:
    """Tell whether a command removes files or packages, or is a piece of a script that is not taken apart and seems to do so."""
    return removes(link) or (link.executed is None and _REMOVING_WORD.search(chain.text(link)) is not None)


def effects_known(links: Sequence[Link]) -> bool:
    """Tell whether a model speaks of each command."""
    return all(link.executed is not None and link.executed.effects.unknown is None for link in links)
