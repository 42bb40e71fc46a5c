"""Gives a program for the Java machine a stage of its own that runs its jar (`multi-stage`): when, and in which image.

The image for running is that of Eclipse Temurin with the same major version on the same system, so that libraries of C in a jar find the C
library that they were made for, and the certificates and time zones are those that come with the JRE, as those of the JDK did before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockopt.optimizer.ecosystems.gradle.jar import gradle_jar
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.ecosystems.maven.jar import maven_jar
from dockopt.optimizer.entrypoint import MAVEN_ENTRYPOINT, TEMURIN_ENTRYPOINT, Start, health_checked, started
from dockopt.optimizer.jvm.command import OPTIONS_IN_VARIABLES, java_start, option_problem, path_problem
from dockopt.optimizer.jvm.images import JavaImage, java_image
from dockopt.optimizer.jvm.jar import JarBuild, with_copies
from dockopt.optimizer.jvm.libraries import need_of
from dockopt.optimizer.jvm.sources import JavaSources
from dockopt.optimizer.model import Build
from dockopt.optimizer.proposal import Advice, Proposal, Refusal
from dockopt.optimizer.runtime_bases import base_of
from dockopt.optimizer.runtime_files import brought_into
from dockopt.optimizer.symbolic.run import Executed
from dockopt.optimizer.syntax import Stage
from dockopt.rewrites.runtime_choice import WGET, Choice, NoBase, stranger_of
from dockopt.rewrites.stage_commands import obstacle_in, unknown_behind
from dockopt.rewrites.stage_cut import TOOLCHAIN
from dockopt.rewrites.stage_outside import outside_problem
from dockopt.rewrites.stage_split import ID, Language, split, start_problem

_Reason = tuple[str, str, int]
#: what the image for running has elsewhere, or not at all
_PLACES = re.compile(
    r"\b(?:JAVA_HOME|JRE_HOME|JDK_HOME|MAVEN_HOME|MAVEN_CONFIG|GRADLE_HOME|GRADLE_VERSION|JAVA_VERSION)\b|/opt/java\b"
)
#: with it the entrypoint of Temurin imports certificates, which the image that builds may not do
_CERTIFICATES = "USE_SYSTEM_CA_CERTS"
_ENTRYPOINTS = (MAVEN_ENTRYPOINT, TEMURIN_ENTRYPOINT)


def builds_jar(build: Build, stage: Stage) -> bool:
    """Tell whether a stage calls Maven or Gradle."""
    return any(
        command.stage == stage.index and re.search(r"\b(?:mvnw?|gradlew?)\b", command.text)
        for command in build.executed
    )


def propose_jvm(build: Build, stage: Stage) -> Iterator[Proposal | Refusal | Advice]:
    """Look at a last stage that starts from an image with a JDK. Raises Unsupported."""
    line = stage.from_.start_line
    found = _made(build, stage)
    if not isinstance(found, _Made):
        yield Refusal(ID, line, *found)
        return
    made, image, start = found.jar, found.image, found.start
    files = made.command.before.files
    brought = tuple(brought_into(files, build.context.aside()))
    sources = JavaSources(build.context, made.root, made.output)
    trouble = next(sources.troubles(brought), None)
    if trouble is not None:
        yield Refusal(ID, line, trouble.reason, trouble.file, trouble.line)
        return
    refusal = _command_problem(build, stage, start, [entry.path for entry in brought])
    if refusal is not None:
        yield Refusal(ID, line, *refusal)
        return
    health = health_checked(build, stage.index)
    choice = _choose(build, stage, image, health)
    if isinstance(choice, NoBase):
        yield Refusal(ID, line, choice.reason, choice.path, choice.line)
        return
    notes = [
        "what libraries read, start or need of the JDK when the program runs is not looked at, but for those known by name"
    ]
    if made.tests and any("/src/test/" in entry.path for entry in brought):
        notes.append(f"what tests leave outside of `{made.output}` is not taken along")
    lacking = f"there is neither {found.tool} nor a compiler nor `jcmd` nor git any more"
    language = Language(sources, files, "src/main/resources", lacking, tuple(notes), is_argument=True)
    # variables of the tools that build are kept: they do no harm, and a library may read them
    yield from split(build, stage, found.path, start, health, choice, TOOLCHAIN, language)


class _Made(NamedTuple):
    """The jar that is started, its path, and the image that it is made in."""

    jar: JarBuild
    path: str
    image: JavaImage
    start: Start

    @property
    def tool(self) -> str:
        """The program that makes it."""
        return "Maven" if self.jar.output == "target" else "Gradle"


def _made(build: Build, stage: Stage) -> _Made | _Reason:
    """Return the jar that is started and made in a stage, or why that is not certain. Raises Unsupported."""
    line = stage.from_.start_line
    outside = outside_problem(build, stage)
    if outside is not None:
        return outside
    base = base_of(build.executor, stage.index)
    if not base.certain:
        return f"a build argument decides about `{base.reference}`", "", base.line
    image = java_image(base.reference)
    if isinstance(image, str):
        return image, "", base.line
    start = started(build, stage.index)
    start.programs = [program for program in start.programs if program.argv[0] not in _ENTRYPOINTS]
    at = start.instructions[0].start_line if start.instructions else line
    problem = start_problem(stage, start)
    if problem is not None:
        return problem
    name = start.programs[0].argv[0] if start.programs else None
    if len(start.programs) != 1 or name != "java":
        return f"`{name or '?'}`, which is started, is not surely a jar that this stage makes", "", at
    begun = java_start(start.programs[0])
    if isinstance(begun, str):
        return begun, start.programs[0].file, start.programs[0].line
    builds = [
        (command, jar)
        for command in build.executed
        if command.stage == stage.index
        and (jar := maven_jar(command, build.executor) or gradle_jar(command, build.executor)) is not None
    ]
    if not builds:
        return f"`{begun.jar}` is not surely built in this stage", "", at
    made = builds[0][1]
    copies: tuple[Executed, ...] = ()
    if isinstance(made, JarBuild):
        made, copies = with_copies(made, (command for command in build.executed if command.stage == stage.index))
    problem = _stage_problem(build, stage, [*(command for command, _ in builds), *copies])
    if problem is not None:
        return problem
    if isinstance(made, Cause):
        return f"which jar is built cannot be followed: {made.reason}", made.path, made.line
    if len(builds) > 1:
        return "the program is built more than once", "", builds[1][0].line
    return _jar_problem(made, begun.jar) or _Made(made, begun.jar, image, start)


def _jar_problem(made: JarBuild, jar: str) -> _Reason | None:
    """Return why a jar that is started may not be the one that is built, or may need more than a JRE."""
    if jar not in made.jars:
        known = ", ".join(f"`{path}`" for path in sorted(made.jars))
        return f"`{jar}`, which is started, is not the jar that the build makes ({known})", made.manifest, 1
    for library in made.libraries:
        need = need_of(library.group, library.artifact)
        if need is not None:
            return f"the library `{library.group}:{library.artifact}` {need.reason}", library.file, library.line
    if not made.jars[jar] and made.libraries:
        library = made.libraries[0]
        reason = f"the jar does not hold the libraries that the project depends on (`{library.artifact}`)"
        return reason, library.file, library.line
    return None


def _stage_problem(build: Build, stage: Stage, builds: Sequence[Executed]) -> _Reason | None:
    def is_build(command: Executed) -> bool:
        return any(command is other for other in builds)

    # plugins may write anywhere
    problem = obstacle_in(build, stage, is_build) or unknown_behind(build, stage, builds[0])
    if problem is not None:
        return problem
    for instruction in stage.instructions:
        if instruction.keyword in ("RUN", "COPY", "ADD"):
            continue
        place = _PLACES.search(instruction.args)
        if place is not None and instruction.keyword != "FROM":
            return (
                f"`{place[0]}` is something else, or not there, in an image that only runs Java",
                "",
                instruction.start_line,
            )
        if instruction.keyword == "ENV" and any(pair.key == _CERTIFICATES for pair in instruction.pairs):
            return f"`{_CERTIFICATES}` has the entrypoint of the image import certificates", "", instruction.start_line
    return None


def _command_problem(build: Build, stage: Stage, start: Start, brought: Sequence[str]) -> _Reason | None:
    """Return the first option or argument that needs more than the jar and files that COPY brings."""
    from dockopt.optimizer.running.services import services_of

    (program,) = start.programs
    begun = java_start(program)
    assert not isinstance(begun, str)
    place = program.file, program.line
    cwd = program.cwd or "/"
    text = " ".join(program.instruction.json or (program.instruction.args,))
    unknown = next(
        (word for word in text.split() if "$" in word and ("/" in word or ":" in word.partition("$")[0])), None
    )
    if unknown is not None and any(word is None for word in program.argv):
        return f"`{unknown}` may name a file, and is not known before the container runs", *place
    problem = option_problem(begun.options, cwd, brought) or next(
        (found for word in begun.arguments if (found := path_problem(word, cwd, brought))), None
    )
    if problem is not None:
        return problem, *place
    line = stage.from_.start_line
    for name, value in build.runs[stage.index].final.env.items():
        if OPTIONS_IN_VARIABLES.fullmatch(name):
            if value.text is None:
                return f"what the variable `{name}` is set to is not known before the build", "", line
            problem = option_problem(value.text.split(), cwd, brought)
            if problem is not None:
                return f"the variable `{name}`: {problem}", "", line
    for service in services_of(build, stage.index):
        for name, given in service.environment.items():
            if name == _CERTIFICATES or (
                OPTIONS_IN_VARIABLES.fullmatch(name) and (given is None or option_problem(given.split(), cwd, brought))
            ):
                return f"Compose sets `{name}`, which may name what the new image lacks", service.file, service.line
    return None


def _choose(build: Build, stage: Stage, image: JavaImage, health: Start | None) -> Choice | NoBase:
    stranger = stranger_of(build, stage)
    if stranger is not None:
        return stranger
    if health is not None:
        line = health.instructions[0].start_line
        if health.unknown is not None:
            return NoBase(f"the health check is not understood: {health.unknown.reason}", health.unknown.path, line)
        for program in health.programs:
            name = (program.argv[0] or "").rpartition("/")[2]
            # the images on Ubuntu have curl and wget for that, those on Alpine have the wget of busybox
            is_there = name == "curl" and not image.is_alpine
            is_there |= name == "wget" and all(word is not None and WGET.fullmatch(word) for word in program.argv[1:])
            if not is_there:
                return NoBase(
                    f"the health check starts `{name}`, which `{image.runtime}` does not surely have", "", line
                )
    why = f"it has the Java machine of the image that builds (Eclipse Temurin {image.major}), without the tools for development"
    return Choice(image.runtime, True, None, why)
