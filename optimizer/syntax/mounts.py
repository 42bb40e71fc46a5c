"""RUN --mount and --device values: BuildKit's `instructions/commands_runmount.go`, `commands_rundevice.go` and go-csvvalue."""

from __future__ import annotations

import re

from dockopt.optimizer.syntax.gotext import encode, lower, quote
from dockopt.optimizer.syntax.tree import Mount

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_WITHOUT_VALUE = frozenset({"readonly", "ro", "readwrite", "rw", "required"})
_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}
_KEYS = frozenset("type from source target readonly readwrite id sharing required size mode uid gid env".split())
_TRUE, _FALSE = (
    frozenset({"1", "t", "T", "TRUE", "true", "True"}),
    frozenset({"0", "f", "F", "FALSE", "false", "False"}),
)
_SIZE = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+) ?[kKmMgGtTpP]?[iI]?[bB]?")


class MountError(ValueError):
    """A --mount or --device value that BuildKit refuses when it parses the file."""


def _column(line: str, at: int) -> int:
    """Go counts columns in bytes."""
    return len(encode(line[:at])) + 1


def csv_fields(line: str) -> list[str]:
    """Split one line of CSV as go-csvvalue does. Raises MountError."""
    if line.endswith("\n"):
        line = line[: -2 if line.endswith("\r\n") else -1]
    if not line:
        raise MountError("EOF")
    fields: list[str] = []
    at = 0
    while True:
        if not line.startswith('"', at):
            comma = line.find(",", at)
            field = line[at : comma if comma >= 0 else len(line)]
            if '"' in field:
                column = _column(line, at + field.index('"'))
                raise MountError(f'parse error on line 1, column {column}: bare " in non-quoted-field')
            fields.append(field)
            if comma < 0:
                return fields
            at = comma + 1
            continue
        at += 1
        parts: list[str] = []
        while True:
            end = line.find('"', at)
            if end < 0:
                raise MountError(
                    f'parse error on line 1, column {_column(line, at)}: extraneous or missing " in quoted-field'
                )
            parts.append(line[at:end])
            at = end + 1
            if line.startswith('"', at):
                parts.append('"')
                at += 1
                continue
            fields.append("".join(parts))
            if at == len(line):
                return fields
            if not line.startswith(",", at):
                raise MountError(
                    f'parse error on line 1, column {_column(line, at - 1)}: extraneous or missing " in quoted-field'
                )
            at += 1
            break


def parse_mount(raw: str) -> Mount:
    """Read a --mount value. Raises MountError for what is an error before variables are expanded."""
    try:
        fields = csv_fields(raw)
    except MountError as error:
        raise MountError(f"failed to parse csv mounts: {error}") from None
    options: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        key = lower(key)
        if equals and key == "from" and "$" in value[:-1]:
            raise MountError("'from' doesn't support variable expansion, define alias stage instead")
        options.pop(key, None)
        options[key] = value if equals else "true"
    meaning = _Meaning()
    for field in fields:
        meaning.add(field)
    meaning.finish()
    known = meaning.values
    return Mount(
        known.get("type", "bind").lower(),
        known.get("target") or None,
        known.get("source") or None,
        known.get("from") or None,
        known.get("id") or None,
        known.get("sharing", "").lower() or None,
        meaning.readonly,
        options,
        raw,
        meaning.error,
    )


class _Meaning:
    """The fields of a mount in order, with the first error that running it would give."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.readonly: bool | None = None
        self.automatic = True
        self.open = False  # a value holds a variable: errors depend on it
        self.error: str | None = None

    def _refuse(self, message: str) -> None:
        self.error = self.error or message

    def add(self, field: str) -> None:
        written, equals, value = field.partition("=")
        written = lower(written)
        key = _ALIASES.get(written, written)
        if not equals and written not in _WITHOUT_VALUE:
            self._refuse(f"invalid field '{field}' must be a key=value pair")
            return
        if key not in _KEYS:
            self._refuse(f"unexpected key '{written}' in '{field}'")
            return
        kind = self.values.get("type", "bind").lower()
        misplaced = (key == "required" and kind not in ("secret", "ssh")) or (key == "size" and kind != "tmpfs")
        if misplaced and "$" not in kind:
            self._refuse(f"unexpected key '{written}' for mount type '{kind}'")
        self.values[key] = value
        if "$" in value:
            self.open = True
            if key in ("readonly", "readwrite"):
                self.readonly, self.automatic = None, False
            return
        self._check(key, written, value if equals else "true", kind)

    def _check(self, key: str, written: str, value: str, kind: str) -> None:
        if key in ("readonly", "readwrite", "required"):
            if value not in _TRUE and value not in _FALSE:
                self._refuse(f"invalid value for {written}: {value}")
            elif key != "required":
                self.readonly, self.automatic = (value in _TRUE) == (key == "readonly"), False
        elif key == "type" and value.lower() not in _TYPES:
            self._refuse(f"unsupported mount type {quote(value)}")
        elif key == "sharing" and value.lower() not in _SHARING:
            self._refuse(f"unsupported sharing value {quote(value)}")
        elif key == "size" and kind == "tmpfs" and not _SIZE.fullmatch(value):
            self._refuse(f"invalid value for {written}: {value}")
        elif key == "mode" and not (re.fullmatch("[0-7]+", value) and int(value, 8) < 1 << 32):
            self._refuse(f"invalid value {value} for mode")
        elif key in ("uid", "gid") and not (re.fullmatch("[0-9]{1,20}", value) and int(value) < 1 << 32):
            self._refuse(f"invalid value {value} for {key}")

    def finish(self) -> None:
        """Check what holds between the fields."""
        values = self.values
        kind = values.get("type", "bind").lower()
        if "$" in kind:
            self.readonly = None if self.automatic else self.readonly
            return
        for key in ("mode", "uid", "gid"):
            if key in values and kind in ("bind", "tmpfs"):
                self._refuse(f"{key} not allowed for {quote(kind)} type mounts")
        if self.automatic:
            self.readonly = kind not in ("cache", "tmpfs")
        if kind == "secret":
            if values.get("from"):
                self._refuse("secret mount should not have a from")
            if values.get("sharing"):
                self._refuse("secret mount should not define sharing")
            if not (values.get("source") or values.get("target") or values.get("id")):
                self._refuse("invalid secret mount. one of source, target required")
            if values.get("source") and values.get("id") and not self.open:
                self._refuse("both source and id can't be set")
        elif values.get("sharing") and kind != "cache":
            self._refuse(f"invalid cache sharing set for {kind} mount")


def check_device(raw: str) -> None:
    """Check a --device value. Raises MountError."""
    try:
        fields = csv_fields(raw)
    except MountError as error:
        raise MountError(f"failed to parse csv devices: {error}") from None
    name = ""
    for field in fields:
        key, equals, value = field.partition("=")
        key = lower(key)
        if not equals:
            if key == "required":
                continue
            if name:
                raise MountError(f"invalid field '{field}' must be a key=value pair")
            name = field
        elif key == "name":
            if name:
                raise MountError(f"device name already set to {name}")
            name = value
        elif key == "required":
            if value not in _TRUE and value not in _FALSE:
                raise MountError(f"invalid value for {key}: {value}")
        elif name:
            raise MountError(f"unexpected key '{key}' in '{field}'")
        else:
            name = field
