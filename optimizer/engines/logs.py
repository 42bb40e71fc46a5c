"""Reads what engines write while they build: BuildKit's status as JSON or as plain text, and the steps of buildah.

`--progress=rawjson` writes one JSON document per `SolveStatus` (BuildKit `client/graph.go`): vertexes with name, times, `cached` and
`error`, and logs in base64. Releases before 0.14 of buildx print them over several lines, so documents are read, not lines.
"""

from __future__ import annotations

import base64
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime
from typing import Any, Protocol

from dockopt.optimizer.engines.model import Progress, StepResult

_TAIL = 40
_STEP = re.compile(r"\[(?:(\S+) +)?(?P<number>\d+)/\d+\] (?P<text>.*)", re.DOTALL)
_METADATA = "[internal] load metadata for "
_PLAIN_HEADER = re.compile(r"#(\d+) (\[.*)")
_PLAIN_END = re.compile(r"#(\d+) (CACHED|DONE (\d+(?:\.\d+)?)s|ERROR: (.*)|CANCELED)")
_BUILDAH_STEP = re.compile(r"(?:\[(\d+)/\d+\] )?STEP \d+(?:/\d+)?: (.*)")
_OTHER_LINE = re.compile(r"\n(?=[^\s}\]])")
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class LogReader(Protocol):
    """Takes the output of a build piece by piece."""

    tail: deque[str]
    missing_bases: dict[str, str]

    def feed(self, text: str, at: float) -> None:
        """Take more output; `at` is the time of its arrival in seconds."""

    def steps(self) -> tuple[StepResult, ...]:
        """Return the steps so far, in the order in which they began."""


class RawJsonLog:
    """BuildKit's `--progress=rawjson`."""

    def __init__(self, progress: Progress) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.missing_bases: dict[str, str] = {}
        self._progress = progress
        self._rest = ""
        self._decoder = json.JSONDecoder()
        self._vertexes: dict[str, dict[str, Any]] = {}

    def feed(self, text: str, at: float) -> None:  # noqa: ARG002
        """Take more output; its own times are used."""
        self._rest += text
        while self._rest:
            # a document begins a line; what stands between documents are words of the command line itself (`ERROR: …`)
            if not self._rest.startswith("{"):
                line, newline, rest = self._rest.partition("\n")
                if not newline:
                    return
                self._rest = rest
                self.tail += [line] if line.strip() else []
                continue
            try:
                document, end = self._decoder.raw_decode(self._rest)
            except (json.JSONDecodeError, RecursionError):
                # the lines of a document are indented or close it: where another one has come, this is no document
                other = _OTHER_LINE.search(self._rest)
                if other is None:
                    return
                self.tail += self._rest[: other.start()].splitlines()
                self._rest = self._rest[other.end() :]
                continue
            self._rest = self._rest[end:]
            self._take(document)

    def _take(self, document: Any) -> None:
        """Take one document; what is of another form than BuildKit's is passed over."""
        for vertex in _rows(document, "vertexes"):
            known = self._vertexes.setdefault(str(vertex.get("digest", "")), {})
            known.update({key: value for key, value in vertex.items() if value not in (None, "")})
            name = str(known.get("name", ""))
            if name.startswith(_METADATA) and known.get("error"):
                self.missing_bases[name.removeprefix(_METADATA)] = str(known["error"])
            found = _STEP.fullmatch(name)
            if found and vertex.get("started") and not vertex.get("completed"):
                self._progress(found["text"])
        for log in _rows(document, "logs"):
            try:
                data = base64.b64decode(str(log.get("data", "")))
            except ValueError:
                continue
            self.tail += data.decode("utf-8", "replace").splitlines()

    def steps(self) -> tuple[StepResult, ...]:
        """Return the steps so far, in the order in which they began."""
        found = []
        for vertex in self._vertexes.values():
            match = _STEP.fullmatch(str(vertex.get("name", "")))
            if match is None or (not vertex.get("started") and not vertex.get("cached")):
                continue
            cached = bool(vertex.get("cached"))
            seconds = 0.0 if cached else _between(vertex.get("started"), vertex.get("completed"))
            error = str(vertex.get("error", ""))
            found.append(StepResult(match[1] or "", match["text"], cached, seconds, error, int(match["number"])))
        return tuple(found)


def _rows(document: Any, name: str) -> list[dict[str, Any]]:
    listed = document.get(name) if isinstance(document, dict) else None
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def _between(started: object, completed: object) -> float:
    """Return the seconds between two times of RFC 3339 with nanoseconds, 0.0 where one is missing or none."""
    try:
        one, two = (
            datetime.fromisoformat(_FRACTION.sub(r".\1", str(text)).replace("Z", "+00:00"))
            for text in (started, completed)
        )
        return max(0.0, (two - one).total_seconds())
    except (ValueError, TypeError):  # TypeError: only one of them has a time zone
        return 0.0


class _LineLog(ABC):
    """What readers of lines have in common."""

    def __init__(self, progress: Progress) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.missing_bases: dict[str, str] = {}
        self._progress = progress
        self._rest = ""

    def feed(self, text: str, at: float) -> None:
        """Take more output; `at` is the time of its arrival in seconds."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line.rstrip("\r"), at)

    @abstractmethod
    def _line(self, line: str, at: float) -> None:
        """Take one line without its end."""


class PlainLog(_LineLog):
    """BuildKit's `--progress=plain`."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._names: dict[str, str] = {}
        self._ends: dict[str, tuple[bool, float, str]] = {}

    def _line(self, line: str, at: float) -> None:  # noqa: ARG002
        if header := _PLAIN_HEADER.fullmatch(line):
            if header[1] not in self._names and (found := _STEP.fullmatch(header[2])):
                self._progress(found["text"])
            self._names.setdefault(header[1], header[2])
        elif end := _PLAIN_END.fullmatch(line):
            error = end[4] or ("canceled" if end[2] == "CANCELED" else "")
            self._ends[end[1]] = (end[2] == "CACHED", float(end[3] or 0), error)
            name = self._names.get(end[1], "")
            if error and name.startswith(_METADATA):
                self.missing_bases[name.removeprefix(_METADATA)] = error
        elif line.strip():
            self.tail.append(re.sub(r"^#\d+ (?:[0-9.]+ )?", "", line))

    def steps(self) -> tuple[StepResult, ...]:
        """Return the steps so far, in the order in which they began."""
        found = []
        for number, name in self._names.items():
            match = _STEP.fullmatch(name)
            if match is not None:
                ended = self._ends.get(number, (False, 0.0, ""))
                found.append(StepResult(match[1] or "", match["text"], *ended, int(match["number"])))
        return tuple(found)


class BuildahLog(_LineLog):
    """The steps that buildah and podman print: `STEP 2/5: RUN make`, and `--> Using cache …` below a reused one."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._steps: list[tuple[str, str, float, bool]] = []
        self._last = 0.0

    def _line(self, line: str, at: float) -> None:
        self._last = at
        if found := _BUILDAH_STEP.fullmatch(line):
            self._steps.append((found[1] or "", found[2], at, False))
            self._progress(found[2])
        elif line.startswith("--> Using cache") and self._steps:
            self._steps[-1] = (*self._steps[-1][:3], True)
        elif line.strip() and not line.startswith("-->"):
            self.tail.append(line)

    def steps(self) -> tuple[StepResult, ...]:
        """Return the steps so far; one lasts until the next one begins."""
        ends = [*(begin for _, _, begin, _ in self._steps[1:]), self._last][: len(self._steps)]
        return tuple(
            StepResult(stage, text, cached, 0.0 if cached else max(0.0, end - begin))
            for (stage, text, begin, cached), end in zip(self._steps, ends, strict=True)
            if not text.startswith("FROM")
        )
