"""leaves no indexes and downloads of package managers in the image

What it does
    Lets the RUN that fetched an index remove it: `rm -rf /var/lib/apt/lists/*` after the last command of one with `apt-get
    update`, `clean all` of `dnf`, `yum` and `microdnf` after an installation. Adds `--no-cache` to `apk add`, and drops the
    `apk update` that is useless then; adds `--no-cache-dir` to `pip install`.

Why it makes the image smaller
    What a layer holds is pushed, pulled and stored, also where a later layer removes it. Lists of apt are some 20 to 60 MB,
    the caches of dnf up to 200 MB, an index of apk 2 MB, and pip's cache about as much as the packages that it fetched. An
    index is also a statement about yesterday: an installation that is added later should fetch its own.

Before
    FROM debian:12
    RUN apt-get update && apt-get install -y --no-install-recommends \\
        ca-certificates
    COPY server /usr/local/bin/

After
    FROM debian:12
    RUN apt-get update && apt-get install -y --no-install-recommends \\
        ca-certificates \\
        && rm -rf /var/lib/apt/lists/*
    COPY server /usr/local/bin/

When it does not fire
    The stage is not exported: its layers are for the cache alone. The RUN removes the lists already, or keeps them in a mount:
    never both. A later command installs from the lists without an update of its own, or ONBUILD or a script of the project may.
    `apt-get update` stands alone in its RUN: `merge-runs` joins it with the installation first. Other RUNs of the file have a
    cache mount for the same purpose, which is the way to follow here too. A command that fails does not end the RUN (`;`
    without `set -e`), its last command is an `if` or a loop, its shell is another one, or the place is not certain (`HOME`, a
    user other than root, variables and settings of pip). `PIP_NO_CACHE_DIR` is set. zypper, npm, yarn, gem and cargo are left
    alone.

    hadolint complains of the same (DL3009, DL3019, DL3032, DL3040, DL3042), and of what is not repaired here, because it changes
    what is installed: recommended packages (DL3015) and versions that are not pinned (DL3008, DL3018, DL3013). None of that is said
    again as advice.

Why it is safe
    The image changes on purpose, so this runs only where it is asked for. All that differs are the directories that it names. A
    command that is appended runs only if all before it have succeeded. Everything else is proven to be the same, under the
    assumption `package-residue`: only package managers need what they left there, and those among the later commands that may do
    so are looked for, in the stage and in those that are built on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Proposal, Refusal, WantedDifference
from dockopt.optimizer.regions import below
from dockopt.optimizer.symbolic.residue import APT_LISTS, RPM_CACHES
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Instruction, Stage
from dockopt.optimizer.wording import shortened
from dockopt.rewrites import package_options
from dockopt.rewrites.appending import appended, script_of
from dockopt.rewrites.chains import called

ID = "apt-hygiene"
_APT = frozenset({"apt-get", "apt"})
_RPM = frozenset({"dnf", "yum", "microdnf"})
_RPM_INSTALLS = frozenset("install update upgrade reinstall groupinstall distro-sync makecache".split())
_APT_WORDS = re.compile(r"(?<![\w./-])(apt-get|apt|aptitude)(?![\w-])")
_APT_UPDATE = re.compile(r"(?<![\w./-])(apt-get|apt)\s([^;&|\n]*\s)?update(?![\w-])")
_RPM_FETCHES = re.compile(r"(?<![\w./-])(dnf|yum|microdnf)\s([^;&|\n]*\s)?(" + "|".join(_RPM_INSTALLS) + r")(?![\w-])")
#: the author has thought of the lists, in whatever way
_LISTS_THOUGHT_OF = re.compile(r"/var/lib/(apt|\*|\{)|/var/lib/?(?![\w./-])|distclean|Dir::State")
_RPM_THOUGHT_OF = re.compile(r"\bclean\b|/var/cache")
_SCRIPT_INSTALLS = re.compile(r"(?<![\w./-])(?:apt-get|apt|aptitude)\b[^\n;&|]*\b(?:install|build-dep|satisfy)\b")
#: files that are not run: texts, data, other Dockerfiles, sources of compiled languages, and what others have written
_NO_SCRIPT = re.compile(
    r"(?:^|/)(?:\.git|\.github|node_modules|vendor|docs?)/|(?:^|/)[^/]*(?:Docker|Container)file[^/]*$"
    r"|\.(?:md|rst|txt|adoc|html?|css|json|ya?ml|toml|lock|svg|png|jpe?g|gif|ico|woff2?|pdf|go|rs|c|cc|cpp|h|hpp|java|kt|ts|tsx|map)$",
    re.IGNORECASE,
)
_MOST_FILES = 20_000
_REMOVE_LISTS = f"rm -rf {APT_LISTS}/*"


def propose(build: Build) -> Iterator[Proposal | Refusal]:
    """Look at every RUN of the exported stages."""
    for stage in build.dockerfile.stages:
        if not build.is_exported(stage.index):
            continue
        for instruction in stage.instructions:
            if instruction.keyword != "RUN":
                continue
            text = _text(instruction)
            if _APT_UPDATE.search(text):
                yield from _lists(build, stage, instruction, text)
            if _RPM_FETCHES.search(text) and not _RPM_THOUGHT_OF.search(text):
                yield from _rpm_caches(build, stage, instruction)
    yield from package_options.propose(build)


def _text(instruction: Instruction) -> str:
    return instruction.args + "\n" + "".join(heredoc.body for heredoc in instruction.heredocs)


def _lists(build: Build, stage: Stage, instruction: Instruction, text: str) -> Iterator[Proposal | Refusal]:
    """Look at a RUN that fetches apt's lists."""
    if _LISTS_THOUGHT_OF.search(text) or _is_mounted(instruction, APT_LISTS):
        return
    line = instruction.start_line
    commands = build.commands_of(stage.index, instruction.index)
    updates = [i for i, command in enumerate(commands) if _is_apt(command, "update")]
    problem = _not_followed(commands, [commands[i] for i in updates], "apt-get update")
    if problem is not None:
        yield Refusal(ID, line, problem, "", line)
        return
    if not any(_is_apt(command, "install") for command in commands[updates[0] :]):
        user = _first_user(build, stage, instruction)
        if user is not None and _is_apt(user, "install"):
            reason = f"the installation of line {user.line} needs the lists; `merge-runs` makes one RUN of the two"
            yield Refusal(ID, line, reason, "", user.line)
            return
    user = _first_user(build, stage, instruction)
    if user is not None:
        reason = f"`{shortened(user.text)}` of line {user.line} may need the lists, and does not fetch them itself"
        yield Refusal(ID, line, reason, "", user.line)
        return
    hidden = _hidden_user(build)
    if hidden is not None:
        yield Refusal(ID, line, hidden.reason, hidden.path, hidden.line)
        return
    yield from _appending(
        build,
        stage,
        instruction,
        _REMOVE_LISTS,
        "`apt-get update` leaves its lists of packages in the image",
        "the layer is smaller by the lists of packages, some 20 to 60 MB",
        "to install something in a running container, `apt-get update` has to come first",
        (APT_LISTS,),
        ("/var/lib/apt", "/var/cache/apt"),
    )


def _rpm_caches(build: Build, stage: Stage, instruction: Instruction) -> Iterator[Proposal | Refusal]:
    """Look at a RUN that installs with dnf, yum or microdnf."""
    if any(_is_mounted(instruction, place) for place in RPM_CACHES):
        return
    line = instruction.start_line
    commands = build.commands_of(stage.index, instruction.index)
    mine = [command for command in commands if command.name in _RPM and _RPM_INSTALLS & set(command.argv)]
    fetching = [command for command in mine if not {"-C", "--cacheonly"} & set(command.argv)]
    if mine and not fetching:
        return
    problem = _not_followed(commands, fetching, "the installation")
    if problem is not None:
        yield Refusal(ID, line, problem, "", line)
        return
    program = fetching[-1].name
    yield from _appending(
        build,
        stage,
        instruction,
        f"{program} clean all",
        f"`{program}` leaves what it fetched of its repositories in the image",
        f"the layer is smaller by the cache of `{program}`, often more than 100 MB",
        "",
        RPM_CACHES,
        RPM_CACHES[:-1],
    )


def _appending(
    build: Build,
    stage: Stage,
    instruction: Instruction,
    command: str,
    message: str,
    gain: str,
    risk: str,
    residue: Sequence[str],
    mounted: Sequence[str],
) -> Iterator[Proposal | Refusal]:
    """Yield the proposal that lets a RUN end with a command, or why not."""
    line = instruction.start_line
    way = next((i for i in build.dockerfile.instructions if any(_is_mounted(i, place) for place in mounted)), None)
    if way is not None:
        reason = f"line {way.start_line} keeps what is fetched in a cache mount; the same mounts belong here"
        yield Refusal(ID, line, reason, "", way.start_line)
        return
    run = script_of(build, stage, instruction)
    edit = run if isinstance(run, str) else appended(build.dockerfile, run, command)
    if isinstance(edit, str):
        yield Refusal(ID, line, edit, "", line)
        return
    yield Proposal(
        ID,
        line,
        message,
        (edit,),
        gain=gain,
        risk=risk,
        declared=WantedDifference(residue=frozenset(residue), added=frozenset({command})),
    )


def _not_followed(commands: Sequence[Executed], wanted: Sequence[Executed], what: str) -> str | None:
    """Return why the commands of a RUN cannot be told one from the other, None where they can."""
    if not wanted:
        unknown = next((c.effects.unknown for c in commands if c.effects.unknown is not None), None)
        return f"`{what}` is not followed: {unknown or 'the script goes on after a command that fails'}".replace(
            "`the installation`", "the installation"
        )
    for command in wanted:
        if command.effects.unknown is not None:
            return f"`{shortened(command.text)}` is not understood: {command.effects.unknown}"
        if command.before.user not in (None, "root", "0"):
            return f"it runs as `{command.before.user}`, who may not remove anything there"
    return None


def _is_apt(command: Executed, subcommand: str) -> bool:
    name, *operand = called(command) or (None,)
    return name in _APT and operand == [subcommand]


def _first_user(build: Build, stage: Stage, instruction: Instruction) -> Executed | None:
    """Return the first command after a RUN that may need its lists, in the stage and in those that are built on it."""
    later = [
        command
        for command in build.executed
        if command.stage == stage.index and command.instruction.index > instruction.index
    ]
    found = _needing(later)
    if found is not None or any(_is_apt(command, "update") for command in later):
        return found
    for other in build.dockerfile.stages:
        if other.index > stage.index and stage.name is not None and other.base == stage.name and other.instructions:
            found = _first_in(build, other)
            if found is not None:
                return found
    return None


def _hidden_user(build: Build) -> Cause | None:
    """Return an installation that no command names and that may need the lists: of a later build, or of a script of the project.

    A script may run in a later RUN, by way of make for example, or in the container: any of the build context counts.
    """
    brings = False
    for instruction in build.dockerfile.instructions:
        if instruction.keyword == "ONBUILD" and _APT_WORDS.search(_text(instruction)):
            return Cause("images that are built on this one may need the lists", "", instruction.start_line)
        brings |= instruction.keyword in ("COPY", "ADD") and instruction.flag("from") is None
        brings |= any(mount.type == "bind" and not mount.from_ for mount in instruction.mounts)
    for path in (build.context.files_below("", _MOST_FILES) or ()) if brings else ():
        if _NO_SCRIPT.search(path):
            continue
        text = (build.context.peek(path) or b"").decode("utf-8", "replace")
        installs = _SCRIPT_INSTALLS.search(text)
        if installs is not None and _APT_UPDATE.search(text, 0, installs.start()) is None:
            at = text.count("\n", 0, installs.start()) + 1
            return Cause("a script of the project installs with apt, and does not fetch the lists itself", path, at)
    return None


def _first_in(build: Build, stage: Stage) -> Executed | None:
    """Return the first command of a stage, or of one that is built on it, that may need lists of a stage below."""
    return _first_user(build, stage, stage.from_)


def _needing(commands: Sequence[Executed]) -> Executed | None:
    """Return the first command that speaks of apt, None where an update comes first."""
    for command in commands:
        if _is_apt(command, "update"):
            return None
        if _APT_WORDS.search(command.text) and not _is_apt(command, "clean"):
            return command
    return None


def _is_mounted(instruction: Instruction, place: str) -> bool:
    """Tell whether a mount covers a place, or may."""
    return any(
        mount.target is None or "$" in mount.target or below(place, mount.target.rstrip("/") or "/")
        for mount in instruction.mounts
        if mount.type in ("cache", "tmpfs")
    )
