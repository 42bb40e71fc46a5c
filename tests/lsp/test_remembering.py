"""What the server remembers of earlier texts changes nothing but the time that it takes."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.context.disk import Disk
from dockopt.optimizer.engine import Options
from dockopt.optimizer.lsp.analysis import analyze
from dockopt.optimizer.lsp.desk import Superseded
from dockopt.optimizer.lsp.diagnostics import diagnostics
from dockopt.optimizer.lsp.documents import Document
from dockopt.optimizer.lsp.handshake import greeting_of
from dockopt.optimizer.lsp.settings import settings_of
from dockopt.optimizer.symbolic.memory import Pasts

from tests.lsp.clients import VS_CODE, with_
from tests.lsp.conftest import FIXTURES, Start
from tests.symbolic.edits import changed, edited

#: all Dockerfiles instead of a part of them
EVERYTHING = bool(os.environ.get("DOCKOPT_ALL_FIXTURES"))
EDITS = 5
#: the client shows diagnostics as they are pushed
PUSHED = with_(VS_CODE, "textDocument.diagnostic", None)


def dockerfiles() -> list[Path]:
    found = sorted(FIXTURES.glob("*/*/Dockerfile"))
    return found if EVERYTHING else random.Random(3).sample(found, 40)


class GivenUp:
    """Ends an analysis at its n-th proposal, as a newer text does."""

    def __init__(self, proposals: int) -> None:
        self.left = proposals

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Superseded


@pytest.mark.parametrize("path", dockerfiles(), ids=lambda path: path.parent.relative_to(FIXTURES).as_posix())
def test_a_report_is_that_of_an_analysis_from_nothing(path: Path, tmp_path: Path) -> None:
    """Whatever was looked at before: other texts, other contexts, analyses that were given up on the way."""
    root = tmp_path / "project"
    shutil.copytree(path.parent, root, symlinks=True)
    (root / ".git").mkdir(exist_ok=True)
    rng, pasts = random.Random(str(path.relative_to(FIXTURES))), Pasts()
    client, settings = greeting_of({"capabilities": VS_CODE}).client, settings_of(None).settings
    text = path.read_bytes()
    for version in range(EDITS):
        if version > 1:
            changed(root, rng)
            changed(root, rng)
        document = Document((root / "Dockerfile").as_uri(), "dockerfile", version, text.decode("utf-8", "replace"))
        source = document.text.encode()
        options = Options(apply_configured=False, offers=True, disk=Disk(root, {str(root / "Dockerfile"): source}))
        remembering = replace(options, pasts=pasts)
        if version % 2:
            with suppress(Superseded):
                analyze(document, replace(remembering, proceed=GivenUp(rng.randrange(12))))
        here, there = analyze(document, remembering), analyze(document, options)
        assert here.report == there.report, document.text
        assert diagnostics(here, client, settings) == diagnostics(there, client, settings)
        # a fix is made later, out of what is remembered too
        for one, other in zip(here.findings, there.findings, strict=True):
            assert here.fix(one) == there.fix(other)
        assert here.all_fixes == there.all_fixes
        # now and then only files have changed
        text = edited(source, rng) if version % 2 else source


def plain(diagnostic: dict[str, Any]) -> dict[str, Any]:
    """Return a diagnostic without the version that it is of."""
    return {name: value for name, value in diagnostic.items() if name != "data"}


@pytest.mark.parametrize("seed", range(3))
def test_the_server_says_after_edits_what_it_says_of_the_text_alone(project: Path, start: Start, seed: int) -> None:
    editor = start(project, PUSHED, options={"imageChanging": True})
    path = project / "Dockerfile"
    rng, text = random.Random(seed), path.read_bytes()
    uri = editor.open(path)
    for number in range(12):
        text = edited(path.read_bytes() if number % 4 == 0 else text, rng)
        if number == 6:
            changed(project, rng)
        editor.change(uri, text.decode())
        if number % 3:
            continue  # overtaken by the next one
        found, fix = editor.published(uri), editor.fix_all(uri)
        fixed = None if fix is None else editor.apply(fix)
        # a text that is closed is forgotten
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        editor.versions[uri] += 1000
        item = {"uri": uri, "languageId": "dockerfile", "version": editor.versions[uri], "text": text.decode()}
        editor.notify("textDocument/didOpen", {"textDocument": item})
        assert [plain(entry) for entry in editor.published(uri)] == [plain(entry) for entry in found]
        again = editor.fix_all(uri)
        assert (None if again is None else editor.apply(again)) == fixed
