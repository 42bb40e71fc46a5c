"""Gives a Node program a stage of its own that runs it (`multi-stage`): when, and in which image.

The new stage starts from the slim variant of the same tag: the same Node on the same release of Debian, without compilers, git,
Python and the libraries that packages are compiled against (nodejs/docker-node, stackbrew.js and Dockerfile-slim.template: the
account `node` has the number 1000 in both, the entry point is the same script). It takes over the whole working directory; of
a project that tsc compiles, only what is compiled, package.json, node_modules and the files that the sources name, where that
can be told. Node has certificates and time zones built in (nodejs.org/api: `tls.rootCertificates`, "Internationalization support").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.node.calls import Call, call_of
from dockopt.optimizer.ecosystems.node.needs import Asked, Installed, installed, needs
from dockopt.optimizer.ecosystems.node.packages import Package
from dockopt.optimizer.ecosystems.node.project import Project, project_of
from dockopt.optimizer.ecosystems.node.runtime_sources import NodeSources, package_of
from dockopt.optimizer.ecosystems.node.starting import NodeStart, Step, builds, cause_in, node_start
from dockopt.optimizer.ecosystems.node.typescript import output_of
from dockopt.optimizer.ecosystems.view import Obstacle, parse_object
from dockopt.optimizer.effects import Kind
from dockopt.optimizer.entrypoint import Program, Start, health_checked, started
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal, RuntimeStage, WantedDifference
from dockopt.optimizer.regions import below, join
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.runtime_files import RuntimeFiles, runtime_files
from dockopt.optimizer.slim_variants import is_small
from dockopt.optimizer.symbolic.filesystem import FileSystem
from dockopt.optimizer.symbolic.run import Executed, surroundings_of
from dockopt.optimizer.syntax import Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites.stage_accounts import accounts_of
from dockopt.rewrites.stage_commands import obstacle_in
from dockopt.rewrites.stage_cut import cut_stage
from dockopt.rewrites.stage_outside import outside_problem
from dockopt.rewrites.stage_owners import belongs_to_a_user, owner_problem
from dockopt.rewrites.stage_slim import (
    NOTE,
    Reason,
    beside_problem,
    brought,
    gain,
    health_problem,
    place_problem,
    settings_problem,
    variant_of,
)
from dockopt.rewrites.stage_split import ID, start_problem, words_of

_ENTRY_POINT = "docker-entrypoint.sh"
_LEADING = re.compile(
    r"NODE_EXTRA_CA_CERTS|SSL_CERT_|use-(?:openssl|system)-ca|NODE_OPTIONS|LD_LIBRARY_PATH|LD_PRELOAD"
)
_SAME_PROGRAMS = frozenset({"node", "nodejs", "npm"})


class _Made(NamedTuple):
    """The project that a stage installs, as far as it is known."""

    install: Executed
    project: Project
    package: Package
    #: path of package.json in the context
    manifest: str
    manifest_text: str
    #: path of package-lock.json in the context
    lock: str
    lock_text: str
    packages: tuple[Installed, ...]
    start: NodeStart
    program: Program
    #: how it is built; None: by something else than npm's scripts and npx
    steps: tuple[Step, ...] | None
    #: the image before the first command of which it is not known what it leaves
    files: FileSystem


def propose_node(build: Build, stage: Stage) -> Iterator[Proposal | Refusal | Advice]:
    """Look at a last stage that starts from an image for Node. Raises Unsupported."""
    line = stage.from_.start_line
    base = base_of(build.executor, stage.index)
    if is_small(base.reference):
        return  # what another stage could save there are caches
    start = started(build, stage.index)
    image = variant_of(base)
    refusal = start_problem(stage, start) or outside_problem(build, stage)
    made: _Made | Reason | None = None
    if refusal is None:
        made = _made(build, stage, start)
        refusal = made if not isinstance(made, _Made) else _problem(build, stage, made)
    if refusal is None and not isinstance(image, str):
        refusal = image
    if refusal is not None or not isinstance(made, _Made) or not isinstance(image, str):
        yield Refusal(ID, line, *(refusal or ("no project is installed", "", line)))
        return
    yield _split(build, stage, made, start, image)


# -- what there is ---------------------------------------------------------------------------------------------------------


def _made(build: Build, stage: Stage, start: Start) -> _Made | Reason:
    at = start.instructions[0].start_line if start.instructions else stage.from_.start_line
    programs = [p for p in start.programs if p.argv[:1] != (_ENTRY_POINT,)]
    if len(programs) != 1:
        return "more than one program is started, or none", "", at
    program = programs[0]
    commands = [command for command in build.executed if command.stage == stage.index]
    calls = [(command, call) for command in commands if isinstance(call := call_of(command.argv), Call)]
    calls = [(command, call) for command, call in calls if call.action in ("ci", "install")]
    for command in commands:
        if isinstance(reason := call_of(command.argv), str):
            return f"`{shortened(command.text)}`: {reason}", "", command.line
    if not calls:
        name = program.argv[0] or "?"
        return f"`{name}` is started, and no `npm ci` of this stage installs what it needs", "", at
    install, call = calls[0]
    if call.manager != "npm":
        reason = f"the lock file of {call.manager} does not say which packages have install scripts, and may need libraries of the image"
        return reason, "", install.line
    around = surroundings_of(install, build.executor)
    try:
        project = project_of(call, around)
        for command, other in calls[1:]:
            if project_of(other, surroundings_of(command, build.executor)).directory != project.directory:
                return "packages of more than one project are installed", "", command.line
        lock = next((f for f in project.files if f.endswith(("package-lock.json", "npm-shrinkwrap.json"))), None)
        if lock is None or not call.lock:
            return (
                "without package-lock.json it is not known which packages come in, and what they need",
                "",
                install.line,
            )
        manifest_text, lock_text = _read(around, join(project.directory, "package.json")), _read(around, lock)
        lock_file = around.context_path(lock) or ""
        manifest = around.context_path(join(project.directory, "package.json")) or ""
        package = Package(manifest, project.directory, parse_object(manifest_text, manifest))
        packages = installed(lock_text, lock_file)
        if project.rewritten is not None:
            return f"the lock file is written anew: {project.rewritten[1]}", lock_file, 0
        begun = node_start(program.argv, program.cwd, package)
        if isinstance(begun, str):
            script = program.argv[-1] if program.argv[0] == "npm" else None
            cause = cause_in(manifest, manifest_text, script, begun, program.line)
            return cause.reason, cause.path, cause.line
        first = next((c for c in commands if c.effects.unknown is not None), None)
        files = build.runs[stage.index].final.files if first is None else first.before.files
        steps = _steps(commands, package)
    except Obstacle as obstacle:
        path = around.context_path(obstacle.path) if obstacle.path.startswith("/") else obstacle.path
        return obstacle.reason, path or "", obstacle.line if path else install.line
    return _Made(
        install, project, package, manifest, manifest_text, lock_file, lock_text, packages, begun, program, steps, files
    )


def _read(around: Surroundings, path: str) -> str:
    data = around.read_context(path)
    if data is None:
        raise Obstacle(f"`{path}` does not surely come from the build context", path)
    return data.decode("utf-8-sig", "replace")


def _builds(command: Executed, package: Package) -> tuple[Step, ...] | str | None:
    found = builds(command.argv, package)
    if found is not None and command.cwd != package.directory:
        return "it runs in another directory than that of package.json"
    return found


def _steps(commands: list[Executed], package: Package) -> tuple[Step, ...] | None:
    steps: list[Step] = []
    for command in commands:
        if command.effects.unknown is not None:
            found = _builds(command, package)
            if found is None or isinstance(found, str):
                return None
            steps += found
    return tuple(steps)


# -- what stands in the way ------------------------------------------------------------------------------------------------


def _problem(build: Build, stage: Stage, made: _Made) -> Reason | None:
    root = made.project.directory
    final = build.runs[stage.index].final
    line = stage.from_.start_line
    for command in build.executed:
        if command.stage == stage.index and command.effects.unknown is not None:
            found = _builds(command, made.package)
            if isinstance(found, str):
                return f"`{shortened(command.text)}`: {found}", made.manifest, 0
    if final.cwd != root:
        return f"the working directory is not `{root}`, in which the project lies", "", line
    problem = place_problem(build, stage, root)
    if problem is not None:
        return problem
    if not below(made.start.file, root):
        return f"`{made.start.file}`, which is started, lies beside the project", "", made.program.line
    problem = (
        obstacle_in(build, stage, lambda command: _is_inside(command, made))
        or owner_problem(build, stage, root)
        or beside_problem(build, stage, root)
        or settings_problem(build, stage, _LEADING, "Node")
        or _options(made)
        or health_problem(build, stage, lambda name: name.rpartition("/")[2] in _SAME_PROGRAMS)
    )
    if problem is not None:
        return problem
    entries = brought(build, stage)
    if isinstance(entries, tuple):
        return entries
    modules = join(root, "node_modules")
    other = next((e for e in entries if e.source is None and (below(e.path, modules) or below(modules, e.path))), None)
    if other is not None:
        return f"what is copied to `{other.path}` comes from elsewhere, and is not looked at", "", other.line
    sources = NodeSources(build.context, root, ())
    trouble = next(sources.troubles(entries), None)
    if trouble is not None:
        return trouble.reason, trouble.file, trouble.line
    named = sources.names(entries) | {package_of(name) for name in made.start.preloaded}
    dependencies = {*made.package.section("dependencies"), *made.package.section("optionalDependencies")}
    asked = Asked(frozenset(dependencies), frozenset(made.package.section("devDependencies")), frozenset(named))
    need = next(needs(made.packages, asked, made.lock_text), None)
    return None if need is None else (need.reason, made.lock, need.line)


def _is_inside(command: Executed, made: _Made) -> bool:
    """Tell whether all that a command leaves lies in the project, or in caches that only package managers look into."""
    call = call_of(command.argv)
    if isinstance(call, Call) and call.action in ("ci", "install"):
        return command.effects.unknown is None and call.manager == "npm"
    if command.effects.unknown is not None:
        return isinstance(_builds(command, made.package), tuple)
    if command.name == "npm" and command.argv[1:2] in (("cache",), ("config",)):
        return True
    return all(below(path, made.project.directory) for write in command.effects.writes for path in write.region.include)


def _options(made: _Made) -> Reason | None:
    for word in made.start.words:
        if _LEADING.search(word):
            return f"`{word}` has Node read certificates of the image", "", made.program.line
    return None


# -- what is proposed ------------------------------------------------------------------------------------------------------


class _Taken(NamedTuple):
    """What the new stage takes over, and what is said of it."""

    paths: tuple[str, ...]
    notes: tuple[str, ...]


def _split(build: Build, stage: Stage, made: _Made, start: Start, image: str) -> Proposal | Refusal:
    line = stage.from_.start_line
    cut = cut_stage(build, stage, frozenset())
    if isinstance(cut, Refusal):
        return Refusal(ID, line, cut.reason, cut.cause_path, cut.cause_line)
    taken = _taken(build, stage, made, start)
    accounts = accounts_of(build, stage)
    homes = dict(accounts.homes)
    paths = (*accounts.copies, *homes, *taken.paths)
    return Proposal(
        ID,
        line,
        f"the image of `{made.start.file}` is the one that its packages are installed in, with compilers, git, Python and caches",
        tuple(cut.edits(image, [(path, path) for path in paths], homes)),
        gain=gain(image),
        declared=WantedDifference(
            settings=frozenset(f"env {name}" for name in cut.dropped), runtime_stage=RuntimeStage(paths)
        ),
        risk=f"neither git nor Python nor curl nor a compiler is there any more; `--target {cut.name}` builds the image with them",
        notes=(*taken.notes, *_development(build, stage, made), NOTE),
    )


_WITHOUT_DEVELOPMENT = frozenset({"prune", "--production", "--omit=dev", "--only=production", "--only=prod"})


def _development(build: Build, stage: Stage, made: _Made) -> Iterator[str]:
    commands = (c for c in build.executed if c.stage == stage.index and c.name == "npm")
    left_out = any(_WITHOUT_DEVELOPMENT.intersection(word or "" for word in command.argv) for command in commands)
    environment = build.runs[stage.index].states[stage.instructions.index(made.install.instruction)].env.get("NODE_ENV")
    count = sum(package.is_of_development for package in made.packages)
    if count and not left_out and environment is None:
        one = count == 1
        yield (
            f"{'a package' if one else f'{count} packages'} for development {'goes' if one else 'go'} along: `RUN npm prune --omit=dev` "
            f"at the end of the stage that builds leaves {'it' if one else 'them'} out, if the program loads none"
        )


def _taken(build: Build, stage: Stage, made: _Made, start: Start) -> _Taken:
    root = made.project.directory
    read = _named(build, stage, made, start)
    if isinstance(read, str):
        return _Taken((root,), (f"the whole of `{root}` is taken along: {read}",))
    output, files = read
    paths = (join(root, "package.json"), join(root, "node_modules"), output, *files.paths)
    return _Taken(
        paths,
        (
            f"`{output}` is where `tsc` puts what it compiles",
            "scripts of package.json that need the sources do not find them in the new image",
            *files.told(),
        ),
    )


def _named(build: Build, stage: Stage, made: _Made, start: Start) -> tuple[str, RuntimeFiles] | str:
    """Return where the compiled program is, and the files that it reads; a text says why that is not certain."""
    root = made.project.directory
    executor = build.executor

    def read(path: str) -> bytes | None:
        found = made.files.context_file(path)
        return None if found is None else executor.files.read(found[0])

    if not made.steps:
        return (
            "nothing is compiled, the program is what its sources are"
            if made.steps is not None
            else "how it is built is not known"
        )
    output = output_of(made.steps, root, read)
    if output is None:
        return "not all that is built is surely put into a directory of its own by `tsc`"
    if not below(made.start.file, output):
        return f"`{made.start.file}`, which is started, does not lie in `{output}`, where `tsc` puts what it compiles"
    if any(name.startswith(".") or package_of(name) == "tsconfig-paths" for name in made.start.preloaded):
        return "a file is loaded before the program"
    if any(place.startswith("node_modules/") is False for place in (p.place for p in made.packages)) or _has_links(
        made
    ):
        return "packages of the project are linked into node_modules"
    owned = belongs_to_a_user(build, stage)
    if owned is not None:
        return owned
    for command in build.executed:
        if command.stage == stage.index and _adds(command, made):
            return f"`{shortened(command.text)}` makes something there"
    behind = False
    for instruction in stage.instructions:
        first = next(
            (c for c in build.executed if c.stage == stage.index and c.effects.unknown is not None), made.install
        )
        behind |= instruction is first.instruction
        if behind and instruction.keyword in ("COPY", "ADD"):
            return f"line {instruction.start_line} copies behind the build"
    sources = NodeSources(build.context, root, (join(root, "package.json"), join(root, "node_modules"), output))
    health = health_checked(build, stage.index)
    words = list(words_of(build, made.start.file, start, health, frozenset()))
    files = runtime_files(sources, made.files, root, words, build.context)
    if files.questions:
        question = files.questions[0]
        where = f" ({question.file}:{question.line})" if question.file else ""
        return f"{question.message}{where}"
    kept = tuple(path for path in files.paths if not any(below(path, p) for p in (output, join(root, "node_modules"))))
    return output, RuntimeFiles(tuple(p for p in kept if p != join(root, "package.json")), files.named, ())


def _adds(command: Executed, made: _Made) -> bool:
    """Tell whether a command that installs and builds nothing leaves something in the project."""
    if isinstance(call_of(command.argv), Call) or command.effects.unknown is not None:
        return False
    root = made.project.directory
    return any(
        write.kind is not Kind.KILL and (below(path, root) or below(root, path))
        for write in command.effects.writes
        for path in write.region.include
    )


def _has_links(made: _Made) -> bool:
    entries = parse_object(made.lock_text, made.lock).get("packages")
    values = entries.values() if isinstance(entries, dict) else ()
    return any(isinstance(entry, dict) and entry.get("link") for entry in values)
