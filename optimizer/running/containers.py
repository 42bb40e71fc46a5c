"""Commands that files of the project start in a container of the image: Makefiles, scripts, CI, package.json.

Sources: the references of `docker run`, `docker exec`, `docker compose run` and `exec` (podman and nerdctl take the same
options). Words are compared as they are written, so that `$(IMAGE)` is the image that the files build with `-t $(IMAGE)`;
what stands in a variable that nothing is built as is another image.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dockopt.optimizer.model import Build
from dockopt.optimizer.running.services import root_of, service_names

_SOURCES = ("workflows", "gitlab", "makefiles", "scripts", "package_json")
#: a program of containers up to the end of its command; quotes keep what would end it
_COMMAND = re.compile(
    r"\b(?P<program>docker-compose|docker|podman|nerdctl)[ \t]+"
    r"(?P<rest>(?:\"(?:\\.|[^\n\"\\])*\"|'[^\n']*'|\\.|[^\n\"';|&>\\#]|(?<=\S)#)*)"
)
#: what a word may hold blanks in: expressions of GitHub, variables and functions of make and the shell
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}|\$\([^()\n]*\)|\$\{[^{}\n]*\}")
_IMAGE = re.compile(r"^\s*(?:-\s+)?(?:image|tags)\s*:\s*[\"']?(?P<name>[^\s\"'|>]+)", re.MULTILINE)
_SERVICE_GROUPS = frozenset({"compose"})
_RUN_VALUES = frozenset(
    "-a --attach --add-host --annotation --blkio-weight --blkio-weight-device --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile "
    "--cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime -c --cpu-shares --cpus --cpuset-cpus --cpuset-mems --detach-keys --device "
    "--device-cgroup-rule --device-read-bps --device-read-iops --device-write-bps --device-write-iops --dns --dns-option --dns-search "
    "--domainname --entrypoint -e --env --env-file --env-from-file --expose --gpus --group-add --health-cmd --health-interval "
    "--health-retries --health-start-interval --health-start-period --health-timeout -h --hostname --index --ip --ip6 --ipc --isolation "
    "--kernel-memory -l --label --label-file --link --link-local-ip --log-driver --log-opt --mac-address -m --memory --memory-reservation "
    "--memory-swap --memory-swappiness --mount --name --net --network --network-alias --oom-score-adj --pid --pids-limit --platform "
    "-p --publish --pull --restart --runtime --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs "
    "--ulimit -u --user --userns --uts -v --volume --volume-driver --volumes-from -w --workdir".split()
)
_COMPOSE_VALUES = frozenset(
    "-f --file -p --project-name --profile --env-file --project-directory --ansi --parallel --progress".split()
)
_GLOBAL_VALUES = frozenset("-H --host -c --context --config -l --log-level -n --namespace --connection --url".split())


class Begun(NamedTuple):
    """One command that is started in a container of the image."""

    words: tuple[str, ...]  #: what is started, as it is written
    file: str  #: relative to the build context
    line: int
    entrypoint: bool  #: it takes the place of the ENTRYPOINT, or is started beside it


def begun_elsewhere(build: Build) -> Iterator[Begun]:
    """Yield the commands that files of the project start in containers of the last stage instead of its own, or beside it."""
    files = list(_files(build))
    commands = [(path, *found) for path, text in files for found in _commands(text)]
    images = {name for _, text in files for name in _named(text)}
    images |= {value for _, _, words in commands for value in _values(words, ("-t", "--tag")) if "build" in words}
    services = service_names(build)
    containers = set(services)
    for _, _, words in commands:
        found = _run(words, images)
        if found is not None and not found.is_compose and _is_ours(found.operand, images):
            containers |= set(_values(words[: len(words) - len(found.rest)], ("--name",)))
    root = root_of(build)
    for path, line, words in commands:
        found = _run(words, images)
        if found is None:
            continue
        ours = services if found.is_compose else containers if found.is_exec else images
        if not (found.operand in ours if found.is_compose or found.is_exec else _is_ours(found.operand, images)):
            continue
        started = ((found.entrypoint,) if found.entrypoint else ()) + found.rest
        if started:
            shown = path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name
            yield Begun(started, shown, line, bool(found.entrypoint) or found.is_exec)


class _Started(NamedTuple):
    operand: str  #: image, container or service
    rest: tuple[str, ...]
    entrypoint: str
    is_exec: bool
    is_compose: bool


def _run(words: tuple[str, ...], images: set[str]) -> _Started | None:
    """Read `run` and `exec`; None for every other command. Variables in front of one of `images` are taken for options."""
    compose = words[0] == "docker-compose"
    rest = _operands(words[1:], _COMPOSE_VALUES if compose else _GLOBAL_VALUES)[1]
    if rest and rest[0] in _SERVICE_GROUPS and not compose:
        compose = True
        rest = _operands(rest[1:], _COMPOSE_VALUES)[1]
    elif rest and rest[0] == "container":
        rest = rest[1:]
    if not rest or rest[0] not in ("run", "exec"):
        return None
    options, operands = _operands(rest[1:], _RUN_VALUES)
    while rest[0] == "run" and len(operands) > 1 and operands[0].startswith("$") and not _is_ours(operands[0], images):
        if not any(_is_ours(word, images) for word in operands[1:]):
            break
        operands = _operands(operands[1:], _RUN_VALUES)[1]
    if not operands:
        return None
    return _Started(operands[0], operands[1:], options.get("--entrypoint", ""), rest[0] == "exec", compose)


def _operands(words: tuple[str, ...], values: frozenset[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the options in front of the first operand, and from there on all words."""
    options: dict[str, str] = {}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        name, equals, value = word.partition("=")
        short = not word.startswith("--")
        if equals:
            options[name] = value
        elif (name in values or (short and f"-{word[-1]}" in values and not _takes_here(word, values))) and at < len(
            words
        ):
            options[name] = words[at]
            at += 1
    return options, words[at:]


def _takes_here(word: str, values: frozenset[str]) -> bool:
    """Tell whether a word of short options has the value of one in itself: `-p8080:80`."""
    return any(f"-{letter}" in values for letter in word[1:-1])


def _values(words: tuple[str, ...], names: tuple[str, ...]) -> Iterator[str]:
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names and equals:
            yield value
        elif word in names and position + 1 < len(words):
            yield words[position + 1]


def _is_ours(image: str, images: set[str]) -> bool:
    return image in images or _untagged(image) in {_untagged(name) for name in images}


def _untagged(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return head + slash + (last if last.startswith("$") else last.partition(":")[0])


def _named(text: str) -> Iterator[str]:
    """Yield names that a build gives an image by keys of YAML: `tags` of build-push-action, `image` beside `build` of Compose."""
    if "build-push-action" in text or re.search(r"^\s*build\s*:", text, re.MULTILINE):
        for found in _IMAGE.finditer(_joined(text)):
            yield found["name"]


def _commands(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the commands of a text that speak to an engine, with their lines."""
    joined = _joined(text)
    for found in _COMMAND.finditer(joined):
        start = joined.rfind("\n", 0, found.start()) + 1
        if re.match(r"\s*@?#", joined[start : found.start()]) or re.search(r"\s#", joined[start : found.start()]):
            continue
        rest = found["rest"].replace(_CONTINUED, " ")
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        if words:
            line = joined.count("\n", 0, found.start()) + joined.count(_CONTINUED, 0, found.start()) + 1
            yield line, (found["program"], *words)


#: stands for the end of a line that is continued
_CONTINUED = "\x02 "


def _joined(text: str) -> str:
    """Return a text in which continued lines are one, and expressions are words without blanks."""
    return _EXPRESSION.sub(_without_blanks, re.sub(r"\\\r?\n[ \t]*", _CONTINUED, text))


def _without_blanks(found: re.Match[str]) -> str:
    starts_a_container = re.search(r"\b(?:docker|podman|nerdctl)\b.*\b(?:run|exec)\b", found[0])
    return found[0] if starts_a_container else "".join(found[0].split())


def _files(build: Build) -> Iterator[tuple[Path, str]]:
    """Yield the files of the project in which commands stand, and their text."""
    from dockopt.optimizer.context import BuildContext
    from dockopt.optimizer.context.builds import files
    from dockopt.optimizer.context.builds.registry import SOURCES
    from dockopt.optimizer.context.locate import project_of

    reader = build.context.reader
    if not isinstance(reader, BuildContext):
        return
    project = project_of(reader.dockerfile or reader.root / "Dockerfile", reader.disk)
    seen: set[Path] = set()
    for source in SOURCES:
        if source.module not in (*_SOURCES, "compose"):
            continue
        for path in files.named(project, source.places, source.names, source.first):
            data = None if path in seen else files.content(path)
            seen.add(path)
            if data is None or b"\0" in data:
                continue
            text = data.decode("utf-8", "replace")
            yield path, "\n".join(_scripts(text)) if source.module == "package_json" else text


def _scripts(text: str) -> Iterator[str]:
    """Yield the lines of a package.json with its scripts as they are, the others empty: lines keep their numbers."""
    for line in text.splitlines():
        found = re.fullmatch(r'\s*"[^"]*"\s*:\s*("(?:\\.|[^"\\])*")\s*,?\s*', line)
        try:
            yield "" if found is None else str(json.loads(found[1])).replace("\n", " ")
        except ValueError:
            yield ""
