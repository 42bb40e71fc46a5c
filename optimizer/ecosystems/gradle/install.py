"""Gradle has no install step that is known to read less than everything: which script is the cause, and what in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dockopt.optimizer.ecosystems.gradle.commands import RUNS_SCRIPTS
from dockopt.optimizer.ecosystems.installs import Cause, Install
from dockopt.optimizer.regions import join

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor
    from dockopt.optimizer.symbolic.run import Executed

_PROGRAMS = frozenset({"gradle", "gradlew"})
_STARTS_GRADLE = re.compile(r"\bgradlew?\s+[\w:-]")
#: in the order in which Gradle runs them
_SCRIPTS = ("settings.gradle.kts", "settings.gradle", "build.gradle.kts", "build.gradle")


class _Sign(NamedTuple):
    """Words of a build script that show what it depends on."""

    words: re.Pattern[bytes]
    meaning: str


#: the first one that is found is named; that none is found proves nothing
_SIGNS = (
    _Sign(re.compile(rb"^[^/\n]*\bincludeBuild\b", re.MULTILINE), "it includes another build"),
    _Sign(re.compile(rb"(?mi)^[^/\n]*\bgit[-.]?(?:hooks|version|properties|semver)"), "a plugin works on the git repository"),
    _Sign(re.compile(rb"^[^/\n]*\bapply\s*\(?\s*from\b", re.MULTILINE), "it applies another script"),
    _Sign(re.compile(rb"^[^/\n]*\b(?:file|files|fileTree|readText|providers\.(?:exec|fileContents))\s*\(", re.MULTILINE), "it reads files"),
    _Sign(re.compile(rb"^[^/\n]*\b(?:exec|ProcessBuilder|execute)\s*[({]", re.MULTILINE), "it starts programs"),
    _Sign(re.compile(rb"^[^/\n]*\bplugins\s*\{", re.MULTILINE), "it applies plugins"),
)  # fmt: skip


def caches(_around: Surroundings) -> tuple[str, ...]:
    """Return nothing: scripts may keep files of their own in the user home of Gradle."""
    return ()


def is_install(_command: Executed) -> bool:
    """Tell that no command is an install step."""
    return False


def install_for(command: Executed, executor: Executor) -> Install | Cause | None:
    """Return why a build with Gradle is left alone; None for other commands."""
    name = (command.argv[0] or "").rsplit("/", 1)[-1] if command.argv else ""
    if name in _PROGRAMS:
        words = [word or "" for word in command.argv[1:]]
        if words and all(word in ("--version", "-v", "--stop", "--help", "wrapper") for word in words):
            return None
        return _of_script(command, executor)
    if not command.argv and _STARTS_GRADLE.search(command.text):
        why = command.effects.unknown or "its commands cannot be told apart"
        return Cause(f"it starts Gradle in a script that is not understood: {why}", "", command.line)
    return None


def _of_script(command: Executed, executor: Executor) -> Cause:
    """Name the build script, and the line in it, that keeps one from telling what Gradle reads."""
    texts: list[tuple[str, bytes]] = []
    for name in _SCRIPTS if command.cwd is not None else ():
        found = command.before.files.context_file(join(command.cwd or "/", name))
        data = None if found is None else executor.files.read(found[0])
        if found is not None and data is not None:
            texts.append((found[0], data))
    for words, meaning in _SIGNS:
        for path, data in texts:
            sign = words.search(data)
            if sign is not None:
                return Cause(f"{RUNS_SCRIPTS} ({meaning})", path, data.count(b"\n", 0, sign.end()) + 1)
    if texts:
        return Cause(RUNS_SCRIPTS, texts[0][0], 1)
    return Cause(RUNS_SCRIPTS, "", command.line)
