"""Where tsc puts what it compiles."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dockopt.optimizer.ecosystems.node.starting import Step
from dockopt.optimizer.ecosystems.node.typescript import output_of, parse_jsonc
from hypothesis import given
from hypothesis import strategies as st

TSC = Step("tsc", ())
PLAIN = {"tsconfig.json": '{"compilerOptions": {"outDir": "./dist"}}'}


def output(steps: list[Step], files: Mapping[str, str]) -> str | None:
    def read(path: str) -> bytes | None:
        text = files.get(path.removeprefix("/app/"))
        return None if text is None else text.encode()

    return output_of(steps, "/app", read)


@pytest.mark.parametrize(
    ("steps", "files", "expected"),
    [
        ([TSC], PLAIN, "/app/dist"),
        ([Step("rimraf", ("dist",)), TSC, Step("tsc-alias", ())], PLAIN, "/app/dist"),
        ([TSC, Step("cp", ("-r", "src/views", "dist/"))], PLAIN, "/app/dist"),
        ([Step("tsc", ("--noEmit",)), TSC], PLAIN, "/app/dist"),
        (
            [Step("tsc", ("-p", "server"))],
            {"server/tsconfig.json": '{"compilerOptions": {"outDir": "../out"}}'},
            "/app/out",
        ),
        ([Step("tsc", ("--outDir", "lib"))], {}, "/app/lib"),
        (
            [TSC],
            {"tsconfig.json": '\ufeff{// a\n"extends": "./base", /* b */}', "base.json": PLAIN["tsconfig.json"]},
            "/app/dist",
        ),
    ],
)
def test_it_is_found(steps: list[Step], files: dict[str, str], expected: str) -> None:
    assert output(steps, files) == expected


@pytest.mark.parametrize(
    ("steps", "files"),
    [
        ([], PLAIN),
        ([TSC, TSC], PLAIN),
        ([TSC, Step("vite", ("build",))], PLAIN),
        ([TSC, Step("cp", ("-r", "views", "public"))], PLAIN),
        ([Step("tsc", ("--build",))], PLAIN),
        ([TSC], {}),
        ([TSC], {"tsconfig.json": "{}"}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "."}}'}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "../dist"}}'}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "dist", "noEmit": true}}'}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "dist", "declarationDir": "types"}}'}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "${configDir}/dist"}}'}),
        ([TSC], {"tsconfig.json": '{"compilerOptions": {"outDir": "dist"}, "references": [{"path": "core"}]}'}),
        ([TSC], {"tsconfig.json": '{"extends": "@tsconfig/node20/tsconfig.json"}'}),
        ([TSC], {"tsconfig.json": '{"extends": "./tsconfig.json"}'}),
    ],
)
def test_it_is_not_guessed(steps: list[Step], files: dict[str, str]) -> None:
    assert output(steps, files) is None


def test_comments_and_commas_in_strings_stay() -> None:
    text = '{"a": "//x, }", /* , */ "b": [1, 2,], // c\n}'
    assert parse_jsonc(text) == {"a": "//x, }", "b": [1, 2]}


@given(st.text())
def test_any_text_is_an_object_or_none(text: str) -> None:
    assert isinstance(parse_jsonc(text), dict)
