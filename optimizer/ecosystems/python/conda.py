"""conda, mamba, micromamba: environments from a file, and packages by name (conda's manual, "Managing environments").

An environment file is YAML: channels, dependencies, and below `pip:` lines of a requirements file. Its settings lie in the home
directory and in the installation (`.condarc`, "Searching for .condarc").
"""

from __future__ import annotations

import posixpath
from typing import Any

from dockopt.optimizer.commands.arguments import NotUnderstood, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.requirements import Reader, decoded, read
from dockopt.optimizer.ecosystems.python.step import Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, Place, place_of
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import EVERYTHING, join

_SWITCHES = (
    "-y --yes -q --quiet --prune --force -v --verbose -vv --override-channels --no-deps --freeze-installed --update-all --all -a --json "
    "--no-default-packages --copy --offline --use-index-cache -k --insecure --strict-channel-priority --no-channel-priority -t -i -p -c "
    "--tarballs --packages --index-cache --force-pkgs-dirs --no-update-deps --no-capture-output --no-rc --dev --no-dev"
)


def conda(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one command of conda, mamba or micromamba does. Raises NotUnderstood."""
    program = invocation.name
    cleaning = "clean" in invocation.argv
    switches = _SWITCHES if cleaning else " ".join(s for s in _SWITCHES.split() if s not in ("-p", "-c", "-t", "-i"))
    arguments = parse(
        invocation,
        switches=switches,
        valued="-f --file --prefix -r --root-prefix" if cleaning else "-f --file -p --prefix -r --root-prefix",
        any_value="-n --name --channel --solver --experimental-solver --channel-priority --platform --subdir"
        + ("" if cleaning else " -c"),
    )
    words = arguments.texts()
    # packages below `pip:` are installed by `python -m pip`
    place = _anywhere(place_of(around, invocation.argv[0] or "", module="-f" in arguments.flags or "env" in words[:1]))
    if words[:1] == ["clean"]:
        return Step(place)
    if words[:1] == ["config"] and program != "conda":
        raise NotUnderstood("the setting is not modelled")
    if words[:1] == ["config"]:
        return Step(place)
    for name in arguments.values("-p", "--prefix", "-r", "--root-prefix"):
        if place.is_inside(join(around.cwd or "/", name)):
            raise Obstacle(f"the environment `{name}` lies in the project")
    if words[:2] in (["env", "create"], ["env", "update"]):
        files = arguments.values("-f", "--file") or ["environment.yml"]
        return _environment(files, around, place, f"{program} {' '.join(words[:2])}", words[2:])
    if words[:1] in (["create"], ["install"], ["update"]):
        names = words[1:]
        if any("/" in name or name.endswith((".tar.bz2", ".conda")) for name in names):
            raise NotUnderstood("it installs files that it is given")
        files = arguments.values("-f", "--file")
        if files:
            return _environment(files, around, place, f"{program} {words[0]}", [])
        return Step(place, world=World.REPOSITORY)
    raise NotUnderstood(f"no model of `{program} {' '.join(words[:2])}`")


def _anywhere(place: Place) -> Place:
    """Return a place in which packages may be installed anywhere outside the project: where conda lies is up to the image."""
    outside = EVERYTHING.minus(*place.roots) if place.roots else EVERYTHING
    return Place(place.roots, place.home, place.inside, outside, place.probes, place.assumptions)


def _environment(names: list[str], around: Surroundings, place: Place, command: str, words: list[str]) -> Step:
    if words:
        raise NotUnderstood("it names an environment of its own")
    if around.cwd is None and not all(name.startswith("/") for name in names):
        raise Obstacle("its working directory is not known before the build")
    reader = Reader(around)
    for name in names:
        path = join(around.cwd or "/", name)
        if not path.endswith((".yml", ".yaml")):
            raise Obstacle(f"a list of packages in the form of `{posixpath.basename(path)}` is not modelled", path)
        reader.found.files.append(path)
        _read_environment(path, reader, around, place)
    found = reader.found
    found.note(World.REPOSITORY, "", "", 0)
    return Step(
        place,
        tuple(found.files),
        tuple(found.absent),
        tuple(found.trees),
        variables=tuple(found.variables),
        world=found.world,
        free=found.cause if found.world is World.FREE else None,
        install=f"{command} -f {' -f '.join(names)}",
    )


def _read_environment(path: str, reader: Reader, around: Surroundings, place: Place) -> None:
    import yaml

    try:
        data: Any = yaml.safe_load(decoded(read(around, path), path))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Obstacle(f"`{posixpath.basename(path)}` is no YAML", path, 0 if mark is None else mark.line + 1) from None
    dependencies = data.get("dependencies", []) if isinstance(data, dict) else None
    if not isinstance(dependencies, list):
        raise Obstacle(f"`{posixpath.basename(path)}` is no environment file", path)
    channels = data.get("channels")
    for channel in channels if isinstance(channels, list) else ():
        if not isinstance(channel, str) or channel.startswith((".", "/", "~", "file:")):
            raise Obstacle(f"the channel `{channel}` is a directory, and what is read of it is not followed", path)
    prefix = data.get("prefix")
    if isinstance(prefix, str) and place.is_inside(join("/", prefix)):
        raise Obstacle("the environment lies in the project", path)
    for dependency in dependencies:
        if isinstance(dependency, str):
            continue
        lines = dependency.get("pip") if isinstance(dependency, dict) and set(dependency) == {"pip"} else None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise Obstacle("a dependency is not understood", path)
        for line in lines:
            # conda writes these lines into a file beside the environment file and gives that to pip
            reader.line(path, 0, line)
