"""Read every format back, each as its readers do: what stands in it of each finding, and the bytes that its fix leads to."""

from __future__ import annotations

import base64
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.proposal import Edit


class Said(NamedTuple):
    """What a report says of one finding; None where the format has no place for it."""

    rewrite: str
    fingerprint: str
    place: str | None
    line: int
    level: str | None
    #: new text of each file by its path from the top of the repository, or the patch, or None
    fix: dict[str, bytes] | None = None
    patch: bytes | None = None


Texts = Mapping[str, bytes]


def json_findings(text: bytes, before: Texts, context: str) -> Iterator[Said]:
    for file in json.loads(text)["files"]:
        for kind in ("changes", "repairs", "offered", "unproven", "advice"):
            for entry in file[kind]:
                yield _of_json(entry, original(file["place"]).decode(), before, context)


def jsonl_findings(text: bytes, before: Texts, context: str) -> Iterator[Said]:
    for line in text.splitlines():
        entry = json.loads(line)
        assert entry.pop("kind") == ("advice" if "remedy" in entry else "finding")
        yield _of_json(entry, original(entry["place"]).decode(), before, context)


def original(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def _of_json(entry: dict[str, Any], place: str, before: Texts, context: str) -> Said:
    edits: dict[str, list[Edit]] = {}
    for edit in entry.get("fix", ()):
        path = original(edit["path"]).decode()
        edits.setdefault(f"{context}/{path}" if path else place, []).append(
            Edit(edit["start"], edit["end"], original(edit["text"]))
        )
    fix = {}
    for path, group in edits.items():
        applied = apply_edits(before[path], group)
        assert not applied.skipped
        fix[path] = applied.result
    return Said(entry["rewrite"], entry["fingerprint"], place, entry["line"], entry["level"], fix)


def sarif_findings(text: bytes, before: Texts, _context: str) -> Iterator[Said]:
    (run,) = json.loads(text)["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        where = location["physicalLocation"]
        fix = {}
        for proposed in result.get("fixes", []):
            for change in proposed["artifactChanges"]:
                path = _sarif_path(change["artifactLocation"])
                fix[path] = _replaced(before[path], change["replacements"])
        yield Said(
            result["ruleId"],
            result["partialFingerprints"]["dockopt/v1"],
            _sarif_path(where["artifactLocation"]),
            where["region"]["startLine"],
            result["level"],
            fix,
        )


def _sarif_path(location: Mapping[str, str]) -> str:
    assert location["uriBaseId"] == "%SRCROOT%"
    return unquote_to_bytes(location["uri"]).decode()


def _replaced(text: bytes, replacements: list[dict[str, Any]]) -> bytes:
    """The replacements from the last to the first, by line and column: regions of a SARIF fix speak of the old text."""
    for replacement in reversed(replacements):
        region = replacement["deletedRegion"]
        start = _sarif_offset(text, region["startLine"], region["startColumn"])
        end = _sarif_offset(text, region["endLine"], region["endColumn"])
        inserted = replacement["insertedContent"]
        new = inserted["text"].encode() if "text" in inserted else base64.b64decode(inserted["binary"])
        text = text[:start] + new + text[end:]
    return text


def _sarif_offset(text: bytes, line: int, column: int) -> int:
    lines = re.split(rb"(?<=\n)", text)
    within = lines[line - 1].decode("utf-8", "surrogateescape").encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
    return sum(map(len, lines[: line - 1])) + len(
        within.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogateescape")
    )


#: `ActionCommand` of actions/runner: `::name key=value,key=value::data`, one a line
_COMMAND = re.compile(r"::([a-z-]+) ([^:]*)::(.*)")


def github_findings(text: bytes, _before: Texts, _context: str) -> Iterator[Said]:
    for line in text.decode().splitlines():
        match = _COMMAND.fullmatch(line)
        assert match is not None
        given = {key: _unescaped(value) for key, _, value in (part.partition("=") for part in match[2].split(","))}
        message = _unescaped(match[3])
        mark = re.search(r"\nfingerprint: ([0-9a-f]{32})\Z", message)
        assert mark is not None
        patch = message[: mark.start() + 1].partition("\n--- ")
        yield Said(
            given["title"].removeprefix("dockopt: "),
            mark[1],
            given["file"],
            int(given["line"]),
            {"notice": "note"}.get(match[1], match[1]),
            patch=f"--- {patch[2]}".encode() if patch[1] else None,
        )


def _unescaped(text: str) -> str:
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def gitlab_findings(text: bytes, _before: Texts, _context: str) -> Iterator[Said]:
    levels = {"major": "error", "minor": "warning", "info": "note"}
    for issue in json.loads(text):
        where = issue["location"]
        yield Said(
            issue["check_name"], issue["fingerprint"], where["path"], where["lines"]["begin"], levels[issue["severity"]]
        )


def checkstyle_findings(text: bytes, _before: Texts, _context: str) -> Iterator[Said]:
    levels = {"info": "note"}
    for file in ElementTree.fromstring(text):
        for error in file.iter("error"):
            severity = error.attrib["severity"]
            yield Said(
                error.attrib["source"].removeprefix("dockopt."),
                error.attrib["fingerprint"],
                file.attrib["name"],
                int(error.attrib["line"]),
                levels.get(severity, severity),
            )


def junit_findings(text: bytes, _before: Texts, _context: str) -> Iterator[Said]:
    for case in ElementTree.fromstring(text).iter("testcase"):
        mark = case.find("properties/property")
        if mark is not None:
            failure = case.find("failure")
            patch = "" if failure is None else (failure.text or "").partition("\n--- ")[2]
            yield Said(
                case.attrib["name"].split(" ")[0],
                mark.attrib["value"],
                case.attrib["file"],
                int(case.attrib["line"]),
                None,
                patch=f"--- {patch}".encode() if patch else None,
            )


def markdown_findings(text: bytes, _before: Texts, _context: str) -> Iterator[Said]:
    """Through a reader of CommonMark with GitHub's tables."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text.decode())
    patches = [token.content for token in tokens if token.type == "fence" and token.info == "diff"]
    cells = [child for before, child in itertools.pairwise(tokens) if before.type == "td_open"]
    rows = [cells[start : start + 3] for start in range(0, len(cells), 3)]
    for number, (line, name, what) in enumerate(rows):
        mark = re.search(r"<!-- dockopt ([a-z0-9-]+) ([0-9a-f]{32}) -->", what.content)
        assert mark is not None
        level, _, rewrite = name.content.partition(": ")
        assert rewrite == f"`{mark[1]}`"
        last = number == len(rows) - 1
        yield Said(
            mark[1], mark[2], None, int(line.content), level, patch=patches[0].encode() if patches and last else None
        )


READERS: dict[str, Callable[[bytes, Texts, str], Iterator[Said]]] = {
    "json": json_findings,
    "jsonl": jsonl_findings,
    "sarif": sarif_findings,
    "github": github_findings,
    "gitlab": gitlab_findings,
    "checkstyle": checkstyle_findings,
    "junit": junit_findings,
    "markdown": markdown_findings,
}
