"""Code actions: each is what the validator vouches for, in the form that the client can take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from dockopt.optimizer.engine import analyze

from tests.lsp.clients import BARE, CLIENTS, EMACS_28, NEOVIM_0_7, VS_CODE, with_
from tests.lsp.conftest import FIXTURES, Start
from tests.lsp.editor import ServerError

#: line (from 0) of `COPY . .` and of `RUN … go build` in the example
COPY, BUILD = 3, 5


def named(actions: list[dict[str, Any]], text: str) -> dict[str, Any]:
    (found,) = [action for action in actions if text in action["title"] and "ignore here" not in action["title"]]
    return found


@pytest.mark.parametrize("name", CLIENTS)
def test_a_quick_fix_brings_its_edit_for_every_client(name: str, project: Path, start: Start) -> None:
    editor = start(project, CLIENTS[name])
    uri = editor.open(project / "Dockerfile")
    action = named(editor.actions(uri, COPY, COPY, ["quickfix"]), "`go mod download` runs again only")
    assert action["kind"] == "quickfix"
    assert action["isPreferred"] is True
    versioned = CLIENTS[name]["workspace"]["workspaceEdit"].get("documentChanges", False)
    assert ("documentChanges" in action["edit"]) == versioned
    assert ("changes" in action["edit"]) != versioned
    after = editor.apply(action["edit"])[uri]
    assert "COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n" in after
    assert "--mount" not in after


def test_a_fix_alone_is_proven_alone(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    after = editor.apply(named(editor.actions(uri, BUILD, BUILD), "(cache-mounts)")["edit"])[uri]
    assert "--mount=type=cache" in after
    assert "COPY . .\nRUN go mod download\n" in after, "the other finding is left as it is"
    report = analyze(project / "Dockerfile", after.encode())
    assert {change.proposal.rewrite for change in report.changes} == {"split-copy"}


def test_findings_of_other_instructions_are_not_offered(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    assert editor.actions(uri, 0, 1, ["quickfix"]) == []
    titles = [action["title"] for action in editor.actions(uri, COPY, COPY, ["quickfix"])]
    assert not any("cache-mounts" in title for title in titles)


def test_an_action_is_bound_to_its_diagnostic(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    found = editor.published(uri)
    foreign = {**found[0], "source": "hadolint", "code": "DL3000"}
    actions = editor.actions(uri, COPY, COPY, diagnostics=[*found, foreign])
    for action in actions:
        if action["kind"] == "quickfix":
            assert [d["code"] for d in action["diagnostics"]] == ["split-copy"]
            assert [d["source"] for d in action["diagnostics"]] == ["dockopt"]


def test_a_change_that_needs_another_one_comes_with_it(tmp_path: Path, start: Start) -> None:
    """A RUN is only cut for what can then move."""
    root = tmp_path / "p"
    shutil.copytree(FIXTURES / "examples" / "node-workspaces", root)
    (root / ".git").mkdir()
    editor = start(root)
    uri = editor.open(root / "Dockerfile")
    after = editor.apply(named(editor.actions(uri), "(split-run)")["edit"])[uri]
    report = analyze(root / "Dockerfile", (root / "Dockerfile").read_bytes())
    assert [change.proposal.rewrite for change in report.changes][:2] == ["split-run", "split-copy"]
    assert after.encode() == report.result
    alone = named(editor.actions(uri), "(split-copy)")
    assert "with 1 other change before it" in alone["title"]
    assert editor.apply(alone["edit"])[uri].encode() == report.result


# -- what changes the image ---------------------------------------------------------------------------------------------


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    root = tmp_path / "p"
    shutil.copytree(FIXTURES / "cache-mounts" / "exported-stage-is-offered", root)
    (root / ".git").mkdir()
    return root


def test_what_changes_the_image_says_so_and_is_never_preferred(exported: Path, start: Start) -> None:
    editor = start(exported)
    uri = editor.open(exported / "Dockerfile")
    action = named(editor.actions(uri), "changes the image")
    assert action["title"].startswith("dockopt (cache-mounts, changes the image): ")
    assert "isPreferred" not in action
    assert "--mount=type=cache" in editor.apply(action["edit"])[uri]
    assert editor.actions(uri, only=["source.fixAll"]) == [], "only what keeps the image is fixed without a question"


def test_what_changes_the_image_is_looked_at_first_where_the_client_can(exported: Path, start: Start) -> None:
    editor = start(exported, VS_CODE)
    uri = editor.open(exported / "Dockerfile")
    edit = named(editor.actions(uri), "changes the image")["edit"]
    (annotation,) = edit["changeAnnotations"].values()
    assert annotation["needsConfirmation"] is True
    assert "/root/.cache/go-build" in annotation["description"]
    assert all("annotationId" in change for file in edit["documentChanges"] for change in file["edits"])


def test_a_repair_is_named_as_one(tmp_path: Path, start: Start) -> None:
    root = tmp_path / "p"
    shutil.copytree(FIXTURES / "drift" / "go-replace-came-later", root)
    (root / ".git").mkdir()
    editor = start(root)
    uri = editor.open(root / "Dockerfile")
    assert [item["severity"] for item in editor.published(uri) if item["code"] == "drift"] == [2]
    action = named(editor.actions(uri), "(drift, repairs the build)")
    assert "isPreferred" not in action
    assert editor.apply(action["edit"])[uri] != editor.texts[uri]


# -- all fixes ----------------------------------------------------------------------------------------------------------


def test_all_fixes_for_each_kind_that_holds_theirs(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    for only in (["source.fixAll.dockopt"], ["source.fixAll"], ["source"], [""], None):
        kinds = [action["kind"] for action in editor.actions(uri, 0, 0, only)]
        assert kinds == ["source.fixAll.dockopt"], only


def test_nothing_for_other_kinds(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    for only in (["source.fixAll.eslint"], ["source.fixAl"], ["refactor"], ["quickfix.x"]):
        assert editor.actions(uri, only=only) == [], only


@pytest.mark.parametrize("name", CLIENTS)
def test_all_fixes_are_one_smallest_edit_that_asks_nothing(name: str, project: Path, start: Start) -> None:
    editor = start(project, CLIENTS[name])
    uri = editor.open(project / "Dockerfile")
    (action,) = editor.actions(uri, only=["source.fixAll.dockopt"])
    defers = "resolveSupport" in CLIENTS[name]["textDocument"]["codeAction"]
    assert ("edit" in action) != defers
    assert editor.initialized["capabilities"]["codeActionProvider"] == {
        "codeActionKinds": ["quickfix", "source.fixAll.dockopt"],
        "resolveProvider": defers,
    }
    edit = editor.fix_all(uri)
    assert edit is not None
    assert "changeAnnotations" not in edit
    (file,) = edit["documentChanges"] if "documentChanges" in edit else [{"edits": edit["changes"][uri]}]
    (change,) = file["edits"]
    assert change["range"]["start"] == {"line": 3, "character": 5}
    assert change["range"]["end"]["line"] == 5
    assert editor.apply(edit)[uri].encode() == analyze(project / "Dockerfile", editor.texts[uri].encode()).result


def test_an_action_of_an_older_text_is_not_resolved(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    (action,) = editor.actions(uri, only=["source.fixAll"])
    editor.change(uri, "# new\n" + editor.texts[uri])
    with pytest.raises(ServerError, match="has changed since") as error:
        editor.request("codeAction/resolve", action)
    assert error.value.code == -32801


def test_actions_of_an_older_text_are_no_answer(project: Path, start: Start) -> None:
    editor = start(project)
    uri = editor.open(project / "Dockerfile")
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    params = {"textDocument": {"uri": uri}, "range": where, "context": {"diagnostics": []}}
    number = editor.ask("textDocument/codeAction", params)
    editor.change(uri, "# new\n" + editor.texts[uri])
    with pytest.raises(ServerError) as error:
        editor.answer(number)
    assert error.value.code == -32801


def test_windows_line_ends_stay(project: Path, start: Start) -> None:
    file = project / "Dockerfile"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    editor = start(project)
    uri = editor.open(file)
    edit = editor.fix_all(uri)
    assert edit is not None
    after = editor.apply(edit)[uri]
    assert after.encode() == analyze(file, file.read_bytes()).result
    assert after.count("\n") == after.count("\r\n")


# -- other files --------------------------------------------------------------------------------------------------------


def test_a_new_file_is_created_where_the_client_can(ignoring: Path, start: Start) -> None:
    editor = start(ignoring, VS_CODE)
    uri = editor.open(ignoring / "Dockerfile")
    edit = editor.fix_all(uri)
    assert edit is not None
    create, ignore_file, dockerfile = edit["documentChanges"]
    other = (ignoring / ".dockerignore").as_uri()
    assert create == {"kind": "create", "uri": other, "options": {"overwrite": False, "ignoreIfExists": False}}
    assert ignore_file["textDocument"] == {"uri": other, "version": None}
    assert dockerfile["textDocument"] == {"uri": uri, "version": 1}
    assert editor.apply(edit)[other] == "node_modules\n"


@pytest.mark.parametrize("capabilities", [NEOVIM_0_7, EMACS_28], ids=["neovim", "emacs"])
def test_a_new_file_is_just_edited_by_other_clients(capabilities: Any, ignoring: Path, start: Start) -> None:
    editor = start(ignoring, capabilities)
    uri = editor.open(ignoring / "Dockerfile")
    edit = editor.fix_all(uri)
    assert edit is not None
    texts = editor.apply(edit)
    assert texts[(ignoring / ".dockerignore").as_uri()] == "node_modules\n"
    assert texts[uri] == (ignoring / "expected.Dockerfile").read_text()


def test_a_file_that_is_open_is_edited_in_its_version(ignoring: Path, start: Start) -> None:
    (ignoring / ".dockerignore").write_text("dist")
    editor = start(ignoring, EMACS_28)
    other = editor.open(ignoring / ".dockerignore", language="ignore")
    editor.change(other, "dist\nbuild")
    uri = editor.open(ignoring / "Dockerfile")
    edit = editor.fix_all(uri)
    assert edit is not None
    assert edit["documentChanges"][0]["textDocument"] == {"uri": other, "version": 2}
    assert editor.apply(edit)[other] == "dist\nbuild\nnode_modules\n"


def test_a_file_that_changed_on_disk_is_read_again(ignoring: Path, start: Start) -> None:
    (ignoring / ".dockerignore").write_text("dist\n")
    editor = start(ignoring)  # this client cannot tell
    uri = editor.open(ignoring / "Dockerfile")
    editor.published(uri)
    (ignoring / ".dockerignore").write_text("# a comment that was written by another program\ndist\n")
    edit = editor.fix_all(uri)
    assert edit is not None
    after = editor.apply(edit)[(ignoring / ".dockerignore").as_uri()]
    assert after == "# a comment that was written by another program\ndist\nnode_modules\n"


def test_a_file_that_was_never_saved_is_not_created_over_it(ignoring: Path, start: Start) -> None:
    editor = start(ignoring)
    editor.open(ignoring / ".dockerignore", "mine\n", "ignore")
    uri = editor.open(ignoring / "Dockerfile")
    assert editor.fix_all(uri) is None


# -- ignoring -----------------------------------------------------------------------------------------------------------


def test_ignore_here_puts_a_comment_above_the_instruction(project: Path, start: Start) -> None:
    text = (project / "Dockerfile").read_text().replace("COPY . .", "  COPY . .").replace("\n", "\r\n")
    editor = start(project)
    uri = editor.open(project / "Dockerfile", text)
    (action,) = [action for action in editor.actions(uri, COPY, COPY) if "ignore here" in action["title"]]
    assert action["title"] == "dockopt (split-copy): ignore here"
    after = editor.apply(action["edit"])[uri]
    assert "WORKDIR /src\r\n  # dockopt: ignore=split-copy reason…\r\n  COPY . .\r\n" in after
    editor.change(uri, after)
    assert "split-copy" not in {item["code"] for item in editor.published(uri)}, "the comment is understood"


# -- clients that can less ------------------------------------------------------------------------------------------------


def test_no_actions_for_a_client_that_knows_commands_only(project: Path, start: Start) -> None:
    editor = start(project, BARE)
    assert "codeActionProvider" not in editor.initialized["capabilities"]
    assert "executeCommandProvider" not in editor.initialized["capabilities"]
    uri = editor.open(project / "Dockerfile")
    assert editor.published(uri)
    assert editor.actions(uri) == []


def test_data_without_resolving_gets_the_edit_at_once(project: Path, start: Start) -> None:
    editor = start(project, with_(VS_CODE, "textDocument.codeAction.resolveSupport", {"properties": ["command"]}))
    uri = editor.open(project / "Dockerfile")
    (action,) = editor.actions(uri, only=["source.fixAll"])
    assert "edit" in action
