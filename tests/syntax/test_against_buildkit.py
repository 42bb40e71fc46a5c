"""Our parser reads every file as BuildKit's own does, error for error.

`DOCKOPT_CORPUS` may name a directory of checked-out repositories whose Dockerfiles are compared too.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockopt.optimizer.context.discover import find_dockerfiles
from dockopt.optimizer.syntax.lexer import ExpansionError, expand

from tests.syntax import generator
from tests.syntax.oracle_client import Oracle, difference, mount_difference

FIXTURES = Path(__file__).parents[2] / "fixtures"
GENERATED = 4000
HARD = {
    "continuation": b"FROM a\nRUN a \\\n  b \\\n\n  # c\n  d\n",
    "continuation at the end": b"FROM a\nRUN a \\\n",
    "continuation before a comment at the end": b"FROM a\nRUN a \\\n# b",
    "two backslashes": b"FROM a\nRUN a \\\\\nENV b=c\n",
    "white space behind a backslash": b"FROM a\nRUN a \\ \t\n  b\n",
    "a comment between words": b"FROM a\nENV a=1 \\\n# x\n b=2\n",
    "windows": b"FROM a\r\nRUN a \\\r\n  b\r\n\r\n# c\r\nCMD [\"d\"]\r\n",
    "only carriage returns": b"FROM a\rRUN b\r",
    "escape": b"# escape=`\nFROM a\nRUN c:\\x `\n  y\n",
    "escape too late": b"FROM a\n# escape=`\nRUN a \\\n b\n",
    "escape twice": b"# escape=`\n# escape=`\nFROM a\n",
    "escape unknown": b"# escape=x\nFROM a\n",
    "syntax and check": b"# syntax=docker/dockerfile:1\n# check=skip=all\nFROM a\n",
    "a comment ends the directives": b"# hi\n# escape=`\nFROM a\nRUN b `\n",
    "byte order mark": b"\xef\xbb\xbfFROM a\nRUN b\n",
    "here-document": b"FROM a\nRUN <<E\nb\nE\n",
    "here-document with tabs": b"FROM a\nRUN <<-E\n\tb\n\tE\n",
    "here-document quoted": b"FROM a\nRUN <<'E' cat\n$b\nE\n",
    "two here-documents": b"FROM a\nCOPY <<A <<B /x/\na\nA\nb\nB\n",
    "here-document without an end": b"FROM a\nRUN <<E\nb\n",
    "here-document in quotes": b'FROM a\nRUN echo "<<E"\nRUN b\n',
    "here-document and shift": b"FROM a\nRUN echo $((1<<2))\nRUN b\n",
    "here-document with a number": b"FROM a\nRUN python 3<<E\nb\nE\n",
    "here-document in a healthcheck": b"FROM a\nHEALTHCHECK CMD <<E\nb\nE\n",
    "json": b'FROM a\nCMD ["a", "b"]\nENTRYPOINT [ "x" ]\nSHELL ["a"]\n',
    "almost json": b"FROM a\nCMD ['a']\nRUN [\"a\",]\n",
    "json with escapes": b'FROM a\nCMD ["\\u0041", "\\n"]\n',
    "flags": b"FROM --platform=$P a AS b\nCOPY --from=b --chown=1:2 --link a b /c/\nRUN --mount=type=cache,target=/x --network=none d\n",
    "unknown flag": b"FROM a\nCOPY --nope a b\n",
    "flag twice": b"FROM a\nCOPY --chown=1 --chown=2 a b\n",
    "on build": b"FROM a\nONBUILD RUN b\nONBUILD COPY --from=c d e\n",
    "on build on build": b"FROM a\nONBUILD ONBUILD RUN b\n",
    "on build from": b"FROM a\nONBUILD FROM b\n",
    "old form of a variable": b"FROM a\nENV a b c\nLABEL a b\nARG a b\n",
    "quotes": b"FROM a\nENV a=\"b c\" d='e f' g=h\\ i\nLABEL \"a b\"=\"c\"\n",
    "open quotes": b'FROM a\nENV a="b\n',
    "no value": b"FROM a\nENV a\n",
    "no stage": b"ARG a=b\n",
    "no from": b"RUN a\nFROM b\n",
    "empty": b"",
    "only comments": b"# a\n\n# b\n",
    "unknown instruction": b"FROM a\nRUNN b\n",
    "no argument": b"FROM a\nRUN\nCMD\n",
    "arguments missing": b"FROM a\nCOPY a\n",
    "names of stages": b"FROM a AS B\nFROM b as c\nFROM c AS 0x\n",
    "twice the same name": b"FROM a AS b\nFROM c AS b\n",
    "health": b"FROM a\nHEALTHCHECK --interval=5s --retries=3 CMD a b\nHEALTHCHECK NONE\n",
    "health broken": b"FROM a\nHEALTHCHECK --interval=x CMD a\n",
    "health nothing": b"FROM a\nHEALTHCHECK\n",
    "mounts": b"FROM a\nRUN --mount=type=bind,from=x,source=/a,target=/b,ro --mount=type=secret,id=c d\n",
    "mount broken": b"FROM a\nRUN --mount=type=nope,target=/b d\n",
    "not utf-8": b"FROM a\nRUN \xff\xfe\n",
    "control characters": b"FROM a\nRUN a\x00b\x0b\x0c\n",
    "lower case": b"from a as b\nrun c\nCoPy d e\n",
    "ports": b"FROM a\nEXPOSE 80 81/udp $P\nVOLUME /a /b\nVOLUME [\"/c\"]\n",
    "indented": b"  FROM a\n\tRUN b\n  # c\n   \\\nRUN d\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_hard_cases(oracle: Oracle, name: str) -> None:
    assert difference(HARD[name], oracle.parse(HARD[name])) is None


def fixtures() -> Iterator[Path]:
    yield from sorted(path for path in FIXTURES.rglob("*ockerfile*") if path.is_file())


@pytest.mark.parametrize("path", list(fixtures()), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_fixtures(oracle: Oracle, path: Path) -> None:
    """This is also where BuildKit reads what `fix` writes: each `expected.Dockerfile` is among them."""
    data = path.read_bytes()
    answer = oracle.parse(data)
    assert difference(data, answer) is None
    assert answer["parseError"] is None
    assert answer["typedError"] is None


def test_generated_files(oracle: Oracle) -> None:
    wrong = {}
    accepted = 0
    for seed in range(GENERATED):
        data = generator.source(seed)
        answer = oracle.parse(data)
        accepted += answer["parseError"] is None and answer["typedError"] is None
        if (found := difference(data, answer)) is not None:
            wrong[seed] = found
    assert not wrong, f"{len(wrong)} of {GENERATED}: {dict(list(wrong.items())[:5])}"
    assert GENERATED / 10 < accepted < GENERATED * 0.9


def test_generated_mounts(oracle: Oracle) -> None:
    rng = random.Random(7)
    for _ in range(1500):
        value = generator.mount(rng)
        assert mount_difference(value, oracle.mount(value)) is None, value


def test_generated_expansions(oracle: Oracle) -> None:
    rng = random.Random(11)
    for _ in range(3000):
        word, env, escape = generator.word(rng), generator.environment(rng), rng.choice("\\\\\\`")
        theirs = oracle.expand(word, env, escape)
        try:
            ours: str | None = expand(word, env.get, escape)
        except ExpansionError:
            ours = None
        assert (ours is None) == bool(theirs["expandError"]), (word, env, theirs["expandError"])
        if ours is not None:
            assert ours == theirs["result"], (word, env, escape)


def test_corpus(oracle: Oracle) -> None:
    root = os.environ.get("DOCKOPT_CORPUS")
    if not root:
        pytest.skip("DOCKOPT_CORPUS names no directory")
    paths = find_dockerfiles([Path(root)])
    assert paths
    for path in paths:
        data = path.read_bytes()
        assert difference(data, oracle.parse(data)) is None, path
