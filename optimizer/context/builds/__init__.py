"""What the files of a project say about building a Dockerfile: one module per kind of file, one table of them."""

from dockopt.optimizer.context.builds.files import Project
from dockopt.optimizer.context.builds.model import DeclaredBuild
from dockopt.optimizer.context.builds.registry import declared_builds

__all__ = ["DeclaredBuild", "Project", "declared_builds"]
