"""PDM: what `pdm install` and `pdm sync` read (PDM's manual, "Manage dependencies", "Configure the project").

Of the project they read pyproject.toml, pdm.lock, pdm.toml, .pdm-python and .python-version; they make `.venv` there (or
`__pypackages__`) and write .pdm-python. The project itself is installed where it is a distribution, unless `--no-self`.
"""

from __future__ import annotations

from dockopt.optimizer.commands.arguments import NotUnderstood, parse
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.ecosystems.python.pyproject import Toml, pyproject_at
from dockopt.optimizer.ecosystems.python.requirements import require_no_file_urls
from dockopt.optimizer.ecosystems.python.step import LOCK_CURRENT, Step
from dockopt.optimizer.ecosystems.python.surroundings import Obstacle, place_of
from dockopt.optimizer.effects import World
from dockopt.optimizer.regions import join

_SWITCHES = (
    "--prod --production --no-self --no-editable --no-lock --frozen-lockfile --check -d --dev --no-default --no-isolation -v "
    "--verbose -q --quiet -n --non-interactive --fail-fast -x --clean --clean-unselected --only-keep --reinstall --dry-run --no-dev "
    "--version -V --no-cross-platform -I --ignore-python"
)


def pdm(invocation: Invocation, around: Surroundings) -> Step:
    """Return what one `pdm` command does. Raises NotUnderstood."""
    arguments = parse(invocation, switches=_SWITCHES, any_value="-G --group --with --without")
    words = arguments.texts()
    place = place_of(around, invocation.argv[0] or "")
    if arguments.has("--version", "-V"):
        return Step(place, changes=False)
    if words[:1] == ["self"] or words[:1] == ["cache"]:
        return Step(place, world=World.REPOSITORY)
    if (
        words[:1] == ["config"]
        and len(words) == 3
        and words[1] in ("check_update", "install.cache", "install.parallel", "theme")
    ):
        return Step(place)
    if words not in (["install"], ["sync"]):
        raise NotUnderstood(f"no model of `pdm {' '.join(words[:1])}`")
    if around.cwd is None:
        raise Obstacle("its working directory is not known before the build")
    directory = around.cwd
    project = pyproject_at(around, join(directory, "pyproject.toml"))
    lock = join(directory, "pdm.lock")
    if around.kind(lock) != "file":
        raise Obstacle("there is no `pdm.lock`, so PDM resolves all versions anew and writes one", project.path)
    locked = pyproject_at(around, lock)
    _check(project, locked, words[0], installs_self=not arguments.has("--no-self"))
    files = [project.path, lock]
    absent: list[str] = []
    for name in ("pdm.toml", ".pdm-python", ".python-version"):
        path = join(directory, name)
        kind = around.kind(path)
        if kind not in ("file", "absent"):
            raise Obstacle(f"it is not certain whether `{path}` exists", path)
        (files if kind == "file" else absent).append(path)
    if any(path.endswith("pdm.toml") for path in files):
        raise Obstacle("settings in `pdm.toml` are not modelled", join(directory, "pdm.toml"))
    inside = tuple(join(directory, name) for name in (".venv", "__pypackages__", ".pdm-python"))
    return Step(
        place,
        tuple(files),
        tuple(absent),
        outputs=inside,
        world=World.LOCKED,
        assumptions=() if arguments.has("--frozen-lockfile", "--no-lock") else (LOCK_CURRENT,),
        install=f"pdm {words[0]}" + (" --no-self" if arguments.has("--no-self") else ""),
    )


def _check(project: Toml, lock: Toml, subcommand: str, *, installs_self: bool) -> None:
    distribution = project.table("tool", "pdm").get("distribution", project.has("build-system"))
    if distribution and installs_self:
        raise Obstacle(
            f"`pdm {subcommand}` installs the project itself, which reads its sources; with `pdm {subcommand} --no-self` above the "
            "sources, dependencies would be kept",
            project.path,
            project.line("[build-system]") or project.line("distribution"),
        )
    for name in project.table("tool", "pdm", "scripts"):
        if name.startswith(("pre_", "post_")):
            # "Hook Scripts" of PDM's manual
            raise Obstacle(
                f"`pdm {subcommand}` runs the script `{name}` of the project", project.path, project.line(name)
            )
    require_no_file_urls(project.text, project.path)
    require_no_file_urls(lock.text, lock.path)
    packages = lock.data.get("package", [])
    for package in packages if isinstance(packages, list) else []:
        where = package.get("path") if isinstance(package, dict) else None
        if isinstance(where, str):
            name = package.get("name", "?")
            raise Obstacle(
                f"the package `{name}` lies at `{where}`, which has to be there to be installed",
                lock.path,
                lock.line(where),
            )
