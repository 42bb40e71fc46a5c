"""finds build settings that do not fit the image that the program runs in

What it does
    Compares what programs were built for with the image that they are copied to: C library, system and architecture, shared
    libraries, packages that fail where cgo is off, variables that no stage hands on, secrets that stay in the image. Says what
    does not fit, and why. Where a Go program with C surely runs in an image of the Debian that it was built in, proposes that
    base: distroless, or Debian itself where a shell starts it.

Why it changes the image
    A program that is linked against glibc does not start on Alpine, and none that is linked dynamically starts in `scratch`:
    the kernel says `not found` of a file that is there. The build succeeds all the same.

Before
    FROM golang:1.22-bookworm AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=1 go build -o /app .
    FROM alpine:3.20
    COPY --from=build /app /app
    CMD ["/app"]

After
    FROM golang:1.22-bookworm AS build
    WORKDIR /src
    COPY . .
    RUN CGO_ENABLED=1 go build -o /app .
    FROM gcr.io/distroless/cc-debian13
    COPY --from=build /app /app
    CMD ["/app"]

When it does not fire
    An error is only what is certain: the sources show which package needs C, the base images are named without build arguments, and
    nothing in the runtime stage may bring the library (a package, a COPY of libraries, a script). Otherwise it is a warning, or
    nothing. What BuildKit's own checks say already is not said again: undefined variables outside of RUN (`UndefinedVar`,
    `UndefinedArgInFrom`), constant platforms (`FromPlatformFlagConstDisallowed`) and names of variables that sound like secrets
    (`SecretsUsedInArgOrEnv`); values that are secrets by their form are. A base is proposed only where the stage has no RUN and
    starts nothing but its own program, and the tag of the building image names its Debian.

Why it is safe
    Findings change nothing. A new base is a declared difference: the validator proves that all else is as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.rewrites import env_linking, env_variables

ID = "env-match"


def propose(build: Build) -> Iterator[Proposal | Refusal | Advice]:
    """Yield what does not fit."""
    yield from env_linking.propose(build, ID)
    yield from env_variables.propose(build, ID)
