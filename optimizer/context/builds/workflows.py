"""GitHub workflows and actions of the project: `docker/build-push-action`, and build commands in `run:` steps.

Sources: GitHub's workflow syntax reference; docker/build-push-action, README ("Inputs", "Git context"). Of expressions only
`github.workspace`, literal `env` values and literal matrices are followed; any other makes its value unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from dockopt.optimizer.context.builds.model import DeclaredBuild, NotUnderstood, ProjectFile, resolved
from dockopt.optimizer.context.builds.shell_text import ShellText, may_build
from dockopt.optimizer.context.builds.yaml_lines import Lined, LinedText, documents

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_NAMES = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_QUOTED = re.compile(r"'([^']*)'")
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/)", re.IGNORECASE)
_SHELLS = frozenset({"bash", "sh"})
_MAX_COMBINATIONS = 256
#: a shell variable that nothing assigns: a hole in the word
_UNKNOWN = "${GITHUB_EXPRESSION}"
#: where a job starts; the project is checked out there or below
_WORKSPACE = "/github/workspace"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known where a step runs."""

    file: ProjectFile
    name: str
    matrix: Mapping[str, object]
    env: Mapping[str, str]
    #: where in the workspace the project lies, as an absolute path
    checkout: str = _WORKSPACE
    directory: str | None = ""

    def text(self, value: object) -> str | None:
        """Return a value with its expressions expanded, None where one is not known."""
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, (str, int, float)):
            return None
        parts = _EXPRESSION.split(str(value))
        for index in range(1, len(parts), 2):
            found = self.expression(parts[index].strip())
            if found is None:
                return None
            parts[index] = found
        return "".join(parts)

    def expression(self, text: str) -> str | None:
        """Return the value of an expression that only names something."""
        if quoted := _QUOTED.fullmatch(text):
            return quoted[1]
        if text == "github.workspace":
            return _WORKSPACE
        if _NAMES.fullmatch(text) is None:
            return None
        context, *path = text.split(".")
        value: object = {"matrix": self.matrix, "env": self.env}.get(context)
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return self.text(value) if path and not _has_expression(value) else None

    def path(self, *parts: str) -> Path | None:
        """Return where a path of the workspace lies in the project, None outside of it."""
        place = resolved(Path(_WORKSPACE), *parts)
        if not place.is_relative_to(self.checkout):
            return None
        return resolved(self.file.root, str(place.relative_to(self.checkout)))

    def with_env(self, env: object) -> Scope:
        """Return the scope below an `env:`; a value that is not known hides an outer one."""
        if not isinstance(env, Mapping):
            return self
        added = {str(name): self.text(value) for name, value in env.items()}
        kept = {name: value for name, value in self.env.items() if name not in added}
        return replace(self, env=kept | {name: value for name, value in added.items() if value is not None})


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds of a workflow or an action. Raises NotUnderstood."""
    for document in documents(file.data):
        if not isinstance(document, Lined):
            continue
        scope = Scope(file, "", {}, {}).with_env(document.get("env"))
        scope = replace(scope, directory=_directory(document, scope))
        runs, jobs = document.get("runs"), document.get("jobs")
        if isinstance(runs, Lined):
            yield from _steps(runs, scope)
        for name, job in jobs.items() if isinstance(jobs, Lined) else ():
            if isinstance(job, Lined):
                yield from _job(str(name), job, scope)


def _job(name: str, job: Lined, outer: Scope) -> Iterator[DeclaredBuild]:
    strategy = job.get("strategy")
    seen = set()
    for matrix in combinations(strategy.get("matrix") if isinstance(strategy, Lined) else None):
        scope = replace(outer, name=f'job "{name}"', matrix=matrix).with_env(job.get("env"))
        for build in _steps(job, replace(scope, directory=_directory(job, scope))):
            what = (build.line, build.dockerfile, build.context, build.target, build.any_target, build.named_contexts)
            if what not in seen:
                seen.add(what)
                yield build


def _directory(part: Lined, scope: Scope) -> str | None:
    """Return the working directory that `defaults.run` sets for all steps."""
    defaults = part.get("defaults")
    run = defaults.get("run") if isinstance(defaults, Lined) else None
    if isinstance(run, Lined) and "working-directory" in run:
        return scope.text(run["working-directory"])
    return scope.directory


def combinations(matrix: object) -> Iterator[Mapping[str, object]]:
    """Yield the combinations of a matrix as GitHub makes them; `include` adds to those that it does not contradict."""
    if not isinstance(matrix, Lined):
        yield {}
        return
    axes = {k: v for k, v in matrix.items() if k not in ("include", "exclude") and isinstance(v, list)}
    lists = [[(str(name), value) for value in values] for name, values in axes.items()]
    found: list[dict[str, object]] = []
    for combination in product(*lists) if lists else ():
        if len(found) >= _MAX_COMBINATIONS:
            raise NotUnderstood("a matrix is too large", matrix.line)
        found.append(dict(combination))
    for item in _mappings(matrix.get("exclude")):
        found = [c for c in found if not all(name in c and c[name] == value for name, value in item.items())]
    original = [dict(combination) for combination in found]
    for item in _mappings(matrix.get("include")):
        fits = [
            index
            for index, combination in enumerate(original)
            if all(combination[name] == item[name] for name in item if name in combination)
        ]
        for index in fits:
            found[index].update(item)
        if not fits:
            found.append(dict(item))
    yield from found or [{}]


def _mappings(value: object) -> list[dict[str, object]]:
    return (
        [{str(k): v for k, v in item.items()} for item in value if isinstance(item, Lined)]
        if isinstance(value, list)
        else []
    )


def _has_expression(value: object) -> bool:
    return isinstance(value, str) and "${{" in value


def _steps(job: Lined, scope: Scope) -> Iterator[DeclaredBuild]:
    steps = job.get("steps")
    checked_out = False
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, Lined):
            continue
        action = str(step.get("uses", "")).partition("@")[0].lower()
        given = step.get("with")
        inputs = given if isinstance(given, Lined) else Lined()
        if action == "actions/checkout":
            if "repository" in inputs and "path" not in inputs:
                return  # another project takes the place of this one
            if "repository" not in inputs and not checked_out:
                checked_out = True
                below = scope.text(inputs.get("path", "."))
                if below is None:
                    return
                scope = replace(scope, checkout=str(resolved(Path(_WORKSPACE), below)))
        elif action == "docker/build-push-action":
            yield from _build_push(step, inputs, scope)
        elif action == "redhat-actions/buildah-build":
            yield from _buildah(step, inputs, scope)
        elif isinstance(step.get("run"), LinedText):
            yield from _run(step, scope)


def _build_push(step: Lined, inputs: Lined, scope: Scope) -> Iterator[DeclaredBuild]:
    given = inputs.get("context")
    text = "{{defaultContext}}" if given is None else scope.text(given)
    name = "Dockerfile" if inputs.get("file") is None else scope.text(inputs["file"])
    if name is None:
        return
    context: Path | None = None
    dockerfile: Path | None = None
    if text is not None and text.startswith("{{defaultContext}}"):
        # git checks the project out anew; the file is relative to the directory that is named in it
        context = resolved(scope.file.root, text.removeprefix("{{defaultContext}}").lstrip(":") or ".")
        dockerfile = resolved(context, name)
    else:
        if text is not None and not _REMOTE.match(text):
            context = scope.path(text)
        if inputs.get("file") is not None:
            dockerfile = scope.path(name)
        elif context is not None:
            dockerfile = context / name
    if dockerfile is not None:
        yield _declared(step, inputs, scope, dockerfile, context)


def _buildah(step: Lined, inputs: Lined, scope: Scope) -> Iterator[DeclaredBuild]:
    """Source: redhat-actions/buildah-build, README ("Inputs for build from containerfile")."""
    text = scope.text(inputs.get("context", "."))
    names = scope.text(inputs.get("containerfiles") or inputs.get("dockerfiles"))
    for name in (names or "").split():
        dockerfile = scope.path(name)
        if dockerfile is not None:
            yield _declared(step, inputs, scope, dockerfile, None if text is None else scope.path(text))


def _declared(step: Lined, inputs: Lined, scope: Scope, dockerfile: Path, context: Path | None) -> DeclaredBuild:
    target = inputs.get("target")
    stage = None if target is None else scope.text(target)
    return DeclaredBuild(
        scope.file.path,
        step.line_of("uses"),
        scope.name,
        dockerfile,
        context,
        stage or None,
        any_target=target is not None and stage is None,
        args=dict(_pairs(inputs.get("build-args"), scope)),
        named_contexts=tuple(name for name, _ in _pairs(inputs.get("build-contexts"), scope, known=False)),
    )


def _pairs(lines: object, scope: Scope, *, known: bool = True) -> Iterator[tuple[str, str]]:
    """Yield the `name=value` lines of an input; only those with known values unless they do not matter."""
    for line in str(lines or "").splitlines():
        name, equals, value = line.strip().partition("=")
        text = scope.text(value)
        if equals and "${{" not in name and (text is not None or not known):
            yield name, text or ""


def _run(step: Lined, outer: Scope) -> Iterator[DeclaredBuild]:
    shell = step.get("shell", "bash")
    script = step["run"]
    if not may_build(script) or not isinstance(shell, str) or shell.partition(" ")[0] not in _SHELLS:
        return
    scope = outer.with_env(step.get("env"))
    given = scope.text(step["working-directory"]) if "working-directory" in step else scope.directory

    def expanded(match: re.Match[str]) -> str:
        found = scope.expression(match[1].strip())
        return _UNKNOWN if found is None else _at_home(found, scope)

    text = _EXPRESSION.sub(expanded, script)
    env = {name: _at_home(value, scope) for name, value in scope.env.items()}
    yield from ShellText(
        text,
        scope.file.path,
        scope.file.root,
        None if given is None else scope.path(given),
        script.line,
        scope.name,
        variables={**env, "GITHUB_WORKSPACE": _at_home(_WORKSPACE, scope)},
    ).builds()


def _at_home(text: str, scope: Scope) -> str:
    """Replace the runner's workspace in a text by what it is here."""
    place = scope.path(".")
    return text if place is None else text.replace(_WORKSPACE, str(place))
