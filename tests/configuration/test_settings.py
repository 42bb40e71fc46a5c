"""Reader, schema, documentation and `init` are made from one table; they say the same of every file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from dockopt.optimizer.configuration.beginning import first_configuration
from dockopt.optimizer.configuration.checking import problems
from dockopt.optimizer.configuration.places import line_of
from dockopt.optimizer.configuration.schema import schema
from dockopt.optimizer.configuration.settings import EFFECTS, PER_FILE, SETTINGS, Setting, rule_ids
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft4Validator(schema())
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-2, 2),
    st.floats(allow_nan=False),
    st.sampled_from(["", " ", "a", "json", "docker", "docker-20.10", "reorder", "always", "../x.toml", "!a"]),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner))
FITTING = st.one_of(
    st.lists(st.sampled_from(rule_ids()), max_size=3), st.lists(st.text(min_size=1, max_size=3), max_size=2), SCALARS
)


def names(settings: tuple[Setting, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from([setting.name for setting in settings]) | st.sampled_from(["selct", "", "effect"])


def tables(settings: tuple[Setting, ...]) -> st.SearchStrategy[Any]:
    return st.dictionaries(names(settings), FITTING | VALUES, max_size=2) | SCALARS


TEXTS = st.sampled_from(["a", "./b.sh c", "deploy/*", "", " a", "!a", "#a", "\n", "a\nb", "\u00a0"])
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "per-file": st.dictionaries(TEXTS, tables(PER_FILE), max_size=2) | SCALARS,
        "effects": st.dictionaries(TEXTS, tables(EFFECTS), max_size=2) | SCALARS,
        **{setting.name: FITTING | VALUES for setting in SETTINGS},
        "exclude": VALUES,
    },
)


@given(DOCUMENTS)
def test_schema_and_reader_agree(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document) == (not list(problems(document)))


def test_both_sides_of_the_agreement_are_met() -> None:
    """The examples of the table are right, and a wrong value of each setting is found."""
    for setting in SETTINGS:
        right = {setting.name: tomllib.loads(f"x = {setting.example}")["x"]}
        assert VALIDATOR.is_valid(right), setting.name
        assert not list(problems(right)), setting.name
        for wrong in (1, [1], "", {"a": 1}):
            assert list(problems({setting.name: wrong})), setting.name
            assert not VALIDATOR.is_valid({setting.name: wrong}), setting.name


def test_the_published_schema_is_current_and_a_schema() -> None:
    published = json.loads((ROOT / "docs" / "dockopt.schema.json").read_text("utf-8"))
    assert published == schema(), "run `python docs/fill.py`"
    jsonschema.Draft4Validator.check_schema(published)


def test_what_init_writes_says_nothing_until_a_comment_is_opened() -> None:
    text = first_configuration()
    assert tomllib.loads(text) == {}
    opened = []
    for line in text.splitlines():
        body = line.removeprefix("# ")
        is_code = body.startswith("[") or body.split(" = ")[0] in {s.name for s in (*SETTINGS, *EFFECTS)}
        opened.append(body if is_code else line)
    content = tomllib.loads("\n".join(opened))
    assert set(content) == {setting.name for setting in SETTINGS} | {"per-file", "effects"}
    assert not list(problems(content))


KEYS = st.text(alphabet="abc", min_size=1, max_size=2)
STATEMENTS = st.sampled_from(
    [
        "{} = 1", "{} = '''\n\n[x]\na = 1\n'''", '{} = """\\\n  a\n"""', "{} = [\n  1,\n  # [b]\n  2,\n]", "[{}]", "[[{}]]",
        "[x.{}]", "x.{} = 1", "# {} = 1", "", "\t", "{} = {{ y = 1 }}", '"{} " = 1',
    ]
)  # fmt: skip


def paths(content: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in content.items() if isinstance(content, dict) else ():
        found += [(*above, key), *paths(value, (*above, key))]
    return found


@given(st.lists(st.tuples(STATEMENTS, KEYS), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_the_line_of_a_key_is_the_first_one_of_its_statement(lines: list[tuple[str, str]], newline: str) -> None:
    """Statements are put together one by one, so it is known where each begins and which keys it brings."""
    text, first, seen = "", {}, set[tuple[str, ...]]()
    for statement, key in lines:
        begins = text.count("\n") + 1
        more = text + statement.format(key) + "\n"
        try:
            content = tomllib.loads(more)
        except tomllib.TOMLDecodeError:
            continue
        text = more
        for path in paths(content):
            if path not in seen:
                seen.add(path)
                first[path] = begins
    for path, line in first.items():
        assert line_of(text.replace("\n", newline), path) == line
    assert line_of(text, ("nowhere",)) == 0


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_described(setting: Setting) -> None:
    assert setting.text
    assert not setting.text.endswith(".")
    assert setting.default
