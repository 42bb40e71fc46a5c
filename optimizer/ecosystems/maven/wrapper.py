"""`mvnw`, the wrapper that fetches the Maven which a project asks for.

It is a script of the project, so it counts only where it is byte for byte one that Apache published. That one reads `.mvn`
beside it and starts the Maven that `distributionUrl` names, which it keeps in `~/.m2/wrapper`. Digests (SHA-256) are those of
org.apache.maven.wrapper:maven-wrapper-distribution and maven-wrapper in Maven Central, versions 3.1.0 to 3.3.4.
"""

from __future__ import annotations

import hashlib
import posixpath
import re

from dockopt.optimizer.commands.registry import Surroundings
from dockopt.optimizer.ecosystems.maven.project import NotCertain
from dockopt.optimizer.regions import join

#: scripts that start `.mvn/wrapper/maven-wrapper.jar`, and fetch it where it is missing
_SCRIPTS_WITH_JAR = frozenset(
    {
        "50072fadc3c857fafc3acbff2abdef1b389957d90dff1be87a0eacc2a4195993",  # 3.1.0
        "da06b474a55d28fe194d8118de5794542dacfb914600ef77e159a2188a0699fe",  # 3.1.1
        "94793c07cfa412621d5bca972fa04296cd46e32e0e53c7ebe7fc83bd6bbecaf7",  # 3.2.0
        "6a9d340dc210acdec3e1b8eda6eeea59c9a38ea5d5292c57ac04a6dca232255b",  # 3.3.1
        "02db01cc3fa5d4e8adaef1050e716841be703078d043f0314b40fad8211d4c82",  # 3.3.2
        "77dc5ab8a653657b5d5714f993e20292935eddac45de95dbc4371fdb3814a046",  # 3.3.3
        "07e72ac35ecf8c24db67498fc6a9a8e7c64b31ab3798a7119fe73fb7cd6c0331",  # 3.3.4
    }
)
#: scripts that fetch Maven themselves (`only-script`)
_SCRIPTS = frozenset(
    {
        "a0408899a3aea3318d0d3d7849dd17d15eb7f679d33a4702de52414cf5923005",  # 3.2.0
        "1272fb220511bde801c9c42c4ecc60f01644c1c142e27659aba6d96863120fa3",  # 3.3.0
        "fa35e3b864da86eb33e87337de78ca245ef97e01e7ed10d31a8934cfafc1314d",  # 3.3.1
        "7e6e5d26712efd78140f2f63dafe8d17028f6c5c97ac1f746a043110b7a1d9ad",  # 3.3.2
        "e76ada6af7cefda6d5aeef9fc8508f94689df2e6c9951d8e85b130013016369e",  # 3.3.3
        "cae96cef89ebea3531221f4ae17c23cf8edf67d00eae8306d4186ae1bbed4d02",  # 3.3.4
    }
)
_JARS = frozenset(
    {
        "1ada66a0d65291f3b5c0e12f8860cc5d422da76c9f90313a2c0f1cd280ae8ede",  # 3.3.3
        "46b0acdfe3da08b3f40d25bd135858b6014ee62b92883768995c946a3b446bd6",  # 3.1.0
        "ff7f21f2ef81723377e3d42d06661c4e3af60cf4bdfb7579ac8f22051399942d",  # 3.1.1
        "e63a53cfb9c4d291ebe3c2b0edacb7622bbc480326beaa5a0456e412f52f066a",  # 3.2.0
        "360b616b24bc3557f0fce98549e102768f2367746501f7d74dad358d0ee794a2",  # 3.3.0
        "7cc3215e9c7ec525d793b82ea878441cdaa5b6135f859b0ef396a93bb3c8e6e7",  # 3.3.1
        "3d8f20ce6103913be8b52aef6d994e0c54705fb527324ceb9b835b338739c7a8",  # 3.3.2
        "4e2fbf6554bc8a4702cdfdd3bef464f423393d784ddbb037216320ce55d5e4e1",  # 3.3.4
    }
)
_RELEASE = re.compile(rb"(?m)^\s*distributionUrl\s*=\s*(https?\\?://\S+-bin\.zip)\s*$")


def check_wrapper(around: Surroundings, script: str, trees: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files beside `.mvn` that a published `mvnw` reads. Raises NotCertain."""
    digest = _digest(around, script)
    settings = join(posixpath.dirname(script), ".mvn")
    if digest not in _SCRIPTS | _SCRIPTS_WITH_JAR:
        raise NotCertain(
            "it is none of the wrapper scripts that Apache published, so it is not known what it does", script
        )
    if settings not in trees:
        raise NotCertain("it does not stand beside the `.mvn` of the project", script)
    if digest in _SCRIPTS_WITH_JAR:
        jar = join(settings, "wrapper/maven-wrapper.jar")
        if around.kind(jar) == "absent":
            raise NotCertain(
                "`mvnw` would fetch `.mvn/wrapper/maven-wrapper.jar` into the project; add it, or take the `only-script` wrapper",
                script,
            )
        if _digest(around, jar) not in _JARS:
            raise NotCertain("it is none of the jars that Apache published, so it is not known what it does", jar)
    properties = join(settings, "wrapper/maven-wrapper.properties")
    text = around.read_context(properties)
    if text is None:
        raise NotCertain(f"`{properties}` does not surely come from the build context", properties)
    found = _RELEASE.search(text)
    if found is None or b"SNAPSHOT" in found[1]:
        raise NotCertain("`distributionUrl` names no release of Maven", properties)
    for name, harmless in (("MAVEN_USER_HOME", ""), ("HOME", "/root"), ("MVNW_REPOURL", "")):
        known, value = around.variable(name)
        if (known and value not in (None, harmless)) or (not known and name == "MAVEN_USER_HOME"):
            raise NotCertain(f"`{name}` decides where `mvnw` keeps Maven")
    return (script,)


def _digest(around: Surroundings, path: str) -> str:
    data = around.read_context(path)
    if data is None:
        raise NotCertain(f"`{path}` does not surely come from the build context", path)
    # Spring's generator of projects writes the address of the licence in the leading comment with `https`
    return hashlib.sha256(
        data.replace(b"https://www.apache.org/licenses/", b"http://www.apache.org/licenses/", 1)
    ).hexdigest()
