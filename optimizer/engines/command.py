"""Engines by their command lines: docker (with buildx), podman and buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dockopt.optimizer.engines.logs import BuildahLog, LogReader, PlainLog, RawJsonLog
from dockopt.optimizer.engines.model import BuildLog, BuildRequest, EngineProblem, Progress
from dockopt.optimizer.leftovers import temporary_folder

_ANSWER_SECONDS = 30
_MISSING = (
    "pull access denied", "manifest unknown", "no such image", "failed to resolve source metadata",
    "failed to authorize", "short-name resolution", "initializing source", "unable to copy from source",
)  # fmt: skip
#: docker/docker, `image/tarexport/save.go`
_NO_LAYERS = "empty export - not implemented"


class CommandLineEngine(ABC):
    """What the three command lines have in common."""

    name = ""
    many_at_once = True
    _name_format = "{{.Repository}}:{{.Tag}}"

    def problem(self) -> str | None:
        """Say why this engine cannot be used, None if it answers."""
        if shutil.which(self.name) is None:
            return f"there is no `{self.name}` command"
        try:
            done = _run([self.name, *self._ask()], timeout=_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            return f"`{self.name} {' '.join(self._ask())}` does not answer within {_ANSWER_SECONDS} s; is the daemon running?"
        if done.returncode == 0:
            return None
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return f"`{self.name}` does not work here: {words[-1] if words else f'exit code {done.returncode}'}"

    def build(self, request: BuildRequest, tag: str, progress: Progress) -> BuildLog:
        """Build an image and give it a tag. Raises EngineProblem where the engine itself fails."""
        with temporary_folder() as folder:
            # outside of the context, so that the context is the same for every text
            file = folder / "Dockerfile"
            file.write_bytes(request.dockerfile)
            ignored = request.path.with_name(f"{request.path.name}.dockerignore")
            if request.ignore is not None:
                Path(f"{file}.dockerignore").write_bytes(request.ignore)
            elif ignored.is_file():
                shutil.copyfile(ignored, f"{file}.dockerignore")
            command = [self.name, *self._build(request, tag, file), str(request.context)]
            reader = self._reader(progress)
            begin = time.monotonic()
            code = _follow(command, reader, begin)
            seconds = time.monotonic() - begin
        steps = reader.steps()
        missing = dict(reader.missing_bases)
        if code and not missing and not any(step.error for step in steps):
            missing = {line: line for line in reader.tail if any(words in line.lower() for words in _MISSING)}
        return BuildLog(code == 0, seconds, steps, tuple(reader.tail), missing)

    @contextmanager
    def save(self, tags: Sequence[str]) -> Iterator[IO[bytes]]:
        """Stream an archive with the images. Raises EngineProblem where the engine fails."""
        command = [self.name, *self._save(tags)]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                command, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
            assert process.stdout is not None
            try:
                yield process.stdout
                while process.stdout.read(1 << 20):
                    pass
            except EngineProblem:
                raise
            except Exception:
                # half an archive is no wonder where the engine failed: that is what has to be told
                process.stdout.close()
                if not _failed(process):
                    raise
            finally:
                process.stdout.close()
                _end(process)
            if process.returncode:
                errors.seek(0)
                said = errors.read(2000).decode("utf-8", "replace").strip()
                if _NO_LAYERS in said:
                    raise EngineProblem(f"{self.name} writes no image that has no layers, so no file, into an archive")
                raise EngineProblem(f"`{' '.join(command)}` failed: {said}")

    def names(self) -> Sequence[str]:
        """Return the names of all images that it holds; none where it does not tell."""
        try:
            return _run([self.name, "images", "--format", self._name_format], timeout=_ANSWER_SECONDS).stdout.split()
        except subprocess.TimeoutExpired:
            return ()

    def remove(self, tags: Sequence[str]) -> None:
        """Remove tags and what only they hold; those that do not exist are no error."""
        if tags:
            with suppress(subprocess.TimeoutExpired):
                _run([self.name, *self._remove(), *tags], timeout=120)

    def _ask(self) -> list[str]:
        return ["info"]

    @abstractmethod
    def _build(self, request: BuildRequest, tag: str, file: Path) -> list[str]:
        """Return the arguments of a build; the context comes behind them."""

    @abstractmethod
    def _save(self, tags: Sequence[str]) -> list[str]:
        """Return the arguments that write an archive to standard output."""

    def _remove(self) -> list[str]:
        return ["rmi", "--force"]

    def _reader(self, progress: Progress) -> LogReader:
        return BuildahLog(progress)


class Docker(CommandLineEngine):
    """Docker with BuildKit: through buildx where it is there, which can hand over to any builder that it knows."""

    name = "docker"

    def __init__(self, builder: str | None = None) -> None:
        """Use the named builder of buildx (remote, Kubernetes, …) instead of the current one."""
        self._builder = builder
        self._rawjson: bool | None = None
        self._buildx: bool | None = None

    def _ask(self) -> list[str]:
        # not `info`: with a format it ends with 0 where no daemon answers (docker/cli, `command/system/info.go`)
        return ["buildx", "inspect", self._builder] if self._builder else ["version", "--format", "{{.Server.Version}}"]

    def _build(self, request: BuildRequest, tag: str, file: Path) -> list[str]:
        progress = "rawjson" if self._has_rawjson() else "plain"
        # attestations carry times, and would make an index of what is compared as one image
        command = ["buildx", "build", "--load", "--provenance=false"] if self._has_buildx() else ["build"]
        command += [f"--builder={self._builder}"] if self._builder else []
        return [*command, f"--progress={progress}", f"--tag={tag}", f"--file={file}", *request.options()]

    def _has_buildx(self) -> bool:
        if self._buildx is None:
            self._buildx = _answer(["docker", "buildx", "version"]).returncode == 0
        return self._buildx

    def _has_rawjson(self) -> bool:
        if self._rawjson is None:
            self._rawjson = "rawjson" in _answer(["docker", "buildx", "build", "--help"]).stdout
        return self._rawjson

    def _save(self, tags: Sequence[str]) -> list[str]:
        return ["save", *tags]

    def _reader(self, progress: Progress) -> LogReader:
        return RawJsonLog(progress) if self._has_rawjson() else PlainLog(progress)


class Podman(CommandLineEngine):
    """Podman, whose builder is buildah."""

    name = "podman"

    def _build(self, request: BuildRequest, tag: str, file: Path) -> list[str]:
        return [
            "build",
            "--layers",
            f"--tag={tag}",
            f"--file={file}",
            *_ignored(file),
            *_isolation(),
            *request.options(),
        ]

    def _save(self, tags: Sequence[str]) -> list[str]:
        return ["save", "--multi-image-archive", "--format=docker-archive", *tags]


class Buildah(CommandLineEngine):
    """Buildah without podman. It can write only one image at a time to a pipe."""

    name = "buildah"
    many_at_once = False
    _name_format = "{{.Name}}:{{.Tag}}"

    def _build(self, request: BuildRequest, tag: str, file: Path) -> list[str]:
        return [
            "build",
            "--layers",
            f"--tag={tag}",
            f"--file={file}",
            *_ignored(file),
            *_isolation(),
            *request.options(),
        ]

    def _save(self, tags: Sequence[str]) -> list[str]:
        if len(tags) != 1:
            raise ValueError("buildah writes one image at a time")
        return ["push", "--quiet", tags[0], "docker-archive:/dev/stdout"]

    def _remove(self) -> list[str]:
        return ["rmi", "--force"]


def _ignored(file: Path) -> list[str]:
    """Return the option for an ignore file beside the Dockerfile, which buildah and podman do not find by themselves."""
    beside = Path(f"{file}.dockerignore")
    return [f"--ignorefile={beside}"] if beside.is_file() else []


def _isolation() -> list[str]:
    """Return the isolation that the user has set for buildah (BUILDAH_ISOLATION), which podman does not read by itself."""
    chosen = os.environ.get("BUILDAH_ISOLATION")
    return [f"--isolation={chosen}"] if chosen else []


def _environment() -> dict[str, str]:
    return {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


def _run(command: Sequence[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _answer(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that ends soon. Raises EngineProblem where it does not."""
    try:
        return _run(command, timeout=_ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        raise EngineProblem(f"`{' '.join(command)}` does not answer within {_ANSWER_SECONDS} s") from None


def _follow(command: Sequence[str], reader: LogReader, begin: float) -> int:
    """Run a build, hand its output over as it comes, and return its exit code; an interrupt ends it."""
    process = subprocess.Popen(
        command,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # an interrupt at the terminal goes to this program, which then ends the build and cleans up
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        import codecs

        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while data := os.read(process.stdout.fileno(), 1 << 16):
            reader.feed(decoder.decode(data), time.monotonic() - begin)
        reader.feed("\n", time.monotonic() - begin)
        return process.wait()
    finally:
        process.stdout.close()
        _end(process)


def _failed(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process ended by itself with an error; one that nobody reads from any more ends soon."""
    try:
        return process.wait(10) > 0
    except subprocess.TimeoutExpired:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still running: BuildKit cancels a build when its client leaves."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
