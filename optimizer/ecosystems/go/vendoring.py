"""Reads vendor/modules.txt: whether builds take their dependencies from `vendor` instead of downloading them.

Source: `cmd/go/internal/modload` (`setDefaultBuildMod`, `modulesTextIsForWorkspace`, `readVendorList`) of Go 1.26.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockopt.optimizer.ecosystems.go.versions import canonical, go_version_key


@dataclass(frozen=True, slots=True)
class VendoredModule:
    """One module of vendor/modules.txt."""

    path: str
    version: str  #: "" for a replacement of every version
    explicit: bool
    replacement: tuple[str, str] | None  #: path and version ("" for a directory)
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VendorList:
    """A vendor/modules.txt file."""

    workspace: bool  #: written by `go work vendor`
    modules: tuple[VendoredModule, ...]


def parse_modules_txt(data: bytes) -> VendorList:
    """Parse vendor/modules.txt; lines that Go does not understand are passed over, as Go does."""
    lines = data.decode("utf-8", "replace").split("\n")
    workspace = _annotations(lines[0]) is not None and "workspace" in (_annotations(lines[0]) or ())
    modules: list[_Draft] = []
    current: _Draft | None = None
    for line in lines:
        if line.startswith("# "):
            current = _module_line(line.split())
            if current is not None:
                modules.append(current)
        elif current is not None:
            notes = _annotations(line)
            if notes is not None:
                current.explicit |= "explicit" in notes
            elif len(words := line.split()) == 1:
                current.packages.append(words[0])
    return VendorList(workspace, tuple(draft.finished() for draft in modules))


def builds_from_vendor(
    go: str | None, modules_txt: bytes | None, *, has_directory: bool, workspace: bool = False
) -> bool:
    """Tell whether builds take `-mod=vendor` when no `-mod` is given.

    `go` is the version that go.mod (in a workspace go.work) states, None without such a line. The directory alone counts, even
    without modules.txt: this is how Go 1.26 decides.
    """
    if not has_directory or go is None or go_version_key(go) < go_version_key("1.14"):
        return False
    for_workspace = modules_txt is not None and parse_modules_txt(modules_txt).workspace
    return for_workspace == workspace


class _Draft:
    def __init__(self, path: str, version: str, replacement: tuple[str, str] | None) -> None:
        self.path, self.version, self.replacement = path, version, replacement
        self.explicit = False
        self.packages: list[str] = []

    def finished(self) -> VendoredModule:
        return VendoredModule(self.path, self.version, self.explicit, self.replacement, tuple(self.packages))


def _annotations(line: str) -> tuple[str, ...] | None:
    if not line.startswith("## "):
        return None
    return tuple(entry.strip() for entry in line[3:].split(";"))


def _module_line(words: list[str]) -> _Draft | None:
    if len(words) < 3:
        return None
    if canonical(words[2]):
        version, rest = words[2], words[3:]
    elif words[2] == "=>":
        version, rest = "", words[2:]
    else:
        return None
    replacement: tuple[str, str] | None = None
    if rest[:1] == ["=>"] and len(rest) == 2:
        replacement = (rest[1], "")
    elif rest[:1] == ["=>"] and len(rest) == 3 and canonical(rest[2]):
        replacement = (rest[1], rest[2])
    return _Draft(words[1], version, replacement)
