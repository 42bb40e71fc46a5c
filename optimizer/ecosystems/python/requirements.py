"""Requirements files as pip reads them: which files they name, and how far their result depends on the world.

Follows pip 26 (`pip/_internal/req/req_file.py`, `req/constructors.py`): a nested `-r` or `-c` is relative to the file that names it,
a path of a requirement to the working directory, `--find-links` to the file if that exists there, else to the working directory.
"""

from __future__ import annotations

import optparse
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import join

_COMMENT = re.compile(r"(^|\s+)#.*$")
_COMMENT_LINE = re.compile(r"\s*#")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ARCHIVES = (
    ".zip",
    ".whl",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RELEASE_TAG = re.compile(r"[A-Za-z_-]*\d+(\.\d+)+([._-]?[A-Za-z0-9]+)*")
_HASH = re.compile(r"(?:^|&)(sha224|sha256|sha384|sha512)=[0-9a-f]+")
#: a file that is larger is no list of requirements that somebody maintains
_LIMIT = 4 << 20


@dataclass
class Requirements:
    """What some requirements need beside an index of packages. Paths are those of the image."""

    #: files that are read: lists, archives, manifests; the first one is the one that was named first
    files: list[str] = field(default_factory=list)
    #: looked for and not there
    absent: list[str] = field(default_factory=list)
    #: directories that are listed (`--find-links`)
    trees: list[str] = field(default_factory=list)
    #: variables that the files expand
    variables: list[str] = field(default_factory=list)
    #: all of them are checked against hashes
    hashed: bool = False
    #: the most uncertain thing that they name, and where that stands
    world: World = World.LOCKED
    cause: tuple[str, str, int] | None = None

    def note(self, world: World, reason: str, path: str, line: int) -> None:
        """Remember how far a requirement depends on the world."""
        if world > self.world:
            self.world, self.cause = world, (reason, path, line)

    @property
    def result(self) -> World:
        """How far the result depends on the world: hashes fix every package."""
        return World.LOCKED if self.hashed and self.world < World.FREE else self.world


class Reader:
    """Reads requirements files and single requirements into one `Requirements`. Raises Obstacle."""

    def __init__(self, around: Surroundings, *, local: bool = True) -> None:
        """Read what lies at one place; without `local`, requirements that are paths are refused."""
        self.around, self._paths_known = around, local
        self.found = Requirements()
        self._open: list[str] = []
        #: how many files were named by the command itself
        self._named = 0

    # -- files -----------------------------------------------------------------------------------------------------

    def file(self, name: str, base: str | None, *, path: str = "", line: int = 0, top: bool = False) -> None:
        """Read a list of requirements; `name` is relative to the directory `base`."""
        if _SCHEME.match(name):
            raise Obstacle(f"the list of requirements `{name}` is fetched from elsewhere", path, line)
        target = self._resolve(name, base, path, line)
        if target in self._open:
            raise Obstacle(f"`{posixpath.basename(target)}` includes itself", path, line)
        if posixpath.basename(target).startswith("pylock.") and target.endswith(".toml"):
            raise Obstacle("installing from `pylock.toml` is not modelled", path or target, line)
        text = decoded(read(self.around, target, path, line), target)
        if target not in self.found.files:
            self.found.files.insert(self._named if top else len(self.found.files), target)
            self._named += top
        self._open.append(target)
        for number, content in self._lines(text):
            self.line(target, number, content)
        self._open.pop()

    def _resolve(self, name: str, base: str | None, path: str, line: int) -> str:
        if name.startswith("~"):
            raise Obstacle(f"`{name}` lies in a home directory", path, line)
        if not name.startswith("/") and base is None:
            raise Obstacle(
                f"`{name}` is relative to a working directory that is not known before the build", path, line
            )
        return join(base or "/", name)

    def _lines(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield logical lines without comments, variables expanded where their value is known (`preprocess` of pip)."""
        joined: list[str] = []
        first = 0
        physical = text.splitlines()
        for number, line in enumerate(physical, start=1):
            is_comment = _COMMENT_LINE.match(line) is not None
            if line.endswith("\\") and not is_comment and number < len(physical):
                first = first if joined else number
                joined.append(line.strip("\\"))
                continue
            whole = "".join([*joined, " " + line if is_comment else line.rstrip("\\")])
            start = first if joined else number
            joined = []
            content = _COMMENT.sub("", whole).strip()
            if content:
                yield start, content

    def line(self, path: str, number: int, content: str) -> None:
        """Note one line of a requirements file."""
        for name in _VARIABLE.findall(content):
            self.found.variables.append(name)
            known, value = self.around.variable(name)
            if known and value:
                content = content.replace(f"${{{name}}}", value)
        requirement, options = self._options(path, number, content)
        if requirement:
            self.requirement(requirement, path, number, hashed=bool(options.hashes))
            return
        base = posixpath.dirname(path)
        nested = [
            *(options.requirements or [])[:1],
            *((options.constraints or [])[:1] if not options.requirements else []),
        ]
        for name in (*nested, *options.editables, *options.find_links):
            if _VARIABLE.search(name):
                raise Obstacle(f"`{name}` is not known before the build", path, number)
        if nested:
            self.file(nested[0], base, path=path, line=number)
        elif options.editables:
            self.editable(options.editables[0], path, number)
        if options.require_hashes:
            self.found.hashed = True
        for name in options.find_links[:1]:
            self.find_links(name, path, number, base=base)
        for name in (*(options.index_url or ()), *(options.extra_index_url or ())):
            self.index(name, path, number)

    def _options(self, path: str, number: int, content: str) -> tuple[str, optparse.Values]:
        """Split a line into a requirement and options (`break_args_options`, then optparse as pip uses it)."""
        words = content.split(" ")
        cut = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
        parser = _parser()
        try:
            options, rest = parser.parse_args(shlex.split(" ".join(words[cut:])))
        except (ValueError, _OptionError) as error:
            raise Obstacle(f"a line is not understood: {str(error).lower()}", path, number) from None
        if rest:
            raise Obstacle(f"`{rest[0]}` behind an option is not understood", path, number)
        return " ".join(words[:cut]).strip(), options

    # -- single requirements ---------------------------------------------------------------------------------------

    def find_links(self, name: str, path: str = "", line: int = 0, *, base: str | None = None) -> None:
        """Note a place where archives are looked for, beside the index."""
        if _SCHEME.match(name):
            if name.startswith("file:"):
                raise Obstacle(f"`--find-links {name}` is not modelled; write a path", path, line)
            return
        if not self._paths_known:
            raise Obstacle(f"`--find-links {name}` is not modelled for this tool", path, line)
        candidates = [] if base is None else [self._resolve(name, base, path, line)]
        candidates.append(self._resolve(name, self.around.cwd, path, line))
        for target in dict.fromkeys(candidates):
            kind = self.around.kind(target)
            if kind == "absent":
                self.found.absent.append(target)
            elif kind == "directory":
                self.found.trees.append(target)
                return
            elif kind == "file" and self.around.context_path(target) is not None:
                raise Obstacle(f"the page of links `{target}` may name more files", path or target, line)
            else:
                raise Obstacle(f"it is not certain what `--find-links {name}` finds", path, line)

    def index(self, name: str, path: str = "", line: int = 0) -> None:
        """Refuse an index that is a directory (`pip/_internal/index/sources.py`): any page and archive in it may be read."""
        if not is_remote_index(name):
            raise Obstacle(f"the index `{name}` is a directory, and what is read of it is not followed", path, line)

    def editable(self, name: str, path: str = "", line: int = 0) -> None:
        """Refuse an editable requirement: it is the project itself, or is cloned into the working directory."""
        if _SCHEME.match(name):
            raise Obstacle(f"`-e {name}` is cloned into `./src`, next to the project's own files", path, line)
        raise Obstacle(f"`-e {name}` installs files of the project itself, so all of them have to be there", path, line)

    def requirement(self, text: str, path: str = "", line: int = 0, *, hashed: bool = False) -> None:
        """Note one requirement: a name with a version, an URL, an archive or a directory of the project."""
        from packaging.requirements import InvalidRequirement, Requirement

        if hashed:
            self.found.hashed = True
        name = _without_extras(text)
        if _SCHEME.match(name) and " @ " not in text:
            self._url(name, path, line)
            return
        if "/" in name.split(" @ ")[0].split(";")[0] or name.startswith("."):
            self._local(name.split(";")[0].strip(), path, line)
            return
        if name.endswith(_ARCHIVES) and " " not in name:
            self._local(name, path, line)
            return
        try:
            parsed = Requirement(text)
        except InvalidRequirement:
            # old pip took versions that PEP 440 does not know; their names say where they come from all the same
            if (
                not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^]]*\])?\s*([<>=!~(;]|$)", text)
                or "@" in text.split(";", maxsplit=1)[0]
            ):
                raise Obstacle(f"the requirement `{text}` is not understood", path, line) from None
            self.found.note(World.REPOSITORY, "", path, line)
            return
        if parsed.url is None:
            self.found.note(World.REPOSITORY, "", path, line)
        else:
            self._url(parsed.url, path, line)

    def _url(self, url: str, path: str, line: int) -> None:
        try:
            split = urlsplit(url)
        except ValueError:
            raise Obstacle(f"`{url}` is not understood", path, line) from None
        if url.startswith("file:"):
            if split.netloc not in ("", "localhost") or not split.path.startswith("/"):
                raise Obstacle(f"`{url}` is not understood", path, line)
            self._local(unquote(split.path), path, line)
            return
        if split.scheme.endswith("+file"):
            raise Obstacle(f"`{url}` is fetched from a repository among the files", path, line)
        if _HASH.search(split.fragment) is None:
            self.found.note(world_of(url), f"what `{shown(url)}` leads to may change at any time", path, line)

    def _local(self, name: str, path: str, line: int) -> None:
        if _VARIABLE.search(name):
            raise Obstacle(f"`{name}` is not known before the build", path, line)
        if not self._paths_known:
            raise Obstacle(f"the path `{name}` among the requirements is not modelled for this tool", path, line)
        target = self._resolve(name, self.around.cwd, path, line)
        kind = self.around.kind(target)
        if kind == "file" and name.endswith(_ARCHIVES) and self.around.context_path(target) is not None:
            if target not in self.found.files:
                self.found.files.append(target)
            return
        if kind == "absent":
            raise Obstacle(f"there is no `{target}`", path, line, missing=target)
        if kind == "directory":
            raise Obstacle(f"`{name}` is a project of its own, which is built with all files in it", path, line)
        raise Obstacle(f"it is not certain what `{name}` is", path, line)


class _OptionError(Exception):
    """optparse would end the program."""


class _Parser(optparse.OptionParser):
    def error(self, msg: str) -> NoReturn:
        raise _OptionError(msg)


def _parser() -> optparse.OptionParser:
    """Return the options that a line of a requirements file may have (`SUPPORTED_OPTIONS`, `SUPPORTED_OPTIONS_REQ`)."""
    parser = _Parser(add_help_option=False)
    parser.add_option("-i", "--index-url", "--pypi-url", action="append")
    parser.add_option("-C", "--config-settings", action="append")
    for name in (
        "--no-binary --only-binary --trusted-host --extra-index-url --use-feature --global-option --install-option"
    ).split():
        parser.add_option(name, action="append")
    for name in ("--no-index", "--prefer-binary", "--require-hashes", "--pre", "--always-unzip", "-Z"):
        parser.add_option(name, action="store_true", dest=name.strip("-").replace("-", "_").replace("Z", "always"))
    parser.add_option("-r", "--requirement", action="append", dest="requirements", default=[])
    parser.add_option("-c", "--constraint", action="append", dest="constraints", default=[])
    parser.add_option("-e", "--editable", action="append", dest="editables", default=[])
    parser.add_option("-f", "--find-links", action="append", dest="find_links", default=[])
    parser.add_option("--hash", action="append", dest="hashes", default=[])
    return parser


def _without_extras(text: str) -> str:
    """Return a requirement without extras at its end (`./dir[all]`, `x.whl[test]`)."""
    return re.sub(r"\[[\w\s,.-]*\]$", "", text.strip())


def world_of(url: str) -> World:
    """Return how far a package depends on the world that comes from an URL without a hash.

    A version in the name of an archive, or a tag that looks like a release, is as fixed as a version in an index. Raises Obstacle
    for an URL of files.
    """
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        plain = urlsplit(url.split("#", 1)[0])
    except ValueError:
        return World.FREE  # no URL at all: whoever fetches it will say so
    if plain.scheme == "file" or plain.scheme.endswith("+file"):
        raise Obstacle(f"`{url}` leads to files, which are not followed")
    if plain.scheme.startswith(("git+", "hg+", "svn+", "bzr+")):
        _, at, revision = plain.path.rpartition("@")
        if at and plain.scheme.startswith("git+") and _COMMIT.fullmatch(revision):
            return World.LOCKED
        return World.REPOSITORY if at and _RELEASE_TAG.fullmatch(revision) else World.FREE
    name = unquote(posixpath.basename(plain.path))
    try:
        parse_wheel_filename(name)
    except InvalidWheelFilename:
        try:
            parse_sdist_filename(name)
        except InvalidSdistFilename:
            return World.FREE
        if not re.search(r"-\d+(\.\d+)*[^-]*\.(tar\.gz|zip)$", name):
            return World.FREE
    return World.REPOSITORY


def is_remote_index(name: str) -> bool:
    """Tell whether an index of packages is asked through the network, also where a variable holds a part of its URL."""
    plain = name.strip("\"'").rpartition("=")[2] if "://" not in name else name.strip("\"'")
    return (
        not plain.startswith((".", "/", "~", "file:")) and ("://" in plain or "$" in plain) and "file://" not in plain
    )


_FILE_URL = re.compile(r"(?<![\w-])(?:[a-z]+\+)?file:(?=[/.])[^\s\"',}]*")


def require_no_file_urls(text: str, path: str) -> None:
    """Raise Obstacle where a manifest or lock file has the URL of a file or directory: what is read there is not followed."""
    found = _FILE_URL.search(text)
    if found is not None:
        raise Obstacle(
            f"`{found.group()}` leads to files, which are not followed", path, text.count("\n", 0, found.start()) + 1
        )


def shown(url: str) -> str:
    """Return an URL for messages, without credentials."""
    return re.sub(r"//[^/@]*@", "//…@", url)


def read(around: Surroundings, target: str, path: str = "", line: int = 0) -> bytes:
    """Return the bytes of a file of the context; raises Obstacle if it is not certain what is there."""
    data = around.read_context(target)
    if data is None:
        if around.kind(target) == "absent":
            raise Obstacle(f"there is no `{target}`", path, line, missing=target)
        raise Obstacle(f"`{target}` does not surely come from the build context", path or target, line)
    if len(data) > _LIMIT:
        raise Obstacle(f"`{posixpath.basename(target)}` is too large to be read", target)
    return data


def decoded(data: bytes, path: str) -> str:
    """Return the text of a manifest (`pip/_internal/utils/encoding.py`: a byte order mark counts, else UTF-8)."""
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marks.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise Obstacle(f"`{posixpath.basename(path)}` is not UTF-8", path) from None
