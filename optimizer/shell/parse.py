"""From text to `Script`: both readers, the comparison, and what makes an understood script opaque all the same."""

from __future__ import annotations

import re
from functools import lru_cache

from dockopt.optimizer.shell.crosscheck import disagreement
from dockopt.optimizer.shell.grammar import Grammar
from dockopt.optimizer.shell.model import Command, Script, Step
from dockopt.optimizer.shell.words import OpaqueError

DIALECTS = ("sh", "bash")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_OPERATOR_CONTINUED = re.compile(r"[|&;<>]\\\n[|&;<>]")
_CHANGES_READING = {
    "eval": "runs text that is not known here",
    "source": "runs a file that is not known here",
    ".": "runs a file that is not known here",
    "trap": "runs commands at another time",
    "exec": "replaces the shell or redirects the rest of the script",
    "alias": "gives commands another meaning",
    "unalias": "gives commands another meaning",
    "shopt": "changes how bash reads the rest",
    "enable": "gives commands another meaning",
    "return": "leaves the script early",
    "history": "depends on the history",
    "fc": "depends on the history",
}
_HARMLESS_SET = re.compile(r"[-+][euxvo]+")
_HARMLESS_OPTIONS = frozenset({"errexit", "nounset", "xtrace", "verbose", "pipefail"})


@lru_cache(maxsize=512)
def parse_script(text: str, dialect: str = "sh", *, errexit: bool = False) -> Script:
    """Read shell text; what is not understood gives a script whose `opaque` says why.

    `dialect` is `sh` (any of dash, busybox ash, bash called as sh: what they disagree on is opaque) or `bash`.
    `errexit`: the shell was started with `-e`, as in `SHELL ["/bin/bash", "-e", "-c"]`. Raises ValueError for another
    dialect.
    """
    if dialect not in DIALECTS:
        raise ValueError(f"`{dialect}` is not a dialect; use one of {', '.join(DIALECTS)}")
    odd = _CONTROL.search(text)
    if odd is not None:
        what = "a carriage return" if odd.group() == "\r" else f"the character U+{ord(odd.group()):04X}"
        return _opaque(text, dialect, f"{what} is not understood")
    if _OPERATOR_CONTINUED.search(text):
        return _opaque(text, dialect, "an operator is continued over a line end")
    grammar = Grammar(text, dialect)
    try:
        steps = grammar.script()
    except OpaqueError as error:
        return _opaque(text, dialect, str(error))
    reason = disagreement(text, grammar.commands, grammar.compound_redirects, grammar.marks, grammar.comments)
    if reason is not None:
        return _opaque(text, dialect, reason)
    steps = _with_checked(steps, errexit)
    return Script(text, dialect, steps, _meaning_changes(steps), tuple(grammar.comments), 0, len(text))


def _opaque(text: str, dialect: str, reason: str) -> Script:
    return Script(text, dialect, (), reason, (), 0, len(text))


def _meaning_changes(steps: tuple[Step, ...]) -> str | None:
    """A command after which the rest does not mean what it says, or None."""
    for step in steps:
        for command in step.commands:
            name = command.name
            if name in {"builtin", "command"}:
                # `command -v x` only looks for x
                name = next((w.literal for w in command.words[1:] if w.literal not in {"-p", "--"}), None)
            if name is None:
                continue
            if name in _CHANGES_READING:
                return f"`{name}` {_CHANGES_READING[name]}"
            if name == "set" and not _set_is_harmless(command):
                return "`set` with an option that changes how the rest is read"
            if name == "exit" and not _exit_is_harmless(command, step, steps):
                return "`exit` may leave the script early without failing"
    return None


def _set_is_harmless(command: Command) -> bool:
    words = iter(command.words[1:])
    for word in words:
        if word.literal is None:
            return False
        if word.literal == "--" or not word.literal.startswith(("-", "+")):
            return True
        if not _HARMLESS_SET.fullmatch(word.literal):
            return False
        if word.literal.endswith("o"):
            option = next(words, None)
            if option is not None and option.literal not in _HARMLESS_OPTIONS:
                return False
        elif "o" in word.literal:
            return False
    return True


def _exit_is_harmless(command: Command, step: Step, steps: tuple[Step, ...]) -> bool:
    """A failing exit is a failure like others, one in the last step skips nothing, one in a subshell ends only that."""
    if step is steps[-1] or step.kind == "subshell":
        return True
    status = command.words[1].literal if len(command.words) == 2 else None
    return status is not None and status.isdigit() and int(status) % 256 != 0


def _with_checked(steps: tuple[Step, ...], errexit: bool) -> tuple[Step, ...]:
    """Set `Step.checked`. POSIX 2.14, `set -e`: a failure left of `&&` or `||`, or after `!`, ends nothing."""
    checked: list[Step] = []
    index = 0
    while index < len(steps):
        stop = index + 1
        while stop < len(steps) and steps[stop].connector in {"&&", "||"}:
            stop += 1
        errexit = _errexit_in(steps[index:stop], errexit)
        last_list = stop == len(steps)
        caught = False
        flags: list[bool] = []
        for position in range(stop - 1, index - 1, -1):
            step = steps[position]
            ends_script = last_list or (errexit and position == stop - 1 and step.kind in {"simple", "pipeline"})
            flags.append(ends_script and not caught and not step.background)
            caught = caught or step.connector == "||"
        for step, flag in zip(steps[index:stop], reversed(flags), strict=True):
            checked.append(step._replace(checked=True) if flag else step)
        index = stop
    return tuple(checked)


def _errexit_in(steps: tuple[Step, ...], errexit: bool) -> bool:
    """Whether `set -e` certainly holds behind the first of `steps`, one list, and after them."""
    first = steps[0].command
    if first is not None and first.name == "set" and _sets_errexit(first, "-"):
        errexit = True
    for step in steps:
        for command in step.commands:
            if command.name == "set" and _sets_errexit(command, "+"):
                return False
    return errexit


def _sets_errexit(command: Command, sign: str) -> bool:
    values = [word.literal or "" for word in command.words[1:]]
    for value, following in zip(values, [*values[1:], ""], strict=True):
        if not value.startswith(("-", "+")) or value == "--":
            return False
        if value[0] == sign and ("e" in value or (value.endswith("o") and following == "errexit")):
            return True
    return False
