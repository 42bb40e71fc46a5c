"""The editor is told what the command line says: the same findings, and fixes that are the same to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.report.text import proof_line

from tests.lsp.clients import VS_CODE, with_
from tests.lsp.conftest import FIXTURES, Start
from tests.lsp.editor import path as path_of

SOURCE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def all_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All fixtures in one repository, so that nothing outside of it can matter to either side."""
    root = tmp_path_factory.mktemp("identity") / "project"
    shutil.copytree(FIXTURES, root, symlinks=True)
    (root / ".git").mkdir()
    return root


@pytest.fixture(scope="module")
def told(all_fixtures: Path) -> list[dict[str, Any]]:
    """What the command line says of them."""
    done = subprocess.run(
        [sys.executable, "-m", "dockopt", "suggest", "--format", "json", "--all", "."],
        cwd=all_fixtures,
        env={**os.environ, "PYTHONPATH": str(SOURCE / ".src")},
        capture_output=True,
        timeout=600,
        check=False,
    )
    files: list[dict[str, Any]] = json.loads(done.stdout)["files"]
    return files


def test_fixes_are_those_of_the_command_line_to_the_byte(
    all_fixtures: Path, told: list[dict[str, Any]], start: Start
) -> None:
    assert len(told) > 500
    capabilities = with_(with_(VS_CODE, "textDocument.diagnostic", None), "workspace.configuration", False)
    editor = start(all_fixtures, capabilities, options={"imageChanging": True})
    fixed = 0
    for file in told:
        path = all_fixtures / file["path"]
        if isinstance(file["result"], dict):
            continue  # no UTF-8: an editor cannot have it open as it is
        uri = editor.open(path)
        findings = [(d["code"], d["range"]["start"]["line"], d["message"]) for d in editor.published(uri)]
        edit = editor.fix_all(uri)
        if file["error"] is not None:
            assert edit is None
            assert len(findings) == 1, path
            editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
            del editor.texts[uri]
            continue
        changes = [expected(change) for kind in ("changes", "repairs", "offered") for change in file[kind]]
        assert findings == changes + [advised(advice) for advice in file["advice"]], path
        assert (edit is not None) == bool(file["changes"]), path
        if edit is not None:
            texts = editor.apply(edit)
            context = path.parent.parent if not file["context"] else all_fixtures / file["context"]
            assert texts[uri] == file["result"], path
            others = {str((context / other["path"]).absolute()): other["result"] for other in file["otherFiles"]}
            changed = {u: t for u, t in texts.items() if t != editor.texts.get(u)} | {uri: texts[uri]}
            assert {path_of(u): t for u, t in changed.items() if u != uri} == others, path
            fixed += 1
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        del editor.texts[uri]
    assert fixed > 100


def expected(change: dict[str, Any]) -> tuple[str, int, str]:
    """Return a finding of the command line as a diagnostic shows it."""
    from dockopt.optimizer.proposal import FrozenInput, Verdict

    verdict = change["verdict"]
    frozen = tuple(FrozenInput(entry["path"], entry["state"]) for entry in verdict["proof"]["frozen"])
    proof = proof_line(
        Verdict(
            verdict["status"],
            differences=tuple(verdict["differences"]),
            obligation=verdict["obligation"],
            line=verdict["line"],
            frozen=frozen,
        )
    )
    mark = " (changes the image)" if change["applicability"] == "changes-image" else ""
    gain = [f"gain: {change['gain']}"] if change["gain"] else []
    lines = [change["message"] + mark, *gain, proof, *(f"note: {note}" for note in change["notes"])]
    return change["rewrite"], change["line"] - 1, "\n".join(lines)


def advised(advice: dict[str, Any]) -> tuple[str, int, str]:
    """Return an advice of the command line as a diagnostic shows it."""
    remedy = [advice["remedy"]] if advice["remedy"] else []
    return advice["rewrite"], advice["line"] - 1, "\n".join([advice["message"], *remedy])
