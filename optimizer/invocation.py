"""One call of `suggest` or `fix`: find the files, analyse each, report, write where asked, and choose the exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockopt.optimizer import engine
from dockopt.optimizer.asked import Asked
from dockopt.optimizer.baseline import entries_of, written
from dockopt.optimizer.engine import Options
from dockopt.optimizer.fingerprint import place_of
from dockopt.optimizer.inputs import InputError, check_dockerfile, read_file, read_stdin, refusal
from dockopt.optimizer.narrowing import every_finding
from dockopt.optimizer.proposal import FileReport, PassedOver
from dockopt.optimizer.report.finding import all_findings
from dockopt.optimizer.report.formats import TEXT, render
from dockopt.optimizer.report.log import Log
from dockopt.optimizer.report.outcome import Outcome, Shown
from dockopt.optimizer.report.terminal import Output, is_terminal, print_error
from dockopt.optimizer.report.text import Line, diff_blocks, file_blocks, summary_line
from dockopt.optimizer.steps import measured
from dockopt.optimizer.workers import in_order, processors
from dockopt.optimizer.write import WriteRefused, replace_file, write_files

if TYPE_CHECKING:
    from dockopt.optimizer.building import BuildOptions

FINE, FINDINGS, BAD_INPUT, INTERNAL_ERROR = 0, 1, 2, 3
STDIN = "-"
_PROGRESS_ABOVE = 50
_LONGEST_CAUSE = 300
_NAMES = "looked for Dockerfile, *.Dockerfile, Dockerfile.*, Containerfile"


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for."""

    paths: Sequence[str] = ()
    stdin_filename: str | None = None
    options: Options = field(default_factory=Options)
    shown: Shown = field(default_factory=Shown)
    fix: bool = False
    write: bool = False
    check: bool = False
    #: one of `dockopt.optimizer.report.formats.FORMATS`, and the file that takes the report (None: standard output)
    format: str = "text"
    output: Path | None = None
    #: findings that are known already, and the file that shall hold all that there are
    baseline: Path | None = None
    write_baseline: Path | None = None
    #: report only what was touched since the branch left this commit
    diff_base: str | None = None
    color: str = "auto"
    traceback: bool = False
    #: processes for many files, 0: as many as there are processors
    jobs: int = 0
    #: write only what two builds prove to keep the image
    verify: BuildOptions | None = None
    #: tell on standard error how long each step took
    verbose: bool = False
    log_format: str = "text"


class UsageProblem(Exception):
    """The call itself makes no sense; the message says how to put it right."""


def run(request: Request) -> int:
    """Do what is asked and return the exit code: the worst one over all files.

    Prints on standard output and standard error. Raises `UsageProblem` before anything is read, `BrokenPipeError` where
    nobody reads the output any more.
    """
    _refuse_nonsense(request)
    printed = io.BytesIO()
    output = Output(request.color) if request.output is None else Output("never", io.TextIOWrapper(printed, "utf-8"))
    log = Log(request.log_format, request.verbose, os.environ)
    code = FINE
    outcomes: list[Outcome] = []
    sources = list(named_files(request.paths or (".",)))
    _refuse_overwriting(request, [source for source, problem in sources if problem is None])
    asked = _asked(request, [source for source, problem in sources if problem is None])
    # standard input can be read by this process only
    jobs = 1 if STDIN in request.paths else request.jobs or processors()
    analysed = in_order(partial(_process, request=request, asked=asked), sources, jobs)
    for outcome in analysed if log.is_json else _with_progress(analysed, len(sources), output):
        if request.write:
            _write_changes(outcome, request.verify, log)
        log.steps(outcome.path, outcome.report.steps if outcome.report is not None else ())
        outcomes.append(outcome)
        code = max(code, _code(outcome, request))
        if outcome.error is not None:
            log.error(outcome.error, outcome.path)
        if request.format == TEXT:
            _show(outcome, request, output)
            _forget(outcome)
    if request.format != TEXT:
        output.write(render(request.format, outcomes, request.shown))
    elif not request.shown.quiet:
        _close(outcomes, request, output, log)
    if asked.baseline and not request.shown.quiet:
        _tell_unmet(asked, outcomes, log)
    try:
        if request.write_baseline is not None:
            _save_baseline(request.write_baseline, outcomes, log)
        if request.output is not None:
            replace_file(request.output, printed.getvalue())
    except WriteRefused as error:
        log.error(f"nothing was written: {error}")
        code = max(code, BAD_INPUT)
    return code


def _asked(request: Request, paths: list[str]) -> Asked:
    named = [request.stdin_filename or "Dockerfile" if path == STDIN else path for path in paths]
    try:
        return Asked.of(request.baseline, request.diff_base, named)
    except InputError as error:
        raise UsageProblem(str(error)) from error


def _refuse_nonsense(request: Request) -> None:
    if request.paths.count(STDIN) > 1:
        raise UsageProblem("`-` stands for standard input and can be given only once")
    if STDIN not in request.paths:
        if request.stdin_filename is not None:
            raise UsageProblem("`--stdin-filename` names standard input; give `-` as the path too")
    elif request.fix and len(request.paths) > 1:
        raise UsageProblem("`fix -` writes one Dockerfile to standard output; give no other paths")
    elif request.write:
        raise UsageProblem("`--write` cannot write standard input back; without it `fix -` prints the result")
    if request.write_baseline is not None and (request.baseline is not None or request.diff_base is not None):
        raise UsageProblem("`--write-baseline` takes all findings; leave `--baseline` and `--diff-base` out")
    context = request.options.context
    if context is not None and not os.path.isdir(context):  # noqa: PTH112 - Path.is_dir raises without permission
        raise UsageProblem(f"`--context {context}`: no such directory")


def _refuse_overwriting(request: Request, dockerfiles: Iterable[str]) -> None:
    """Raise UsageProblem where a report would take the place of what it is about, or of a file that is none of ours."""
    import contextlib

    for option, target in (("--output", request.output), ("--write-baseline", request.write_baseline)):
        if target is None:
            continue
        for path in filter(lambda path: path != STDIN, dockerfiles):
            with contextlib.suppress(OSError):  # not there yet
                if target.samefile(path):
                    raise UsageProblem(f"`{option} {target}` would overwrite a Dockerfile; name another file")
    output, baseline = request.output, request.write_baseline or request.baseline
    if output is not None and baseline is not None and os.path.realpath(output) == os.path.realpath(baseline):
        raise UsageProblem(f"`--output {output}` would overwrite the baseline; name another file")
    if request.write_baseline is not None and _holds_something_else(request.write_baseline):
        raise UsageProblem(
            f"`--write-baseline {request.write_baseline}` would overwrite a file that is no baseline; remove it first"
        )


def _holds_something_else(path: Path) -> bool:
    """Tell whether there is a file with something that no `--write-baseline` has written, in whatever version."""
    from dockopt.optimizer.baseline import is_baseline

    try:
        return path.is_file() and path.stat().st_size > 0 and not is_baseline(path)
    except OSError:  # writing will tell why
        return False


#: a path as the user knows it, and why it stands for no Dockerfile if it does not
_Source = tuple[str, str | None]


def named_files(paths: Iterable[str]) -> Iterator[_Source]:
    """The Dockerfiles that the paths stand for, each once."""
    seen: set[str] = set()
    for path in paths:
        if path == STDIN:
            yield STDIN, None
            continue
        if not path:
            yield "''", "the path is empty"
            continue
        found = [path]
        if os.path.isdir(path):  # noqa: PTH112
            from dockopt.optimizer.context.discover import find_dockerfiles

            try:
                found = [str(entry) for entry in find_dockerfiles([Path(path)])]
            except OSError as error:
                yield path, f"cannot be searched: {refusal(error)}"
                continue
            if not found:
                yield path, f"no Dockerfile found here ({_NAMES})"
        for entry in found:
            # links are not followed: the same file reached through another directory has another context
            key = os.path.abspath(entry)  # noqa: PTH100
            if key not in seen:
                seen.add(key)
                yield entry, None


def _process(entry: _Source, request: Request, asked: Asked) -> Outcome:
    """Read and analyse one file; everything that can go wrong with it ends up in the outcome."""
    source, problem = entry
    if problem is not None:
        return Outcome(source, error=f"{source}: {problem}")
    name = (request.stdin_filename or "Dockerfile") if source == STDIN else source
    outcome = Outcome(name)
    try:
        content = read_stdin() if source == STDIN else read_file(Path(source))
        check_dockerfile(content)
        analyze = partial(_analyze, Path(name), request.options)
        outcome.report = analyze(content, None)
        known = frozenset() if asked.everything else {found.fingerprint for found in all_findings(outcome)}
        if known:
            narrowing = asked.narrowing(outcome.report, request.shown, analyze)
            first, outcome.report = outcome.report, narrowing.without_known_advice(analyze(content, narrowing))
            outcome.report.steps[:0] = first.steps
            outcome.met = frozenset(known | narrowing.met)
        outcome.error = outcome.report.error
        if request.write_baseline is not None:
            outcome.known = entries_of(every_finding(name, content, request.shown, analyze))
        if outcome.error is None:
            _check_report(outcome.report, content)
            _read_other_files(outcome)
            if source == STDIN and request.fix and outcome.report.other_files:
                others = ", ".join(f"`{relative}`" for relative in sorted(outcome.report.other_files))
                outcome.error = f"{name}: the changes need {others} to change too; run `fix --write` on the file itself"
    except InputError as error:
        outcome.error = error.located(name)
    except Exception as error:
        outcome.report, outcome.internal = None, True
        outcome.error = internal_error(error, request.traceback, name)
    return outcome


def _analyze(path: Path, options: Options, source: bytes, passed_over: PassedOver | None) -> FileReport:
    return engine.analyze(path, source, replace(options, passed_over=passed_over) if passed_over else options)


def _write_changes(outcome: Outcome, verify: BuildOptions | None, log: Log) -> None:
    """Write what is proven for one file, and built if that is asked for; what goes wrong ends up in the outcome."""
    if outcome.error is not None or outcome.report is None or not outcome.report.changes:
        return
    try:
        if verify is None or _is_verified(outcome, outcome.report, verify, log):
            with measured(outcome.report.steps, "write"):
                _write(outcome, Path(outcome.path))
    except InputError as error:
        outcome.error = error.located(outcome.path)


def _is_verified(outcome: Outcome, report: FileReport, options: BuildOptions, log: Log) -> bool:
    from dockopt.optimizer.building import CannotBuild, verify_report

    try:
        with measured(report.steps, "verify"):
            said, same = verify_report(outcome.path, report, options)
    except CannotBuild as error:
        said, same = str(error), False
    outcome.verified = same
    if not same:
        for line in said.splitlines():
            log.error(line, outcome.path)
        outcome.error = f"{outcome.path}: nothing was written, because two builds do not show the image that is claimed"
    return same


def internal_error(error: Exception, traceback: bool, name: str = "") -> str:
    """One line for a defect of dockopt; the traceback goes to standard error only where it is asked for."""
    if traceback:
        import traceback as formatter

        for line in "".join(formatter.format_exception(error)).splitlines():
            print_error(line)
    where = f"{name}: " if name else ""
    what = f"{type(error).__name__}: {error}".strip().rstrip(":")
    if len(what) > _LONGEST_CAUSE:  # the message of an exception may hold a whole file
        what = f"{what[:_LONGEST_CAUSE]}…"
    how = "" if traceback else "; please report it with what DOCKOPT_TRACEBACK=1 prints"
    return f"{where}internal error: {what}{how}"


def _check_report(report: FileReport, content: bytes) -> None:
    """Hold the engine to its word before anything is shown or written."""
    if report.source != content:
        raise AssertionError("the report speaks of another text")
    if report.result != report.source and not report.changes:
        raise AssertionError("the text was changed without a reason")


def _read_other_files(outcome: Outcome) -> None:
    """Read what the other files of the changes hold now; raises `InputError` for one outside of the context."""
    report = outcome.report
    assert report is not None
    before: dict[str, bytes | None] = {}
    for relative in report.other_files:
        path = _other_path(report, relative)
        before[relative] = read_file(path) if os.path.lexists(path) else None
    outcome.other_before = before


def _other_path(report: FileReport, relative: str) -> Path:
    context = Path(report.context or ".")
    path = context / relative
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(context)):
        raise InputError(f"the change would edit `{relative}`, which lies outside of the context")
    return path


def _write(outcome: Outcome, path: Path) -> None:
    report = outcome.report
    assert report is not None
    changes: dict[Path, tuple[bytes | None, bytes]] = {path: (report.source, report.result)}
    for relative, after in report.other_files.items():
        changes[_other_path(report, relative)] = (outcome.other_before[relative], after)
    try:
        write_files({file: pair for file, pair in changes.items() if pair[0] != pair[1]})
    except WriteRefused as error:
        outcome.error = f"{outcome.path}: nothing was written: {error}"
    else:
        outcome.written = True


def _code(outcome: Outcome, request: Request) -> int:
    if outcome.internal:
        return INTERNAL_ERROR
    if outcome.error is not None:
        return BAD_INPUT
    # what is in the baseline from now on is no finding any more
    wanted = request.check and request.write_baseline is None
    return FINDINGS if wanted and outcome.findings(request.shown) else FINE


def _save_baseline(path: Path, outcomes: Iterable[Outcome], log: Log) -> None:
    known = [entry for outcome in outcomes for entry in outcome.known]
    replace_file(path, written(known))
    log.hint(f"`{path}` is written; {len(known)} {'finding is' if len(known) == 1 else 'findings are'} in it")


def _tell_unmet(asked: Asked, outcomes: Sequence[Outcome], log: Log) -> None:
    """Say how many entries of the baseline have had their day; those of files that were not looked at may not."""
    looked_at = {place_of(outcome.path) for outcome in outcomes if outcome.error is None}
    met = frozenset[str]().union(*(outcome.met for outcome in outcomes))
    gone = [entry for entry in asked.baseline if entry.dockerfile in looked_at and entry.fingerprint not in met]
    if gone:
        what = "1 entry" if len(gone) == 1 else f"{len(gone)} entries"
        log.hint(f"{what} of the baseline had nothing to leave out; `--write-baseline` writes it anew")


def _proof(outcome: Outcome) -> str:
    """Return what two builds have shown, where they were asked."""
    if not outcome.verified or outcome.report is None:
        return ""
    same = all(change.verdict.status == "equal" for change in outcome.report.changes)
    return (
        f" (two builds show {'the same image' if same else 'that the images differ in nothing but what is declared'})"
    )


def _show(outcome: Outcome, request: Request, output: Output) -> None:
    if outcome.report is None or outcome.report.error is not None:
        return
    if request.fix and STDIN in request.paths:
        _show_fixed_stdin(outcome, output)
        return
    output.show(file_blocks(outcome, request.shown))
    if outcome.written:
        proof = _proof(outcome)
        output.show([Line(f"  written: {', '.join(_written_files(outcome))}{proof}", "good")])
    else:
        output.show(diff_blocks(outcome))


def _show_fixed_stdin(outcome: Outcome, output: Output) -> None:
    report = outcome.report
    assert report is not None
    if outcome.error is None:
        output.write(report.result)


def _written_files(outcome: Outcome) -> list[str]:
    from dockopt.optimizer.report.safe_text import safe

    report = outcome.report
    assert report is not None
    return [safe(outcome.path), *(safe(_other_path(report, relative)) for relative in sorted(report.other_files))]


def _forget(outcome: Outcome) -> None:
    """Keep of a shown file what the summary counts: a thousand files must not stay in memory."""
    report = outcome.report
    if report is not None:
        report.source = report.result = b""
        report.refusals.clear()
        report.other_files.clear()


def _close(outcomes: list[Outcome], request: Request, output: Output, log: Log) -> None:
    if STDIN in request.paths and request.fix:
        return
    if len(outcomes) > 1:
        output.show([summary_line(outcomes)])
    if request.fix and not request.write and any(outcome.report and outcome.report.changes for outcome in outcomes):
        # on standard error: what is piped into `patch` stays a diff
        log.hint("nothing was written; `fix --write` applies the changes")


def _with_progress(outcomes: Iterator[Outcome], total: int, output: Output) -> Iterator[Outcome]:
    """The outcomes, with a bar on standard error where there are many and somebody watches."""
    if total <= _PROGRESS_ABOVE or not is_terminal(sys.stderr):
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import Progress

    # what is printed meanwhile would tear the bar when both go to one terminal
    output.hold()
    try:
        with Progress(console=Console(stderr=True, markup=False, highlight=False), transient=True) as progress:
            yield from progress.track(outcomes, total=total, description="analysing")
    finally:
        output.release()
