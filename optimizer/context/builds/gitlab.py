"""GitLab CI: build commands in the scripts of jobs, which start at the top of the project.

Source: the CI/CD YAML syntax reference (`script`, `before_script`, `default`, `extends`, `variables`). What `!reference` or
another project brings is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockopt.optimizer.context.builds.model import DeclaredBuild, ProjectFile
from dockopt.optimizer.context.builds.shell_text import ShellText
from dockopt.optimizer.context.builds.yaml_lines import Lined, LinedText, documents

_KEYWORDS = frozenset({"default", "include", "stages", "variables", "workflow", "image", "services", "cache", "spec"})
_MAX_PARENTS = 11  # the depth that GitLab allows


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the builds in the jobs of a pipeline. Raises NotUnderstood."""
    jobs = Lined()
    for document in documents(file.data):
        if isinstance(document, Lined):
            jobs.update(document)
    default = jobs.get("default")
    below = default if isinstance(default, Lined) else Lined()
    variables = {"CI_PROJECT_DIR": str(file.root), **_texts(jobs.get("variables"))}
    for name, job in jobs.items():
        if not isinstance(job, Lined) or name in _KEYWORDS:
            continue
        known = {**variables, **_texts(_inherited(jobs, job, "variables"))}
        before = _inherited(jobs, job, "before_script")
        if before is None:  # an empty list is an answer
            before = below.get("before_script", jobs.get("before_script"))
        # one shell runs both; what runs afterwards starts in a shell of its own
        for script in ([before, _inherited(jobs, job, "script")], [_inherited(jobs, job, "after_script")]):
            lines = list(_lines(script))
            if lines:
                first = lines[0].line
                yield from ShellText(
                    _joined(lines), file.path, file.root, file.root, first, f'job "{name}"', variables=known
                ).builds()


def _inherited(jobs: Mapping[object, object], job: Lined, key: str, level: int = 0) -> object:
    """Return what a job, or the last one that it extends, says; variables are merged."""
    extended = job.get("extends")
    parents = extended if isinstance(extended, list) else [extended]
    above: object = None
    for parent in parents if level < _MAX_PARENTS else ():
        found = jobs.get(parent) if isinstance(parent, str) else None
        value = _inherited(jobs, found, key, level + 1) if isinstance(found, Lined) else None
        above = (
            {**above, **value}
            if isinstance(above, dict) and isinstance(value, dict)
            else above
            if value is None
            else value
        )
    own = job.get(key)
    return {**above, **own} if isinstance(above, dict) and isinstance(own, dict) else above if own is None else own


def _texts(variables: object) -> dict[str, str]:
    """Return the variables whose value is plain text."""
    if not isinstance(variables, dict):
        return {}
    plain = {name: value.get("value") if isinstance(value, dict) else value for name, value in variables.items()}
    return {
        str(name): str(value)
        for name, value in plain.items()
        if isinstance(value, (str, int)) and "$" not in str(value)
    }


def _lines(script: object) -> Iterator[LinedText]:
    if isinstance(script, LinedText):
        yield script
    elif isinstance(script, list):
        for item in script:
            yield from _lines(item)


def _joined(lines: list[LinedText]) -> str:
    """Return one text in which each command stands as far below the first as it does in the file."""
    text = lines[0].rstrip("\n")
    for line in lines[1:]:
        gap = line.line - lines[0].line - text.count("\n")
        text += "\n" * max(gap, 1) + line.rstrip("\n")
    return text
