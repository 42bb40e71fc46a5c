"""How large an image is, instruction by instruction, and what of it nobody needs.

Sizes are bytes of files, not compressed, as the layers have them: what one layer brings and a later one hides is stored and sent too.
A hard link and a directory count nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dockopt.optimizer.images.archive import Image
from dockopt.optimizer.images.layers import Layer, owners
from dockopt.optimizer.lineage import made_by
from dockopt.optimizer.syntax import Dockerfile, Instruction


class LayerSize(NamedTuple):
    """One layer with the instruction that made it."""

    instruction: str
    bytes: int
    files: int
    #: line of the instruction in the Dockerfile, None for one of the base image or where there is no Dockerfile
    line: int | None = None
    #: surely made by the base image
    base: bool = False


class Saving(NamedTuple):
    """What lies in the image and need not."""

    what: str
    #: a directory that has most of it, or all
    where: str
    bytes: int
    files: int
    #: rewrites that can help, as ids
    rewrites: tuple[str, ...]
    remedy: str


@dataclass(frozen=True, slots=True)
class ImageSize:
    """The size of an image."""

    layers: tuple[LayerSize, ...]
    savings: tuple[Saving, ...]

    @property
    def bytes(self) -> int:
        """Bytes of all layers."""
        return sum(layer.bytes for layer in self.layers)


class _Kind(NamedTuple):
    what: str
    #: matches a path from its beginning; the match is the directory
    place: re.Pattern[str]
    rewrites: tuple[str, ...]
    remedy: str
    #: it counts in layers of the base image, too: another base has it not
    base: bool = False


def _kind(what: str, place: str, rewrites: str, remedy: str, *, base: bool = False) -> _Kind:
    return _Kind(what, re.compile(rf"(?:{place})(?=/|$)"), tuple(rewrites.split()), remedy, base)


_HOME = r"/(?:root|home/[^/]+)"
_IN_A_BUILDER = "copy the results into a stage of their own"
#: the first one that fits counts
_KINDS = (
    _kind("package lists of apt", "/var/lib/apt/lists", "apt-hygiene merge-runs", "remove them in the RUN that fetched them"),
    _kind("packages that apt downloaded", "/var/cache/apt", "", "`apt-get clean` in the RUN that fetched them"),
    _kind("index of apk", "/var/cache/apk|/etc/apk/cache", "apt-hygiene", "`apk add --no-cache`"),
    _kind("cache of dnf or yum", "/var/cache/(?:dnf|libdnf5|yum)", "apt-hygiene merge-runs", "`clean all` in the RUN that installs"),
    _kind("cache of zypper", "/var/cache/zypp", "", "`zypper clean --all` in the RUN that installs"),
    _kind("cache of pip", rf"{_HOME}/\.cache/pip", "apt-hygiene", "`pip install --no-cache-dir`, or a cache mount"),
    _kind("cache of uv", rf"{_HOME}/\.cache/uv", "", "`uv --no-cache`, or a cache mount"),
    _kind("cache of npm", rf"{_HOME}/\.npm", "", "`npm cache clean --force` in the RUN that installs, or a cache mount"),
    _kind("cache of yarn", rf"{_HOME}/(?:\.cache/yarn|\.yarn/berry)|/usr/local/share/\.cache/yarn", "",
          "`yarn cache clean` in the RUN that installs, or a cache mount"),
    _kind("store of pnpm", rf"{_HOME}/\.local/share/pnpm/store", "", "a cache mount"),
    _kind("caches of bundlers and compilers", r"(?:/[^/]+)*/node_modules/\.cache", "multi-stage", _IN_A_BUILDER),
    _kind("history of the project", r"(?:/[^/]+)*/\.git", "ignore-files", "keep it out of the context, or out of the last stage"),
    _kind("build cache of Go", rf"{_HOME}/\.cache/go-build", "cache-mounts multi-stage", "a cache mount"),
    _kind("modules of Go", "/go/pkg/mod", "multi-stage", _IN_A_BUILDER),
    _kind("crates", rf"(?:/usr/local/cargo|{_HOME}/\.cargo)/(?:registry|git)", "cache-mounts multi-stage", "a cache mount"),
    _kind("repository of Maven", rf"{_HOME}/\.m2/repository", "multi-stage", _IN_A_BUILDER),
    _kind("caches of Gradle", rf"(?:{_HOME}|/home/gradle)/\.gradle/(?:caches|wrapper)", "multi-stage", _IN_A_BUILDER),
    _kind("gems as they were downloaded", r"/usr/local/bundle/cache|(?:/[^/]+)*/vendor/bundle/ruby/[^/]+/cache", "",
          "remove them in the RUN that installs"),
    _kind("toolchain of Go", "/usr/local/go", "multi-stage", _IN_A_BUILDER, base=True),
    _kind("toolchain of Rust", rf"/usr/local/(?:rustup|cargo)|{_HOME}/\.(?:rustup|cargo)", "multi-stage", _IN_A_BUILDER, base=True),
    _kind("compilers for C", r"/usr/(?:local/)?lib(?:exec)?/gcc|/usr/lib/llvm[^/]*", "multi-stage", _IN_A_BUILDER, base=True),
)  # fmt: skip
#: less than this is not worth a line
_LEAST = 10_000


def measure(image: Image, dockerfile: Dockerfile | None = None, target: str | None = None) -> ImageSize:
    """Return the size of an image, and what of it is there in vain.

    The Dockerfile that made it, and the stage of it that was built, name lines, and tell what is of the base image.
    """
    made = _instructions(image, () if dockerfile is None else made_by(dockerfile, target))
    layers = tuple(
        LayerSize(text, layer.size, sum(entry.kind == "file" for entry in layer.entries.values()), line, base)
        for (text, line, base), layer in zip(made, image.layers, strict=True)
    )
    owner = owners(image.layers)
    savings = [*_hidden(image.layers, layers, owner), *_needless(image.layers, layers, owner)]
    return ImageSize(layers, tuple(sorted(savings, key=lambda saving: -saving.bytes)))


# -- layers and instructions -----------------------------------------------------------------------------------------


def instruction_of(created_by: str) -> str:
    """Return the instruction of an entry of the history, as BuildKit, the classic builder and buildah write it."""
    text = " ".join(created_by.split()).removesuffix(" # buildkit")
    nop = re.match(r"(?:\|\d+ .*?)?(?:/bin/sh -c )?#\(nop\) *", text)
    if nop is not None:
        return text[nop.end() :]
    build_arguments = re.match(r"(RUN )?\|\d+ .*?(?=/bin/(?:ba|a|da)?sh )", text)
    if build_arguments is not None:
        text = "RUN " + text[build_arguments.end() :]
    shell = re.match(r"(?:RUN )?/bin/sh -c ", text)
    return "RUN " + text[shell.end() :] if shell is not None else text


def _instructions(image: Image, exported: Sequence[Instruction]) -> list[tuple[str, int | None, bool]]:
    """Return for each layer its instruction, its line, and whether it is surely the base's."""
    history = [entry for entry in image.config.get("history") or () if isinstance(entry, dict)]
    texts = [instruction_of(str(entry.get("created_by", ""))) for entry in history]
    lines: list[int | None] = [None] * len(history)
    of_base = [False] * len(history)
    first = len(history) - len(exported)
    if exported and first >= 0 and all(_is(text, i) for text, i in zip(texts[first:], exported, strict=True)):
        lines[first:] = [instruction.start_line for instruction in exported]
        of_base[:first] = [True] * first
    rows = [
        (text or "(not told)", line, base)
        for entry, text, line, base in zip(history, texts, lines, of_base, strict=True)
        if not entry.get("empty_layer")
    ]
    if len(rows) != len(image.layers):
        return [(f"layer {number}", None, False) for number in range(1, len(image.layers) + 1)]
    return rows


def _is(text: str, instruction: Instruction) -> bool:
    return text.partition(" ")[0].upper() == instruction.keyword


# -- what is there in vain -------------------------------------------------------------------------------------------


def _hidden(layers: Sequence[Layer], sizes: Sequence[LayerSize], owner: Mapping[str, int]) -> Iterator[Saving]:
    """Yield what a layer brings and a later one removes or replaces."""
    for index, layer in enumerate(layers):
        if sizes[index].base:
            continue
        hidden = {
            path: entry.size
            for path, entry in layer.entries.items()
            if entry.kind == "file" and entry.size and owner.get(path) != index
        }
        if sum(hidden.values()) >= _LEAST:
            line = sizes[index].line
            place = f"line {line}" if line is not None else f"`{sizes[index].instruction[:40]}`"
            yield Saving(
                f"removed or replaced above the layer of {place}",
                _common(hidden),
                sum(hidden.values()),
                len(hidden),
                ("merge-runs",),
                "remove it in the instruction that makes it",
            )


def _needless(layers: Sequence[Layer], sizes: Sequence[LayerSize], owner: Mapping[str, int]) -> Iterator[Saving]:
    """Yield what lies in places that only build tools need, of the files that the image still has."""
    found: dict[_Kind, dict[str, int]] = {}
    for path, index in owner.items():
        entry = layers[index].entries[path]
        if entry.kind != "file":
            continue
        kind = next((kind for kind in _KINDS if kind.place.match(path)), None)
        if kind is not None and (kind.base or not sizes[index].base):
            found.setdefault(kind, {})[path] = entry.size
    for kind, paths in found.items():
        total = sum(paths.values())
        if total >= _LEAST:
            places = {match[0] for path in paths if (match := kind.place.match(path)) is not None}
            place = places.pop() if len(places) == 1 else _common(paths)
            yield Saving(kind.what, place, total, len(paths), kind.rewrites, kind.remedy)


def _common(paths: Iterable[str]) -> str:
    """Return the deepest directory that holds all paths."""
    split = [path.split("/")[:-1] for path in paths]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared) or "/"
