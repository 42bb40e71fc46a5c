"""keeps out of the build context what nothing reads, and what would overwrite an installation

What it does
    Adds entries to the ignore file: for directories that an installation makes and that a later COPY would bring again from
    the machine of whoever builds, and for files that change with every commit or every look at the project: the history of
    git, the Dockerfile itself, settings of editors, output of tests.

Why it costs cache
    A COPY of everything is a cache miss as soon as anything in the context changes, and the history changes with each commit.
    A `node_modules` of the host that is laid over the installed one is worse: the image then depends on who builds it.

Before
    # .dockerignore
    *.log

After
    # .dockerignore
    *.log
    .git
    Dockerfile

When it does not fire
    Some command of the stage may read what would be left out (`go build` and version tools read `.git`; a command that is not
    understood may read anything). In an exported stage it changes the image by just these files: offered, not applied. What an
    exception of the ignore file brings back is left alone.

Why it is safe
    Both builds are executed symbolically, the new one behind the changed ignore file: a copy of the context without these
    paths has to lead to the same image, whatever lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockopt.optimizer.ecosystems.installs import Install, install_for, is_install
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import Region, below, join, relative
from dockopt.optimizer.syntax import Instruction
from dockopt.rewrites.copies import context_copies
from dockopt.rewrites.editing import ignore_entries

ID = "ignore-files"
#: what changes without a change of the program, in the order of the entries: history, recipes, editors, tests and their tools
_CHANGING = (
    ".git", ".hg", ".svn", "Dockerfile", "Containerfile", "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml",
    ".github", ".gitlab-ci.yml", ".idea", ".vscode", ".DS_Store", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox",
    "htmlcov", ".nyc_output",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tree:
    """A COPY of a directory of the context."""

    instruction: Instruction
    stage: int
    source: str  #: the directory, "" for the whole context
    destination: str

    def image_path(self, rel: str) -> str:
        """Return where a path of the context below the directory comes to lie."""
        return join(self.destination, relative("/" + rel, "/" + self.source))


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every COPY of a directory of the context."""
    trees = list(_trees(build))
    yield from _overwritten(build, trees)
    yield from _changing(build, trees)


def _trees(build: Build) -> Iterator[_Tree]:
    for stage in build.dockerfile.stages:
        for copy in context_copies(build, stage):
            for op in copy.ops:
                if op.kind == "overlay" and op.source is not None and op.source.pattern is None:
                    yield _Tree(copy.instruction, stage.index, op.source.path, op.path)


def _overwritten(build: Build, trees: list[_Tree]) -> Iterator[Proposal | Refusal]:
    """Propose entries for what installations above a COPY have made where it copies to."""
    for command in build.executed:
        later = [t for t in trees if t.stage == command.stage and t.instruction.index > command.instruction.index]
        install = install_for(command, build.executor) if later and is_install(command) else None
        if not isinstance(install, Install):
            continue
        for tree in later:
            paths = [path for path in install.outputs if path != tree.destination and below(path, tree.destination)]
            found = {f"{tree.source}/{relative(path, tree.destination)}".strip("/"): path for path in paths}
            entries = {rel: path for rel, path in found.items() if not build.context.excluded(rel)}
            edit = ignore_entries(build, list(entries))
            if edit is None:
                continue
            names = ", ".join(f"`{rel}`" for rel in entries)
            yield Proposal(
                ID,
                tree.instruction.start_line,
                f"a {names} of whoever builds is copied over what `{install.command}` has installed",
                (edit,),
                gain="the image has what the installation made, whoever builds it",
                declared=WantedDifference(frozenset(entries.values())),
            )


def _is_read(build: Build, tree: _Tree, rel: str) -> bool:
    """Tell whether a command of the stage may read a path: then nobody could tell what it would do without."""
    where = Region((tree.image_path(rel),))
    return any(c.region.overlaps(where) for c in build.executed if c.stage == tree.stage)


def _changing(build: Build, trees: list[_Tree]) -> Iterator[Proposal | Refusal]:
    """Propose entries for what changes often and nobody needs."""
    whole = [tree for tree in trees if not tree.source]
    present = [
        rel
        for rel in _CHANGING
        if whole
        and build.context.is_there(rel)
        and not build.context.is_asked_for(rel)
        and not build.context.excluded(rel)
        and not any(_is_read(build, tree, rel) for tree in whole)
    ]
    edit = ignore_entries(build, present)
    if edit is None:
        return
    first = whole[0].instruction
    names = ", ".join(f"`{rel}`" for rel in present)
    yield Proposal(
        ID,
        first.start_line,
        f"`{first.keyword} {' '.join(first.words)}` takes {names} along: a change there runs all that follows again",
        (edit,),
        gain=f"what stands below is reused when only {names} {'change' if len(present) > 1 else 'changes'}",
        declared=WantedDifference(
            frozenset(t.image_path(rel) for rel in present for t in whole if build.is_exported(t.stage))
        ),
    )
