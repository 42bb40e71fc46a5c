"""The build context: where it is, and what of it the builder sends."""

from dockopt.optimizer.context.discover import find_dockerfiles, is_dockerfile_name
from dockopt.optimizer.context.ignore import IgnoreFileError, IgnoreRules, Pattern
from dockopt.optimizer.context.locate import Located, locate_context, repository_root
from dockopt.optimizer.context.tree import BuildContext, ContextError, ContextTooLarge, Kind

__all__ = [
    "BuildContext",
    "ContextError",
    "ContextTooLarge",
    "IgnoreFileError",
    "IgnoreRules",
    "Kind",
    "Located",
    "Pattern",
    "find_dockerfiles",
    "is_dockerfile_name",
    "locate_context",
    "repository_root",
]
