"""Which jars a `gradle build` makes, and whether one of them surely holds all libraries.

A jar comes at `build/libs/NAME-VERSION.jar`, where NAME is `rootProject.name` and a version that is not set is left out (Gradle,
`AbstractArchiveTask.archiveFileName`, BasePlugin); `bootJar` takes that name, `shadowJar` adds `-all` (docs.spring.io,
gradle-plugin/packaging; gradleup.com/shadow). No jar has a `Class-Path` unless its manifest is given one. Scripts are programs, so
only those are followed of which every statement is known: named plugins, repositories, libraries, and values. `gradlew` is a
script of the project and is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockopt.optimizer.ecosystems.gradle.script import ScriptError, Statement, parse_script
from dockopt.optimizer.ecosystems.installs import Cause
from dockopt.optimizer.jvm.jar import JarBuild, Library
from dockopt.optimizer.regions import join
from dockopt.optimizer.symbolic.run import Executed, surroundings_of

if TYPE_CHECKING:
    from dockopt.optimizer.commands.registry import Surroundings
    from dockopt.optimizer.symbolic.execute import Executor

_TASKS = frozenset({"clean", "build", "assemble", "bootJar", "shadowJar", "jar"})
_OPTIONS = frozenset(
    "--no-daemon --daemon --stacktrace -s --full-stacktrace -S --info -i --debug -d --quiet -q --warn -w --parallel --no-parallel "
    "--build-cache --no-build-cache --refresh-dependencies --rerun-tasks --continue --console=plain --no-watch-fs --no-scan".split()
)
#: tasks that may be left out without another jar being made
_LEFT_OUT = frozenset({"test", "check", "javadoc", "checkstyleMain", "checkstyleTest", "jacocoTestReport"})
_BOOT = "org.springframework.boot"
_SHADOW = frozenset({"com.github.johnrengelman.shadow", "com.gradleup.shadow"})
#: plugins that leave nothing but classes, jars and reports in `build`
_PLUGINS = _SHADOW | {
    _BOOT, "java", "java-library", "application", "io.spring.dependency-management", "jacoco", "checkstyle", "idea", "eclipse", "base",
    "org.jetbrains.kotlin.jvm", "org.jetbrains.kotlin.plugin.spring", "org.jetbrains.kotlin.plugin.jpa",
    "org.jetbrains.kotlin.plugin.allopen", "org.jetbrains.kotlin.plugin.noarg", "io.freefair.lombok",
}  # fmt: skip
_VALUE = r"""(?:"[^"$\\]*"|'[^'$\\]*')"""
_BY_NAME = "java(?:-library)?|application|jacoco|checkstyle|idea|eclipse|base"
_PLUGIN = re.compile(
    rf"(?:id ?\(? ?(?P<id>{_VALUE}) ?\)?|kotlin ?\( ?(?P<kotlin>{_VALUE}) ?\)|`?(?P<plain>{_BY_NAME})`?)"
    rf"(?: version ?\(? ?{_VALUE} ?\)?)?"
)
_SET = re.compile(rf"(?P<name>[\w.]+?)(?:\.set)? ?(?:=|\(| ) ?(?P<value>{_VALUE}) ?\)?")
_LIBRARY = re.compile(
    rf"(?P<scope>[a-z]\w*) ?\(? ?(?P<platform>(?:enforcedP|p)latform ?\( ?)?(?P<name>{_VALUE}) ?\)? ?\)?"
    rf"|(?P<kscope>[a-z]\w*) ?\( ?kotlin ?\( ?{_VALUE} ?\) ?\)"
)
#: configurations of libraries (Gradle, "The Java Library Plugin"; docs.spring.io, gradle-plugin/reacting)
_IN_THE_JAR = frozenset({"implementation", "api", "runtimeOnly", "compileOnly", "compileOnlyApi"})
_NOT_IN_THE_JAR = re.compile(r"test\w+|annotationProcessor|kapt|developmentOnly|testAndDevelopmentOnly|lombok")
#: blocks, and statements in them that only say values
_MAIN_CLASS = rf"mainClass(?:Name)?(?:\.set)? ?(?:=|\() ?{_VALUE} ?\)?"
_BLOCKS = {
    "repositories": re.compile(
        rf"(?:mavenCentral|google|gradlePluginPortal|mavenLocal) ?\( ?\)|maven(?: ?\( ?{_VALUE} ?\))?"
        rf"|(?:url|name)(?: ?= ?| ?\( ?| )(?:uri ?\( ?)?{_VALUE}[ )]*"
    ),
    "configurations": re.compile(r"\w+|(?:\w+\.)?extendsFrom ?\(? ?[\w ,.]+\)?"),
    "java": re.compile(
        r"toolchain|\w+(?:\.set)? ?[=(] ?JavaLanguageVersion\.of ?\( ?\d+ ?\) ?\)?|with\w+ ?\( ?\)"
        rf"|\w+ ?= ?(?:JavaVersion\.\w+|{_VALUE})"
    ),
    "kotlin": re.compile(
        rf"compilerOptions|jvmToolchain ?\( ?\d+ ?\)|freeCompilerArgs[\w.]* ?\(? ?(?:{_VALUE}[ ,]*)*\)?"
    ),
    "test": re.compile(r"useJUnitPlatform ?\( ?\)|testLogging|events[ (][\w ,.\"'()]*|finalizedBy[\w ().]+"),
    "application": re.compile(_MAIN_CLASS),
    "dependencyManagement": re.compile(r"imports|mavenBom ?\(? ?(?:\"[^\"]*\"|'[^']*') ?\)?"),
    "springBoot": re.compile(rf"{_MAIN_CLASS}|buildInfo ?\( ?\)"),
    "ext": re.compile(rf"\w+ ?= ?{_VALUE}|set ?\( ?{_VALUE} ?, ?{_VALUE} ?\)"),
}
_TASK = re.compile(
    r"(?:tasks\.)?(?P<plain>jar|bootJar|shadowJar|test)"
    r"|tasks\.(?:named|getByName)(?:<\w+>)? ?\(? ?['\"](?P<named>jar|bootJar|shadowJar|test)['\"] ?(?:, ?\w+ ?)?\)?"
    r"|tasks\.withType ?(?:<Test>|\( ?Test ?\))(?:\.configureEach)?"
)
_ARCHIVE = re.compile(
    rf"(?P<name>archive(?:FileName|BaseName|Version|Classifier))(?:\.set)? ?(?:=|\() ?(?P<value>{_VALUE}) ?\)?"
)
_IN_A_JAR = re.compile(
    rf"manifest|attributes ?\(? ?{_VALUE} ?(?::|to|,) ?{_VALUE} ?\)?|attributes ?\[ ?{_VALUE} ?\] ?= ?{_VALUE}|mergeServiceFiles ?\( ?\)"
    rf"|{_MAIN_CLASS}|enabled ?= ?(?:true|false)|archive(?:FileName|BaseName|Version|Classifier)\b.*"
)
_TOP_LEVEL = re.compile(
    rf"(?:group|version|description)(?: ?= ?| ){_VALUE}|(?:source|target)Compatibility ?= ?(?:{_VALUE}|JavaVersion\.\w+|[\d.]+)"
    rf"|(?:ext|extra)\[{_VALUE}\] ?= ?{_VALUE}"
)
_IN_SETTINGS = re.compile(rf"rootProject\.name ?= ?(?P<name>{_VALUE})")
_HARMLESS_PROPERTY = re.compile(
    r"org\.gradle\.(?!project|java\.home)[\w.-]+|kotlin\.[\w.-]+|group|version|\w*[vV]ersion"
)
_HOMES = ("/home/gradle/.gradle", "/root/.gradle")


class _NotCertain(Exception):
    """It cannot be told which jar is made; `path` is the file of the image that is the cause."""

    def __init__(self, reason: str, path: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.path, self.line = reason, path, line


def gradle_jar(command: Executed, executor: Executor) -> JarBuild | Cause | None:
    """Return the jars that a command makes; None if it is not of Gradle, a Cause if it is not understood."""
    program = (command.argv[0] or "").rsplit("/", 1)[-1] if command.argv else ""
    if program not in ("gradle", "gradlew"):
        return None
    if program == "gradlew":
        return Cause("`gradlew` is a script of the project, and is not followed", "", command.line)
    around = surroundings_of(command, executor)
    try:
        return _Reader(command, around).build()
    except _NotCertain as error:
        path = around.context_path(error.path) if error.path else None
        return Cause(error.reason, path or "", error.line if path else command.line)


class _Reader:
    def __init__(self, command: Executed, around: Surroundings) -> None:
        self._command, self._around = command, around
        self._root = command.cwd or "/"

    def build(self) -> JarBuild:
        """Return what the command makes. Raises _NotCertain."""
        tasks, tests = self._tasks()
        if self._command.cwd is None or self._root == "/":
            raise _NotCertain("the directory of the project is not certain")
        if any(mount.type == "bind" for mount in self._command.instruction.mounts):
            raise _NotCertain("it works on files that are mounted for it")
        self._check_surroundings()
        settings, _ = self._script("settings.gradle")
        script, path = self._script("build.gradle")
        name = self._project_name(settings)
        version = self._from_properties()
        plugins: set[str] = set()
        archives: dict[str, dict[str, str]] = {"jar": {}, "bootJar": {}, "shadowJar": {}}
        libraries: list[Library] = []
        for statement in script:
            version = self._statement(statement, path, plugins, archives, libraries) or version
        jars = self._jars(plugins, archives, name, version, tasks)
        return JarBuild(
            self._command, self._root, "build", jars, self._around.context_path(path) or "", tuple(libraries), tests
        )

    def _tasks(self) -> tuple[set[str], bool]:
        """Return the tasks of the command line, and whether tests run."""
        words = list(self._command.argv[1:])
        tasks: set[str] = set()
        left_out: set[str] = set()
        while words:
            word = words.pop(0)
            if word in ("-x", "--exclude-task") and words:
                left_out.add((words.pop(0) or "?").removeprefix(":"))
            elif word is not None and word.removeprefix(":") in _TASKS:
                tasks.add(word.removeprefix(":"))
            elif word not in _OPTIONS:
                raise _NotCertain(f"what `{word or 'an argument that is not known'}` changes is not followed")
        strange = next((task for task in sorted(left_out) if task not in _LEFT_OUT), None)
        if strange is not None:
            raise _NotCertain(f"what it changes to leave out `{strange}` is not followed")
        if not tasks - {"clean"}:
            raise _NotCertain("it makes no jar")
        return tasks, "build" in tasks and not left_out & {"test", "check"}

    def _check_surroundings(self) -> None:
        for name in self._around.assigned():
            if name.startswith(("ORG_GRADLE_", "GRADLE_")) or name in ("JAVA_OPTS", "JAVA_TOOL_OPTIONS"):
                raise _NotCertain(f"`{name}` may set what decides about the jar")
        for home in _HOMES:
            for name in ("init.gradle", "init.gradle.kts", "init.d/a.gradle", "gradle.properties"):
                if self._around.may_be_copied(join(home, name)) is not None:
                    raise _NotCertain(f"settings of Gradle may lie in `{home}`")
        for name in ("buildSrc", "build-logic"):
            if self._around.kind(join(self._root, name)) != "absent":
                raise _NotCertain(f"`{name}` has programs of the build, or may have", join(self._root, name), 1)

    def _script(self, name: str) -> tuple[tuple[Statement, ...], str]:
        """Return the statements of a script in either language, and its path."""
        found = [
            path
            for path in (join(self._root, name), join(self._root, f"{name}.kts"))
            if self._around.kind(path) != "absent"
        ]
        if len(found) != 1:
            raise _NotCertain(f"there is no single `{name}` that surely comes from the build context")
        data = self._around.read_context(found[0])
        if data is None:
            raise _NotCertain(f"`{found[0]}` does not surely come from the build context")
        try:
            return parse_script(data.decode("utf-8", "replace")), found[0]
        except ScriptError as error:
            raise _NotCertain(error.message, found[0], error.line) from None

    def _project_name(self, settings: tuple[Statement, ...]) -> str:
        path = next(
            p
            for p in (join(self._root, "settings.gradle"), join(self._root, "settings.gradle.kts"))
            if self._around.kind(p) != "absent"
        )
        name = ""
        for statement in settings:
            found = _IN_SETTINGS.fullmatch(statement.text)
            if found is not None and statement.body is None:
                name = _plain(found["name"])
            elif re.match(r"include\b", statement.text):
                raise _NotCertain("a project of several modules is not followed", path, statement.line)
            else:
                raise _NotCertain(f"what `{_shown(statement)}` changes is not followed", path, statement.line)
        if not name:
            raise _NotCertain("the name of the project is not set, so it is that of its directory", path, 1)
        return name

    def _from_properties(self) -> str:
        path = join(self._root, "gradle.properties")
        if self._around.kind(path) == "absent":
            return ""
        data = self._around.read_context(path)
        if data is None:
            raise _NotCertain(f"`{path}` does not surely come from the build context")
        version = ""
        for at, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
            entry = line.strip()
            if not entry or entry[0] in "#!":
                continue
            key, _, value = entry.partition("=")
            if not _HARMLESS_PROPERTY.fullmatch(key.strip()) or "\\" in entry:
                raise _NotCertain(f"what the property `{key.strip()}` changes is not followed", path, at)
            if key.strip() == "version":
                version = value.strip()
        return version

    def _statement(
        self,
        statement: Statement,
        path: str,
        plugins: set[str],
        archives: dict[str, dict[str, str]],
        libraries: list[Library],
    ) -> str | None:
        """Take one statement of the build script; return the version where it sets it."""
        strange = _NotCertain(f"what `{_shown(statement)}` changes is not followed", path, statement.line)
        if statement.body is None:
            if not _TOP_LEVEL.fullmatch(statement.text):
                raise strange
            found = _SET.fullmatch(statement.text)
            return _plain(found["value"]) if found is not None and found["name"] == "version" else None
        task = _TASK.fullmatch(statement.text)
        name = (task["plain"] or task["named"] or "test") if task is not None else statement.text
        if name == "plugins":
            plugins |= {self._plugin(inner, path) for inner in statement.body}
        elif name == "dependencies":
            libraries += self._libraries(statement.body, path)
        elif name in archives:
            archives[name] |= self._archive(statement.body, path)
        else:
            allowed = _BLOCKS.get(name)
            for inner in statement.every() if allowed is not None else ():
                if inner is not statement and (allowed is None or not allowed.fullmatch(inner.text)):
                    raise _NotCertain(f"what `{_shown(inner)}` changes is not followed", path, inner.line)
            if allowed is None:
                raise strange
        return None

    def _plugin(self, statement: Statement, path: str) -> str:
        found = _PLUGIN.fullmatch(statement.text)
        name = ""
        if found is not None and statement.body is None:
            name = (
                _plain(found["id"])
                if found["id"]
                else found["plain"] or f"org.jetbrains.kotlin.{_plain(found['kotlin'])}"
            )
        if name not in _PLUGINS:
            raise _NotCertain(f"what the plugin `{name or statement.text}` makes is not known", path, statement.line)
        return name

    def _libraries(self, body: tuple[Statement, ...], path: str) -> Iterator[Library]:
        for statement in body:
            found = _LIBRARY.fullmatch(statement.text)
            excludes = all(inner.text.startswith("exclude") for inner in statement.body or ())
            if found is None or not excludes:
                raise _NotCertain(f"what `{_shown(statement)}` brings is not followed", path, statement.line)
            scope = found["scope"] or found["kscope"]
            if _NOT_IN_THE_JAR.fullmatch(scope) or found["platform"]:
                continue
            if scope not in _IN_THE_JAR:
                # libraries of `shadow` come into the `Class-Path` of the manifest (gradleup.com/shadow)
                raise _NotCertain(
                    f"what the configuration `{scope}` does with a library is not followed", path, statement.line
                )
            parts = _plain(found["name"]).split(":") if found["name"] else ["org.jetbrains.kotlin", "kotlin"]
            if len(parts) < 2:
                raise _NotCertain(f"what `{_shown(statement)}` brings is not followed", path, statement.line)
            yield Library(parts[0], parts[1], self._around.context_path(path) or "", statement.line)

    def _archive(self, body: tuple[Statement, ...], path: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for statement in body:
            for inner in statement.every():
                if not _IN_A_JAR.fullmatch(inner.text) or "Class-Path" in inner.text:
                    raise _NotCertain(f"what `{_shown(inner)}` changes is not followed", path, inner.line)
            found = _ARCHIVE.fullmatch(statement.text)
            if found is not None:
                values[found["name"]] = _plain(found["value"])
            elif statement.text.startswith("archive"):
                raise _NotCertain(f"what `{_shown(statement)}` changes is not followed", path, statement.line)
            elif statement.text.startswith("enabled"):
                values["enabled"] = statement.text.rpartition("=")[2].strip()
        return values

    def _jars(
        self, plugins: set[str], archives: dict[str, dict[str, str]], name: str, version: str, tasks: set[str]
    ) -> dict[str, bool]:
        """Return the jars that the tasks make."""
        boot, shadow = _BOOT in plugins, bool(plugins & _SHADOW)
        if boot and shadow:
            raise _NotCertain("two plugins put the libraries into a jar")

        def place(task: str, classifier: str) -> str:
            given = archives[task]
            parts = (
                given.get("archiveBaseName", name),
                given.get("archiveVersion", version),
                given.get("archiveClassifier", classifier),
            )
            return join(
                self._root, f"build/libs/{given.get('archiveFileName', '-'.join(filter(None, parts)) + '.jar')}"
            )

        made: dict[str, bool] = {}
        plain = place("jar", "plain" if boot else "")
        if archives["jar"].get("enabled") != "false" and tasks & {"jar", "build", "assemble"}:
            made[plain] = False
        if boot and tasks & {"bootJar", "build", "assemble"} and archives["bootJar"].get("enabled") != "false":
            bundled = place("bootJar", "")
        elif shadow and "shadowJar" in tasks:
            bundled = place("shadowJar", "all")
        else:
            return made
        if bundled == plain:
            raise _NotCertain(f"two tasks make `{bundled}`")
        return {**made, bundled: True}


def _plain(value: str) -> str:
    return value[1:-1]


def _shown(statement: Statement) -> str:
    text = statement.text if len(statement.text) <= 60 else f"{statement.text[:57]}..."
    return text or "{"
