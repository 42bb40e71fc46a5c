"""Versions of modules and of Go itself, compared and checked as the `go` command does.

Sources: `golang.org/x/mod/semver`, `golang.org/x/mod/module` (CanonicalVersion, SplitPathVersion, CheckPathMajor,
CheckImportPath) and `internal/gover` of Go 1.26.
"""

from __future__ import annotations

import re

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"v(?P<major>{_NUMBER})(?:\.(?P<minor>{_NUMBER})(?:\.(?P<patch>{_NUMBER})"
    rf"(?P<pre>-{_PRE}(?:\.{_PRE})*)?(?P<build>\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?"
)
#: what a `go` line may say (rule.go GoVersionRE)
GO_VERSION = re.compile(r"([1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?")
_MAJOR_SUFFIX = re.compile(r".*?/(v[0-9.]+)")
_GOPKG_IN = re.compile(r"gopkg\.in/.*?(\.v[0-9]+)(-unstable)?")
_WINDOWS_NAMES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))]
)

GoVersionKey = tuple[int, int, int, str, int]
SemverKey = tuple[int, int, int, int, int, tuple[tuple[int, int, str], ...]]


def canonical(version: str) -> str:
    """Return the full form of a semantic version (build metadata other than `+incompatible` cut off), "" if it is none."""
    found = _SEMVER.fullmatch(version)
    if found is None:
        return ""
    text = f"v{found['major']}.{found['minor'] or 0}.{found['patch'] or 0}{found['pre'] or ''}"
    return text + "+incompatible" if found["build"] == "+incompatible" else text


def semver_key(version: str) -> SemverKey:
    """Return a sort key of a module version (semver.Compare); what is no version comes before all versions."""
    found = _SEMVER.fullmatch(version)
    if found is None:
        return 0, 0, 0, 0, 0, ()
    numbers = (int(found["major"]), int(found["minor"] or 0), int(found["patch"] or 0))
    identifiers = found["pre"][1:].split(".") if found["pre"] else []
    # numbers come before words, and any pre-release before the release
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in identifiers)
    return 1, *numbers, 0 if parts else 1, parts


def path_major(path: str) -> str | None:
    """Return the major version that a module path ends in: `/v2`, `.v3` (gopkg.in) or "".

    None if the path cannot be one of a module, such as `example.com/a/v1`.
    """
    if path.startswith("gopkg.in/"):
        found = _GOPKG_IN.fullmatch(path)
        if found is None or (found[1].startswith(".v0") and found[1] != ".v0"):
            return None
        return found[1] + (found[2] or "")
    found = _MAJOR_SUFFIX.fullmatch(path)
    if found is None or found[1] == "v.":
        return "" if found is None else None
    suffix = found[1]
    if "." in suffix or suffix.startswith("v0") or suffix == "v1":
        return None
    return "/" + suffix


def fits_path(version: str, major: str) -> bool:
    """Tell whether a canonical version has the major version of its module path (CheckPathMajor)."""
    major = major.removesuffix("-unstable")
    if version.startswith("v0.0.0-") and major == ".v1":
        return True  # old pseudo-versions of gopkg.in
    own = version.partition(".")[0]
    return own in ("v0", "v1") or version.endswith("+incompatible") if not major else own == major[1:]


def import_path_problem(path: str) -> str | None:
    """Return why Go does not accept a module's own path (CheckImportPath), None if it does."""
    if not path:
        return "it is empty"
    if path.startswith("-"):
        return "it starts with a dash"
    if "//" in path or path.endswith("/") or path.startswith("/"):
        return "it has an empty element"
    for element in path.split("/"):
        if element.endswith("."):
            return f"the element `{element}` ends in a dot"
        if not all(char.isascii() and (char.isalnum() or char in "-._~+") for char in element):
            return f"the element `{element}` has a character that is not allowed"
        short = element.partition(".")[0]
        if short.lower() in _WINDOWS_NAMES or re.search(r"~[0-9]+$", short):
            return f"the element `{element}` is reserved on Windows"
    return None


def go_version_key(version: str) -> GoVersionKey:
    """Return a sort key of a Go version (gover.Compare): 1.21 < 1.21rc1 < 1.21.0, and 1.20 = 1.20.0.

    Raises ValueError if it is no Go version.
    """
    found = GO_VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"`{version}` is not a Go version")
    major, minor = int(found[1]), int(found[2])
    kind = found[5] or ""
    missing = 0 if (major, minor) < (1, 21) and not kind else -1
    number = re.search(r"[0-9]+$", kind)
    patch = int(found[4]) if found[4] is not None else missing
    return major, minor, patch, kind.rstrip("0123456789"), int(number[0]) if number else 0
