"""What a Dockerfile may hold and a format may not: bytes, control characters, markup, and how a report is escaped."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from dockopt.optimizer.proposal import Advice, Applicability, Change, Edit, FileReport, Proposal, Verdict
from dockopt.optimizer.report.finding import findings_of
from dockopt.optimizer.report.fixes import FileFix
from dockopt.optimizer.report.formats import render
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.syntax import parse
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.report.readers import READERS

EVIL = "`a|b` <script> & ]]> \x1b[31m \u202e \ud800 % , :: \r\n```\n@all [x](y) *bold* \x00"
_TEXTS = st.lists(
    st.sampled_from(["RUN a", "RUN é😀", "", "\r", "# \f\r", "# \u2028", "RUN x\\", "RUN ```", "# %0A"]), max_size=8
)


def outcome(source: bytes, *texts: bytes, message: str = "message", path: str = "Dockerfile") -> Outcome:
    """A file with a change for each of the texts that it becomes, one after the other."""
    report = FileReport(path, source, texts[-1])
    before = source
    for number, after in enumerate(texts):
        proposal = Proposal(f"rule-{number}", 1, message, (Edit(0, len(before), after),), message)
        report.changes.append(Change(proposal, Verdict("equal"), Applicability.SAFE))
        before = after
    return Outcome(path, report)


def bytes_of(lines: list[str], end: bool, odd: bool) -> bytes:
    text = "\n".join(lines).encode()
    return b"FROM a\n" + (b"# \xff\n" if odd else b"") + text + (b"\n" if end else b"")


@given(_TEXTS, _TEXTS, _TEXTS, st.booleans(), st.booleans(), st.booleans())
def test_fixes_lead_to_the_same_bytes_in_every_format(
    first: list[str], second: list[str], third: list[str], end: bool, other_end: bool, odd: bool
) -> None:
    texts = [bytes_of(first, end, False), bytes_of(second, other_end, odd), bytes_of(third, end, odd)]
    assume(len(set(texts)) == 3)
    parse(texts[0])
    one = outcome(*texts)
    for name in ("json", "jsonl", "sarif"):
        place = json.loads(render("json", [one], Shown()))["files"][0]["place"]
        found = list(READERS[name](render(name, [one], Shown()), {place: texts[0]}, "."))
        assert [finding.fix for finding in found] == [{place: text} for text in texts[1:]], name


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_replacements_and_edits_of_a_file(before: bytes, after: bytes) -> None:
    fix = FileFix("", "Dockerfile", before, after)
    text = before
    for edit in reversed(fix.edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    assert text == after
    assert list(fix.edits) == sorted(fix.edits)


@pytest.mark.parametrize("name", ["github", "gitlab", "junit", "checkstyle", "markdown", "sarif", "jsonl"])
def test_odd_texts_are_carried_or_escaped(name: str) -> None:
    source = b"FROM a\nRUN \xff```\x1b\n"
    one = outcome(source, source + b"# new `\xe2\x80\xae`\n", message=EVIL)
    text = render(name, [one, Outcome("x", error=EVIL)], Shown(all=True))
    assert b"\x1b" not in text
    assert b"\0" not in text
    assert "\u202e".encode() not in text
    if name == "jsonl":
        assert json.loads(text.splitlines()[-1])["kind"] == "error"
        text = b"\n".join(text.splitlines()[:-1])
    if name == "github":
        *_, text = text.splitlines()
    places = dict.fromkeys(("Dockerfile", _place(one)), source)
    (found,) = READERS[name](text, places, ".")
    assert (found.rewrite, found.line) == ("rule-0", 1)


def _place(one: Outcome) -> str:
    return str(json.loads(render("json", [one], Shown()))["files"][0]["place"])


def test_a_diff_with_backquotes_does_not_end_its_fence() -> None:
    one = outcome(b"FROM a\n", b"FROM a\n# ````\n```\n")
    text = render("markdown", [one], Shown()).decode()
    assert re.search(r"^`{5}diff$", text, re.MULTILINE)
    (found,) = READERS["markdown"](text.encode(), {}, ".")
    assert found.patch is not None
    assert found.patch.endswith(b"+# ````\n+```\n")


def test_a_comment_stays_below_the_limit_of_github() -> None:
    files = [outcome(b"FROM a\n", b"FROM a\n" + b"# x\n" * 9000, path=f"{n}/Dockerfile") for n in range(3)]
    text = render("markdown", files, Shown()).decode()
    assert len(text) < 65_536
    assert text.count("```diff") == 1
    assert text.count("The diff is too long") == 2


def test_an_annotation_with_a_huge_patch_says_so() -> None:
    text = render("github", [outcome(b"FROM a\n", b"FROM a\n" + b"# x\n" * 9000)], Shown()).decode()
    assert len(text) < 2000
    assert "too long to be shown here" in text


def test_files_that_could_not_be_processed() -> None:
    failed = [Outcome("a/Dockerfile", error="a/Dockerfile:2:1: unknown instruction `X`")]
    assert b"::error file=" in render("github", failed, Shown())
    (run,) = json.loads(render("sarif", failed, Shown()))["runs"]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"].endswith("unknown instruction `X`")
    assert ElementTree.fromstring(render("checkstyle", failed, Shown())).find("file/exception") is not None
    suites = ElementTree.fromstring(render("junit", failed, Shown()))
    assert suites.attrib == {"name": "dockopt", "tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    assert suites.find("testsuite/testcase/error") is not None
    assert b"unknown instruction `X`" in render("markdown", failed, Shown())
    assert json.loads(render("jsonl", failed, Shown()))["kind"] == "error"


def test_a_case_of_junit_fails_only_for_what_check_complains_of() -> None:
    one = outcome(b"FROM a\n", b"FROM b\n")
    assert one.report is not None
    offer = Change(Proposal("pin-base", 1, "m", ()), Verdict("equal-but", ("/etc",)), Applicability.CHANGES_IMAGE)
    doubt = Change(Proposal("reorder", 1, "m", ()), Verdict("unproven", obligation="o"), Applicability.UNPROVEN)
    one.report.offered.append(offer)
    one.report.unproven.append(doubt)
    for shown in (Shown(), Shown(all=True), Shown(all=True, unproven=True)):
        suites = ElementTree.fromstring(render("junit", [one], shown))
        assert int(suites.attrib["failures"]) == one.findings(shown)
        assert len(list(suites.iter("failure"))) == one.findings(shown)
        assert len(list(suites.iter("skipped"))) == shown.unproven


def test_a_file_outside_of_the_repository_has_an_absolute_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    one = outcome(b"FROM a\n", b"FROM b\n", path="../a b/Dockerfile")
    (run,) = json.loads(render("sarif", [one], Shown()))["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": f"file://{tmp_path}/a%20b/Dockerfile"}


def advised() -> Outcome:
    report = FileReport("Dockerfile", b"FROM a\nRUN b\n", b"FROM a\nRUN b\n")
    report.advice = [
        Advice("pin-base", 1, "`go` is too old", "error", "take a newer one", "go.mod", 3),
        Advice("apt-hygiene", 2, "worth knowing"),
    ]
    return Outcome("Dockerfile", report)


@pytest.mark.parametrize("name", sorted(READERS))
def test_advice_is_a_finding_without_a_fix(name: str) -> None:
    found = list(READERS[name](render(name, [advised()], Shown()), {}, "."))
    assert [(f.rewrite, f.line, f.fix or None, f.patch) for f in found] == [
        ("pin-base", 1, None, None),
        ("apt-hygiene", 2, None, None),
    ]
    assert [f.level for f in found] in (["error", "note"], [None, None])


def test_advice_with_its_cause_and_remedy() -> None:
    text = render("sarif", [advised()], Shown()).decode()
    assert "`go` is too old (go.mod:3)\\nremedy: take a newer one" in text
    suites = ElementTree.fromstring(render("junit", [advised()], Shown()))
    assert (suites.attrib["failures"], suites.attrib["skipped"]) == ("1", "1")
    assert advised().findings(Shown()) == 1


def test_a_change_of_the_image_that_was_asked_for_by_name_is_no_offer() -> None:
    one = outcome(b"FROM a\n", b"FROM b\n")
    assert one.report is not None
    (change,) = one.report.changes
    one.report.changes = [replace(change, applicability=Applicability.CHANGES_IMAGE)]
    (found,) = findings_of(one, Shown())
    assert (found.level.value, found.counts, bool(found.fix)) == ("warning", True, True)
