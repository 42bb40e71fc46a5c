"""The part of env-match that looks at variables: used where no stage sets them, set where nothing sees them, and secrets.

BuildKit's checks read the instructions that BuildKit expands itself, and never the text of RUN, CMD and ENTRYPOINT in shell form, where
the shell expands (frontend/dockerfile/docs/rules: `UndefinedVar`, `UndefinedArgInFrom`, `SecretsUsedInArgOrEnv`). So only these are
looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.ecosystems.go.shipping import ancestry, shipped
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice
from dockopt.optimizer.regions import join
from dockopt.optimizer.shell import Other, Script, Var, parse_script
from dockopt.optimizer.symbolic.execute import PLATFORM_ARGS
from dockopt.optimizer.symbolic.units import dialect_of
from dockopt.optimizer.syntax import Instruction, Stage

#: variables that only a program that uses a GPU, or a service at run time, looks at (CUDA C++ Programming Guide, "Environment
#: variables"; NVIDIA Container Toolkit; ROCm; gin's mode.go)
_RUN_TIME = frozenset(
    "CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES GIN_MODE".split()
)
#: values that are secrets by their form: what services say of their tokens
_SECRETS = (
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}"), "a token of GitHub"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"), "a token of GitLab"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), "an access key of AWS"),
    (re.compile(r"\bxox[baprs]-[A-Za-z0-9-]{20,}"), "a token of Slack"),
    (re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"), "a token of npm"),
    (re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"), "a private key"),
    (
        re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@$\"'<>{}]+:(?!//)([^\s/:@$\"'<>{}]{3,})@[\w.-]+"),
        "an address with a password",
    ),
)
#: passwords that everybody writes where there is no secret yet
_EXAMPLES = re.compile(
    r"(?i)pass|secret|change|example|user|root|admin|postgres|mysql|guest|test|dummy|holder|your|token|demo|local|^(.)\1*$"
)


def propose(build: Build, rewrite: str) -> Iterator[Advice]:
    """Yield what is wrong with variables. Raises Unsupported."""
    for stage in build.dockerfile.stages:
        yield from _used(build, stage, rewrite)
        yield from _without_effect(build, stage, rewrite)
    for stage in build.exported:
        yield from _library_path(build, stage, rewrite)
    yield from _secrets(build, rewrite)


# -- scope ---------------------------------------------------------------------------------------------------------------


def _used(build: Build, stage: Stage, rewrite: str) -> Iterator[Advice]:
    """Yield variables that a shell expands, that are not set there, and that the Dockerfile sets in another place."""
    run = build.runs[stage.index]
    told: set[str] = set()
    final = {found.index for found in build.exported}
    for position, instruction in enumerate(stage.instructions):
        if instruction.json is not None or instruction.keyword not in ("RUN", "CMD", "ENTRYPOINT"):
            continue
        at_run_time = instruction.keyword != "RUN"
        if at_run_time and stage.index not in final:
            continue
        state = run.states[-1] if at_run_time else run.states[position]
        for name in _expanded(instruction, state.shell):
            if name in told:
                continue
            if at_run_time and name in state.args and name not in state.env and state.base_env.get(name) is None:
                told.add(name)
                declared = _declaration(build, name, stage.index)
                message = f"`{instruction.keyword}` uses `${name}`, which is a build argument: it is empty when the container runs"
                line = instruction.start_line
                yield Advice(
                    rewrite, line, message, "warning", f"`ENV {name}=${name}` below the `ARG`", "", declared or line
                )
                continue
            value = state.variable(name)
            if name in state.environment() or (value is not None and value.text is not None):
                continue
            if name in PLATFORM_ARGS and not at_run_time:
                told.add(name)
                line = instruction.start_line
                message = f"`RUN` uses `${name}`, which BuildKit sets only where the stage declares it: it is empty"
                yield Advice(rewrite, line, message, "warning", f"`ARG {name}` in this stage, above its use", "", line)
                continue
            declared = _declaration(build, name, None)
            if declared is None:
                continue
            told.add(name)
            where, remedy = _where(build, name, declared, at_run_time=at_run_time)
            message = f"`{instruction.keyword}` uses `${name}`, which is not set in this stage: {where}"
            yield Advice(rewrite, instruction.start_line, message, "warning", remedy, "", declared)


def _where(build: Build, name: str, line: int, *, at_run_time: bool) -> tuple[str, str]:
    before_from = any(i.start_line == line for i in build.dockerfile.meta_args)
    where = (
        f"line {line} declares it before the first `FROM`, for `FROM` only"
        if before_from
        else f"line {line} sets it in another stage"
    )
    if at_run_time:
        return where, f"`ENV {name}=…` in this stage, or hand it to the container"
    return where, f"`ARG {name}` in this stage, above its use"


def _declaration(build: Build, name: str, stage: int | None) -> int | None:
    """Return the line of an ARG or ENV of a name, in one stage or anywhere."""
    for instruction in (*build.dockerfile.meta_args, *build.dockerfile.instructions):
        if instruction.keyword in ("ARG", "ENV") and (stage is None or instruction.stage == stage):
            for pair in instruction.pairs:
                if pair.key == name:
                    return instruction.start_line
    return None


def _expanded(instruction: Instruction, shell: tuple[str, ...]) -> list[str]:
    """Return the variables of the environment that the shell text expands, without a default of its own, in their order."""
    dialect = dialect_of(shell)
    if dialect is None or len(instruction.heredocs) > 1:
        return []
    text = instruction.args
    if instruction.heredocs:
        if instruction.args.strip() != instruction.heredocs[0].word or instruction.heredocs[0].body.startswith("#!"):
            return []
        text = instruction.heredocs[0].body
    script = parse_script(text, dialect)
    if script.opaque is not None:
        return []
    return _names(script)


def _names(script: Script) -> list[str]:
    own: set[str] = set()
    found: list[str] = []
    guarded: set[str] = set()
    for step in script.steps:
        own |= step.loop_variables
        for command in step.commands:
            own |= {assignment.name for assignment in command.assignments}
            if command.name in (
                "export",
                "read",
                "local",
                "declare",
                "readonly",
                "getopts",
                "unset",
                "eval",
                ".",
                "source",
            ):
                if command.name in ("eval", ".", "source"):
                    return []
                own |= {word.raw.partition("=")[0] for word in command.words[1:]}
            for word in (*command.words, *(a.value for a in command.assignments)):
                for part in word.parts:
                    if isinstance(part, Var):
                        found.append(part.name)
                    elif isinstance(part, Other):
                        # `${x:-y}`, `${x+y}`: the author has thought of it
                        guarded |= part.variables
    tested = set(guarded)
    return [
        name
        for name in dict.fromkeys(found)
        if name not in own and name not in tested and re.fullmatch(r"[A-Za-z_]\w*", name)
    ]


# -- variables that reach nothing ------------------------------------------------------------------------------------------


def _without_effect(build: Build, stage: Stage, rewrite: str) -> Iterator[Advice]:
    """Yield variables for run time that do not reach an image."""
    seen = build.is_exported(stage.index)
    for instruction in stage.instructions:
        for pair in instruction.pairs if instruction.keyword in ("ENV", "ARG") else ():
            if pair.key not in _RUN_TIME or _handed_on(build, pair.key):
                continue
            if instruction.keyword == "ENV" and seen:
                continue
            why = "an `ARG` is gone when the container runs" if seen else "no image takes over what this stage sets"
            message = f"`{pair.key}` matters when the program runs, and {why}"
            remedy = f"`ENV {pair.key}=…` in the stage that runs"
            yield Advice(rewrite, instruction.start_line, message, "warning", remedy, "", instruction.start_line)


def _handed_on(build: Build, name: str) -> bool:
    return any(name in build.runs[found.index].final.env for found in build.exported)


def _library_path(build: Build, stage: Stage, rewrite: str) -> Iterator[Advice]:
    """Yield directories of LD_LIBRARY_PATH that are not in the image, and the one of a building stage that is left behind."""
    run = build.runs[stage.index]
    own = run.final.env.get("LD_LIBRARY_PATH")
    if own is not None and own.text:
        line = next(
            i.start_line
            for index in ancestry(build, stage.index)
            for i in reversed(build.dockerfile.stages[index].instructions)
            if i.keyword == "ENV" and any(pair.key == "LD_LIBRARY_PATH" for pair in i.pairs)
        )
        mounted = [w for i in stage.instructions if i.keyword == "VOLUME" for w in i.words]
        for directory in own.text.split(":"):
            path = join("/", directory)
            if directory.startswith("/") and path not in mounted and run.final.files.kind(path) == "absent":
                message = f"`LD_LIBRARY_PATH` leads to `{path}`, which is not in the image"
                yield Advice(
                    rewrite, line, message, "warning", "copy the libraries there, or leave the entry out", "", line
                )
    elif own is None:
        for found in shipped(build):
            building = build.runs[found.build.command.stage].final.env.get("LD_LIBRARY_PATH")
            if (
                found.stage == stage.index
                and found.copy is not None
                and building is not None
                and found.build.linking.static is False
            ):
                line = _declaration(build, "LD_LIBRARY_PATH", found.build.command.stage) or found.build.command.line
                message = f"`LD_LIBRARY_PATH` is set where `{found.path}` is built, and not where it runs"
                remedy = "copy the libraries to the runtime stage and set the variable there too"
                yield Advice(rewrite, found.copy.start_line, message, "warning", remedy, "", line)
                return


# -- secrets -----------------------------------------------------------------------------------------------------------------


def _secrets(build: Build, rewrite: str) -> Iterator[Advice]:
    """Yield values that are secrets by their form; they are not printed."""
    for instruction in build.dockerfile.instructions:
        if instruction.keyword not in ("ENV", "ARG", "RUN", "LABEL"):
            continue
        text = instruction.logical + "".join(heredoc.body for heredoc in instruction.heredocs)
        for pattern, what in _SECRETS:
            found = pattern.search(text)
            if found is None or (found.groups() and _EXAMPLES.search(found[1])):
                continue
            message = (
                f"`{instruction.keyword}` has {what} in it, which everybody can read who has the image or its cache"
            )
            remedy = "take it back, and use `RUN --mount=type=secret` while building, or the container's environment"
            yield Advice(rewrite, instruction.start_line, message, "warning", remedy, "", instruction.start_line)
            break
