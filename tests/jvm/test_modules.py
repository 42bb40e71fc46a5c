"""The packages that a JRE lacks, asked of a real JDK: those of the modules that its class loader for applications loads.

OpenJDK's images for running have the modules of the boot and the platform loader (make/Images.gmk, JRE_MODULES).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from dockopt.optimizer.context import BuildContext
from dockopt.optimizer.jvm.sources import JavaSources
from dockopt.optimizer.model import FrozenContext
from dockopt.optimizer.runtime_files import Brought

LIST = """
class List {
    public static void main(String[] arguments) {
        for (Module module : ModuleLayer.boot().modules()) {
            String kind = module.getClassLoader() == ClassLoader.getSystemClassLoader() ? "jdk" : "jre";
            for (var exported : module.getDescriptor().exports()) {
                if (!exported.isQualified()) {
                    System.out.println(kind + " " + exported.source());
                }
            }
        }
    }
}
"""
MAIN = "src/main/java/shop/Main.java"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    if shutil.which("java") is None or shutil.which("javac") is None:
        pytest.skip("there is no JDK")
    source = tmp_path_factory.mktemp("modules") / "List.java"
    source.write_text(LIST)
    told = subprocess.run(
        ["java", "--add-modules", "ALL-SYSTEM", str(source)], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, set[str]] = {"jdk": set(), "jre": set()}
    for line in told.splitlines():
        kind, name = line.split()
        found[kind].add(name)
    return found


def uses_tools(folder: Path, package: str) -> bool:
    path = folder / MAIN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"import {package}.Thing;\n")
    made = JavaSources(FrozenContext(BuildContext(folder, None)), "/app", "target")
    return any("tools of the JDK" in trouble.reason for trouble in made.troubles((Brought(f"/app/{MAIN}", MAIN, 1),)))


def test_every_package_that_a_jre_lacks_is_known(packages: dict[str, set[str]], tmp_path: Path) -> None:
    assert "com.sun.source.tree" in packages["jdk"]
    assert [package for package in sorted(packages["jdk"]) if not uses_tools(tmp_path, package)] == []


def test_no_package_of_a_jre_is_taken_for_one(packages: dict[str, set[str]], tmp_path: Path) -> None:
    """But for the compiler that `javax.tools` looks for, and generators of random numbers that are in a module of the JDK."""
    assert "com.sun.net.httpserver" in packages["jre"]
    taken = {package for package in packages["jre"] if uses_tools(tmp_path, package)}
    assert taken == {"javax.tools", "java.util.random"}
