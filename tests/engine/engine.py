"""Builds Dockerfiles with a real engine and tells what is in the images, so that two of them can be compared.

Everything goes through the `docker` command line. Every tag that an `Engine` makes is removed when it is closed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.engine.image import Contents, overlay_contents, tar_contents

BUILD_TIMEOUT = 600
"""Seconds after which one build is given up."""

_DIRECTIVE = re.compile(rb"[ \t]*#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=.*(?:\r?\n|\Z)")
_HEADER = re.compile(r"^#(\d+) \[(?:(\S+) +)?\d+/\d+\] (.*)$")
_CACHED = re.compile(r"^#(\d+) CACHED$")
_DONE = re.compile(r"^#(\d+) DONE ([0-9.]+)s$")
_CONFIG_LISTS = ("Entrypoint", "Cmd", "Shell", "OnBuild")
_CONFIG_MAPS = ("Labels", "ExposedPorts", "Volumes", "Healthcheck")
_CONFIG_TEXTS = ("User", "WorkingDir", "StopSignal")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction as BuildKit ran it; `seconds` is 0 for one that came from the cache."""

    stage: str
    instruction: str
    cached: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build said."""

    ok: bool
    log: str
    steps: tuple[Step, ...]

    @property
    def work(self) -> tuple[Step, ...]:
        """The steps that can be reused or run again: all but FROM, which BuildKit marks either way."""
        return tuple(step for step in self.steps if not step.instruction.startswith("FROM "))

    @property
    def cached(self) -> int:
        """How many steps came from the cache."""
        return sum(step.cached for step in self.work)

    @property
    def ran(self) -> int:
        """How many steps had to run."""
        return len(self.work) - self.cached


def without_syntax(dockerfile: bytes) -> bytes:
    """Drop the `# syntax=` directive, which names an image that only a registry can resolve.

    Directives stand before everything else (BuildKit: `frontend/dockerfile/parser/directives.go`); the first line that
    is none ends them.
    """
    mark = b"\xef\xbb\xbf" if dockerfile.startswith(b"\xef\xbb\xbf") else b""
    rest, kept = dockerfile[len(mark) :], b""
    while found := _DIRECTIVE.match(rest):
        if found[1].lower() != b"syntax":
            kept += found[0]
        rest = rest[found.end() :]
    return mark + kept + rest


def read_steps(log: str) -> tuple[Step, ...]:
    """Read the steps from the output of `--progress=plain`, in the order in which they were begun."""
    headers: dict[str, tuple[str, str]] = {}
    cached: set[str] = set()
    seconds: dict[str, float] = {}
    for line in log.splitlines():
        if found := _HEADER.match(line):
            headers.setdefault(found[1], (found[2] or "", found[3]))
        elif found := _CACHED.match(line):
            cached.add(found[1])
        elif found := _DONE.match(line):
            seconds[found[1]] = float(found[2])
    return tuple(
        Step(stage, instruction, number in cached, seconds.get(number, 0.0))
        for number, (stage, instruction) in headers.items()
    )


@cache
def _name_newer_static() -> None:
    """Call the static image of Debian 12 that of Debian 13, too, where only the older one is there: neither has a C library."""
    for tag in ("latest", "nonroot"):
        old, new = (f"gcr.io/distroless/static-debian{release}:{tag}" for release in (12, 13))
        if not Engine.has(new) and Engine.has(old):
            _docker("tag", old, new)


@dataclass(slots=True)
class Engine:
    """A `docker` command line whose daemon answers; use it as a context manager."""

    tags: list[str] = field(default_factory=list)
    bases: dict[str, str] = field(default_factory=dict)
    """Base images that all builds of this engine get in place of the named ones, on both sides of a comparison."""
    _read: dict[str, Contents] = field(default_factory=dict)

    @staticmethod
    def missing() -> str | None:
        """Say why no engine can be used, or nothing if one answers."""
        try:
            # `docker info` with a format ends with 0 where no daemon answers
            done = _docker("version", "--format", "{{.Server.Version}}", timeout=20)
        except FileNotFoundError:
            return "no `docker` command"
        except subprocess.TimeoutExpired:
            return "`docker version` does not answer"
        return None if done.returncode == 0 else f"`docker version` fails: {done.stdout.strip()[-200:]}"

    def __enter__(self) -> Self:
        _name_newer_static()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @staticmethod
    def has(image: str) -> bool:
        """Tell whether an image is there: nothing is pulled."""
        return _docker("image", "inspect", image).returncode == 0

    def close(self) -> None:
        """Remove every tag that this engine made."""
        tags, self.tags = self.tags, []
        self._read.clear()
        if tags:
            _docker("image", "rm", "--force", *tags)

    def tag(self, name: str) -> str:
        """Make a tag that nobody else uses and that `close` removes."""
        tag = f"dockopt-test/{name.lower()}:{uuid.uuid4().hex[:12]}"
        self.tags.append(tag)
        return tag

    def build(
        self,
        dockerfile: bytes,
        context: Path,
        *,
        tag: str,
        no_cache: bool = False,
        build_args: Mapping[str, str] | None = None,
        target: str | None = None,
        ignore: bytes | None = None,
    ) -> BuildResult:
        """Build from a Dockerfile that lies outside of the context, so that the context is the same for all variants.

        A `<Dockerfile>.dockerignore` of the context is therefore not seen; its `.dockerignore` is, unless `ignore` has other rules.
        """
        command = ["build", "--network=host", "--progress=plain", f"--tag={tag}"]
        command += ["--no-cache"] if no_cache else []
        command += [f"--target={target}"] if target else []
        command += [f"--build-arg={name}={value}" for name, value in (build_args or {}).items()]
        command += [f"--build-context={name}=docker-image://{image}" for name, image in self.bases.items()]
        if tag not in self.tags:
            self.tags.append(tag)
        self._read.pop(tag, None)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "Dockerfile")
            path.write_bytes(without_syntax(dockerfile))
            if ignore is not None:
                Path(f"{path}.dockerignore").write_bytes(ignore)
            done = _docker(*command, f"--file={path}", str(context), timeout=BUILD_TIMEOUT)
        return BuildResult(done.returncode == 0, done.stdout, read_steps(done.stdout))

    def run(self, tag: str, *arguments: str) -> str:
        """Run an image without a network until it ends, and return all that it prints."""
        done = _docker("run", "--rm", "--network=none", tag, *arguments, timeout=60)
        if done.returncode:
            raise RuntimeError(f"`{tag}` ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def contents(self, tag: str) -> Contents:
        """Read the whole file system of an image; from the layer directories where they are ours to read."""
        if tag not in self._read:
            layers = self._layers(tag)
            readable = layers is not None and all(os.access(layer, os.R_OK | os.X_OK) for layer in layers)
            self._read[tag] = overlay_contents(layers) if layers is not None and readable else self.exported(tag)
        return self._read[tag]

    def exported(self, tag: str) -> Contents:
        """Read the whole file system of an image from the archive that the daemon makes of a container."""
        # a command is needed where the image has none; it is never run
        container = _checked("create", "--network=none", tag, "none").strip().splitlines()[-1]
        try:
            export = ["docker", "export", container]
            with subprocess.Popen(export, env=_environment(), stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                contents = tar_contents(process.stdout)
            if process.returncode:
                raise RuntimeError(f"`docker export` of `{tag}` failed")
            return contents
        finally:
            _docker("rm", "--force", container)

    def config(self, tag: str) -> dict[str, object]:
        """Return what a container started from the image would get; absent settings are empty."""
        raw = json.loads(_checked("image", "inspect", "--format", "{{json .Config}}", tag))
        config: dict[str, object] = {"Env": dict(entry.split("=", 1) for entry in raw.get("Env") or [])}
        config |= {name: raw.get(name) or [] for name in _CONFIG_LISTS}
        config |= {name: raw.get(name) or {} for name in _CONFIG_MAPS}
        config |= {name: raw.get(name) or "" for name in _CONFIG_TEXTS}
        return config

    def compare(self, before: str, after: str, *, mask: Iterable[str] | None = None) -> list[str]:
        """Say in words how two images differ; paths in `mask` are left out, nothing else is."""
        return [
            *_config_differences(self.config(before), self.config(after)),
            *_file_differences(self.contents(before), self.contents(after), frozenset(mask or ())),
        ]

    def nondeterministic_paths(
        self, dockerfile: bytes, context: Path, first: str, *, name: str, target: str | None = None
    ) -> set[str]:
        """Return the paths in which a second build from scratch differs from the image `first` of the same input.

        Where names themselves differ (logs that are called after the time) their directory is among them, with a slash.

        Raises:
            RuntimeError: the build fails.
        """
        second = self.tag(f"{name}-again")
        again = self.build(dockerfile, context, tag=second, no_cache=True, target=target)
        if not again.ok:
            raise RuntimeError(again.log)
        one, two = self.contents(first), self.contents(second)
        named = {f"{path.rpartition('/')[0]}/" for path in one.keys() ^ two.keys()}
        return {path for path in one.keys() | two.keys() if one.get(path) != two.get(path)} | named

    def _layers(self, tag: str) -> list[str] | None:
        """Return the layer directories from the lowest to the highest, or nothing for another storage driver."""
        driver = json.loads(_checked("image", "inspect", "--format", "{{json .GraphDriver}}", tag))
        if driver.get("Name") != "overlay2" or not driver.get("Data"):
            return None
        lower = driver["Data"].get("LowerDir", "")
        return [*reversed(lower.split(":") if lower else []), driver["Data"]["UpperDir"]]


def _config_differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        f"config `{name}`: {json.dumps(value)} became {json.dumps(after[name])}"
        for name, value in before.items()
        if value != after[name]
    ]


def _file_differences(before: Contents, after: Contents, mask: frozenset[str]) -> list[str]:
    found = []
    for path in sorted((before.keys() | after.keys()) - mask):
        if f"{path.rpartition('/')[0]}/" in mask:
            continue
        one, two = before.get(path), after.get(path)
        if one is None:
            found.append(f"`{path}`: only in the second image")
        elif two is None:
            found.append(f"`{path}`: only in the first image")
        else:
            found += [
                f"`{path}`: {name} {old} became {new}"
                for name, old, new in zip(one._fields, one.words(), two.words(), strict=True)
                if old != new
            ]
    return found


def _environment() -> dict[str, str]:
    # attestations carry times, and would make an index of what is compared as one image
    return os.environ | {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def _docker(*arguments: str, timeout: float = 120, apart: bool = False) -> subprocess.CompletedProcess[str]:
    """Run docker; its two outputs come as one text in the order of writing, unless they are wanted `apart`."""
    return subprocess.run(
        ["docker", *arguments],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if apart else subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _checked(*arguments: str) -> str:
    done = _docker(*arguments, apart=True)
    if done.returncode:
        raise RuntimeError(f"`docker {' '.join(arguments)}`: {done.stderr.strip()}")
    return done.stdout
