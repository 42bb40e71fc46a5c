"""The documentation as a site: `python -m sphinx -W -n docs BUILD` makes it, and fails for a link that leads nowhere."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
SOURCES = "https://github.com/dockopt/dockopt/tree/main"

project = "dockopt"
author = "the dockopt authors"
copyright = "the dockopt authors, Apache-2.0"
release = installed("dockopt")
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist", "substitution"]
myst_heading_anchors = 3
exclude_patterns = ["man"]
html_theme = "furo"
html_title = f"dockopt {release}"
html_copy_source = False
#: pages that are not in a tree of their own are found by their folder
nitpicky = True

#: a link of a page to a file of the repository that is no page
_LINK = re.compile(r"(?<=\]\()((?:\.\./)*[^)\s:#]+)(?=(?:#[^)\s]*)?\))")


def _links_to_sources(_app: Sphinx, page: str, text: list[str]) -> None:
    """Let links that leave the folder of the pages lead to the repository, where the file exists."""
    folder = (ROOT / "docs" / page).parent

    def target(found: re.Match[str]) -> str:
        file = (folder / found[1]).resolve()
        outside = file.is_relative_to(ROOT) and not file.is_relative_to(ROOT / "docs")
        if (outside or file.suffix in (".json", ".py", ".1")) and file.exists():
            return f"{SOURCES}/{file.relative_to(ROOT)}"
        return found[1]

    text[0] = _LINK.sub(target, text[0])


def _start_page(_app: Sphinx, page: str, text: list[str]) -> None:
    """The start page is the README; its links are seen from the root of the repository."""
    if page == "index":
        readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
        readme = re.sub(r"\]\((?!https?:|#|[a-z/-]+\.md)([^)]+)\)", rf"]({SOURCES}/\1)", readme)
        readme = re.sub(r"\]\(([A-Z]+\.md)\)", rf"]({SOURCES}/\1)", readme)
        text[0] = readme + text[0]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    from pygments.lexers.special import TextLexer

    # a diagram is shown as the text that `dockopt graph` prints: no page loads a script from elsewhere
    app.add_lexer("mermaid", TextLexer)
    app.connect("source-read", _start_page)
    app.connect("source-read", _links_to_sources)
