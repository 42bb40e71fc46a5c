"""Golden cases of the rewrites that change the image, with random changes around the place that they are for.

Everything is drawn from one seeded generator, and a list of numbers says all of it, so that a failing one can be made smaller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, parse
from dockopt.rewrites.registry import REWRITES

FIXTURES = Path(__file__).parents[2] / "fixtures"
CHANGING = tuple(rewrite.id for rewrite in REWRITES if rewrite.changes_image)
#: nothing stands in for what builds these, and what may change in their text is not said yet
_LEFT_OUT = ("jvm-", "node-", "python-")
CASES = sorted(
    path.parent
    for name in CHANGING
    for path in FIXTURES.glob(f"{name}/*/Dockerfile")
    if name != "multi-stage" or not path.parent.name.startswith(_LEFT_OUT)
)

#: what is put between instructions; most of it has nothing to do with any rewrite, some of it is what they look at
LINES = (
    "ENV A=1", "ENV CGO_ENABLED=1", "ENV GOFLAGS=-mod=mod", "ENV GOFLAGS='-trimpath'", "ENV PATH=/opt/bin:$PATH", "ENV HOME=/home/app",
    "ENV A 1 2", "ENV A=\"b c\" B='$A'", "ENV TZ=Europe/Berlin", "ENV PORT=80", "ENV PIP_NO_CACHE_DIR=1",
    "ENV LD_LIBRARY_PATH=/opt/lib", "ARG VERSION", "ARG VERSION=1", "ARG CGO_ENABLED=0", "ARG TARGETARCH", "ARG GOFLAGS",
    "ARG USER=app", "ARG A=$B", "WORKDIR /srv", "WORKDIR sub", "WORKDIR /srv/$A", 'WORKDIR "/a b"', "USER 1000", "USER root",
    "USER $USER", "USER nobody:nogroup", "USER 0:0", "RUN true", "RUN mkdir -p /srv/data", "RUN echo $A > /etc/motd",
    "RUN cd /tmp && touch x", 'RUN ["/bin/true"]', "RUN export A=1; true", "RUN chown -R 1000 /srv", "RUN adduser -D someone",
    "RUN useradd -u 10001 other", "RUN ln -s /srv /app2", "RUN umask 077; touch /etc/secret",
    "RUN --mount=type=cache,target=/root/.cache true", "RUN --mount=type=secret,id=s cat /run/secrets/s",
    "RUN <<EOF\nset -e\ntrue\nEOF", "RUN <<'EOF' sh\necho \"$A\"\nEOF", "RUN \\\n  # why\n  true \\\n  && true", "RUN set -eux; true",
    "RUN false || true", "RUN make", "RUN apt-get update && apt-get install -y curl", "RUN apk add --no-cache curl", "RUN apk add git",
    "RUN pip install requests", "RUN apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*", "RUN go version",
    "RUN go install example.com/x@v1.0.0", "RUN rm -rf /var/lib/apt/lists/*", "RUN dnf install -y tar",
    "RUN curl -fsSL https://example.com/x | sh", "COPY . .", "COPY . /srv/all", "COPY --chown=1000:1000 . /srv",
    "COPY --chmod=755 . /srv", "COPY --link . /srv", "COPY *.go ./", 'COPY [".", "/a b/"]', "COPY <<EOF /etc/made\n$A\nEOF",
    "ADD . /srv/added", "ADD https://example.com/x.tar.gz /tmp/", "LABEL a=b", 'LABEL "org.example.a"="$A" b=c', "EXPOSE 80",
    "EXPOSE 8080/tcp", "EXPOSE $PORT", "VOLUME /data", 'VOLUME ["/srv/data"]', "STOPSIGNAL SIGINT", 'SHELL ["/bin/sh", "-ec"]',
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]', "HEALTHCHECK NONE",
    "HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1", 'HEALTHCHECK CMD ["/bin/true"]', "ONBUILD COPY . /later",
    'ENTRYPOINT ["/bin/sh", "-c"]', "ENTRYPOINT exec /bin/true", "CMD []", "MAINTAINER somebody", "# a comment", "", "  ",
    "# hadolint ignore=DL3008",
)  # fmt: skip
#: what is put before the first stage
HEADS = (
    "ARG UNUSED=1\n",
    "# a comment of the file\n\n",
    "# syntax=docker/dockerfile:1\n",
    "\xef\xbb\xbf",
    "# escape=\\\n",
    "\n\n",
    "# check=skip=all\n",
)
_WORD = re.compile(r"(?<![\w\"'$/=])([a-z][\w./-]*)(?![\w\"'=])")


@dataclass(frozen=True)
class Wanted:
    """A case, and the numbers by which its Dockerfile is changed, one change after the other."""

    case: Path
    numbers: tuple[int, ...]

    def text(self) -> bytes:
        """Return the changed Dockerfile; a change after which it is none is left out."""
        found = (
            (self.case / "Dockerfile").read_bytes().decode("latin-1")
        )  # a character for each byte, so that offsets are the same
        for number in self.numbers:
            random = Random(number)
            try:
                changed = random.choice(CHANGES)(random, found, parse(found.encode("latin-1")))
                parse(changed.encode("latin-1"))
            except DockerfileSyntaxError:
                continue
            found = changed
        return found.encode("latin-1")

    def smaller(self) -> Sequence[Wanted]:
        """Return what is left when one change is left out."""
        return [Wanted(self.case, self.numbers[:i] + self.numbers[i + 1 :]) for i in range(len(self.numbers))]


def drawn(random: Random) -> Wanted:
    """Draw a case with up to five changes; those that are rewritten as they are come more often."""
    case = random.choice(CASES)
    while not (case / "expected.Dockerfile").exists() and random.random() < 0.8:
        case = random.choice(CASES)
    return Wanted(case, tuple(random.randrange(1 << 32) for _ in range(random.randint(1, 5))))


# -- changes of a text -----------------------------------------------------------------------------------------------


def _insert(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Put a line before an instruction that is no FROM, or at the end."""
    places = [i for i in dockerfile.instructions if i.keyword != "FROM"]
    line = random.choice(LINES)
    if not places or random.random() < 0.15:
        return f"{text if text.endswith(chr(10)) else text + chr(10)}{line}\n"
    at = random.choice(places).span.start
    return f"{text[:at]}{line}\n{text[at:]}"


def _head(random: Random, text: str, dockerfile: Dockerfile) -> str:
    return random.choice(HEADS) + text


def _repeat_or_move(random: Random, text: str, dockerfile: Dockerfile) -> str:
    inner = [i for i in dockerfile.instructions if i.keyword != "FROM"]
    if len(inner) < 2:
        return text
    one, other = random.sample(inner, 2)
    line = text[one.span.start : one.span.end]
    at = other.span.start
    with_line = text[:at] + (line if line.endswith("\n") else line + "\n") + text[at:]
    if random.random() < 0.5:
        return with_line
    start = one.span.start + (len(with_line) - len(text) if at <= one.span.start else 0)
    return with_line[:start] + with_line[start + len(line) :]


def _drop(random: Random, text: str, dockerfile: Dockerfile) -> str:
    inner = [i for i in dockerfile.instructions if i.keyword != "FROM"]
    if not inner:
        return text
    one = random.choice(inner)
    return text[: one.span.start] + text[one.span.end :]


def _other_form(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Write the list of an instruction as a shell's line, or the other way round."""
    found = [
        i
        for i in dockerfile.instructions
        if i.keyword in ("CMD", "ENTRYPOINT", "RUN") and not i.heredocs and not i.flags
    ]
    if not found:
        return text
    one = random.choice(found)
    old = text[one.span.start : one.span.end]
    if one.json is not None:
        return text.replace(old, f"{one.keyword} {' '.join(one.json)}\n", 1)
    words = ", ".join(f'"{word}"' for word in one.args.split())
    if "\\" in old or '"' in one.args or "'" in one.args:
        return text
    return text.replace(old, f"{one.keyword} [{words}]\n", 1)


def _heredoc(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Write the script of a RUN as a document."""
    found = [i for i in dockerfile.instructions if i.keyword == "RUN" and not i.heredocs and i.json is None]
    if not found:
        return text
    one = random.choice(found)
    old = text[one.span.start : one.span.end]
    script = re.sub(r"\\\s*\n\s*", "", old).strip()
    script = re.sub(r"^(?i:run)\s+((?:--\S+\s+)*)", r"", script)
    flags = " ".join(f"--{flag.name}={flag.value}" for flag in one.flags if flag.value)
    body = script.replace(" && ", "\n") if random.random() < 0.5 else script
    begin = random.choice(("", "set -e\n", "#!/bin/sh\nset -e\n"))
    return text.replace(old, f"RUN {flags + ' ' if flags else ''}<<EOF\n{begin}{body}\nEOF\n", 1)


def _quoted(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Put a word of a RUN in quotes, or a part of it."""
    found = [i for i in dockerfile.instructions if i.keyword == "RUN" and i.json is None]
    if not found:
        return text
    one = random.choice(found)
    start, end = one.span.start + 4, one.span.end
    words = list(_WORD.finditer(text, start, end))
    if not words:
        return text
    word = random.choice(words)
    quoted = random.choice(('"{}"', "'{}'", "{}''", "\\{}", '"{}"""'))
    return text[: word.start()] + quoted.format(word[0]) + text[word.end() :]


def _continued(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Break a RUN into lines at a blank, with a comment in between at times."""
    found = [i for i in dockerfile.instructions if i.keyword == "RUN" and not i.heredocs]
    if not found:
        return text
    one = random.choice(found)
    blanks = [m.start() for m in re.finditer(r" ", text[one.span.start : one.span.end])]
    if not blanks:
        return text
    at = one.span.start + random.choice(blanks)
    return text[:at] + random.choice((" \\\n    ", " \\\n# why\n    ", " \\\n\n    ", " \\  \n\t")) + text[at + 1 :]


def _spelled(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Write one keyword, or all of them, in lower case, or indent a line."""
    chosen = dockerfile.instructions if random.random() < 0.5 else [random.choice(dockerfile.instructions)]
    for one in reversed(chosen):
        at = one.span.start
        found = re.match(r"\s*[A-Za-z]+", text[at:])
        if found is None:  # a mark of the byte order stands before it
            continue
        text = text[:at] + random.choice((found[0].lower(), f"  {found[0]}", f"{found[0]} ")) + text[at + found.end() :]
    return text


def _line_ends(random: Random, text: str, dockerfile: Dockerfile) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if random.random() < 0.5 else text.rstrip("\n")


def _base(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Name a base image in another way: by a build argument, for a platform, in quotes, as the stage before it."""
    stage = random.choice(dockerfile.stages)
    one = stage.from_
    line = text[one.span.start : one.span.end]
    found = re.search(r"(?i:from)\s+((?:--\S+\s+)*)(\S+)", line)
    if found is None:
        return text
    start, base = one.span.start, found[2]
    kind = random.choice(("argument", "platform", "name", "tag", "digest"))
    if kind == "argument":
        changed = line[: found.start(2)] + "${BASE}" + line[found.end(2) :]
        return f"ARG BASE={base}\n" + text[:start] + changed + text[start + len(line) :]
    if kind == "name" and re.search(r"(?i)\sas\s", line) is None:
        changed = f"{line.rstrip()} AS final\n"
    elif kind == "platform" and not found[1]:
        changed = line[: found.start(2)] + "--platform=$BUILDPLATFORM " + line[found.start(2) :]
    elif kind == "tag":
        changed = (
            line[: found.start(2)]
            + base.partition(":")[0]
            + random.choice(("", ":latest", ":alpine", ":1"))
            + line[found.end(2) :]
        )
    elif kind == "digest" and "@" not in base and base != "scratch":
        changed = line[: found.end(2)] + "@sha256:" + "ab" * 32 + line[found.end(2) :]
    else:
        return text
    return text[:start] + changed + text[start + len(line) :]


def _stage(random: Random, text: str, dockerfile: Dockerfile) -> str:
    """Add a stage at the beginning, or one that is built on the last one."""
    if random.random() < 0.5:
        at = dockerfile.stages[0].from_.span.start
        return f"{text[:at]}FROM busybox AS tools\nRUN true\n\n{text[at:]}"
    name = dockerfile.stages[-1].name
    end = text if text.endswith("\n") else text + "\n"
    return f"{end}\nFROM {name}\nLABEL more=1\n" if name is not None else f"{end}\nFROM scratch\nCOPY --from=0 / /\n"


Change = Callable[[Random, str, Dockerfile], str]
CHANGES: tuple[Change, ...] = (
    _insert, _insert, _insert, _insert, _insert, _insert, _head, _repeat_or_move, _repeat_or_move, _drop, _other_form, _other_form,
    _heredoc, _heredoc, _quoted, _quoted, _continued, _continued, _spelled, _line_ends, _base, _base, _stage,
)  # fmt: skip
