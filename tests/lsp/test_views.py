"""Hovers, lenses, hints and the outline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.lsp.clients import BARE, NEOVIM_0_7, VS_CODE, with_
from tests.lsp.conftest import Start

COPY, DOWNLOAD, BUILD = 3, 4, 5


def hover(editor: Any, uri: str, line: int) -> Any:
    where = {"textDocument": {"uri": uri}, "position": {"line": line, "character": 2}}
    return editor.request("textDocument/hover", where)


def test_a_hover_tells_what_an_instruction_reads_and_writes_and_its_key(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    found = hover(editor, uri, DOWNLOAD)
    assert found["range"]["start"] == {"line": DOWNLOAD, "character": 0}
    text = found["contents"]["value"]
    assert found["contents"]["kind"] == "markdown"
    for expected in (
        "`RUN go mod download`",
        "- line 4: writes /src/go.mod, /src/go.sum",
        "- reads go.mod",
        "/go/pkg/mod",
        "- its own text",
        "the content of `.` in the build context",
    ):
        assert expected in text
    copied = hover(editor, uri, COPY)["contents"]["value"]
    assert "- copies ." in copied
    assert "split-copy: " in copied
    assert "What could be changed" in copied


def test_a_hover_tells_why_something_is_left_alone(project: Path, start: Start) -> None:
    (project / "go.mod").unlink()
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    assert "Why it is left as it is" in hover(editor, uri, COPY)["contents"]["value"]


def test_a_hover_names_what_is_not_understood(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile", 'FROM a\nRUN ./x.sh\nENV A=b\nCMD ["x"]\n')
    assert "Not understood, so it may read and write everything" in hover(editor, uri, 1)["contents"]["value"]
    assert "env A" in hover(editor, uri, 2)["contents"]["value"]
    assert "BuildKit keeps no cache key for CMD" in hover(editor, uri, 3)["contents"]["value"]
    assert "the image `a`" in hover(editor, uri, 0)["contents"]["value"]
    assert hover(editor, uri, 9) is None


def test_text_of_the_file_is_no_markup(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile", "FROM a\nRUN x `[y](command:z)` <img src=q> \u202e\n")
    text = hover(editor, uri, 1)["contents"]["value"]
    outside = re.sub(r"`[^`\n]*`", "", text)
    assert not re.search(r"(?<!\\)[\[\]<>]", outside)
    assert "\u202e" not in text


def test_plain_text_for_clients_without_markdown(project: Path, start: Start) -> None:
    editor = start(project, BARE)
    uri = editor.open(project / "Dockerfile")
    found = hover(editor, uri, DOWNLOAD)["contents"]
    assert found["kind"] == "plaintext"
    assert "**" not in found["value"]


def test_lenses_and_hints_are_off_until_somebody_wants_them(project: Path, start: Start) -> None:
    settings: dict[str, Any] = {}
    editor = start(project, VS_CODE, settings=settings)
    uri = editor.open(project / "Dockerfile")
    document = {"textDocument": {"uri": uri}}
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    assert editor.request("textDocument/codeLens", document) == []
    assert editor.request("textDocument/inlayHint", {**document, "range": everything}) == []
    editor.wait_for(lambda: editor.of("workspace/inlayHint/refresh"))
    settings |= {"codeLens": True, "inlayHints": True}
    seen = len(editor.of("workspace/codeLens/refresh"))
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    editor.wait_for(lambda: len(editor.of("workspace/codeLens/refresh")) > seen)
    editor.wait_for(lambda: len(editor.of("workspace/inlayHint/refresh")) > seen)
    lenses = editor.request("textDocument/codeLens", document)
    (download,) = [lens for lens in lenses if lens["range"]["start"]["line"] == DOWNLOAD]
    assert "reads go.mod" in download["command"]["title"]
    assert download["command"]["command"] == ""
    hints = editor.request("textDocument/inlayHint", {**document, "range": everything})
    assert [hint["label"] for hint in hints] == [lens["command"]["title"] for lens in lenses]
    some = {"start": {"line": DOWNLOAD, "character": 0}, "end": {"line": DOWNLOAD, "character": 3}}
    assert len(editor.request("textDocument/inlayHint", {**document, "range": some})) == 1


def test_the_outline_has_stages_with_their_instructions(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    stages = editor.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    assert [stage["name"] for stage in stages] == ["build", "stage 1"]
    assert stages[0]["detail"] == "golang:1.22"
    assert [child["name"] for child in stages[0]["children"]][:2] == ["WORKDIR /src", "COPY . ."]
    assert stages[0]["range"]["end"]["line"] == BUILD


def test_a_flat_outline_for_clients_without_children(project: Path, start: Start) -> None:
    flat = with_(NEOVIM_0_7, "textDocument.documentSymbol", {})
    editor = start(project, flat)
    uri = editor.open(project / "Dockerfile")
    stages = editor.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    assert [stage["location"]["range"]["start"]["line"] for stage in stages] == [0, 7]
