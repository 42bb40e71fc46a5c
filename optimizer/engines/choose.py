"""Which engine builds: the one that is named, else the first that answers."""

from __future__ import annotations

from dockopt.optimizer.engines.command import Buildah, CommandLineEngine, Docker, Podman
from dockopt.optimizer.engines.model import Engine, EngineProblem

NAMES = ("docker", "podman", "buildah")


def choose(name: str | None = None, builder: str | None = None) -> Engine:
    """Return an engine that answers. Raises EngineProblem, with what was tried, where there is none."""
    if builder is not None and name not in (None, "docker"):
        raise EngineProblem(f"`--builder` names a builder of docker buildx; it does not go with `--engine {name}`")
    known: dict[str, CommandLineEngine] = {"docker": Docker(builder), "podman": Podman(), "buildah": Buildah()}
    wanted = [name] if name is not None else ["docker"] if builder is not None else list(NAMES)
    problems = []
    for candidate in wanted:
        problem = known[candidate].problem()
        if problem is None:
            return known[candidate]
        problems.append(problem)
    if name is None and all(problem.startswith("there is no") for problem in problems):
        raise EngineProblem("there is no build engine here: none of docker, podman and buildah is installed")
    raise EngineProblem("no build engine can be used: " + "; ".join(problems))
