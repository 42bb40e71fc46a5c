"""Where findings stand: changes are found one after the other, but a reader has only the file on disk."""

from dockopt.optimizer.proposal import Applicability, Change, Edit, FileReport, FrozenInput, Proposal, Verdict
from dockopt.optimizer.report.outcome import Outcome, Shown, source_lines
from dockopt.optimizer.report.text import file_blocks, proof_line, summary_line

SOURCE = b"one\ntwo\nthree\nfour\n"


def report(result: bytes, *changes: tuple[int, tuple[Edit, ...]]) -> FileReport:
    found = FileReport("Dockerfile", SOURCE, result)
    for line, edits in changes:
        found.changes.append(Change(Proposal("rule", line, "message", edits), Verdict("equal"), Applicability.SAFE))
    return found


def test_lines_are_those_of_the_source() -> None:
    first = (2, (Edit(4, 4, b"new\nnew\n"),))  # one new new two three four
    second = (5, (Edit(16, 22, b"3\n"),))  # `three` stands in line 5 now
    assert source_lines(report(b"one\nnew\nnew\ntwo\n3\nfour\n", first, second)) == [2, 3]


def test_a_line_that_an_earlier_change_wrote_is_told_by_where_that_change_begins() -> None:
    first = (3, (Edit(8, 14, b"a\nb\nc\n"),))
    second = (5, (Edit(12, 14, b"C\n"),))
    assert source_lines(report(b"one\ntwo\na\nb\nC\nfour\n", first, second)) == [3, 3]


def test_what_cannot_be_replayed_keeps_its_lines() -> None:
    first = (2, (Edit(4, 4, b"new\n"),))
    assert source_lines(report(b"something else", first, (4, ()))) == [2, 4]
    assert source_lines(report(b"", (1, (Edit(0, 99, b""),)), (2, ()))) == [1, 2]


def test_edits_of_other_files_move_no_line() -> None:
    first = (1, (Edit(0, 0, b"a\nb\n", ".dockerignore"),))
    second = (3, (Edit(8, 14, b"3\n"),))
    assert source_lines(report(b"one\ntwo\n3\nfour\n", first, second)) == [1, 3]


def test_the_proof_in_one_line() -> None:
    assert proof_line(Verdict("equal")) == "same image: proven for every context"
    frozen = (FrozenInput("go.mod", "sha256:1"), FrozenInput("go.work", "absent"))
    assert proof_line(Verdict("equal", frozen=frozen)).endswith("that agrees on go.mod and has no go.work")
    assert proof_line(Verdict("equal-but", ("/root/.cache",))).startswith("same image but for /root/.cache: proven")
    many = tuple(FrozenInput(f"f{number}", "file") for number in range(20))
    assert proof_line(Verdict("equal", frozen=many)).endswith("f5, 14 more")
    assert proof_line(Verdict("unproven", obligation="x", line=3)) == "not proven: x (line 3)"


def test_the_summary_counts_what_was_written_apart() -> None:
    change = (2, (Edit(4, 4, b"x"),))
    outcomes = [Outcome("a", report(SOURCE, change), written=True), Outcome("b", report(SOURCE, change, change))]
    assert summary_line(outcomes).text == "2 files: 1 improved (1 change), 1 can be improved (2 changes)"
    assert summary_line([Outcome("a", error="x"), Outcome("b", report(SOURCE))]).text == (
        "2 files: nothing to improve, 1 could not be processed"
    )


def test_nothing_is_said_of_a_file_that_could_not_be_analysed() -> None:
    assert list(file_blocks(Outcome("a", error="x"), Shown())) == []
