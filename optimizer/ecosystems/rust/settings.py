"""Settings that lie beside a project: `.cargo/config.toml`, and the toolchain that rustup is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dockopt.optimizer.ecosystems.rust.manifest import ManifestError, Table, line_of, parse_toml

#: names that cargo looks for in `.cargo` of the working directory, of each one above, and in CARGO_HOME
#: (The Cargo Book, "Configuration"); the first one wins where both are there
CONFIG_NAMES = ("config", "config.toml")
#: names that rustup looks for in the working directory and above (The rustup book, "Overrides")
TOOLCHAIN_NAMES = ("rust-toolchain", "rust-toolchain.toml")
_EXACT_CHANNEL = re.compile(r"\d+\.\d+\.\d+")


#: settings whose values may be paths below the project (The Cargo Book, "Configuration")
_PATHS = {
    "build": ("rustc", "rustc-wrapper", "rustc-workspace-wrapper", "target"),
    "http": ("cainfo", "proxy-cainfo"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """What one configuration file of cargo says that matters for downloads and for where things are built."""

    offline_line: int = 0  #: `net.offline = true`
    source_line: int = 0  #: a `[source]` is replaced, by a vendored directory most often
    target_dir: str | None = None
    target_line: int = 0
    #: a key that makes cargo read other files of the project, or start its programs, even for a download
    other: str | None = None
    other_line: int = 0


def parse_config(data: bytes) -> Config:
    """Read a configuration file of cargo. Raises ManifestError."""
    toml = parse_toml(data, "config.toml")
    source = _table(toml, "source", data)
    replaced = any(isinstance(value, dict) and "replace-with" in value for value in source.values())
    target_dir = _table(toml, "build", data).get("target-dir")
    other = _reaching_out(toml)
    return Config(
        line_of(data, "offline") if _table(toml, "net", data).get("offline") is True else 0,
        (line_of(data, "replace-with") or 1) if replaced else 0,
        target_dir if isinstance(target_dir, str) else None,
        line_of(data, "target-dir"),
        other,
        line_of(data, other) if other else 0,
    )


def _reaching_out(toml: dict[str, Any]) -> str | None:
    """Return the key of a setting that leads to other files (cargo starts `rustc -vV` before it fetches, so wrappers count)."""
    for key in ("include", "paths", "patch"):
        if key in toml:
            return key
    for table, keys in _PATHS.items():
        value = toml.get(table)
        for key in keys if isinstance(value, dict) else ():
            path = value.get(key) if isinstance(value, dict) else None
            if path is not None and not (isinstance(path, str) and "/" not in path and not path.endswith(".json")):
                return key
    registries = toml.get("registries")
    tables = [toml.get("registry"), *(registries.values() if isinstance(registries, dict) else ())]
    if any(isinstance(table, dict) and any("credential" in key for key in table) for table in tables):
        return "credential-provider"
    return None


def _table(toml: dict[str, Any], key: str, data: bytes) -> Table:
    value = toml.get(key, {})
    if not isinstance(value, dict):
        raise ManifestError(f"`{key}` is no table", line_of(data, key))
    return value


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a toolchain file asks rustup for."""

    channel: str
    #: it names components, targets or a profile, which rustup may have to add
    more: bool
    line: int

    def is_there(self, version: str | None) -> bool:
        """Tell whether it surely is the toolchain of an official image of that version: rustup installs nothing then."""
        return not self.more and _EXACT_CHANNEL.fullmatch(self.channel) is not None and self.channel == version


def parse_toolchain(data: bytes) -> Toolchain:
    """Read `rust-toolchain` (one line, or TOML) or `rust-toolchain.toml`. Raises ManifestError."""
    text = data.decode("utf-8", "replace").strip()
    if "\n" not in text and "=" not in text and "[" not in text:
        return Toolchain(text, False, 1)
    toml = parse_toml(data, "rust-toolchain.toml")
    table = _table(toml, "toolchain", data)
    channel = table.get("channel")
    if not isinstance(channel, str):
        raise ManifestError("it names no channel", line_of(data, "toolchain"))
    return Toolchain(channel, bool(table.keys() - {"channel"}), line_of(data, "channel"))
