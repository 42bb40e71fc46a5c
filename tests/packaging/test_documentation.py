"""The documentation says what the program does, and leads nowhere that does not exist."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]
_LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def fill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", ROOT / "docs" / "fill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_blocks_are_current(fill: ModuleType) -> None:
    for page in fill.PAGES:
        assert fill.filled(page) == (ROOT / page).read_text("utf-8"), "run `python docs/fill.py`"


def test_each_rewrite_has_a_current_page(fill: ModuleType) -> None:
    pages = fill.rule_pages()
    assert {ROOT / page for page in pages} == set((ROOT / "docs" / "rules").iterdir())
    for page, text in pages.items():
        assert (ROOT / page).read_text("utf-8") == text, "run `python docs/fill.py`"
        assert text.count("```") == 4, "a page has the blocks Before and After"


def test_every_generated_block_is_on_a_page(fill: ModuleType) -> None:
    text = "".join((ROOT / page).read_text("utf-8") for page in fill.PAGES)
    for name in fill.BLOCKS:
        assert f"<!-- generated: {name} -->" in text


def test_assumptions_are_found(fill: ModuleType) -> None:
    from dockopt.optimizer.validate import PRIVATE_STAGES

    name, _, text = PRIVATE_STAGES.partition(": ")
    assert fill.assumptions()[name] == text


def test_the_main_example_is_improved(fill: ModuleType) -> None:
    block = fill.BLOCKS["suggestion"]()
    assert "+COPY go.mod go.sum ./\n+RUN go mod download\n" in block
    assert "same image: proven for every context" in block


@pytest.mark.parametrize("page", sorted(set(PAGES)))
def test_links_lead_somewhere(page: str) -> None:
    for target in _LINK.findall((ROOT / page).read_text("utf-8")):
        if not target.startswith("https://"):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"


def test_the_readme_has_two_commands() -> None:
    commands = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(commands) == 2
    assert all(command.count("\n") == 1 for command in commands)
    assert commands[0].endswith("dockopt suggest fixtures/examples/go-service\n")
    assert commands[1].endswith("pytest -q\n")
