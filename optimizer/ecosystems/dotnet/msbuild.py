"""Which files MSBuild reads to evaluate one project for a restore, and what could make it read others.

The order of the files is that of the SDK: `Directory.Build.props` (Microsoft.Common.props), `Directory.Packages.props` (NuGet.props), the
project, `<project>.user` and `Directory.Build.targets` (Microsoft.Common.targets); see learn.microsoft.com, *Customize the build by folder*
and *Central Package Management*. A restore evaluates projects with `ExcludeRestorePackageImports`, so that no file of a package takes part
(NuGet.targets). Conditions are not decided: both branches count. Globs of items (`**/*.cs`) are evaluated too, but restore looks at
package and project references only, so that sources have no bearing on it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from dockopt.optimizer.ecosystems.dotnet.expressions import MOST_VALUES, Scope, Unknown
from dockopt.optimizer.ecosystems.dotnet.view import Obstacle, View
from dockopt.optimizer.ecosystems.xml import Element
from dockopt.optimizer.regions import below

#: SDKs that come with `dotnet` itself; any other one comes from a package
_SDKS = frozenset(
    f"microsoft.net.sdk{suffix}"
    for suffix in (
        "",
        ".web",
        ".worker",
        ".razor",
        ".blazorwebassembly",
        ".windowsdesktop",
        ".staticwebassets",
        ".publish",
    )
)
#: properties that lead a restore to other directories, files or steps (NuGet.targets, Microsoft.Common.props; *Restore properties*)
PLACES = re.compile(
    r"restore(?!packageswithlockfile$|lockedmode$|usestaticgraphevaluation$|ignorefailedsources$|nocache$|disableparallel$|sources$"
    r"|additionalprojectsources$|enableglobalpackagereference$|force|useskip).*|nuget(?!audit|interactive$).*"
    r"|directory(build|packages|solution).*path|_directory.*|custom(before|after).*|(before|after).*(props|targets)|import.*|baseintermediateoutputpath|msbuildprojectextensionspath"
    r"|msbuild(?!treatwarningsaserrors$|warnings).*|(use)?artifacts(output|path|dir|projectname)|includeprojectnameinartifactspaths"
    r"|publishprofile.*|alternatecommonprops|languagetargets|projectassetsfile|packageassetsfile|excluderestorepackageimports"
)
_SOURCES = ("restoresources", "restoreadditionalprojectsources")
#: items that a build looks at and a restore does not
_BUILD_ITEMS = frozenset(
    "none content compile embeddedresource folder using internalsvisibleto protobuf additionalfiles editorconfigfiles watch reference page "
    "resource applicationdefinition typescriptcompile openapireference assemblyattribute assemblymetadata globalanalyzerconfigfiles "
    "analyzer runtimehostconfigurationoption trimmerrootassembly trimmerrootdescriptor containerport containerenvironmentvariable "
    "projectcapability dotnetpublishfiles resolvedfiletopublish wwwroot staticwebasset upload "
    "uptodatecheckinput codeanalysisdictionary bundlefiles noticefile supportedplatform typescriptcompilation jsfiles".split()
)
#: targets that run in a build and not in a restore; other ones may hook into these
_BUILD_TARGETS = frozenset(
    "build beforebuild afterbuild corebuild rebuild beforerebuild afterrebuild prebuildevent postbuildevent beforecompile aftercompile "
    "corecompile compile publish beforepublish afterpublish prepareforpublish prepareforbuild computefilestopublish "
    "computeresolvedfilestopublishlist copyfilestooutputdirectory copyfilestopublishdirectory clean beforeclean afterclean coreclean pack "
    "beforepack afterpack generatenuspec test vstest run generateassemblyinfo coregenerateassemblyinfo beforeresgen afterresgen "
    "prepareresources resolveassemblyreferences assigntargetpaths debugensurenodeenv publishrunwebpack getbuildversion "
    "generatestaticwebassetsmanifest resolvestaticwebassetsinputs gatherdependencies buildnative ilcompile "
    "createmanifestresourcenames".split()
)
#: names of targets that NuGet.targets and the SDK run in a restore: one of the project would take their place
_RESTORE_TARGETS = re.compile(
    r".*restore.*|collect.*|_?(get|check|generate|process|resolve|filter|load|is|apply|add|remove)[a-z]*"
    r"(project|framework|package|runtime|pack|tool|target|spec|entry|reference|workload|platform)[a-z]*|enableintermediate.*"
)
#: a file may be imported several times, but not without end
_MOST_READS = 300


class Project:
    """One project: the files that evaluate it, its references and settings that matter."""

    def __init__(self, view: View, path: str, given: Mapping[str, str | None]) -> None:
        """Read a project file. `given` are properties of the command line, None for a value that is not known. Raises Obstacle."""
        self.view, self.path = view, path
        self.directory = posixpath.dirname(path)
        #: project files that it references, with the place that names them
        self.references: list[tuple[str, str, int]] = []
        #: package sources: text as it is written, and its place
        self.sources: list[tuple[str, str, int]] = []
        self._given = {name.lower(): value for name, value in given.items()}
        self._properties: dict[str, frozenset[str] | str] = {
            name: f"`{name}` is not known" if value is None else frozenset({value})
            for name, value in self._given.items()
        }
        self._open: list[str] = []
        self._reads = 0
        self._is_sdk_project = False
        self._evaluate()

    @property
    def name(self) -> str:
        """The name of the project file without its extension."""
        return posixpath.splitext(posixpath.basename(self.path))[0]

    def possible(self, name: str) -> frozenset[str]:
        """Return the values that a property may have, in lower case; "?" stands for one that is not known."""
        found = self._properties.get(name.lower(), frozenset({""}))
        return frozenset({"?"}) if isinstance(found, str) else frozenset(value.strip().lower() for value in found)

    def _evaluate(self) -> None:
        for name in ("Directory.Build.props", "Directory.Packages.props"):
            found = self.view.nearest(self.directory, name)
            if found is not None:
                self.read(found)
        self.read(self.path)
        if not self._is_sdk_project:
            raise Obstacle("it is no project of the SDK style, and what it imports is not known", self.path, 1)
        user = f"{self.path}.user"
        if self.view.has(user):
            self.read(user)
        found = self.view.nearest(self.directory, "Directory.Build.targets")
        if found is not None:
            self.read(found)

    def read(self, path: str) -> None:
        """Read a project file or one that is imported. Raises Obstacle."""
        self._reads += 1
        if path in self._open or self._reads > _MOST_READS:
            raise Obstacle("its imports go in circles", path)
        if self.view.around.context_path(path) is None:
            raise Obstacle(f"`{path}` does not surely come from the build context", path)
        root = self.view.xml(path)
        if root.name != "Project":
            raise Obstacle(f"the root element is `{root.name}`, not `Project`", path, root.line)
        if root.attributes.get("InitialTargets"):
            raise Obstacle("`InitialTargets` run before a restore", path, root.line)
        self._open.append(path)
        self._sdks(root.attributes.get("Sdk", ""), path, root.line)
        self._children(root, path, conditional=False)
        self._open.pop()

    def _sdks(self, text: str, path: str, line: int) -> None:
        for sdk in filter(None, (part.strip() for part in text.split(";"))):
            if sdk.lower() not in _SDKS:
                raise Obstacle(
                    f"the SDK `{sdk}` comes from a package, and which files it reads is not known", path, line
                )
            self._is_sdk_project = True

    # -- elements ----------------------------------------------------------------------------------------------------

    def _scope(self, path: str, line: int) -> Scope:
        return Scope(self.view, self.directory, path, line, self._properties, self._undefined)

    def _undefined(self, name: str) -> frozenset[str] | str:
        """Answer for a property that no file sets: it may come from a variable, or from the SDK."""
        return f"`$({name})` is set by no file of the project"

    def _children(self, parent: Element, path: str, *, conditional: bool) -> None:
        for element in parent.children:
            self._element(element, path, conditional=conditional)

    def _element(self, element: Element, path: str, *, conditional: bool) -> None:
        scope = self._scope(path, element.line)
        condition = element.attributes.get("Condition", "")
        inner = conditional or bool(condition)
        kind = element.name
        if kind == "ItemGroup":
            self._items(element, path, condition)
            return
        if kind == "Target":
            self._target(element, path)
            return
        if kind in ("UsingTask", "ProjectExtensions", "ItemDefinitionGroup", "Otherwise") and not condition:
            if kind == "Otherwise":
                self._children(element, path, conditional=True)
            return
        scope.condition(condition, about_import=kind.startswith("Import"))
        if kind == "PropertyGroup":
            for child in element.children:
                self._property(child, path, conditional=inner)
        elif kind in ("ImportGroup", "Choose", "When", "Otherwise"):
            self._children(element, path, conditional=inner or kind != "ImportGroup")
        elif kind == "Import":
            self._import(element, path, conditional=inner)
        elif kind == "Sdk":
            version = element.attributes.get("Version", "")
            self._sdks(element.attributes.get("Name", "") + (f"/{version}" if version else ""), path, element.line)
        elif kind not in ("UsingTask", "ProjectExtensions", "ItemDefinitionGroup"):
            raise scope.obstacle(f"the element `{kind}` is not understood")

    def _property(self, element: Element, path: str, *, conditional: bool) -> None:
        scope, name = self._scope(path, element.line), element.name.lower()
        condition = element.attributes.get("Condition", "")
        scope.condition(condition)
        scope.check(element.text)
        if "@(" in element.text:
            raise scope.obstacle(f"`{element.name}` is made of items, which may be files")
        if name in _SOURCES:
            self.sources += [(part, path, element.line) for part in element.text.split(";")]
        elif PLACES.fullmatch(name):
            raise scope.obstacle(f"`{element.name}` may lead a restore to other files or directories")
        if name in self._given:
            return  # what the command line sets, no file changes
        found: frozenset[str] | str
        try:
            found = frozenset(scope.values(element.text))
        except Unknown as unknown:
            found = unknown.reason
        before = self._properties.get(name)
        if conditional or condition:
            before = self._initial(element.name) if before is None else before
            if isinstance(before, str) or isinstance(found, str):
                found = before if isinstance(before, str) else found
            else:
                found |= before
                if len(found) > MOST_VALUES:
                    found = f"`{element.name}` has too many possible values"
        self._properties[name] = found

    def _initial(self, name: str) -> frozenset[str] | str:
        """Return what a property may be before any file sets it: a variable of the environment, whatever its case."""
        for spelling in dict.fromkeys((name, name.upper(), name.lower())):
            known, value = self.view.around.variable(spelling)
            if known and value is not None:
                return frozenset({value})
        return frozenset({""})

    def _import(self, element: Element, path: str, *, conditional: bool) -> None:
        scope = self._scope(path, element.line)
        target, sdk = element.attributes.get("Project", ""), element.attributes.get("Sdk", "")
        if sdk:
            self._sdks(sdk, path, element.line)
            return
        scope.check(target)
        for found in scope.paths(target, posixpath.dirname(path)):
            if not any(below(found, root) for root in self.view.around.project_roots):
                raise scope.obstacle(f"`{found}` lies outside of the project")
            if self.view.has(found, path, element.line):
                if found not in self._open:
                    self.read(found)
            elif not conditional and len(scope.paths(target, posixpath.dirname(path))) == 1:
                raise Obstacle(f"it imports `{found}`, which is not there", path, element.line)

    def _items(self, group: Element, path: str, condition: str) -> None:
        if all(item.name.lower() in _BUILD_ITEMS for item in group.children):
            return
        self._scope(path, group.line).condition(condition)
        for item in group.children:
            if item.name.lower() in _BUILD_ITEMS:
                continue
            scope = self._scope(path, item.line)
            scope.condition(item.attributes.get("Condition", ""))
            for name, text in item.attributes.items():
                if name != "Condition":
                    scope.check(text)
            for child in item.children:
                scope.condition(child.attributes.get("Condition", ""))
                scope.check(child.text)
            self._item(item, path, scope)

    def _item(self, item: Element, path: str, scope: Scope) -> None:
        name, include = item.name.lower(), item.attributes.get("Include", "")
        if not include:
            return
        if name == "projectreference":
            for part in filter(None, (part.strip() for part in include.split(";"))):
                for found in scope.paths(part, self.directory):
                    self.references.append((found, path, item.line))
        elif name.endswith("reference") or name in ("packageversion", "packagedownload"):
            texts = (*item.attributes.values(), *(child.text for child in item.children))
            if "*" in include or "?" in include or any("@(" in text for text in texts):
                raise scope.obstacle(f'`{item.name} Include="{include}"` is made of items that are not computed')

    def _target(self, element: Element, path: str) -> None:
        """Refuse a target that may run in a restore (*Target build order*)."""
        name = element.attributes.get("Name", "").lower()
        hooks = [
            hook.strip().lower()
            for attribute in ("BeforeTargets", "AfterTargets")
            for hook in element.attributes.get(attribute, "").split(";")
            if hook.strip()
        ]
        wrong = [hook for hook in hooks if hook not in _BUILD_TARGETS]
        if wrong:
            raise Obstacle(
                f"the target `{element.attributes.get('Name', '')}` may run in a restore, at `{wrong[0]}`",
                path,
                element.line,
            )
        if not name or (name not in _BUILD_TARGETS and _RESTORE_TARGETS.fullmatch(name)):
            raise Obstacle(
                f"the target `{element.attributes.get('Name', '')}` may replace one that a restore runs",
                path,
                element.line,
            )


def is_project(path: str) -> bool:
    """Tell whether a file is a project in C#, F# or Visual Basic."""
    return path.lower().endswith((".csproj", ".fsproj", ".vbproj"))
