"""What rewrites that change the image do to files that nobody thought of: nothing but what they declare, in text and in configuration.

Nothing is built. The text is held against what each rewrite is for, instruction by instruction; the configuration of the image is the
one that BuildKit makes of both files (`tests/oracle_keys`), and may differ in declared settings only. All rewrites at once do what they
do one after the other, find nothing more in what they wrote, and bring no new warning of BuildKit's.

`DOCKOPT_WANTED_CHANGES` sets how many files are tried (2000 take some five minutes), `DOCKOPT_WANTED_SEED` which ones.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from dockopt.optimizer.engine import Options, analyze
from dockopt.optimizer.images.archive import Image
from dockopt.optimizer.images.compare import settings
from dockopt.optimizer.proposal import Applicability, Change, FileReport, Proposal, Verdict
from dockopt.optimizer.syntax import Comment, Dockerfile, Instruction, parse

from tests.soundness.keys_oracle import KeysOracle, build
from tests.soundness.wanted_generator import CHANGING, Wanted, drawn
from tests.syntax.oracle_client import find_go

FILES = int(os.environ.get("DOCKOPT_WANTED_CHANGES", "40"))
SEED = int(os.environ.get("DOCKOPT_WANTED_SEED", "5"))
ALL = frozenset(CHANGING)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeysOracle | None]:
    """BuildKit's own code, without which the configuration and the warnings are not compared."""
    if find_go() is None:
        yield None
        return
    found = KeysOracle(build(tmp_path_factory.mktemp("oracle")))
    yield found
    found.close()


def test_nothing_but_what_is_declared_changes(oracle: KeysOracle | None) -> None:
    random, counted = Random(SEED), Counter[str]()
    for _ in range(FILES):
        wanted = drawn(random)
        problems = _problems(wanted, oracle, counted)
        if problems:
            wanted, problems = _smallest(wanted, problems, oracle)
            pytest.fail(_told(wanted, problems), pytrace=False)
    print(f"\nfiles: {dict(counted)}")
    assert counted["changed"] > FILES // 4


def _smallest(wanted: Wanted, problems: list[str], oracle: KeysOracle | None) -> tuple[Wanted, list[str]]:
    for smaller in wanted.smaller():
        found = _problems(smaller, oracle, Counter())
        if found:
            return _smallest(smaller, found, oracle)
    return wanted, problems


def _told(wanted: Wanted, problems: list[str]) -> str:
    source = wanted.text()
    try:
        result = _rewritten(wanted.case, source, ALL).result
    except Exception:
        result = b""
    lines = difflib.unified_diff(
        *(text.decode("utf-8", "replace").splitlines() for text in (source, result)), n=99, lineterm=""
    )
    return "\n".join([repr(wanted), *problems, *lines])


def _rewritten(case: Path, source: bytes, named: frozenset[str]) -> FileReport:
    report = analyze(case / "Dockerfile", source, Options(context=case, select=named, named=named))
    assert report.error is None, report.error
    return report


def _problems(wanted: Wanted, oracle: KeysOracle | None, counted: Counter[str]) -> list[str]:
    """Return all that is wrong with what becomes of one file."""
    source = wanted.text()
    try:
        report = _rewritten(wanted.case, source, ALL)
    except Exception as error:
        return [f"ended with {error!r}"]
    counted["files"] += 1
    counted["changed"] += bool(report.changes)
    counted.update(change.proposal.rewrite for change in report.changes)
    found = [
        f"unproven change of {c.proposal.rewrite}"
        for c in report.changes
        if c.verdict.status not in ("equal-but", "equal")
    ]
    if not report.changes:
        return [*found, *(["something changed all the same"] if report.result != source else [])]
    again = _rewritten(wanted.case, report.result, ALL)
    found += [f"a second run finds {change.proposal.rewrite}: {change.proposal.message}" for change in again.changes]
    if _one_after_the_other(wanted.case, source) != report.result:
        found.append("all at once is not one after the other")
    before = source
    for change in report.changes:
        after = _applied(before, change)
        found += [f"{change.proposal.rewrite}: {problem}" for problem in _differences(before, after, change)]
        before = after
    if before != report.result:
        found.append("the result is not what the edits make")
    if oracle is not None:
        found += _differences_of_images(source, report, oracle)
        found += _warnings(source, report.result, oracle)
    return found


def _one_after_the_other(case: Path, source: bytes) -> bytes:
    """Name one rewrite at a time, in their order, until none has anything more to do."""
    while True:
        before = source
        for name in CHANGING:
            source = _rewritten(case, source, frozenset({name})).result
        if source == before:
            return source


def _applied(text: bytes, change: Change) -> bytes:
    for edit in sorted(change.proposal.edits, key=lambda e: (e.start, e.end), reverse=True):
        assert edit.path == ""
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


# -- the text --------------------------------------------------------------------------------------------------------


def _differences(before: bytes, after: bytes, change: Change) -> list[str]:
    """Say which instructions or comments changed that the rewrite is not for."""
    old, new = parse(before), parse(after)
    found = []
    kept = Counter(_comments(old)) - Counter(_comments(new))
    if kept:
        found.append(f"comments are lost: {list(kept)}")
    if after.count(b"\n") - after.count(b"\r\n") and before.count(b"\n") == before.count(b"\r\n"):
        found.append("line ends are mixed")
    gone, come = _moved(old, new)
    allowed = ALLOWED[change.proposal.rewrite]
    while gone and come and (pair := _pair(gone, come)) is not None:
        one, other = pair
        if not allowed(one, other):
            found.append(f"`{_text(one)}` became `{_text(other)}`")
        gone.remove(one)
        come.remove(other)
    found += [f"`{_text(one)}` is gone" for one in gone if not allowed(one, None)]
    found += [f"`{_text(one)}` is new" for one in come if not allowed(None, one)]
    return found


def _comments(dockerfile: Dockerfile) -> list[bytes]:
    return [node.raw.strip() for node in dockerfile.nodes if isinstance(node, Comment)]


def _text(instruction: Instruction) -> str:
    return " ".join(instruction.raw.decode("utf-8", "replace").split())


def _moved(old: Dockerfile, new: Dockerfile) -> tuple[list[Instruction], list[Instruction]]:
    """Return the instructions that are in only one of the files, by their text."""
    gone, come = list(old.instructions), []
    for instruction in new.instructions:
        same = next((one for one in gone if one.raw.strip() == instruction.raw.strip()), None)
        if same is None:
            come.append(instruction)
        else:
            gone.remove(same)
    return gone, come


def _pair(gone: list[Instruction], come: list[Instruction]) -> tuple[Instruction, Instruction] | None:
    """Return two instructions one of which came of the other, the most alike ones."""
    pairs = [(one, other) for one in gone for other in come if one.keyword == other.keyword]
    if not pairs:
        return None
    return max(
        pairs, key=lambda pair: difflib.SequenceMatcher(None, _text(pair[0]), _text(pair[1]), autojunk=False).ratio()
    )


def _words(old: Instruction, new: Instruction) -> tuple[Counter[str], Counter[str]]:
    """Return the words that are gone and those that are new."""
    one, two = Counter(_text(old).split()), Counter(_text(new).split())
    return one - two, two - one


def _only(words: Counter[str], pattern: str) -> bool:
    return all(re.fullmatch(pattern, word) for word in words)


def _another_base(old: Instruction | None, new: Instruction | None) -> bool:
    """Tell whether nothing but the image of a FROM, or of the default of an argument before it, became another one."""
    if old is None or new is None or old.keyword not in ("FROM", "ARG"):
        return False
    gone, come = _words(old, new)
    return gone.total() == 1 == come.total()


def _same_repository(old: Instruction | None, new: Instruction | None) -> bool:
    if not _another_base(old, new):
        return False
    assert old is not None
    assert new is not None
    (gone,), (come,) = _words(old, new)
    return gone.partition(":")[0].split("=")[0].strip("\"'") == come.partition(":")[0].split("=")[0].strip("\"'")


def _static(old: Instruction | None, new: Instruction | None) -> bool:
    """Tell whether a RUN got nothing but settings of `go build`."""
    if old is None or new is None or old.keyword != "RUN":
        return False
    gone, come = (Counter(re.sub("[\"']|-ldflags=?", "", word) for word in words) for words in _words(old, new))
    return _only(come - gone, r"|CGO_ENABLED=0|-trimpath|-[sw]") and _only(gone - come, r"|CGO_ENABLED=\S+")


_HYGIENE = r"|&&|`|rm|-rf|/var/lib/apt/lists/\*;?|--no-cache|--no-cache-dir|clean|all|dnf|yum|microdnf|-y|EOF"


def _hygiene(old: Instruction | None, new: Instruction | None) -> bool:
    if old is None or new is None or old.keyword != "RUN":
        return False
    gone, come = (Counter(word.strip("\"';\\") for word in words) for words in _words(old, new))
    # `apk add --no-cache` needs no index, so the update that made one goes with it
    return _only(come, _HYGIENE) and _only(gone, r"|apk|update|&&|-U|--update(?:-cache)?")


def _no_root(old: Instruction | None, new: Instruction | None) -> bool:
    if new is None:
        return False
    if old is None:
        account = re.search(r"adduser|useradd|groupadd|addgroup|chown|install -d|mkdir", new.args)
        return new.keyword == "USER" or (new.keyword == "RUN" and account is not None)
    gone, come = _words(old, new)
    if old.keyword in ("COPY", "ADD"):
        return not gone and _only(come, r"--chown=\d+:\d+")
    return old.keyword == "USER"


def _several_stages(old: Instruction | None, new: Instruction | None) -> bool:
    if old is not None and new is not None and old.keyword == "FROM":
        gone, come = _words(old, new)
        return not gone and len(come) <= 2
    if old is None and new is not None:
        return new.keyword in ("FROM", "COPY", "WORKDIR", "ENV", "USER", "SHELL", "ARG", "RUN")
    return _static(old, new)


ALLOWED: dict[str, Callable[[Instruction | None, Instruction | None], bool]] = {
    "pin-base": _same_repository,
    "multi-stage": _several_stages,
    "env-match": _another_base,
    "static-go": _static,
    "runtime-base": _another_base,
    "non-root": _no_root,
    "apt-hygiene": _hygiene,
}


# -- what BuildKit makes of it ---------------------------------------------------------------------------------------


def _differences_of_images(source: bytes, report: FileReport, oracle: KeysOracle) -> list[str]:
    old, new = oracle.image(source), oracle.image(report.result)
    if isinstance(old, str):
        return []
    if isinstance(new, str):
        return [f"BuildKit refuses the result: {new}"]
    before, after = (settings(Image((), image, {})) for image in (old, new))
    declared = {name for change in report.changes for name in change.proposal.declared.settings}
    return [
        f"setting {name}: {before.get(name)!r} became {after.get(name)!r}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and _setting(name) not in declared
    ]


def _setting(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return {"Env": f"env {rest}", "User": "user", "WorkingDir": "working directory"}.get(kind, kind.lower())


def _warnings(source: bytes, result: bytes, oracle: KeysOracle) -> list[str]:
    before, after = oracle.checks(source), oracle.checks(result)
    if isinstance(before, str):
        return []
    more: Any = after if isinstance(after, str) else after - before
    if isinstance(more, Counter) and "ConsistentInstructionCasing" in before:
        # it complains of whichever case is rarer in a file of both; new lines follow their neighbours
        del more["ConsistentInstructionCasing"]
    return [f"BuildKit newly complains: {more}"] if more else []


# -- these checks can fail -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rewrite", CHANGING)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM a:1\nRUN go build .\n", "FROM a:1\nRUN go build ./other\n"),
        ("FROM a:1\nRUN x\nCMD x\n", "FROM a:1\nRUN x\nCMD y\n"),
        ("FROM a:1\nRUN x\n# why\nCMD x\n", "FROM a:1\nRUN x\nCMD x\n"),
        ("FROM a:1\nRUN x\nRUN y\n", "FROM a:1\nRUN x\n"),
        ("FROM a:1\nCOPY a /a\n", "FROM a:1\nCOPY --link a /a\n"),
        ("FROM a:1\r\nCMD x\r\n", "FROM a:1\r\nUSER 5\nCMD x\r\n"),
        ("FROM a:1\nCMD x\n", "FROM a:1\nEXPOSE 80\nCMD x\n"),
        ("FROM a:1 AS b\nCMD x\n", "FROM a:1 AS c\nLABEL a=b\nCMD x\n"),
    ],
)
def test_another_change_of_the_text_is_found(rewrite: str, before: str, after: str) -> None:
    verdict = Verdict("equal-but")
    change = Change(Proposal(rewrite, 1, "", ()), verdict, Applicability.CHANGES_IMAGE)
    assert _differences(before.encode(), after.encode(), change)


@pytest.mark.parametrize(
    "after",
    [
        "FROM a\nENV A=2\nCMD x\n",
        "FROM a\nENV A=1\nCMD y\n",
        "FROM a\nENV A=1\nUSER 5\nCMD x\n",
        "FROM a\nENV A=1\n",
        "FROM a\nX\n",
    ],
)
def test_another_configuration_is_found(oracle: KeysOracle | None, after: str) -> None:
    if oracle is None:
        pytest.skip("needs go to compile BuildKit's own code")
    before = b"FROM a\nENV A=1\nCMD x\n"
    assert _differences_of_images(before, FileReport("Dockerfile", before, after.encode()), oracle)
    assert not _differences_of_images(before, FileReport("Dockerfile", before, before), oracle)


def test_files_that_are_drawn_again_are_the_same() -> None:
    one, two = ([drawn(random) for _ in range(20)] for random in (Random(SEED), Random(SEED)))
    assert [wanted.text() for wanted in one] == [wanted.text() for wanted in two]
    assert sum(wanted.text() != (wanted.case / "Dockerfile").read_bytes() for wanted in one) > 15
