"""Two Dockerfiles of one context, both open, with the ignore file that they share: each speaks of what all texts are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lsp.clients import NEOVIM_0_7, VS_CODE
from tests.lsp.conftest import Start
from tests.lsp.editor import Editor, Json, ServerError

OTHER = "other.Dockerfile"


@pytest.fixture
def both(ignoring: Path) -> Path:
    """The project with a second Dockerfile of the same text."""
    (ignoring / OTHER).write_bytes((ignoring / "Dockerfile").read_bytes())
    (ignoring / ".dockerignore").write_text("dist\n")
    return ignoring


def open_both(editor: Editor, root: Path) -> tuple[str, str]:
    return editor.open(root / "Dockerfile"), editor.open(root / OTHER)


def take(editor: Editor, edit: Json) -> None:
    """Do what an editor does with an edit: open what it speaks of, change the texts, and save nothing."""
    for uri, text in editor.apply(edit).items():
        if uri not in editor.texts:
            editor.open(Path(uri.removeprefix("file://")), language="ignore")
        if editor.texts[uri] != text:
            editor.change(uri, text)


def edits_ignore_file(edit: Json) -> bool:
    changed = [change["textDocument"]["uri"] for change in edit.get("documentChanges") or ()]
    return any(uri.endswith("/.dockerignore") for uri in [*changed, *(edit.get("changes") or ())])


@pytest.mark.parametrize("capabilities", [NEOVIM_0_7, VS_CODE], ids=["sent", "asked-for"])
def test_what_one_fix_adds_to_the_ignore_file_the_other_does_not_add_again(
    capabilities: Json, both: Path, start: Start
) -> None:
    editor = start(both, capabilities)
    first, second = open_both(editor, both)
    edit = editor.fix_all(first)
    assert edit is not None
    assert edits_ignore_file(edit)
    take(editor, edit)
    # nothing is saved: the ignore file is known from the editor only
    edit = editor.fix_all(second)
    assert edit is not None
    assert not edits_ignore_file(edit)
    take(editor, edit)
    assert editor.texts[first] == editor.texts[second]
    assert [editor.fix_all(uri) for uri in (first, second)] == [None, None]
    assert editor.close() == 0


def test_an_edit_for_two_files_names_the_version_of_the_one_that_was_changed_meanwhile(
    both: Path, start: Start
) -> None:
    editor = start(both, VS_CODE)
    ignore = editor.open(both / ".dockerignore", language="ignore")
    first, second = open_both(editor, both)
    editor.change(second, "# edited\n" + editor.texts[second])
    editor.change(ignore, "# mine, and not saved\n")
    edit = editor.fix_all(first)
    assert edit is not None
    after = editor.apply(edit)  # which looks at the versions
    assert after[ignore].startswith("# mine, and not saved\n")
    assert "node_modules" in after[ignore]
    assert after[second] == editor.texts[second]
    assert editor.close() == 0


def test_an_action_that_was_offered_before_the_ignore_file_changed_is_made_anew_or_refused(
    both: Path, start: Start
) -> None:
    editor = start(both, VS_CODE)
    ignore = editor.open(both / ".dockerignore", language="ignore")
    first, _ = open_both(editor, both)
    (action,) = editor.actions(first, only=["source.fixAll"])
    assert "edit" not in action
    editor.change(ignore, "node_modules\n")
    try:
        resolved = editor.request("codeAction/resolve", action)
    except ServerError as error:
        assert error.code == -32801  # ContentModified
        return
    after = editor.apply(resolved["edit"])
    assert after.get(ignore, "node_modules\n") == "node_modules\n"


def test_a_change_of_the_shared_ignore_file_reaches_both(both: Path, start: Start) -> None:
    editor = start(both, NEOVIM_0_7)
    ignore = editor.open(both / ".dockerignore", language="ignore")
    uris = open_both(editor, both)
    for uri in uris:
        assert "split-copy" in [found["code"] for found in editor.published(uri)]
    editor.change(ignore, "package.json\n")

    def gone() -> bool:
        return all("split-copy" not in [found["code"] for found in editor.diagnostics[uri]] for uri in uris)

    editor.wait_for(gone)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": ignore}})  # not saved: it is as on disk again

    def back() -> bool:
        return all("split-copy" in [found["code"] for found in editor.diagnostics[uri]] for uri in uris)

    editor.wait_for(back)
    assert editor.close() == 0
