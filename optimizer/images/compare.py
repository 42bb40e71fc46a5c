"""How two images differ: settings of the configuration, and paths."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from dockopt.optimizer.images.archive import Image
from dockopt.optimizer.images.documents import LISTS, MAPS, TEXTS
from dockopt.optimizer.images.layers import Contents, Entry


class Difference(NamedTuple):
    """One path or setting (`config Env PATH`) that is not the same, and how, in words."""

    where: str
    what: str
    #: "added", "removed", "changed", or "owner" where nothing but the owner changed
    kind: str = "changed"
    #: what is, or was, at the path: the kind of an entry (`layers.Entry`)
    entry: str = ""

    @property
    def is_setting(self) -> bool:
        """Tell whether it is a setting and no path."""
        return self.where.startswith("config ")


def settings(image: Image) -> dict[str, str]:
    """Return what a container gets of an image's configuration, by name; absent and empty are the same, and so is `/` as directory."""
    config: dict[str, Any] = image.config.get("config") or {}
    found: dict[str, str] = {}
    for entry in config.get("Env") or ():
        name, _, value = str(entry).partition("=")
        found[f"Env {name}"] = value
    for name in TEXTS:
        # without a directory a container begins in `/`, which BuildKit writes down and other builders do not
        if config.get(name) and (name, config[name]) != ("WorkingDir", "/"):
            found[name] = str(config[name])
    for name in LISTS:
        if config.get(name):
            found[name] = json.dumps(config[name])
    for name in MAPS:
        for key, value in (config.get(name) or {}).items():
            found[f"{name} {key}"] = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return found | {name: str(image.config[name]) for name in ("architecture", "os") if image.config.get(name)}


def differences(before: Image, after: Image, masked: Collection[str] = ()) -> list[Difference]:
    """Return all differences but those at masked paths, settings first, then in the order of paths.

    Left out, too, are files in one of the images that nothing but numbers in their names tells from several masked ones.
    """
    return [*_of_settings(before, after), *_of_paths(before.contents, after.contents, masked)]


def differing_paths(one: Contents, two: Contents) -> frozenset[str]:
    """Return the paths at which two images are not the same."""
    return frozenset(path for path in one.keys() | two.keys() if not _same(one.get(path), two.get(path)))


def _of_settings(before: Image, after: Image) -> Iterator[Difference]:
    old, new = settings(before), settings(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            kind = "added" if name not in old else "removed" if name not in new else "changed"
            yield Difference(f"config {name}", _change(old.get(name), new.get(name)), kind)


def _change(old: str | None, new: str | None) -> str:
    if old is None:
        return f"only in the second image: {new}"
    if new is None:
        return f"only in the first image: {old}"
    return f"{old} became {new}"


def _same(one: Entry | None, two: Entry | None) -> bool:
    # the size of a file is part of its content
    return one == two


def _stamp(path: str) -> str:
    """Return a path with its numbers made equal: `log-2026-11` and `log-2027-12` are the same then."""
    return re.sub(r"\d", "0", path)


def _of_paths(one: Contents, two: Contents, masked: Collection[str]) -> Iterator[Difference]:
    counted = Counter(map(_stamp, masked))
    for path in sorted(differing_paths(one, two) - frozenset(masked)):
        old, new = one.get(path), two.get(path)
        if (old is None or new is None) and counted[_stamp(path)] > 1:
            continue  # each build of the original gave it another name, after the time (`_logs` of npm)
        if old is None or new is None:
            present = old or new
            assert present is not None
            which = "second" if old is None else "first"
            kind = "added" if old is None else "removed"
            yield Difference(path, f"only in the {which} image ({_described(present)})", kind, present.kind)
        else:
            kind = "owner" if old._replace(uid=new.uid, gid=new.gid) == new else "changed"
            yield Difference(path, ", ".join(_changes(old, new)), kind, new.kind)


def _described(entry: Entry) -> str:
    return f"{entry.kind}, {entry.mode:04o}, {entry.uid}:{entry.gid}"


def _changes(old: Entry, new: Entry) -> Iterator[str]:
    if old.kind != new.kind:
        yield f"{old.kind} became {new.kind}"
    if old.mode != new.mode:
        yield f"mode {old.mode:04o} became {new.mode:04o}"
    if (old.uid, old.gid) != (new.uid, new.gid):
        yield f"owner {old.uid}:{old.gid} became {new.uid}:{new.gid}"
    if old.kind == new.kind and old.content != new.content:
        if old.kind == "file":
            yield f"content ({old.size} bytes) became other content ({new.size} bytes)"
        else:
            yield f"{old.content} became {new.content}"
    if old.attributes != new.attributes:
        yield "extended attributes changed"
