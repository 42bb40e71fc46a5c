"""What is known from outside of a stage that builds and runs: whether another last stage may take its place."""

from __future__ import annotations

from dockopt.optimizer.model import Build
from dockopt.optimizer.regions import below
from dockopt.optimizer.syntax import Stage


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
    return None
