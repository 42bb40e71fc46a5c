"""What is shown: to whom it is sent, where it stands, and that it is always of the newest text."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.clients import BARE, CLIENTS, NEOVIM_0_7, NEOVIM_0_11, VS_CODE, with_
from tests.lsp.conftest import FIXTURES, Start
from tests.lsp.editor import ServerError

PULL = "textDocument/diagnostic"


def pulled(editor: Any, uri: str, **more: Any) -> Any:
    return editor.request(PULL, {"textDocument": {"uri": uri}, **more})


@pytest.mark.parametrize("name", CLIENTS)
def test_diagnostics_are_sent_or_asked_for_never_both(name: str, project: Path, start: Start) -> None:
    capabilities = CLIENTS[name]
    editor = start(project, capabilities)
    uri = editor.open(project / "Dockerfile")
    pulls = "diagnostic" in capabilities["textDocument"]
    assert ("diagnosticProvider" in editor.initialized["capabilities"]) == pulls
    found = pulled(editor, uri)["items"] if pulls else editor.published(uri)
    assert {item["code"] for item in found} >= {"split-copy", "cache-mounts"}
    editor.change(uri, editor.texts[uri] + "# more\n")
    if pulls:
        pulled(editor, uri)
        assert not editor.of("textDocument/publishDiagnostics")
    else:
        editor.published(uri)


def test_a_diagnostic_says_whose_it_is_and_what(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    first = editor.published(uri)[0]
    assert first["source"] == "dockopt"
    assert first["code"] == "split-copy"
    assert first["severity"] == 3
    assert first["data"]["rewrite"] == "split-copy"
    assert first["data"]["version"] == 1
    assert first["range"] == {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 8}}
    assert "same image: proven for every context" in first["message"]
    assert "codeDescription" not in first


def test_links_to_the_documentation_where_a_place_is_set(project: Path, start: Start) -> None:
    settings = {"documentation": "https://docs.example/rules/"}
    editor = start(project, VS_CODE, settings=settings)
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: editor.of("workspace/configuration") and editor.of("workspace/diagnostic/refresh"))
    found = pulled(editor, uri)["items"]
    assert found[0]["codeDescription"]["href"] == "https://docs.example/rules/split-copy.md"


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", 18), ("utf-16", 16), ("utf-32", 15)])
def test_places_in_the_agreed_encoding(encoding: str, end: int, project: Path, start: Start) -> None:
    file = project / "Dockerfile"
    file.write_text(
        file.read_text().replace("COPY . .", "COPY . .    \\\n    #🐳\n").replace("RUN go mod", "RUN go mod")
    )
    file.write_text(
        "# 🐳\nFROM golang:1.22 AS build\nWORKDIR /src\nCOPY . .\nRUN echo '🐳' && go mod download\nRUN go build ./...\n"
        "FROM scratch\nCOPY --from=build /src /\n"
    )
    capabilities = with_(NEOVIM_0_11, "general.positionEncodings", [encoding, "utf-16"])
    capabilities = with_(capabilities, "textDocument.diagnostic", None)
    editor = start(project, capabilities)
    assert editor.encoding == encoding
    uri = editor.open(file)
    found = editor.published(uri)
    lines = editor.texts[uri].splitlines()
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    assert found
    for item in found:
        line = lines[item["range"]["start"]["line"]]
        assert item["range"]["end"]["character"] == len(line.encode(codec)) // width
    hovered = editor.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 4, "character": end}}
    )
    assert hovered["range"]["end"] == {"line": 4, "character": len(lines[4].encode(codec)) // width}


def test_the_first_known_encoding_of_the_client_counts(project: Path, start: Start) -> None:
    assert (
        start(project, with_(BARE, "general", {"positionEncodings": ["utf-7", "utf-32", "utf-8"]})).encoding == "utf-32"
    )
    assert start(project, BARE).encoding == "utf-16"


def test_characters_that_python_takes_for_line_ends(project: Path, start: Start) -> None:
    text = (project / "Dockerfile").read_text().replace("WORKDIR /src", "# a\x0cb\u2028c\x85d\nWORKDIR /src")
    editor = start(project)
    uri = editor.open(project / "Dockerfile", text)
    assert [item["range"]["start"]["line"] for item in editor.published(uri)] == [4, 6]
    edit = editor.fix_all(uri)
    assert edit is not None
    after = editor.apply(edit)[uri]
    assert "# a\x0cb\u2028c\x85d\nWORKDIR /src\nCOPY go.mod go.sum ./\n" in after


def test_a_mistake_is_shown_where_it_is(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile", "FROM a\nCOPIE b c\n")
    (found,) = editor.published(uri)
    assert (found["severity"], found["code"], found["range"]["start"]["line"]) == (1, "syntax", 1)
    assert not editor.actions(uri)
    editor.change(uri, "FROM a\n")
    assert editor.published(uri) == []
    editor.change(uri, "")
    assert editor.published(uri) == []


def test_half_a_character_is_no_text(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile", "FROM a\nRUN echo \ud83d\n")
    (found,) = editor.published(uri)
    assert "surrogate" in found["message"]
    assert not editor.actions(uri)


def test_closing_takes_diagnostics_away(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    assert editor.published(uri)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    editor.wait_for(lambda: editor.diagnostics[uri] == [])


def test_other_languages_are_left_alone(project: Path, start: Start) -> None:
    editor = start(project)
    other = editor.open(project / "main.go", "FROM a\nCOPY . .\n", "go")
    uri = editor.open(project / "Dockerfile")
    editor.published(uri)
    assert other not in editor.diagnostics
    assert editor.actions(other) == []


def test_a_dockerfile_is_known_by_its_language_or_its_name(project: Path, start: Start) -> None:
    text = (project / "Dockerfile").read_text()
    editor = start(project)
    assert editor.published(editor.open(project / "image.txt", text, "dockerfile"))
    assert editor.published(editor.open(project / "api.Dockerfile", text, "plaintext"))


def test_unchanged_diagnostics_are_not_computed_again(project: Path, start: Start) -> None:
    editor = start(project, VS_CODE)
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: editor.of("workspace/diagnostic/refresh"))
    first = pulled(editor, uri)
    again = pulled(editor, uri, previousResultId=first["resultId"])
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    editor.change(uri, editor.texts[uri] + "# more\n")
    assert pulled(editor, uri, previousResultId=first["resultId"])["kind"] == "full"


def test_a_client_that_asks_is_told_to_ask_again_when_the_text_changed(project: Path, start: Start) -> None:
    editor = start(project, VS_CODE)
    uri = editor.open(project / "Dockerfile")
    number = editor.ask(PULL, {"textDocument": {"uri": uri}})
    editor.change(uri, editor.texts[uri] + "# more\n")
    try:
        assert editor.answer(number)["kind"] == "full"  # it was faster than the change
    except ServerError as error:
        assert error.code == -32802
        assert error.data == {"retriggerRequest": True}
    assert pulled(editor, uri)["items"]


# -- files beside the Dockerfile --------------------------------------------------------------------------------------


def codes(editor: Any, uri: str) -> set[str]:
    return {item["code"] for item in editor.diagnostics.get(uri, ())}


def test_files_are_watched_where_the_client_can(project: Path, start: Start) -> None:
    editor = start(project, CLIENTS["emacs-28"])
    uri = editor.open(project / "Dockerfile")
    editor.published(uri)
    (registered,) = editor.wait_for(lambda: editor.of("client/registerCapability"))
    (registration,) = registered["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    assert any("go.mod" in watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"])
    (project / "go.mod").write_text("this is no module file\n")
    editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": (project / "go.mod").as_uri(), "type": 2}]})
    editor.wait_for(lambda: "split-copy" not in codes(editor, uri))


def test_an_unsaved_manifest_counts(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    assert "split-copy" in {item["code"] for item in editor.published(uri)}
    manifest = editor.open(project / "go.mod", language="go.mod")
    editor.change(manifest, "this is no module file\n")
    editor.wait_for(lambda: "split-copy" not in codes(editor, uri))
    editor.notify("textDocument/didClose", {"textDocument": {"uri": manifest}})
    editor.wait_for(lambda: "split-copy" in codes(editor, uri))


def test_an_unsaved_ignore_file_counts(ignoring: Path, start: Start) -> None:
    (ignoring / ".dockerignore").write_text("dist\n")
    editor = start(ignoring)
    uri = editor.open(ignoring / "Dockerfile")
    assert editor.published(uri)
    ignore_file = editor.open(ignoring / ".dockerignore", language="ignore")
    editor.change(ignore_file, "dist\n# 🐳 mine\n")
    edit = editor.fix_all(uri)
    assert edit is not None
    assert editor.apply(edit)[ignore_file] == "dist\n# 🐳 mine\nnode_modules\n"


def test_saving_looks_at_all_files_anew(project: Path, start: Start) -> None:
    editor = start(project)  # this client watches nothing
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: "split-copy" in codes(editor, uri))
    (project / "go.mod").write_text("this is no module file\n")
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    editor.wait_for(lambda: "split-copy" not in codes(editor, uri))


# -- settings ----------------------------------------------------------------------------------------------------------


def test_settings_choose_rewrites(project: Path, start: Start) -> None:
    editor = start(
        project, options={"ignore": ["split-copy"]}, capabilities=with_(NEOVIM_0_7, "workspace.configuration", None)
    )
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: codes(editor, uri) == {"cache-mounts"})
    editor.notify("workspace/didChangeConfiguration", {"settings": {"dockopt": {"select": ["split-copy"]}}})
    editor.wait_for(lambda: codes(editor, uri) == {"split-copy"})


def test_settings_are_asked_for_where_the_client_has_them(project: Path, start: Start) -> None:
    editor = start(project, VS_CODE, settings={"ignore": ["split-copy"]})
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: editor.of("workspace/diagnostic/refresh"))
    assert {item["code"] for item in pulled(editor, uri)["items"]} == {"cache-mounts"}
    assert any(
        registration["method"] == "workspace/didChangeConfiguration"
        for params in editor.of("client/registerCapability")
        for registration in params["registrations"]
    )


def test_wrong_settings_are_told_and_do_no_harm(project: Path, start: Start) -> None:
    editor = start(project, settings={"ignroe": [], "select": ["splitcopy"], "codeLens": 3})
    uri = editor.open(project / "Dockerfile")
    editor.wait_for(lambda: len(editor.of("window/logMessage")) == 3)
    told = " ".join(params["message"] for params in editor.of("window/logMessage"))
    assert "did you mean `ignore`?" in told
    assert "did you mean `split-copy`?" in told
    assert "`dockopt.codeLens` is neither true nor false" in told
    assert editor.published(uri)


def test_image_changing_findings_are_hints_where_somebody_wants_them(tmp_path: Path, start: Start) -> None:
    root = shutil.copytree(FIXTURES / "cache-mounts" / "exported-stage-is-offered", tmp_path / "p")
    (root / ".git").mkdir()
    quiet = with_(NEOVIM_0_7, "workspace.configuration", False)
    editor = start(root, quiet, options={"imageChanging": True})
    uri = editor.open(root / "Dockerfile")
    hints = [item for item in editor.published(uri) if "(changes the image)" in item["message"]]
    assert hints
    assert {item["severity"] for item in hints} == {4}
    editor = start(root, quiet)
    uri = editor.open(root / "Dockerfile")
    assert not any("changes the image" in item["message"] for item in editor.published(uri))
    assert any("changes the image" in action["title"] for action in editor.actions(uri))
