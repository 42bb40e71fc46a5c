"""Command models of Python's interpreter and package managers."""

from __future__ import annotations

import importlib

from dockopt.optimizer.commands.arguments import NotUnderstood
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.step import Step, effects_of_step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.effects import Effects, unknown

#: tool → "module:function" that returns its Step; programs with a version in their name count as the tool (`pip3.12`)
_TOOLS = {
    "pip": "pip:pip",
    "python": "interpreter:python",
    "virtualenv": "interpreter:virtualenv",
    "poetry": "poetry:poetry",
    "uv": "uv:uv",
    "pdm": "pdm:pdm",
    "pipenv": "pipenv:pipenv",
    "conda": "conda:conda",
    "mamba": "conda:conda",
    "micromamba": "conda:conda",
}
_VERSIONED = ("pip", "python")


def tool_of(program: str) -> str | None:
    """Return the tool that a program's base name means, None for another program."""
    if program in _TOOLS:
        return program
    for name in _VERSIONED:
        version = program.removeprefix(name)
        if version != program and version.replace(".", "").isdigit():
            return name
    return None


def is_tool(program: str) -> bool:
    """Tell whether a program is one of those that are modelled here."""
    return tool_of(program) is not None


def step_of(invocation: Invocation, around: Surroundings) -> Step | None:
    """Return what a command does, None for a program that is not modelled here. Raises NotUnderstood."""
    tool = tool_of(invocation.name)
    if tool is None:
        return None
    module, function = _TOOLS[tool].split(":")
    step: Step = getattr(importlib.import_module(f"dockopt.optimizer.ecosystems.python.{module}"), function)(
        invocation, around
    )
    return step


def run(invocation: Invocation, around: Surroundings) -> Effects:
    """Return the effects of one command of a Python tool."""
    try:
        step = step_of(invocation, around)
    except NotUnderstood as reason:
        missing = reason.missing if isinstance(reason, Obstacle) else ""
        return unknown(str(reason), [missing] if missing else [])
    return unknown("no model of this program") if step is None else effects_of_step(step, around)


def build_tool(invocation: Invocation, _around: Surroundings) -> Effects:
    """Return UNKNOWN for tools that build or test the project itself."""
    return unknown(f"`{invocation.name}` builds or runs the project itself")
