"""`dockopt pin --digest`: lock what a Dockerfile takes from registries to the content that its tags have now.

All references of all files are looked up first; one that cannot be looked up leaves everything as it is. So files that belong together
are locked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.apply import apply_edits
from dockopt.optimizer.image_words import ImageWord, Obstacle, base_words, source_words
from dockopt.optimizer.inputs import InputError, check_dockerfile, read_file
from dockopt.optimizer.opening import open_build
from dockopt.optimizer.proposal import Edit
from dockopt.optimizer.registry.client import Found, RegistryProblem
from dockopt.optimizer.registry.reference import BadReference, Reference, parse_reference
from dockopt.optimizer.report.diff import FileDiff, unified_diff
from dockopt.optimizer.report.safe_text import safe
from dockopt.optimizer.suppression.comments import read_suppressions
from dockopt.optimizer.syntax import Dockerfile, DockerfileSyntaxError, parse

#: what finds out which content a tag has now. Raises RegistryProblem
Lookup = Callable[[Reference], Found]
#: registry, repository and tag: what two spellings of one name have in common
_Tag = tuple[str, str, str]
#: the rewrite that names versions, which comments may keep away
_REWRITE = "pin-base"
_ANY_DIGEST = f"sha256:{'0' * 64}"


class PinFailed(Exception):
    """Nothing was changed; the arguments are lines that say why."""


class _Place(NamedTuple):
    """One name in a file that is to be locked."""

    word: ImageWord
    reference: Reference


@dataclass(slots=True)
class PinnedFile:
    """What becomes of one Dockerfile."""

    path: str
    before: bytes
    after: bytes
    #: what was locked, what it was before, and what was left alone and why; a line each
    lines: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != self.before

    @property
    def location(self) -> Path:
        """Where it lies."""
        return Path(self.path)

    @property
    def diff(self) -> FileDiff:
        """The change as a unified diff."""
        return unified_diff(self.path, self.before, self.after)


def pin(paths: Iterable[str], lookup: Lookup, *, update: bool) -> list[PinnedFile]:
    """Return all files with the digests of their images; nothing is written. With `update` those that have one are looked up again.

    Raises PinFailed if a file cannot be read or an image not be looked up.
    """
    opened = [_opened(path) for path in paths]
    problems = [problem for _, problem in opened if isinstance(problem, str)]
    if problems:
        raise PinFailed(*problems)
    wanted = [(file, list(_to_lock(file, words, update))) for file, words in opened if not isinstance(words, str)]
    found = _look_up(wanted, lookup)
    for file, places in wanted:
        _lock(file, places, found)
    return [file for file, _ in wanted]


def _opened(path: str) -> tuple[PinnedFile, list[ImageWord] | str]:
    """Read a file and find the images that it names; a text says why it cannot be used."""
    file = PinnedFile(path, b"", b"")
    try:
        source = read_file(Path(path))
        check_dockerfile(source)
        opened = open_build(Path(path), source)
    except InputError as error:
        return file, error.located(path)
    if opened.disagreement is not None:
        return file, f"{path}: two parsers read this file differently: {opened.disagreement}"
    file.before = file.after = source
    names, dockerfile = opened.located.named_contexts, opened.build.dockerfile
    return file, [
        _kept(word, dockerfile) for word in (*base_words(dockerfile, names), *source_words(dockerfile, names))
    ]


def _kept(word: ImageWord, dockerfile: Dockerfile) -> ImageWord:
    """Return a name that no edit is for where a comment keeps `pin-base` away from it: an author who wants no version wants no lock."""
    for comment in read_suppressions(dockerfile).suppressions:
        where = comment.instruction
        if _REWRITE in comment.rules and (where is None or where.start_line == word.line):
            return replace(word, span=None, obstacle=Obstacle(f"a comment keeps `{_REWRITE}` away", comment.line))
    return word


def _to_lock(file: PinnedFile, words: Sequence[ImageWord], update: bool) -> Iterator[_Place]:
    for word in words:
        where = f"{safe(file.path)}:{word.line}"
        reference = _understood(word)
        if isinstance(reference, Obstacle):
            cause = f" (line {reference.line})" if reference.line != word.line else ""
            file.lines.append(f"{where}: `{safe(word.written)}` is left alone: {safe(reference.reason)}{cause}")
        elif reference.digest is None or (update and reference.tag is not None):
            yield _Place(word, reference)
        elif update:
            file.lines.append(
                f"{where}: `{safe(word.written)}` is left alone: without a tag nothing tells what would be newer"
            )


def _understood(word: ImageWord) -> Reference | Obstacle:
    """Return the image that a word names, or why it cannot get a digest."""
    if word.reference is None:
        return word.obstacle or Obstacle("the image is not known", word.line)
    try:
        reference = parse_reference(word.reference)
    except BadReference as error:
        return Obstacle(str(error), word.line)
    edit = word.renamed(reference.locked(_ANY_DIGEST))
    return edit if isinstance(edit, Obstacle) else reference


def _look_up(wanted: Sequence[tuple[PinnedFile, list[_Place]]], lookup: Lookup) -> dict[_Tag, Found]:
    """Look each tag up once. Raises PinFailed with all that could not be found, and where it is used."""
    found: dict[_Tag, Found] = {}
    failed: dict[_Tag, RegistryProblem] = {}
    lines: list[str] = []
    for file, places in wanted:
        for place in places:
            tag = _tag(place.reference)
            if tag not in found and tag not in failed:
                try:
                    found[tag] = lookup(place.reference)
                except RegistryProblem as error:
                    failed[tag] = error
            if tag in failed:
                problem = failed[tag]
                lines.append(f"{file.path}:{place.word.line}: `{place.word.written}`: {problem}; {problem.remedy}")
    if failed:
        raise PinFailed(*lines, "nothing was changed: digests are written all at once or not at all")
    return found


def _tag(reference: Reference) -> _Tag:
    return reference.registry, reference.repository, reference.tag or "latest"


def _lock(file: PinnedFile, places: Sequence[_Place], found: dict[_Tag, Found]) -> None:
    """Put the digests into a file. Raises PinFailed where they do not fit in, which would be a defect."""
    edits: list[Edit] = []
    for word, reference in places:
        new = found[_tag(reference)]
        where = f"{safe(file.path)}:{word.line}: {safe(reference.tagged)}"
        one = "" if new.is_list else " (one platform only)"
        if reference.digest == new.digest:
            file.lines.append(f"{where}: {new.digest} is up to date")
            continue
        edit = word.renamed(reference.locked(new.digest))
        assert isinstance(edit, Edit), "a name that cannot be changed is left alone"
        edits.append(edit)
        old = f"{reference.digest} → " if reference.digest is not None else "→ "
        file.lines.append(f"{where}: {old}{new.digest}{one}")
    applied = apply_edits(file.before, edits)
    if applied.skipped:
        raise PinFailed(f"{file.path}: {applied.skipped[0][1]}")
    try:
        parse(applied.result)
    except DockerfileSyntaxError as error:
        raise PinFailed(f"{file.path}:{error.line}: the result is no Dockerfile: {error.message}") from error
    file.after = applied.result
