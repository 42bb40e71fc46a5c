"""All rewrites, in the order in which the planner tries them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from dockopt.optimizer.model import Build
    from dockopt.optimizer.proposal import Advice, Proposal, Refusal


class Rewrite(NamedTuple):
    """One optimization pass. Its module has the documentation and the function `propose`."""

    id: str
    summary: str
    module: str
    #: it changes the image on purpose: it runs only where it is named, or where the user wants to see all that could be done
    changes_image: bool = False

    def propose(self, build: Build) -> Iterator[Proposal | Refusal | Advice]:
        """Yield what could be changed, what was looked at and left alone, and what only the author can change.

        Raises Unsupported.
        """
        return cast("Iterator[Proposal | Refusal | Advice]", importlib.import_module(self.module).propose(build))


REWRITES = (
    Rewrite(
        "reorder",
        "moves package installations above COPYs, and version arguments below them",
        "dockopt.rewrites.reorder",
    ),
    Rewrite(
        "split-copy",
        "copies manifests first, installs dependencies, then copies the sources",
        "dockopt.rewrites.split_copy",
    ),
    # after the two that it prepares: it asks whether they find more to do once a RUN is cut
    Rewrite(
        "split-run",
        "cuts the installation out of a longer RUN, so that it can move above the sources",
        "dockopt.rewrites.split_run",
    ),
    Rewrite(
        "merge-runs",
        "joins neighbouring RUNs where two layers do harm",
        "dockopt.rewrites.merge_runs",
    ),
    Rewrite(
        "cache-mounts",
        "keeps the compiler's cache between builds in a cache mount",
        "dockopt.rewrites.cache_mounts",
    ),
    Rewrite(
        "drift",
        "copies what an installation has come to need since its manifests were split off",
        "dockopt.rewrites.drift",
    ),
    # last: what an installation needs to be ignored comes with its own proposal
    Rewrite(
        "ignore-files",
        "keeps out of the context what nothing reads, and what would overwrite an installation",
        "dockopt.rewrites.ignore_files",
    ),
    # below: those that change the image on purpose, and run only where they are named; first the base image and the stages, then the
    # settings of the build, which have to fit the image that its programs run in, then as whom they run, and what is left behind
    Rewrite(
        "pin-base",
        "gives a base image the version that the project asks for",
        "dockopt.rewrites.pin_base",
        changes_image=True,
    ),
    Rewrite(
        "env-match",
        "finds build settings that do not fit the image that the program runs in",
        "dockopt.rewrites.env_match",
        changes_image=True,
    ),
    # after env-match, which says what must not be built without C
    Rewrite(
        "static-go",
        "builds a Go program without C, without paths of the build, and without debug tables",
        "dockopt.rewrites.static_go",
        changes_image=True,
    ),
    # after static-go, which may have been named alone; before the base of the new stage and its user are looked at
    Rewrite(
        "multi-stage",
        "builds a service of Go, Rust, Java, Node or Python in one stage and runs it in another that holds what it needs",
        "dockopt.rewrites.multi_stage",
        changes_image=True,
    ),
    # after static-go: what a program needs of its image is certain once it is linked statically
    Rewrite(
        "runtime-base",
        "starts the runtime stage from the smallest image that has what the program needs",
        "dockopt.rewrites.runtime_base",
        changes_image=True,
    ),
    Rewrite(
        "non-root",
        "runs the container as a user without privileges",
        "dockopt.rewrites.non_root",
        changes_image=True,
    ),
    Rewrite(
        "apt-hygiene",
        "leaves no indexes and downloads of package managers in the image",
        "dockopt.rewrites.apt_hygiene",
        changes_image=True,
    ),
)
