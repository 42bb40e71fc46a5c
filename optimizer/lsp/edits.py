"""Fixes as edits of the protocol: which texts, which version of them, and how far the client can go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dockopt.optimizer.inputs import InputError, read_file
from dockopt.optimizer.lsp.analysis import Analysis
from dockopt.optimizer.lsp.client import Client
from dockopt.optimizer.lsp.documents import Documents
from dockopt.optimizer.lsp.fixes import Fix
from dockopt.optimizer.lsp.positions import LineIndex, NoSuchPlace, Place, Range, smallest_replacement
from dockopt.optimizer.proposal import Edit
from lsprotocol import types

#: the annotation of an edit that changes the image
_ANNOTATION = "dockopt-changes-image"


class Stale(Exception):
    """A file is not any more what it was when it was analysed."""


class CannotEdit(Exception):
    """A client cannot be told to make this edit; the message says why."""


@dataclass(frozen=True, slots=True)
class _FileEdit:
    uri: str
    version: int | None
    edits: tuple[tuple[Range, str], ...]
    create: bool = False


def fix_edit(
    analysis: Analysis, fix: Fix, client: Client, documents: Documents, *, confirm: str | None = None
) -> types.WorkspaceEdit:
    """Return the edit that makes a fix. `confirm` is a reason for which a user should look at it first.

    Other files come before the Dockerfile: it needs them, not they it. Raises Stale, CannotEdit.
    """
    files = [_other_file(analysis, path, *fix.texts[path], client, documents) for path in sorted(fix.texts) if path]
    if "" in fix.texts:
        document = analysis.document
        edits = _edits(document.index, fix)
        files.append(_FileEdit(document.uri, document.version, edits))
    return _workspace_edit(files, client, confirm)


def insertion(analysis: Analysis, where: Range, text: str, client: Client) -> types.WorkspaceEdit:
    """Return the edit that replaces one range of a document."""
    document = analysis.document
    return _workspace_edit([_FileEdit(document.uri, document.version, ((where, text),))], client, None)


def _edits(index: LineIndex, fix: Fix) -> tuple[tuple[Range, str], ...]:
    """Return the proposal's own edits where a client can be told their places, else the smallest one of the whole text."""
    before, after = fix.texts[""]
    if fix.edits is not None:
        try:
            return tuple(_edit(index, edit) for edit in _in_order(fix.edits))
        except NoSuchPlace:
            pass
    return _smallest(index, before, after)


def _in_order(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits of the Dockerfile as `apply_edits` orders them: insertions at one place stay in the given order."""
    return sorted(dict.fromkeys(edit for edit in edits if not edit.path), key=lambda edit: (edit.start, edit.end))


def _edit(index: LineIndex, edit: Edit) -> tuple[Range, str]:
    return index.range_of(index.from_byte(edit.start), index.from_byte(edit.end)), edit.text.decode("utf-8")


def _smallest(index: LineIndex, before: bytes, after: bytes) -> tuple[tuple[Range, str], ...]:
    replacement = smallest_replacement(before.decode("utf-8"), after.decode("utf-8"))
    if replacement is None:
        return ()
    return ((index.range_of(replacement.start, replacement.end), replacement.text),)


def _other_file(
    analysis: Analysis, relative: str, before: bytes, after: bytes, client: Client, documents: Documents
) -> _FileEdit:
    assert analysis.opened is not None
    path = Path(os.path.normpath(analysis.opened.located.context.absolute() / relative))
    if not analysis.disk.holds(path):
        raise CannotEdit(f"`{path}` lies outside of the workspace")
    document = documents.at(path)
    there = os.path.lexists(path)
    if document is not None:
        now = document.index.source
        # a text that is open and not on disk was not seen by the analysis, and cannot be created
        if not there and now:
            raise CannotEdit(f"`{path.name}` is open and was never saved")
        version: int | None = document.version
        uri = document.uri
    else:
        now, version, uri = _on_disk(path) if there else b"", None, path.as_uri()
    if now != before:
        raise Stale(f"`{path.name}` is not any more what it was")
    try:
        edits = _smallest(LineIndex(before.decode("utf-8"), client.encoding), before, after)
    except UnicodeDecodeError:
        raise CannotEdit(f"`{path.name}` is no UTF-8 text") from None
    if not before and not client.versions:
        # Neovim takes an empty buffer for one empty line, and drops that only for an edit that reaches behind it
        edits = tuple((Range(Place(0, 0), Place(1, 0)), text) for _, text in edits)
    # a client that cannot be told to create it makes a buffer for it when it edits it
    return _FileEdit(uri, version, edits, create=not there and document is None and client.creates)


def _on_disk(path: Path) -> bytes:
    try:
        return read_file(path)
    except InputError as error:
        raise CannotEdit(f"`{path.name}` {error}") from error


def _workspace_edit(files: Sequence[_FileEdit], client: Client, confirm: str | None) -> types.WorkspaceEdit:
    if not client.versions:
        return types.WorkspaceEdit(changes={file.uri: [_text_edit(*edit) for edit in file.edits] for file in files})
    changes: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = []
    confirm = confirm if client.confirms else None
    for file in files:
        if file.create:
            # a file that came into being meanwhile makes the whole edit fail, as it should
            options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
            changes.append(types.CreateFile(uri=file.uri, options=options))
        changes.append(
            types.TextDocumentEdit(
                text_document=types.OptionalVersionedTextDocumentIdentifier(uri=file.uri, version=file.version),
                edits=[
                    _text_edit(*edit) if confirm is None else _annotated(*edit)
                    for edit in file.edits
                ],
            )
        )  # fmt: skip
    annotations = None
    if confirm is not None:
        annotations = {
            _ANNOTATION: types.ChangeAnnotation(label="changes the image", needs_confirmation=True, description=confirm)
        }
    return types.WorkspaceEdit(document_changes=changes, change_annotations=annotations)


def range_of(where: Range) -> types.Range:
    """Return a range in the types of the protocol."""
    return types.Range(types.Position(*where.start), types.Position(*where.end))


def _text_edit(where: Range, text: str) -> types.TextEdit:
    return types.TextEdit(range=range_of(where), new_text=text)


def _annotated(where: Range, text: str) -> types.AnnotatedTextEdit:
    return types.AnnotatedTextEdit(range=range_of(where), new_text=text, annotation_id=_ANNOTATION)
