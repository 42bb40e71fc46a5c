"""What is known from outside of a stage that builds and runs: whether another last stage may take its place."""

from __future__ import annotations

from dockopt.optimizer.entrypoint import started
from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened


def outside_problem(build: Build, stage: Stage) -> tuple[str, str, int] | None:
    """Return why another last stage may not be what those who build the Dockerfile expect."""
    from dockopt.optimizer.running.services import services_of

    line = stage.from_.start_line
    if build.executor.stage_named(stage.base, stage.index) is not None:
        return "it starts from another stage", "", line
    if stage.platform is not None:
        return "it is built for a platform of its own", "", line
    if stage.name in build.targets or str(stage.index) in build.targets:
        return (
            f"somebody builds `{stage.name or stage.index}` by its name, and would get the stage that builds",
            "",
            line,
        )
    if build.elsewhere:
        other = build.elsewhere[0]
        return (
            f"it is built in the context `{other.shown}` too, whose sources are not looked at",
            other.file,
            other.line,
        )
    for declared in build.declared:
        if declared.file.name.endswith("devcontainer.json"):
            return "a development container is made of it, and needs the toolchain", "", line
    for service in services_of(build):
        for key, at in (*service.replaces, *service.starts):
            return (
                f"Compose sets `{key}` of the service `{service.name}`, and may need what the new image lacks",
                service.file,
                at,
            )
        for mount in service.mounts:
            final = build.runs[-1].final
            if mount.is_of_host and final.cwd is not None and below(final.cwd, mount.target):
                return f"Compose mounts a directory of the host over `{mount.target}`", service.file, mount.line
    return begun_problem(build, stage)


def begun_problem(build: Build, stage: Stage) -> tuple[str, str, int] | None:
    """Return a command that a file of the project starts in a container, other than that of the image."""
    from dockopt.optimizer.running.containers import begun_elsewhere

    has_entrypoint = any(instruction.keyword == "ENTRYPOINT" for instruction in stage.instructions)
    own = {
        name for program in started(build, stage.index).programs for name in (program.argv[0], *program.places) if name
    }
    for begun in begun_elsewhere(build):
        if (has_entrypoint and not begun.entrypoint) or begun.words[0] in own:
            continue
        what = shortened(" ".join(begun.words))
        return f"a container of it is started with `{what}`, which the new image may lack", begun.file, begun.line
    return None
