"""Comments that keep rewrites away: `# dockopt: ignore=ID reason` above an instruction, `# dockopt: ignore-file=ID reason` at the top."""

from dockopt.optimizer.suppression.comments import Suppression, read_suppressions
from dockopt.optimizer.suppression.guard import Guard

__all__ = ["Guard", "Suppression", "read_suppressions"]
