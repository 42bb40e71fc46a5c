"""Is a difference between two built images one that the changes in between declare?

What a proof leaves out is what a proposal declares, and what comes of that which it puts in the place of something
(`Verdict.replaced`); this module holds the images to it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dockopt.optimizer.images.compare import Difference
from dockopt.optimizer.lineage import made_by
from dockopt.optimizer.proposal import Change
from dockopt.optimizer.regions import below
from dockopt.optimizer.syntax import DockerfileSyntaxError, Instruction, parse

#: settings as `dockopt.optimizer.images.compare` names them, by the instruction that makes them
_MADE_BY = {
    "User": "USER", "WorkingDir": "WORKDIR", "StopSignal": "STOPSIGNAL", "Entrypoint": "ENTRYPOINT", "Cmd": "CMD", "Shell": "SHELL",
    "OnBuild": "ONBUILD", "ExposedPorts": "EXPOSE", "Volumes": "VOLUME", "Healthcheck": "HEALTHCHECK",
}  # fmt: skip
#: the same settings as `StageState.image` names them
_NAMED = {
    made: {"USER": "user", "WORKDIR": "working directory"}.get(word, word.lower()) for made, word in _MADE_BY.items()
}


@dataclass(frozen=True, slots=True)
class Declared:
    """In what two images may differ."""

    #: files, and directories with all that lies below them
    paths: tuple[str, ...] = ()
    #: the same, but only in the owner
    owners: tuple[str, ...] = ()
    #: names of `StageState.image`
    settings: frozenset[str] = frozenset()
    #: every path may differ but these: the image has another base, or one more stage; None: it has not
    all_but: tuple[str, ...] | None = None
    #: settings that the Dockerfile makes itself, whatever the base; those of another base may differ
    own_settings: frozenset[str] = frozenset()

    def covers(self, difference: Difference) -> bool:
        """Tell whether a difference is declared."""
        if difference.is_setting:
            return self._covers_setting(difference.where.removeprefix("config "))
        path = difference.where
        if any(below(path, place) for place in self.paths):
            return True
        if difference.kind == "owner" and any(below(path, place) for place in self.owners):
            return True
        # the directories that lead there come and go with it
        comes_or_goes = difference.kind in ("added", "removed") and difference.entry == "directory"
        if comes_or_goes and any(below(place, path) for place in self.paths):
            return True
        return self.all_but is not None and not any(below(path, kept) for kept in self.all_but)

    def _covers_setting(self, name: str) -> bool:
        kind, _, rest = name.partition(" ")
        own = {"Env": f"env {rest}", "Labels": f"label {rest}"}.get(kind, _NAMED.get(kind, kind))
        if own in self.settings or any(setting.startswith(f"{own} ") for setting in self.settings):
            return True
        return self.all_but is not None and own not in self.own_settings


#: the images have to be the same
NOTHING = Declared()


def declared_by(changes: Iterable[Change], result: bytes, target: str | None = None) -> Declared:
    """Return in what the image of a rewritten Dockerfile (`result`), or of a target of it, may differ from the one before the changes."""
    paths: set[str] = set()
    owners: set[str] = set()
    settings: set[str] = set()
    all_but: set[str] | None = None
    for change in changes:
        wanted = change.proposal.declared
        paths |= wanted.paths | wanted.residue
        owners |= wanted.owners
        settings |= wanted.settings
        if wanted.runtime_stage is not None:
            all_but = {*(all_but or ()), *wanted.runtime_stage.paths}
        for replaced in change.verdict.replaced:
            if replaced.paths is None:
                all_but = all_but or set()
            else:
                paths |= set(replaced.paths)
    own = frozenset(_own_settings(result, target)) if all_but is not None else frozenset()
    kept = None if all_but is None else tuple(sorted(all_but))
    return Declared(tuple(sorted(paths)), tuple(sorted(owners)), frozenset(settings), kept, own)


def _own_settings(text: bytes, target: str | None) -> Collection[str]:
    """Return the settings that instructions of the image make of nothing but their own text."""
    try:
        instructions = made_by(parse(text), target)
    except DockerfileSyntaxError:
        return ()
    names: set[str] = set()
    for instruction in instructions:
        names |= set(_made(instruction))
    return names


def _made(instruction: Instruction) -> Iterable[str]:
    if instruction.keyword in ("ENV", "LABEL"):
        for pair in instruction.pairs:
            if "$" not in f"{pair.key}{pair.value or ''}":
                yield f"{instruction.keyword.lower()} {pair.key}"
    elif "$" not in instruction.args or instruction.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
        yield {"USER": "user", "WORKDIR": "working directory"}.get(instruction.keyword, instruction.keyword.lower())


def top_directory(path: str) -> str:
    """Return the directory of the root in which a path lies, `/` for what lies in the root itself."""
    head = "/" + path.strip("/").split("/")[0]
    return head if posixpath.dirname(path) != "/" else "/"
