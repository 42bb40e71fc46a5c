"""An engine that answers by what the text contains, so that the command line can be tested by itself.

Run as a script it is the whole program with this engine.
"""

from pathlib import Path

from dockopt.optimizer.engine import Options
from dockopt.optimizer.proposal import (
    Applicability,
    Change,
    Edit,
    FileReport,
    FrozenInput,
    Proposal,
    Refusal,
    Verdict,
)

PROVEN = Verdict(
    "equal",
    compared=("`build`: 4 writes, the same value on both sides",),
    frozen=(FrozenInput("go.mod", "sha256:1"), FrozenInput("go.sum", "sha256:2")),
    assumptions=("modules-available: the module proxy has all modules",),
)
INSERTED = b"COPY go.mod go.sum ./\nRUN go mod download\n"


def analyze(path: Path, source: bytes, options: Options | None = None) -> FileReport:
    if b"BOOM" in source:
        raise KeyError("a defect\x1b[31m")
    if b"INTERRUPT" in source:
        raise KeyboardInterrupt
    report = FileReport(str(path), source, source, ".", "all sources resolve here")
    if b"SYNTAX" in source:
        report.error = f"{path}:2:1: unknown instruction `SYNTAX`"
        return report
    if b"UNEXPLAINED" in source:
        report.result = source + b"\n"
        return report
    line = 1
    for text in source.split(b"\n"):
        if text.startswith(b"RUN"):
            report.refusals.append(Refusal("split-run", line, "`make` is not understood", "Makefile", 7))
        if text.startswith(b"LABEL"):
            proposal = Proposal("pin-base", line, "`latest` moves", ())
            report.offered.append(Change(proposal, Verdict("equal-but", ("/etc",)), Applicability.CHANGES_IMAGE))
        if text.startswith(b"ENV"):
            proposal = Proposal("reorder", line, "`ENV` stands too high", ())
            verdict = Verdict("unproven", obligation="`make` reads no variable", line=line)
            report.unproven.append(Change(proposal, verdict, Applicability.UNPROVEN))
        line += 1
    at = source.find(b"COPY . .")
    if at >= 0 and INSERTED not in source:
        edits = [Edit(at, at, INSERTED)]
        report.result = source[:at] + INSERTED + source[at:]
        if b"IGNORE" in source:
            report.other_files[".dockerignore"] = b".git\n"
            edits.append(Edit(0, 0, b".git\n", ".dockerignore"))
        elif b"OUTSIDE" in source:
            report.other_files["../outside"] = b"x"
        message = "every edit runs `go mod download` again"
        gain = "`go mod download` is reused until go.mod or go.sum change"
        proposal = Proposal("split-copy", source.count(b"\n", 0, at) + 1, message, tuple(edits), gain)
        report.changes.append(Change(proposal, PROVEN, Applicability.SAFE))
    return report


if __name__ == "__main__":
    from dockopt.optimizer import engine
    from dockopt.optimizer.cli import main

    engine.analyze = analyze
    main()
