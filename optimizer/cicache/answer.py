"""Answer `dockopt ci`: read one Dockerfile with its context and what can be improved in it, and print what fits it."""

from __future__ import annotations

from pathlib import Path

from dockopt.optimizer.cicache.facts import Pending, gather
from dockopt.optimizer.cicache.providers import configuration
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.inputs import InputError, check_dockerfile, read_file
from dockopt.optimizer.opening import open_build
from dockopt.optimizer.presence import is_directory
from dockopt.optimizer.report.outcome import source_lines


def cache_configuration(
    path: Path, provider: str, backend: str | None, target: str | None, context: Path | None
) -> str:
    """Return the configuration for a Dockerfile, or for the one in a directory. Raises InputError."""
    file = path / "Dockerfile" if is_directory(path) else path
    source = read_file(file)
    check_dockerfile(source)
    opened = open_build(file, source, context)
    if opened.disagreement is not None:
        raise InputError(f"two parsers read this file differently: {opened.disagreement}")
    report = analyze(file, source, Options(context=context))
    pending = tuple(
        Pending(line, change.proposal.rewrite, change.proposal.message)
        for change, line in zip(report.changes, source_lines(report), strict=True)
    )
    facts = gather(opened.build, str(file), opened.located.context, target, pending)
    return configuration(facts, provider, backend)
