"""Build engines behind one small interface, each driven through its command line. Nothing is built unless a user asks for it."""

from dockopt.optimizer.engines.choose import choose
from dockopt.optimizer.engines.model import BuildLog, BuildRequest, Engine, EngineProblem, StepResult

__all__ = ["BuildLog", "BuildRequest", "Engine", "EngineProblem", "StepResult", "choose"]
