"""`skaffold.yaml`: artifacts that Docker or kaniko build, those of profiles included.

Source: the skaffold.yaml reference (`build.artifacts`): `context` is relative to the file, `dockerfile` to the context.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.context.builds.model import DeclaredBuild, ProjectFile, resolved
from dockopt.optimizer.context.builds.yaml_lines import Lined, documents

_OTHER_BUILDERS = frozenset({"bazel", "buildpacks", "custom", "jib", "ko"})


def read(file: ProjectFile) -> Iterator[DeclaredBuild]:
    """Yield the artifacts of a Skaffold file. Raises NotUnderstood."""
    for document in documents(file.data):
        if not isinstance(document, Lined) or not str(document.get("apiVersion", "")).startswith("skaffold/"):
            continue
        profiles = document.get("profiles")
        for part in (document, *(profiles if isinstance(profiles, list) else ())):
            build = part.get("build") if isinstance(part, Lined) else None
            artifacts = build.get("artifacts") if isinstance(build, Lined) else None
            for artifact in artifacts if isinstance(artifacts, list) else ():
                if isinstance(artifact, Lined) and not _OTHER_BUILDERS.intersection(artifact):
                    yield from _artifact(file, artifact)


def _artifact(file: ProjectFile, artifact: Lined) -> Iterator[DeclaredBuild]:
    docker = artifact.get("docker") or artifact.get("kaniko") or {}
    if not isinstance(docker, dict):
        return
    context, dockerfile = _plain(artifact.get("context", ".")), _plain(docker.get("dockerfile", "Dockerfile"))
    if context is None or dockerfile is None:
        return
    directory = resolved(file.path.parent, context)
    target, args = docker.get("target"), docker.get("buildArgs")
    stage = _plain(target)
    yield DeclaredBuild(
        file.path,
        artifact.line,
        f'artifact "{artifact.get("image")}"',
        resolved(directory, dockerfile),
        directory,
        stage or None,
        any_target=bool(target) and stage is None,
        args={str(k): v for k, v in args.items() if _plain(v) is not None} if isinstance(args, dict) else {},
    )


def _plain(value: object) -> str | None:
    """Return a text that is no template, else None."""
    return value if isinstance(value, str) and "{{" not in value else None
