"""Command models: what one program reads and writes, given its arguments and surroundings."""

from dockopt.optimizer.commands.registry import Invocation, Surroundings, effects_of

__all__ = ["Invocation", "Surroundings", "effects_of"]
