"""Comments that keep rewrites away: what they say, that no rewrite does what they forbid, and that none of them gets lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.proposal import FileReport
from dockopt.optimizer.suppression import read_suppressions
from dockopt.optimizer.suppression.hadolint import SAME
from dockopt.optimizer.syntax import parse
from dockopt.rewrites.registry import REWRITES
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures"
GO = FIXTURES / "examples" / "go-service"
RULES = tuple(rewrite.id for rewrite in REWRITES)
#: files in which something is done, each in its context
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/expected.Dockerfile"))


def report(text: str, directory: Path = GO, **options: object) -> FileReport:
    found = analyze(directory / "Dockerfile", text.encode(), Options(context=directory, **options))  # type: ignore[arg-type]
    assert found.error is None
    return found


def rewrites(found: FileReport) -> list[str]:
    return [change.proposal.rewrite for change in found.changes]


BUILD = "FROM golang:1.22 AS build\nWORKDIR /src\n{}COPY . .\n{}RUN go mod download\n{}RUN CGO_ENABLED=0 go build -o /x ./cmd/shortlinks\n"
TEXT = BUILD + "FROM alpine:3.20\nCOPY --from=build /x /x\n"


def test_without_a_comment_both_are_done() -> None:
    assert rewrites(report(TEXT.format("", "", ""))) == ["split-copy", "cache-mounts"]


@pytest.mark.parametrize(
    "comment",
    [
        "# dockopt: ignore=split-copy",
        "#dockopt:ignore = split-copy, reorder  because",
        "  ## DockOpt: ignore=split-copy x",
    ],
)
def test_a_comment_above_the_finding_keeps_one_rewrite_away(comment: str) -> None:
    found = report(TEXT.format(f"{comment}\n", "", ""))
    assert rewrites(found) == ["cache-mounts"]
    (refusal,) = (r for r in found.refusals if r.rewrite == "split-copy")
    assert refusal.reason.startswith(f"suppressed by `{comment.strip()[:20]}")
    assert (refusal.line, refusal.cause_line) == (4, 3)


def test_a_comment_above_an_instruction_that_would_be_moved_keeps_the_change_away_too() -> None:
    found = report(TEXT.format("", "# dockopt: ignore=split-copy\n", ""))
    assert rewrites(found) == ["cache-mounts"]


def test_a_comment_for_another_instruction_or_rewrite_does_nothing_and_travels() -> None:
    found = report(
        TEXT.format("", "# dockopt: ignore=cache-mounts it is fetched\n", "# why\n# dockopt: ignore=reorder\n")
    )
    assert rewrites(found) == ["split-copy", "cache-mounts"]
    text = found.result.decode()
    assert (
        "COPY go.mod go.sum ./\n# dockopt: ignore=cache-mounts it is fetched\nRUN go mod download\nCOPY . .\n" in text
    )
    assert "# why\n# dockopt: ignore=reorder\nRUN --mount=" in text
    assert [note for note in found.notes if "dockopt:" in note] == [
        "line 4: `# dockopt: ignore=cache-mounts it is fetched`: `cache-mounts` has nothing to propose here; the comment can go",
        "line 7: `# dockopt: ignore=reorder`: `reorder` has nothing to propose here; the comment can go",
    ]


def test_one_comment_may_name_several_rewrites_and_two_comments_add_up() -> None:
    assert not rewrites(
        report(TEXT.format("# dockopt: ignore=split-copy\n", "", "# dockopt: ignore=drift,cache-mounts\n"))
    )
    both = "# dockopt: ignore=split-copy one\n# dockopt: ignore=cache-mounts two\n"
    found = report(BUILD.format(both, "", "") + "FROM alpine:3.20\nCOPY --from=build /x /x\n")
    assert rewrites(found) == ["cache-mounts"], "that one edits another instruction"


def test_the_whole_file() -> None:
    text = TEXT.format("", "", "")
    found = report(
        "# syntax=docker/dockerfile:1\n# dockopt: ignore-file=split-copy,cache-mounts frozen until May\n\n" + text
    )
    assert not found.changes
    said = [refusal.reason for refusal in found.refusals if refusal.rewrite == "split-copy"]
    assert said == ["suppressed by `# dockopt: ignore-file=split-copy,cache-mounts frozen unt...`"]
    assert not found.notes


def test_the_reason_is_kept_whole_for_programs() -> None:
    (found,) = read_suppressions(parse(b"# dockopt: ignore-file=drift  a\tb, c \r\nFROM a\r\n")).suppressions
    assert (found.reason, found.text) == ("a b, c", "# dockopt: ignore-file=drift  a\tb, c")


UNKNOWN = "there is no rewrite `split-cpoy`; did you mean `split-copy`?"
APART = "it stands above no instruction; no blank line may be between"
INSIDE = "it stands inside of the instruction; put it above line 2"
ABOVE = "it stands above `# syntax=…` in line 2, which is no parser directive then; put it below"
LATE = "`ignore-file` counts only above the first instruction"
OTHER = "it is not understood; write `# dockopt: ignore=ID reason`"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("# dockopt: ignore=split-cpoy x\nFROM a\n", f"line 1: `# dockopt: ignore=split-cpoy x`: {UNKNOWN}"),
        ("FROM a\n# dockopt: ignore=drift\n\nRUN x\n", f"line 2: `# dockopt: ignore=drift`: {APART}"),
        ("FROM a\n# dockopt: ignore=drift\n", APART),
        ("FROM a\n# dockopt: ignore-file=drift\nRUN x\n", LATE),
        ("FROM a\n# dockopt: ignroe=drift\nRUN x\n", OTHER),
        ("FROM a\n# dockopt: ignore=\nRUN x\n", OTHER),
        ("FROM a\nRUN x && \\\n  # dockopt: ignore=drift\n  y\n", f"line 3: `# dockopt: ignore=drift`: {INSIDE}"),
        ("# dockopt: ignore-file=drift\n# syntax=docker/dockerfile:1\nFROM a\n", ABOVE),
        (
            "# syntax=a/b\n# dockopt: ignore-file=drift\n# dockopt: ignore=drift\n# escape=`\nFROM a\n",
            "it stands above `# escape=…` in line 4",
        ),
    ],
)
def test_a_comment_that_says_nothing_is_reported(text: str, note: str) -> None:
    found = [entry for entry in report(text).notes if note in entry]
    assert len(found) == 1, report(text).notes


@pytest.mark.parametrize(
    "text",
    [
        "# dockopt is nice\nFROM a\n",
        "FROM a\nRUN cat <<EOF\n# dockopt: ignore=nothing\nEOF\n",
        "FROM a\nRUN echo \\\n  '# dockopt: ignore=x'\n",
        "# escape=`\n# syntax=a/b\nFROM a\n",
        "# hadolint ignore=DL3059,DL9999\nFROM a\n",
        "# a\n# syntax=a/b\n# dockopt: ignore-file=drift\nFROM a\n",
    ],
    ids=["prose", "here-document", "word", "directives", "hadolint", "no directive anyway"],
)
def test_what_is_no_such_comment_gets_no_note(text: str) -> None:
    assert not [note for note in report(text).notes if "nothing to propose" not in note]


def test_a_comment_counts_as_unused_only_for_rewrites_that_looked() -> None:
    text = TEXT.format("# dockopt: ignore=reorder,drift\n", "", "")
    assert len(report(text).notes) == 2
    assert len(report(text, select=frozenset({"drift"})).notes) == 1
    assert not report(text, select=frozenset({"split-copy"})).notes
    assert not report(text, bisect_limit=0).notes


def test_a_run_with_a_comment_is_not_cut_in_two() -> None:
    """One half would be without it, and `reorder` would then move what the comment keeps in place."""
    chain = "RUN go mod download && CGO_ENABLED=0 go build -o /x ./cmd/shortlinks\n"
    text = (
        "FROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\n{}" + chain + "FROM alpine:3.20\nCOPY --from=build /x /x\n"
    )
    assert "split-run" in rewrites(report(text.format("")))
    found = report(text.format("# dockopt: ignore=reorder\n"))
    assert "split-run" not in rewrites(found)
    reasons = [r.reason for r in found.refusals if r.rewrite == "split-run"]
    assert "it would part `# dockopt: ignore=reorder` from its instruction" in reasons
    assert "split-copy" not in rewrites(report(text.format("# dockopt: ignore=split-copy\n")))


UPDATE = "FROM debian:12\n{}RUN apt-get update\n{}RUN apt-get install -y git\n"


@pytest.mark.parametrize(
    ("above", "between", "joined"),
    [
        ("", "", True),
        ("# hadolint ignore=DL3059\n", "", False),
        ("# hadolint global ignore=DL3003, DL3059\n", "", False),
        ("# hadolint ignore=DL3009\n", "", True),
        ("# check=skip=JSONArgsRecommended\n", "", True),
        ("# dockopt: ignore=merge-runs\n", "", False),
    ],
)
def test_a_comment_for_hadolint_counts_where_it_means_the_same(above: str, between: str, joined: bool) -> None:
    found = report(UPDATE.format(above, between))
    assert ("merge-runs" in rewrites(found)) is joined
    if not joined:
        (refusal,) = (r for r in found.refusals if r.rewrite == "merge-runs" and r.cause_line == 2)
        assert refusal.reason == f"suppressed by `{above.strip()}`"


def test_rules_of_others_stand_for_rewrites_that_exist() -> None:
    assert {same.rewrite for same in SAME.values()} <= set(RULES)


PIN = FIXTURES / "pin-base" / "dotnet-global-json"


@pytest.mark.parametrize(
    ("comment", "pinned"),
    [
        ("", True),
        ("# hadolint ignore=DL3007\n", False),
        ("# hadolint global ignore=DL3007\n", True),  # the rewrite also finds what is too old
        ("# hadolint ignore=DL3008\n", True),
        ("# dockopt: ignore-file=pin-base\n", False),
    ],
)
def test_a_rewrite_that_does_more_than_a_rule_is_kept_away_from_one_instruction_only(
    comment: str, pinned: bool
) -> None:
    text = comment + (PIN / "Dockerfile").read_text()
    found = report(text, PIN, select=frozenset({"pin-base"}), named=frozenset({"pin-base"}))
    assert ("pin-base" in rewrites(found)) is pinned


def test_advice_is_kept_away_too() -> None:
    text = "FROM golang:1.12 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /x ./cmd/shortlinks\n"
    said = report(text, select=frozenset({"pin-base"})).advice
    assert said
    where = said[0].line
    above = "\n".join(("# dockopt: ignore=pin-base", *text.split("\n")[where - 1 :]))
    found = report("\n".join((*text.split("\n")[: where - 1], above)), select=frozenset({"pin-base"}))
    assert not found.advice
    assert [r.rewrite for r in found.refusals if r.reason.startswith("suppressed by")] == ["pin-base"]


COMMENTS = st.lists(st.sampled_from(RULES), min_size=1, max_size=2, unique=True)
TOPS = (
    "",
    "# dockopt: ignore-file=drift\n",
    "# escape=\\\n",
    "# a\n# escape=`\n",
    "# dockopt: ignore-file=x\n# escape=`\n",
)


@st.composite
def commented(draw: st.DrawFn) -> tuple[Path, bytes]:
    """A file in which something would be done, with comments above some of its instructions."""
    case = draw(st.sampled_from(CASES))
    dockerfile = parse((case / "Dockerfile").read_bytes())
    text = dockerfile.source
    for number, instruction in reversed(list(enumerate(dockerfile.instructions))):
        if draw(st.integers(0, 2)) == 0:
            rules = ",".join(draw(COMMENTS))
            # the same comment may stand in several places
            comment = f"# dockopt: ignore={rules} {number % 2}".encode() + dockerfile.newline
            text = text[: instruction.span.start] + comment + text[instruction.span.start :]
    top = draw(st.sampled_from(TOPS)).encode()
    return case, text if dockerfile.bom or text.startswith(b"#") else top + text


def suppressed_ranges(text: bytes) -> list[tuple[set[str], int, int]]:
    """Rules, start and end of what each comment speaks of, found line by line."""
    ends = {instruction.start_line: instruction for instruction in parse(text).instructions}
    found = []
    offset = 0
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if line.startswith(b"# dockopt: ignore="):
            rules = set(line.split(b"=")[1].split()[0].decode().split(","))
            below = number + 1
            while lines[below - 1].lstrip().startswith(b"#"):
                below += 1
            found.append((rules, offset, ends[below].span.end))
        offset += len(line)
    return found


@given(commented())
def test_no_comment_is_lost_and_nothing_is_done_that_one_forbids(drawn: tuple[Path, bytes]) -> None:
    case, source = drawn
    found = analyze(case / "Dockerfile", source, Options(context=case, select=frozenset(RULES)))
    assert found.error is None
    text = source
    for change in found.changes:
        edits = [edit for edit in change.proposal.edits if not edit.path]
        for rules, start, end in suppressed_ranges(text):
            if change.proposal.rewrite in rules:
                assert not [e for e in edits if e.start < end and e.end > start], "an edit touches what is suppressed"
                first, last = text.count(b"\n", 0, start) + 1, text.count(b"\n", 0, end)
                assert not first <= change.proposal.line <= last, "a finding stands where it is suppressed"
        text = apply_edits(text, edits).result
    assert text == found.result
    before, after = parse(source), parse(text)
    assert (before.directives, before.syntax, before.check, before.escape) == (
        after.directives, after.syntax, after.check, after.escape
    )  # fmt: skip

    def comments(content: bytes) -> Counter[bytes]:
        return Counter(line.strip() for line in content.splitlines() if line.lstrip().startswith(b"# dockopt:"))

    assert comments(source) == comments(text)
    assert len(suppressed_ranges(source)) == len(suppressed_ranges(text))
    kept = [s for s in read_suppressions(after).suppressions if s.instruction is not None]
    for old in read_suppressions(before).suppressions:
        if old.instruction is not None:
            words = Counter(old.instruction.args.split())
            fits = [s for s in kept if s.text == old.text and s.instruction is not None]
            assert any(not words - Counter(s.instruction.args.split()) for s in fits if s.instruction), old


def test_a_name_that_stands_twice_is_told_once_and_a_mark_of_byte_order_is_no_part_of_the_comment() -> None:
    text = "\ufeff# dockopt: ignore-file=drift,drift\n" + TEXT.format("", "", "")
    said = "line 1: `# dockopt: ignore-file=drift,drift`: `drift` has nothing to propose here; the comment can go"
    assert report(text).notes == [said]
