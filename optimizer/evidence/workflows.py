"""The versions that CI workflows of GitHub set up: `actions/setup-go`, `setup-node` and their kin.

Sources: the READMEs of these actions. A matrix of several versions says that the project is tested with all of them, not which one
it is to be built with, so it is passed over, as are expressions whose value is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockopt.optimizer.context.builds.model import NotUnderstood, ProjectFile
from dockopt.optimizer.context.builds.workflows import Scope, combinations
from dockopt.optimizer.context.builds.yaml_lines import Lined, documents
from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.releases import parse_range
from dockopt.optimizer.evidence.version_files import evidence

#: action → language and the input that has the version
_ACTIONS = {
    "actions/setup-go": ("go", "go-version"),
    "actions/setup-node": ("node", "node-version"),
    "actions/setup-python": ("python", "python-version"),
    "actions/setup-java": ("java", "java-version"),
    "actions/setup-dotnet": ("dotnet", "dotnet-version"),
    "ruby/setup-ruby": ("ruby", "ruby-version"),
    "shivammathur/setup-php": ("php", "php-version"),
    "oven-sh/setup-bun": ("bun", "bun-version"),
    "dtolnay/rust-toolchain": ("rust", "toolchain"),
    "actions-rs/toolchain": ("rust", "toolchain"),
    "actions-rust-lang/setup-rust-toolchain": ("rust", "toolchain"),
}
#: this one has the version in its own name, behind the `@`
_VERSION_IN_NAME = "dtolnay/rust-toolchain"


def workflow(text: str, path: str) -> Iterator[Evidence]:
    """Read one workflow; what is no workflow says nothing."""
    file = ProjectFile(Path("/") / path, Path("/"), text.encode())
    try:
        for document in documents(file.data):
            if isinstance(document, Lined):
                yield from _document(document, file, path)
    except NotUnderstood:
        return


def _document(document: Lined, file: ProjectFile, path: str) -> Iterator[Evidence]:
    jobs = document.get("jobs")
    outer = Scope(file, "", {}, {}).with_env(document.get("env"))
    for job in jobs.values() if isinstance(jobs, Lined) else ():
        if not isinstance(job, Lined):
            continue
        strategy = job.get("strategy")
        rows = list(combinations(strategy.get("matrix") if isinstance(strategy, Lined) else None))
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            if isinstance(step, Lined):
                scopes = [Scope(file, "", row, outer.env).with_env(job.get("env")) for row in rows]
                yield from _step(step, scopes, path)


def _step(step: Lined, scopes: list[Scope], path: str) -> Iterator[Evidence]:
    """Yield what one step says, if it says the same in every row of the matrix."""
    action, _, ref = str(step.get("uses", "")).partition("@")
    language, name = _ACTIONS.get(action.lower(), ("", ""))
    given = step.get("with")
    inputs = given if isinstance(given, Lined) else Lined()
    value, line = inputs.get(name), inputs.line_of(name)
    if value is None and action.lower() == _VERSION_IN_NAME:
        value, line = ref, step.line_of("uses")
    if not language or value is None:
        return
    texts = {scope.text(value) for scope in scopes}
    if len(texts) != 1 or (text := texts.pop()) is None or len(text.split()) != 1:
        return
    said = evidence(language, path, line, text)
    if not said.unclear:
        yield said
    elif (found := parse_range(text)) is not None:
        yield Evidence(language, path, line, text, releases=found)
