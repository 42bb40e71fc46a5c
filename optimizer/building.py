"""The commands that build: `verify`, `bench`, `size` and `diff-images`, from their options to their words and exit codes."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.engines import BuildRequest, Engine, EngineProblem, choose
from dockopt.optimizer.engines.model import Progress
from dockopt.optimizer.images.archive import Image, is_archive, read_archive, read_layout
from dockopt.optimizer.images.compare import Difference, differences
from dockopt.optimizer.images.layers import ArchiveError
from dockopt.optimizer.inputs import check_dockerfile, read_file
from dockopt.optimizer.interrupts import ending_cleanly
from dockopt.optimizer.presence import is_directory, is_file, is_there
from dockopt.optimizer.proposal import FileReport
from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.report.terminal import is_terminal

if TYPE_CHECKING:
    from dockopt.optimizer.size import ImageSize

SAME, DIFFERENT, CANNOT = 0, 1, 2
_MOST_SHOWN = 200
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class CannotBuild(Exception):
    """Nothing can be said; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the command line says of the engine and of the build."""

    engine: str | None = None
    builder: str | None = None
    context: Path | None = None
    platform: str | None = None
    target: str | None = None
    network: str | None = None
    build_args: Sequence[str] = ()
    secrets: Sequence[str] = ()
    ssh: Sequence[str] = ()
    cache: bool = False


@dataclass(frozen=True, slots=True)
class _Pair:
    report: FileReport
    request: BuildRequest

    @property
    def rewritten(self) -> BuildRequest:
        """The build of what would be written: the Dockerfile, behind the ignore file if that changes too."""
        # the only other file that a change may have is the ignore file that counts
        ignore = next(iter(self.report.other_files.values()), None)
        return replace(self.request, dockerfile=self.report.result, ignore=ignore)


def run_verify(path: str, options: BuildOptions, select: frozenset[str] | None = None) -> tuple[str, int]:
    """Return what `verify` prints and its exit code; `select` has ids of rewrites that are named. Raises CannotBuild, InputError."""
    pair = _pair(Path(path), options, select)
    if not pair.report.changes:
        what = "nothing to improve" if select is None else f"{', '.join(sorted(select))}: nothing that could be applied"
        return f"{safe(path)}: {what}, so there is nothing to verify\n", SAME
    return _verified(path, pair, options)


def verify_report(path: str, report: FileReport, options: BuildOptions) -> tuple[str, bool]:
    """Build what `fix` would write; return what there is to say, and whether nothing differs but what is declared.

    Raises CannotBuild.
    """
    text, code = _verified(path, _Pair(report, _request(Path(path), report, options)), options)
    return text, code == SAME


def _verified(path: str, pair: _Pair, options: BuildOptions) -> tuple[str, int]:
    from dockopt.optimizer.declared import declared_by
    from dockopt.optimizer.report.image_change import changed_lines
    from dockopt.optimizer.verify import OriginalFails, failure, verify

    declared = declared_by(pair.report.changes, pair.report.result, options.target)
    with _engine(options) as engine, _progress(f"{engine.name}: ") as progress:
        try:
            found = verify(engine, pair.request, pair.rewritten, progress, declared)
        except OriginalFails as error:
            raise CannotBuild(f"{path}: the Dockerfile does not build as it is: {error}") from None
        except EngineProblem as problem:
            raise CannotBuild(f"{path}: {problem}") from None
    if found.status == "broken":
        reason = safe_lines(failure(found.after))
        return f"{safe(path)}: the original builds, the rewritten Dockerfile does not: {reason}\n", DIFFERENT
    lines = []
    if found.masked:
        lines.append(f"left out, because two builds of the original differ there too: {_listed(found.masked)}")
    if found.status == "same":
        lines.insert(0, f"{safe(path)}: same image: {found.files} paths and all settings, compared one by one")
        lines.append(f"built in {found.before.seconds:.1f} s before and {found.after.seconds:.1f} s after")
        return "\n".join(lines) + "\n", SAME
    if found.status == "declared":
        what = f"{found.files} paths and all settings, compared one by one"
        lines.insert(0, f"{safe(path)}: the images differ in nothing but what is declared: {what}")
        lines[1:1] = changed_lines(pair.report.changes, found)
        lines.append(f"built in {found.before.seconds:.1f} s before and {found.after.seconds:.1f} s after")
        return "\n".join(lines) + "\n", SAME
    if not found.declared:
        lines.insert(0, f"{safe(path)}: the images differ:")
        return "\n".join([*lines, *_tree(found.differences)]) + "\n", DIFFERENT
    lines.insert(0, f"{safe(path)}: the images differ in more than is declared:")
    lines += [*_tree(found.differences), "beside that, as declared:", *changed_lines(pair.report.changes, found)]
    return "\n".join(lines) + "\n", DIFFERENT


def run_bench(path: str, edits: Sequence[str], runs: int, options: BuildOptions) -> tuple[str, int]:
    """Return what `bench` prints and its exit code. Raises CannotBuild, InputError."""
    from dockopt.optimizer.bench import bench
    from dockopt.optimizer.verify import OriginalFails

    pair = _pair(Path(path), options)
    if not pair.report.changes:
        return f"{safe(path)}: nothing to improve, so there is nothing to measure\n", SAME
    context = pair.request.context
    for edit in edits:
        if not is_file(context / edit) or not (context / edit).resolve().is_relative_to(context.resolve()):
            raise CannotBuild(f"`--edit {edit}`: no such file in the context `{pair.report.context}`")
    with _engine(options) as engine, _progress(f"{engine.name}: ") as progress:
        try:
            before, after = (replace(request, no_cache=False) for request in (pair.request, pair.rewritten))
            measured = bench(engine, before, after, edits, runs, progress)
        except OriginalFails as error:
            raise CannotBuild(f"{path}: it cannot be measured, because a build fails: {error}") from None
        except EngineProblem as problem:
            raise CannotBuild(f"{path}: {problem}") from None
    width = max(len(m.edit) for m in measured)
    lines = [f"{safe(path)}: seconds per rebuild after an edit, median of {runs}"]
    for m in measured:
        lines.append(
            f"  {safe(m.edit):<{width}}  {m.before.median:7.2f} before  {m.after.median:7.2f} after  {m.ratio:6.1f} x   "
            f"steps reused: {m.before.cached} of {m.before.steps} before, {m.after.cached} of {m.after.steps} after"
        )
    return "\n".join(lines) + "\n", SAME


def run_diff_images(one: str, two: str, options: BuildOptions) -> tuple[str, int]:
    """Return what `diff-images` prints and its exit code: 0 same, 1 different. Raises CannotBuild."""
    before, after = (_image(name, options) for name in (one, two))
    found = differences(before, after)
    if not found:
        return f"same image: {len(after.contents)} paths and all settings\n", SAME
    return "\n".join([f"{len(found)} differences:", *_tree(found)]) + "\n", DIFFERENT


def run_size(name: str, options: BuildOptions, form: str) -> tuple[str, int]:
    """Return what `size` prints of a Dockerfile, which is built, or of an image, and its exit code. Raises CannotBuild, InputError."""
    from dockopt.optimizer.report.size_table import as_json, as_text
    from dockopt.optimizer.size import measure

    path = Path(name)
    if not is_there(path) or is_file(path / "index.json") or (is_file(path) and is_archive(path)):
        found = measure(_image(name, options))
    else:
        found = _built_size(path, options)
    return as_json(name, found) if form == "json" else as_text(name, found), SAME


def _built_size(path: Path, options: BuildOptions) -> ImageSize:
    from dockopt.optimizer.context.discover import find_dockerfiles
    from dockopt.optimizer.size import measure
    from dockopt.optimizer.syntax import parse
    from dockopt.optimizer.verify import OriginalFails, built, images, temporary_tags

    if is_directory(path) and not is_there(path / "Dockerfile"):
        found = [str(entry) for entry in find_dockerfiles([path])]
        there = f"; there is {', '.join(f'`{safe(entry)}`' for entry in found[:5])}" if found else ""
        raise CannotBuild(f"{path}: it has no `Dockerfile` and is no OCI image layout{there}")
    pair = _pair(path, options)
    with _engine(options) as engine, _progress(f"{engine.name}: ") as progress, temporary_tags(engine) as fresh:
        tag = fresh()
        try:
            # how large an image is does not depend on what was reused
            built(engine, replace(pair.request, no_cache=False), tag, progress)
            image = images(engine, [tag])[0]
        except OriginalFails as error:
            raise CannotBuild(f"{path}: the Dockerfile does not build: {error}") from None
        except EngineProblem as problem:
            raise CannotBuild(f"{path}: {problem}") from None
        return measure(image, parse(pair.report.source), options.target)


def _pair(path: Path, options: BuildOptions, select: frozenset[str] | None = None) -> _Pair:
    """Analyse a Dockerfile. Raises InputError where it cannot be."""
    if is_directory(path):
        path = path / "Dockerfile"
    source = read_file(path)
    check_dockerfile(source)
    report = analyze(path, source, Options(context=options.context, select=select, named=select or frozenset()))
    if report.error is not None:
        raise CannotBuild(report.error)
    return _Pair(report, _request(path, report, options))


def _request(path: Path, report: FileReport, options: BuildOptions) -> BuildRequest:
    return BuildRequest(
        report.source, Path(report.context or "."), path, not options.cache, options.target, options.platform,
        options.network, options.build_args, options.secrets, options.ssh,
    )  # fmt: skip


def _image(name: str, options: BuildOptions) -> Image:
    """Read an image from an archive, a folder with an OCI layout, or an engine."""
    path = Path(name)
    try:
        if path.is_dir():
            found = read_layout(path)
        elif path.is_file():
            with path.open("rb") as stream:
                found = read_archive(stream)
        else:
            return _of_engine(name, options)
    except (ArchiveError, OSError) as error:
        raise CannotBuild(f"{name}: {error}") from None
    if len(found) != 1:
        raise CannotBuild(f"{name}: it holds {len(found)} images, and one is expected")
    return found[0]


def _of_engine(name: str, options: BuildOptions) -> Image:
    from dockopt.optimizer.verify import images

    if name.startswith("-"):
        raise CannotBuild(f"`{name}` is no name of an image, and there is no such file")
    with _engine(options) as engine:
        try:
            return images(engine, [name])[0]
        except EngineProblem as problem:
            raise CannotBuild(f"{problem}; `{engine.name} pull` gets an image that a registry has") from None


def _tree(found: Sequence[Difference]) -> Iterator[str]:
    """Yield lines for differences: settings, then paths below their directories."""
    folder = None
    for difference in found[:_MOST_SHOWN]:
        if difference.is_setting:
            yield f"  {safe(difference.where)}: {safe(difference.what)}"
            continue
        head, _, name = difference.where.rpartition("/")
        if head != folder:
            folder = head
            yield f"  {safe(head)}/"
        yield f"    {safe(name)}: {safe(difference.what)}"
    if len(found) > _MOST_SHOWN:
        yield f"  … and {len(found) - _MOST_SHOWN} more"


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(safe(path) for path in paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"


def safe_lines(text: str) -> str:
    """Return a text of several lines without terminal escapes."""
    return "\n".join(safe(line) for line in text.splitlines())


@contextmanager
def _engine(options: BuildOptions) -> Iterator[Engine]:
    """Choose an engine; what it or this machine cannot do ends as CannotBuild, and a signal to end ends with everything cleaned up."""
    try:
        with ending_cleanly():
            yield choose(options.engine, options.builder)
    except (EngineProblem, ArchiveError) as error:
        raise CannotBuild(str(error)) from None
    except BrokenPipeError:
        raise  # nobody reads what is shown of the progress
    except OSError as error:
        raise CannotBuild(_refused(error)) from None


def _refused(error: OSError) -> str:
    """Return in words what the system refused: mostly room for temporary files."""
    if isinstance(error, shutil.Error):
        # several files of the context could not be copied: the first one tells enough
        source, _, why = error.args[0][0]
        return f"`{safe(str(source))}` cannot be copied: {safe(str(why))}"
    place = f"`{safe(str(error.filename))}`: " if error.filename is not None else ""
    nowhere = error.errno == errno.ENOENT and error.filename is None
    remedy = f"; temporary files lie in `{_temporary()}`, and `TMPDIR` names another directory for them"
    return f"{place}{safe(error.strerror or str(error)).lower()}{remedy if nowhere or error.errno in _NO_ROOM else ''}"


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return os.environ.get("TMPDIR", "")


@contextmanager
def _progress(prefix: str) -> Iterator[Progress]:
    """Show on standard error which instruction is being built, where somebody watches."""
    if not is_terminal(sys.stderr):
        yield lambda _text: None
        return
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False)
    with console.status("starting") as status:
        yield lambda text: status.update(safe(prefix + " ".join(text.split()))[: console.width - 4])
