"""The configuration of a project: `dockopt.toml`, or `[tool.dockopt]` in `pyproject.toml`; the nearest one counts.

`settings` is the one table of all that may be said, from which reader, schema and documentation are made; `files` finds and
reads; `effective` tells what holds for one Dockerfile, and where that is said.
"""

from dockopt.optimizer.configuration.declared import Declared
from dockopt.optimizer.configuration.effective import NOTHING, Configuration
from dockopt.optimizer.configuration.files import find_configuration

__all__ = ["NOTHING", "Configuration", "Declared", "find_configuration"]
