"""gives a base image the version that the project asks for

What it does
    Finds base images whose tag names no version (`golang`, `golang:latest`, `node:lts-alpine`, `python:slim`) and writes the one
    that the project itself names: in `go.mod`, `.go-version`, `.nvmrc`, `engines`, `requires-python`, `.ruby-version`,
    `rust-toolchain.toml`, `.tool-versions`, `mise.toml`, `global.json`, the workflows of its CI and their kin. The variant is kept.
    It also reports a base image that is too old for the manifest that is built on it.

Why it does harm
    `latest` is another image with each release: the same commit builds something else on another day or machine, and fails on a day
    when nothing was changed. A cached base hides that until the next build from nothing.

Before
    FROM golang:alpine AS build
    WORKDIR /src
    COPY . .
    RUN go build -o /bin/server .

After
    FROM golang:1.26-alpine AS build
    WORKDIR /src
    COPY . .
    RUN go build -o /bin/server .

When it does not fire
    The tag names a version, or there is a digest; nothing in the project tells one (`alpine:latest`, `debian`): `dockopt pin --digest`
    locks these; two files contradict each other: both are shown; a range admits more than one release line (`>=18`, `^3.11`); a version
    file names a moving target (`lts/*`); the `go` line names a release that gets no fixes any more, or one before Go 1.21, where it
    speaks of the language only; a stage installs a Go tool `@latest`, which an older Go may not build; the variant names an old Debian
    or one release of Alpine (`bullseye`, `alpine3.18`), which not every version has; the default of a build argument is used for more
    than the tag.

Why it is safe
    Another image of the same repository takes the place of one: all that differs comes from it, and that is declared. Whether the
    registry has the tag is not asked; `dockopt pin --digest` does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from dockopt.optimizer.bases import repository
from dockopt.optimizer.ecosystems.go.shipping import ancestry
from dockopt.optimizer.evidence.choice import Choice, NoChoice, choose
from dockopt.optimizer.evidence.images import Named, named, tagged
from dockopt.optimizer.evidence.model import Evidence
from dockopt.optimizer.evidence.outdated import outdated
from dockopt.optimizer.evidence.releases import shown
from dockopt.optimizer.evidence.search import looked_for, search
from dockopt.optimizer.image_words import ImageWord, Obstacle, base_words
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened

ID = "pin-base"
#: releases of systems that images are not made for any more, or not for all versions (docker-library/official-images)
_OLD_SYSTEM = re.compile(r"alpine3\.\d+|bullseye|buster|stretch|jessie|focal|jammy")
#: commands that build modules other than the project
_FETCHES = (("go", "install"), ("go", "get"), ("go", "run"))
#: what asks for another version of a tool with each build
_MOVING_TOOLS = ("@latest", "@upgrade", "@main", "@master")
_LOCK = "`dockopt pin --digest` locks today's image"
_RISK = (
    "the image may be older than what the moving tag is today, and whether the registry has the tag was not asked "
    "(`docker pull` or `dockopt pin --digest` tells)"
)


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Look at every base image that is no stage of the file."""
    for word in base_words(build.dockerfile, build.named_contexts):
        if word.stage is None:
            continue
        if word.reference is None:
            if word.obstacle is not None:
                yield Refusal(ID, word.line, word.obstacle.reason, "", word.obstacle.line)
        elif "@" not in word.reference:
            yield from _one(build, word, word.stage, word.reference)


def _one(build: Build, word: ImageWord, stage: Stage, reference: str) -> Iterator[Proposal | Refusal | Advice]:
    image = named(reference)
    if image is None:
        if repository(reference)[1] in ("", "latest"):
            name = repository(reference)[0]
            yield Refusal(ID, word.line, f"nothing in a project tells the version of `{name}`; {_LOCK}")
    elif image.tag.version is not None:
        yield from (replace(advice, rewrite=ID) for advice in outdated(build, stage, image, image.tag.version))
    elif image.tag.other:
        yield Refusal(ID, word.line, f"the tag of `{reference}` is not understood")
    else:
        yield _pinned(build, word, stage, image)


def _pinned(build: Build, word: ImageWord, stage: Stage, image: Named) -> Proposal | Refusal:
    found = _evidence(build, stage, image)
    language = image.family.shown
    if not found:
        reason = (
            f"nothing in the project tells the version of {language} ({looked_for(image.family.language)}); {_LOCK}"
        )
        return Refusal(ID, word.line, reason)
    choice = choose(image.family, found)
    if isinstance(choice, NoChoice):
        return Refusal(ID, word.line, choice.reason, choice.cause.path, choice.cause.line)
    new = tagged(image.reference, choice.version, image.tag.variant)
    edit = word.renamed(new)
    if isinstance(edit, Obstacle):
        return Refusal(ID, word.line, edit.reason, "", edit.line)
    problem = _may_not_be(image) or _needs_newest(build, stage, image)
    if problem is not None:
        return Refusal(ID, word.line, f"{problem}; {_LOCK}")
    return Proposal(
        ID,
        word.line,
        f"`{image.reference}` is another image with each release, and {choice.because} asks for {language} {shown(choice.version)}",
        (edit,),
        gain=f"builds with {language} {shown(choice.version)} until the project asks for another; size and attack surface are those "
        f"of `{new}`",
        replacing=(edit,),
        risk=_RISK,
        notes=tuple(_notes(image, choice, new, found)),
    )


def _may_not_be(image: Named) -> str | None:
    """Return why a registry may lack the tag: a variant of an old release of a system is made for old versions only.

    The moving tag stays at the last image that was made of it; so that it is there tells nothing of others.
    """
    release = _OLD_SYSTEM.search(image.tag.variant)
    if release is None:
        return None
    return f"whether there is an image of each version with `{release[0]}` is not known"


def _needs_newest(build: Build, stage: Stage, image: Named) -> str | None:
    """Return which command asks for the newest Go: the images have `GOTOOLCHAIN=local`, and older ones refuse (go.dev/doc/toolchain)."""
    if image.family.language != "go":
        return None
    for command in build.executed:
        if command.argv[:2] in _FETCHES and stage.index in ancestry(build, command.stage):
            for word in command.argv[2:]:
                if word is None or word.endswith(_MOVING_TOOLS):
                    text = shortened(command.text)
                    return f"`{text}` (line {command.line}) may need a newer Go than the project does"
    return None


def _evidence(build: Build, stage: Stage, image: Named) -> list[Evidence]:
    """Return what all contexts in which the Dockerfile is built say."""
    found = search(build, stage, image.family.language)
    for other, there in zip(build.elsewhere, build.there, strict=True):
        more = search(there, stage, image.family.language)
        found += [replace(one, path=f"{other.shown}/{one.path}") for one in more]
    return found


def _notes(image: Named, choice: Choice, new: str, found: list[Evidence]) -> Iterator[str]:
    if len(choice.version) < 3:
        why = f" because {choice.because} names the least release that will do" if choice.is_least else ""
        yield f"`{new}` is {choice.kind}{why}: it moves with the fixes of {image.family.shown} {shown(choice.version)}; {_LOCK}"
    else:
        yield f"`{new}` is {choice.kind}: fixes come when {choice.because.place} changes, and the tag with it"
    support = image.family.support
    ended = support.end_of(choice.version) if support is not None else None
    if support is not None and ended is not None:
        yield f"support of {image.family.shown} {shown(choice.version)} ended {ended} ({support.source})"
    others = [str(one) for one in found if one != choice.because]
    if others:
        yield f"agrees: {', '.join(others)}"
