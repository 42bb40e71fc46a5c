"""JUnit's XML, for CI servers that show nothing but tests: a suite per Dockerfile, a failing case per finding.

What `--check` does not complain of is a skipped case, a file that could not be processed an error, and one without findings a case
that passes. Names hold no lines, so that a server knows a case again after an edit elsewhere. The schema is that of the Jenkins
plugin (`junit-10.xsd`), the fix is the text of the failure as a patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.report.finding import Finding, findings_of
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.xml_text import HEADER, attributes, content


def document(outcomes: Sequence[Outcome], shown: Shown) -> str:
    """All suites; times are not told, because a report should not change from run to run."""
    suites = [(outcome, findings_of(outcome, shown)) for outcome in outcomes]
    return HEADER + "".join(f"{line}\n" for line in _lines(suites))


def _lines(suites: Sequence[tuple[Outcome, list[Finding]]]) -> Iterator[str]:
    yield f"<testsuites{attributes({'name': 'dockopt', **_counts(suites)})}>"
    for outcome, found in suites:
        place = place_of(outcome.path)
        yield f"<testsuite{attributes({'name': place, **_counts([(outcome, found)])})}>"
        if outcome.error is not None:
            yield _case(place, "can be processed", f"<error{attributes({'message': outcome.error})}/>")
        elif not found:
            yield _case(place, "nothing to improve", "")
        for finding in found:
            yield _case(place, f"{finding.rewrite} {finding.fingerprint[:8]}", _result(finding), finding.line)
        yield "</testsuite>"
    yield "</testsuites>"


def _counts(suites: Sequence[tuple[Outcome, list[Finding]]]) -> dict[str, int]:
    failures = sum(finding.counts for _, found in suites for finding in found)
    total = sum(len(found) for _, found in suites)
    errors = sum(outcome.error is not None for outcome, _ in suites)
    passed = sum(outcome.error is None and not found for outcome, found in suites)
    return {"tests": total + errors + passed, "failures": failures, "errors": errors, "skipped": total - failures}


def _case(place: str, name: str, body: str, line: int | None = None) -> str:
    values: dict[str, object] = {"classname": place, "name": name, "file": place}
    if line is not None:
        values["line"] = line
    return f"<testcase{attributes(values)}>{body}</testcase>"


def _result(finding: Finding) -> str:
    named = attributes({"name": "fingerprint", "value": finding.fingerprint})
    properties = f"<properties><property{named}/></properties>"
    message = attributes({"message": f"line {finding.line}: {finding.message}"})
    if not finding.counts:
        return f"{properties}<skipped{message}/>"
    patch = "".join(bytes(file.diff()).decode("utf-8", "surrogateescape") for file in finding.fix)
    text = content("\n".join(filter(None, (finding.text, patch))))
    return f"{properties}<failure{message}{attributes({'type': finding.rewrite})}>{text}</failure>"
