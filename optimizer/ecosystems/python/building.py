"""Why a command that builds the project itself needs all of it: its build back end, and what its version and texts come from."""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.pyproject import Toml, pyproject_at
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.regions import join

#: build requirements that take the version, or texts, from elsewhere (their own manuals)
_EXTRA = {
    "setuptools-scm": "the git history", "hatch-vcs": "the git history", "versioneer": "the git history",
    "versioningit": "the git history", "pbr": "the git history", "poetry-dynamic-versioning": "the git history",
    "setuptools-git-versioning": "the git history", "dunamai": "the git history", "uv-dynamic-versioning": "the git history",
    "hatch-fancy-pypi-readme": "the texts of its description",
}  # fmt: skip


def project_build(around: Surroundings, directory: str, command: str) -> Obstacle:
    """Return why a command that builds the project in a directory cannot do with less than all of it."""
    manifest, script = join(directory, "pyproject.toml"), join(directory, "setup.py")
    remedy = "; dependencies listed in a requirements file could be installed above the sources"
    if around.context_path(manifest) is not None:
        try:
            project = pyproject_at(around, manifest)
            backend, also, line = _described(project)
        except Obstacle as obstacle:
            return obstacle
        if "setuptools" not in backend or around.context_path(script) is None:
            text = f"`{command}` builds the project itself with `{backend}`, which reads all of its sources{also}"
            return Obstacle(text + remedy, manifest, line)
        return _scripted(around, script, command, also, remedy)
    if around.context_path(script) is not None:
        return _scripted(around, script, command, "", remedy)
    return Obstacle(f"`{command}` builds the project in `{directory}` itself, which reads all of it")


def _described(project: Toml) -> tuple[str, str, int]:
    """Return the build back end, what it reads beside the sources, in words, and the line that says so (PEP 517, PEP 621)."""
    system = project.table("build-system")
    backend = system.get("build-backend", "setuptools.build_meta")
    requires = project.strings("build-system", "requires")
    reads: dict[str, str] = {}
    for requirement in requires:
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0].replace("_", "-").lower()
        if name in _EXTRA:
            reads[_EXTRA[name]] = name
    also = "".join(f" and {what} (`{name}`)" for what, name in reads.items())
    metadata = project.table("project")
    for readme in (metadata.get("readme"), project.table("tool", "poetry").get("readme")):
        name = readme.get("file") if isinstance(readme, dict) else readme
        if isinstance(name, str):
            also += f" and `{name}`"
            break
    name = backend.split(".")[0] if isinstance(backend, str) else "its back end"
    return name, also, project.line("build-backend") or project.line("[build-system]")


def _scripted(around: Surroundings, script: str, command: str, also: str, remedy: str) -> Obstacle:
    """Return the same for a project whose `setup.py` says what it is, with what that script reads."""
    from dockopt.optimizer.ecosystems.python.scripts import read_script

    found = read_script(around, script, setup=True)
    names = [posixpath.basename(path) for path in found.files if path != script]
    if found.problems:
        problem = found.problems[0]
        return Obstacle(f"`{command}` runs `setup.py`, which {problem.reason}{remedy}", problem.path, problem.line)
    listed = ", ".join(f"`{name}`" for name in names)
    reads = f"reads {listed} and " if names else ""
    return Obstacle(
        f"`{command}` runs `setup.py`, which {reads}packs all modules of the project{also}{remedy}",
        script,
        found.main_line,
    )
