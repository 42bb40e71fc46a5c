"""What goes to standard error beside the report: errors, and how long each step took, for people or as one JSON object a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dockopt.optimizer.report.terminal import print_error, say
from dockopt.optimizer.steps import Step

FORMS = ("text", "json")
#: version, trace, parent and flags (W3C Trace Context, "traceparent Header Field Values"); other versions begin like this one
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class Log:
    """Standard error of one call."""

    def __init__(self, form: str, verbose: bool, environment: Mapping[str, str]) -> None:
        """Write lines in one of `FORMS`; steps as text only where `verbose` says so, as JSON always."""
        self.is_json = form == "json"
        self._verbose = verbose
        self._trace: dict[str, str] = {}
        found = _TRACEPARENT.fullmatch(environment.get("TRACEPARENT", ""))
        if found is not None:
            self._trace = {"trace_id": found[1], "parent_id": found[2]}

    def error(self, message: str, file: str | None = None) -> None:
        """Write an error; the message names the file, too."""
        self._message("error", message, file)

    def hint(self, message: str) -> None:
        """Write what a person may have overlooked."""
        self._message("info", message, None)

    def steps(self, file: str, steps: Iterable[Step]) -> None:
        """Write what was done for a file: each step by itself as JSON, a rewrite that looked several times in one line as text."""
        if self.is_json:
            for step in steps:
                message = f"{step.name} {step.rule}" if step.rule else step.name
                self._write(
                    "info", step.began, message, file, step=step.name, rule=step.rule, duration=round(step.took, 6)
                )
        elif self._verbose:
            total: dict[str, list[float]] = {}
            for step in steps:
                total.setdefault(step.rule or step.name, []).append(step.took)
            for name, times in total.items():
                often = f" ({len(times)} times)" if len(times) > 1 else ""
                print_error(f"{file}: {name}: {sum(times) * 1000:.1f} ms{often}")

    def _message(self, level: str, message: str, file: str | None) -> None:
        if self.is_json:
            import time

            self._write(level, time.time(), message, file)
        else:
            print_error(message)

    def _write(self, level: str, when: float, message: str, file: str | None, **more: Any) -> None:
        import json
        from datetime import UTC, datetime

        shown = datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        entry = {"time": shown, "level": level, "message": message, "file": file, **more, **self._trace}
        line = json.dumps({key: _plain(value) for key, value in entry.items() if value is not None})
        say(line)


def _plain(value: Any) -> Any:
    """Return a value that every reader of JSON takes: a byte of a file name that is no UTF-8 becomes an escape."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
