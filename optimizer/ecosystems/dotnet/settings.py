"""Settings that a project brings for `dotnet` and NuGet: `global.json`, `nuget.config`, response files, local package sources.

Sources: learn.microsoft.com, *global.json overview*, *nuget.config reference*, *Common NuGet configurations* and *MSBuild response files*.
"""

from __future__ import annotations

import posixpath
import re

from dockopt.optimizer.ecosystems.dotnet.view import Obstacle, View, resolved
from dockopt.optimizer.regions import below

#: the names that NuGet looks for where case counts, in its order (NuGet.Configuration, `Settings.OrderedSettingsFileNames`)
CONFIG_NAMES = ("nuget.config", "NuGet.config", "NuGet.Config")
#: sections of nuget.config that name no place in the file system
_HARMLESS = frozenset(
    "packagesourcecredentials apikeys disabledpackagesources activepackagesource trustedsigners packagesourcemapping packagerestore "
    "solution bindingredirects packagemanagement auditsources".split()
)
_HARMLESS_KEYS = frozenset(
    "dependencyversion http_proxy http_proxy.user http_proxy.password no_proxy signaturevalidationmode maxhttprequestspersource "
    "defaultpushsource updatepackagelastaccesstime".split()
)
_URL = re.compile(r"https?://", re.IGNORECASE)


def read_global_json(view: View, directory: str) -> None:
    """Note the `global.json` that counts for a directory: the first one there or above. Raises Obstacle."""
    path = view.nearest(directory, "global.json")
    if path is None:
        return
    sdk = view.json(path).get("sdk")
    if isinstance(sdk, dict) and "paths" in sdk:
        raise Obstacle("`paths` leads to SDKs in other directories", path)


def read_response_files(view: View, directory: str) -> None:
    """Refuse options that response files beside or above a project give to MSBuild. Raises Obstacle."""
    found = [path for path in (view.nearest(directory, "Directory.Build.rsp"),) if path is not None]
    beside = f"{directory.rstrip('/')}/MSBuild.rsp"
    found += [beside] if view.has(beside) else []
    for path in found:
        for number, line in enumerate(view.text(path).splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                raise Obstacle(f"`{line.strip()}` is an option of MSBuild that is not followed", path, number)


def read_configs(view: View, directory: str) -> None:
    """Note every nuget.config in a directory and above it, and the local sources that they name. Raises Obstacle."""
    for path in view.upward(directory, CONFIG_NAMES):
        read_config(view, path)


def read_config(view: View, path: str) -> None:
    """Note the local sources of one nuget.config. Raises Obstacle."""
    root = view.xml(path)
    if root.name != "configuration":
        raise Obstacle(f"the root element is `{root.name}`, not `configuration`", path, root.line)
    for section in root.children:
        name = section.name.lower()
        if name in _HARMLESS:
            continue
        if name not in ("packagesources", "config"):
            raise Obstacle(f"`{section.name}` may name directories that are not followed", path, section.line)
        for entry in section.children:
            if entry.name.lower() in ("clear", "remove"):
                continue
            key, value = entry.attributes.get("key", ""), entry.attributes.get("value", "")
            if name == "config":
                if key.lower() not in _HARMLESS_KEYS:
                    raise Obstacle(f"`{key}` may lead to directories that are not followed", path, entry.line)
            else:
                note_source(view, value, posixpath.dirname(path), path, entry.line)


def note_source(view: View, text: str, directory: str, path: str = "", line: int = 0) -> None:
    """Note a package source: a directory of the project counts with all its entries. Raises Obstacle."""
    text = text.strip()
    if not text or _URL.match(text):
        return
    if any(character in text for character in "%$:~") or text.startswith("\\\\"):
        raise Obstacle(f"the package source `{text}` is not followed", path, line)
    place = resolved(directory, text)
    if any(below(file, place) for file in view.files):
        raise Obstacle(f"the package source `{text}` holds the project itself", path, line)
    if any(below(place, root) for root in view.around.project_roots):
        view.exists(place, path, line)
