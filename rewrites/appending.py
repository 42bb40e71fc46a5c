"""One more command at the end of a RUN, in the RUN's own way of joining commands and breaking lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.shell import Script, parse_script
from dockopt.optimizer.symbolic.units import dialect_of
from dockopt.optimizer.syntax import Dockerfile, Instruction, Stage
from dockopt.rewrites.editing import indentation

#: parts of a script that are units of their own: what follows them does not become a part of them
_CLOSED = ("simple", "pipeline", "subshell", "test")


class RunScript(NamedTuple):
    """The script of a RUN, and where it stands in the file."""

    instruction: Instruction
    script: Script
    #: offset of a here-document's body in the file, None for a script on the line of the RUN
    body: int | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the bytes of the file that are the characters [start, end) of the script."""
        if self.body is None:
            first = self.instruction.args_start
            span = self.instruction.span_of(first + start, first + end)
            return span.start, span.end
        text = self.script.text
        return tuple(self.body + len(text[:at].encode("utf-8", "surrogateescape")) for at in (start, end))  # type: ignore[return-value]  # two of them


def script_of(build: Build, stage: Stage, instruction: Instruction) -> RunScript | str:
    """Return the script of a RUN; a str says why it is not read."""
    if instruction.json is not None:
        return "it is in exec form"
    position = next(i for i, other in enumerate(stage.instructions) if other is instruction)
    dialect = dialect_of(build.runs[stage.index].states[position].shell)
    if dialect is None:
        return "its shell is not a plain sh or bash"
    text, body = instruction.args, None
    if instruction.heredocs:
        heredoc = instruction.heredocs[0]
        if len(instruction.heredocs) > 1 or text.strip() != heredoc.word or heredoc.body.startswith("#!"):
            return "a here-document feeds a program"
        if heredoc.chomp or "\r" in heredoc.body:
            return "its here-document is not the text that runs"
        text, body = heredoc.body, heredoc.span.start
    script = parse_script(text, dialect)
    if script.opaque is not None:
        return script.opaque
    return RunScript(instruction, script, body)


def appended(dockerfile: Dockerfile, run: RunScript, command: str) -> Edit | str:
    """Return the edit that lets a command run after all others of a RUN, if these succeed; a str says why there is none."""
    steps = run.script.steps
    last = steps[-1]
    if last.background:
        return "its last command runs in the background"
    if last.kind not in _CLOSED:
        return f"it ends with a shell `{last.kind}`"
    _, at = run.span(last.start, last.end)
    if last.connector not in (";", "\n"):
        glue = _glue(dockerfile, run)
    elif run.body is not None:
        line = run.script.text.rfind("\n", 0, last.start) + 1
        lead = re.match(r"[ \t]*", run.script.text[line:])
        glue = ("\n" if last.connector == "\n" else "; ") + (lead.group() if lead and last.connector == "\n" else "")
    else:
        glue = _glue(dockerfile, run, ";")
    return Edit(at, at, glue.encode() + command.encode())


def _glue(dockerfile: Dockerfile, run: RunScript, joint: str = "&&") -> str:
    """Return what stands between the last command and the new one."""
    before = ";" if joint == ";" else " &&"
    if run.body is not None:
        return f"{before} "
    instruction, steps = run.instruction, run.script.steps
    start = instruction.span.start
    lines = dockerfile.source[start : run.span(0, steps[-1].end)[1]].splitlines()
    if len(lines) == 1:
        return f"{before} "
    newline = f" {dockerfile.escape}{dockerfile.newline.decode()}"
    # a command that begins a line shows how far commands are indented
    leads = [_lead(dockerfile, run, step.start) for step in steps[1:]]
    own = indentation(instruction).decode() + "    "
    for lead, word in leads:
        if lead is not None and word == "&&" and joint == "&&":
            return f"{newline}{lead}&& "
        if lead is not None and not word:
            return f"{before}{newline}{lead}"
    return f"{before}{newline}{own}" if joint == ";" else f"{newline}{own}&& "


def _lead(dockerfile: Dockerfile, run: RunScript, start: int) -> tuple[str | None, str]:
    """Return the white space before a command that begins a line, and the `&&` in between; None for one that does not."""
    at, _ = run.span(start, start)
    line = dockerfile.source[dockerfile.source.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "surrogateescape")
    found = re.fullmatch(r"([ \t]*)(&&|)[ \t]*", line)
    return (found.group(1), found.group(2)) if found is not None else (None, "")
