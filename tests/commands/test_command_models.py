"""What the models say of single commands: a table per area, and refusals whose ids say why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dockopt.optimizer.commands.registry import MODELS
from dockopt.optimizer.commands.text import plain_script
from dockopt.optimizer.effects import Effects, World
from dockopt.optimizer.regions import Region

Ask = Callable[..., Effects]
Shown = Callable[[Effects], list[str]]


def reads(effects: Effects, path: str) -> bool:
    return effects.reads.overlaps(Region((path,))) or path in effects.probes


ACCOUNTS = "may /etc/.pwd.lock"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gzip", "gunzip", "zcat"):
        monkeypatch.setitem(MODELS, name, "dockopt.optimizer.commands.archives:gzip")
    monkeypatch.setitem(MODELS, "passwd", "dockopt.optimizer.commands.users:passwd")


@pytest.mark.parametrize(
    ("line", "known", "expected"),
    [
        ("mkdir -p /a/b logs", {"absent": {"/app/logs"}}, ["directory /a/b", "directory /app/logs"]),
        ("mkdir -p -m 0700 /a/b", {}, ["directory /a", "directory /a/b 0700"]),
        ("mkdir -m 755 /a", {}, ["directory /a"]),
        ("rm -rf /tmp/x", {}, ["kill /tmp/x"]),
        ("rm -rf ?/var/lib/apt/lists/* /x", {}, ["may /var/lib/apt/lists", "kill /x"]),
        ("rm -rf ?/var/{cache,log}/* /x", {}, ["may /var", "kill /x"]),
        ("rm -f", {}, []),
        ("rm -r /x/", {}, ["may /x"]),
        ("rmdir /x", {}, ["kill /x"]),
        ("cp a b", {"files": {"/app/a"}, "absent": {"/app/b"}}, ["set /app/b"]),
        ("cp a /etc/x", {"files": {"/app/a"}}, ["may /etc/x"]),
        ("cp a /etc", {"files": {"/app/a"}, "directories": {"/app", "/etc"}, "absent": {"/etc/a"}}, ["set /etc/a"]),
        ("cp -r /s /t", {"directories": {"/s", "/app"}, "absent": {"/t"}}, ["may /t"]),
        ("cp -r /s/. /t", {"directories": {"/s", "/t", "/app"}}, ["may /t"]),
        ("cp /s/a /s/b /t/", {"files": {"/s/a"}, "absent": {"/t/a"}}, ["set /t/a", "may /t/b"]),
        ("mv /s/a /t", {"files": {"/s/a"}, "absent": {"/t"}}, ["kill /s/a", "set /t"]),
        ("mv /s /t", {"directories": {"/s"}, "absent": {"/t"}}, ["kill /s", "may /t"]),
        ("mv ?/s/* /t", {"directories": {"/t"}}, ["may /s", "may /t"]),
        ("touch /x", {"absent": {"/x"}}, ["set /x"]),
        ("touch /x", {"files": {"/x"}}, ["may /x"]),
        ("chmod +x run.sh", {"files": {"/app/run.sh"}}, ["set /app/run.sh"]),
        ("chmod -x run.sh", {"files": {"/app/run.sh"}}, ["set /app/run.sh"]),
        ("chmod -R 755 /srv", {}, ["may /srv"]),
        ("chown -R app:app /app", {}, ["may /app"]),
        ("chgrp app /x", {}, ["may /x"]),
        ("ln -sf /dev/stdout /var/log/x.log", {}, ["may /var/log/x.log"]),
        ("ln -s /opt/x-1/bin/x /usr/local/bin/", {}, ["may /usr/local/bin/x"]),
        ("install -m 755 x /usr/bin/x", {"files": {"/app/x"}, "absent": {"/usr/bin/x"}}, ["set /usr/bin/x"]),
        ("install -d -m 750 /s/x", {"absent": {"/s/x"}}, ["directory /s", "directory /s/x 0750"]),
        ("tee /etc/x", {"absent": {"/etc/x"}}, ["set /etc/x"]),
        ("tee -a /etc/x", {}, ["may /etc/x"]),
        ("tee /dev/stderr", {}, []),
        ("sed -i s/a/b/g f", {"files": {"/app/f"}}, ["set /app/f"]),
        ("sed -i s/a/b/g /etc/f", {}, ["may /etc/f"]),
        ("sed -i.bak 2,3d /etc/f", {"files": {"/etc/f"}}, ["set /etc/f", "set /etc/f.bak"]),
        ("sed s/a/b/ f", {"files": {"/app/f"}}, []),
        ("tar xzf /tmp/x.tgz -C /usr/local --strip-components=1", {}, ["may /usr/local"]),
        ("tar -C /opt -xf -", {}, ["may /opt"]),
        ("tar -czf /o.tgz /x", {"absent": {"/o.tgz"}}, ["set /o.tgz"]),
        ("unzip -q /tmp/x.zip -d /opt/x", {}, ["may /opt/x"]),
        ("curl -fsSL https://example.org/a.tgz -o /tmp/a", {"absent": {"/tmp/a"}}, ["set /tmp/a"]),
        ("curl -sSL https://example.org/install.sh", {}, []),
        ("curl -O https://example.org/d/a.tgz?x=1", {"absent": {"/app/a.tgz"}}, ["set /app/a.tgz"]),
        ('curl -fo /tmp/a ?"https://example.org/$V"', {}, ["may /tmp/a"]),
        ("wget -qO- https://example.org/x", {}, ["may /root/.wget-hsts"]),
        ("wget https://example.org/x", {"absent": {"/app/x"}}, ["may /root/.wget-hsts", "set /app/x"]),
        ("git clone --depth 1 https://example.org/a/b.git", {"absent": {"/app/b"}}, ["may /app/b"]),
        ("git clone https://example.org/a/b /src/b", {}, ["may /src", "may /src/b"]),
        ("git clone https://example.org/a/b /src/b", {"directories": {"/src"}}, ["may /src/b"]),
        ("git clone git@example.org:a/b.git /opt/b", {}, ["may /opt/b", "may /root/.ssh"]),
        ("git config user.name x", {"cwd": "/r"}, ["may /.git, /config, /r/.git, /r/config"]),
        ("curl --create-dirs -o /d/e/f https://h.org/x", {}, ["may /d", "may /d/e/f"]),
        ("curl -O https://example.org/a/%2e%2e", {"cwd": "/tmp"}, ["may /tmp"]),
        ("wget -P /d/e https://h.org/x", {}, ["may /root/.wget-hsts", "may /d", "may /d/e"]),
        ("wget https://h.org/x?y=1", {"cwd": "/tmp"}, ["may /root/.wget-hsts", "may /tmp"]),
        ("install -D -m 644 x /d/e/x", {"files": {"/app/x"}}, ["may /d", "may /d/e/x"]),
        ("head -5 x", {}, []),
        ("git config --global user.name x", {}, ["may /root/.config/git/config, /root/.gitconfig"]),
        ("git -C /src describe --dirty", {}, ["may /.git, /src/.git"]),
        ("git describe --tags", {}, []),
        ("apt-get update", {}, ["may /tmp, /var"]),
        ("apt-get clean", {}, ["may /var/cache/apt, /var/lib/apt"]),
        ("dpkg --print-architecture", {}, []),
        ("dpkg --add-architecture arm64", {}, ["may /var/lib/dpkg"]),
        ("apt-mark hold gcc", {}, ["may /var/cache/apt, /var/lib/apt, /var/lib/dpkg"]),
        ("apt-mark showmanual", {}, []),
        ("echo hello", {}, []),
        ("printf %s\\n x", {}, []),
        ("true anything", {}, []),
        ("date +%s", {}, []),
    ],
)
def test_writes(ask: Ask, writes_of: Shown, line: str, known: dict[str, object], expected: list[str]) -> None:
    assert writes_of(ask(line, **known)) == expected


@pytest.mark.parametrize(
    ("line", "world"),
    [
        ("mkdir /x", World.NONE),
        ("cp /a /b", World.NONE),
        ("date", World.FREE),
        ("uname -m", World.NONE),
        ("uname -r", World.FREE),
        ("printf %(%s)T", World.FREE),
        ("ls /x", World.NONE),
        ("ls -l /x", World.FREE),
        ("tar -cf /x.tar /y", World.FREE),
        ("tar -xf /x.tar -C /y", World.NONE),
        ("apt-get update", World.REPOSITORY),
        ("apt-get install -y gcc", World.REPOSITORY),
        ("apt-get install -y gcc=4:12.2.0-3", World.REPOSITORY),
        ("apt-get purge -y gcc", World.NONE),
        ("apk add --no-cache gcc=~12", World.REPOSITORY),
        ("apk del .build", World.NONE),
        ("dnf install -y gcc", World.REPOSITORY),
        ("yum install -y https://example.org/epel.rpm", World.FREE),
        ("curl https://example.org/x", World.FREE),
        ("wget -O /x https://example.org/x", World.FREE),
        ("git clone -b v1.0 https://example.org/x /x", World.FREE),
        ("git describe --tags", World.NONE),
        ("git describe --dirty", World.FREE),
        ("git log -1 --format=%cr", World.FREE),
        ("git log -1 --format=%ct", World.NONE),
        ("update-ca-certificates", World.NONE),
    ],
)
def test_world(ask: Ask, line: str, world: World) -> None:
    effects = ask(line)
    assert effects.unknown is None
    assert effects.world is world


@pytest.mark.parametrize(
    ("line", "known", "read", "unread"),
    [
        ("echo hi", {}, ["/bin/echo", "/usr/local/bin/echo"], ["/app/x", "/usr/src/app/x", "/home/x", "/root/x"]),
        ('echo ?"$VERSION"', {}, ["/lib/x"], ["/app/x"]),
        ("echo ?$VERSION", {}, ["/app/x"], []),
        ("mkdir -p /app/logs", {"absent": {"/app/logs"}}, ["/usr/bin/mkdir"], ["/app/x", "/etc/passwd"]),
        ("cp a b", {"files": {"/app/a"}, "absent": {"/app/b"}}, ["/app/a", "/app/b"], ["/app/c", "/srv/x"]),
        ("cp /usr/share/zoneinfo/UTC /etc/localtime", {}, ["/usr/share/zoneinfo/UTC", "/x"], ["/app/x"]),
        ("cp -L /app/dir/x /b", {}, ["/anything"], []),
        ("chown app /x", {}, ["/etc/passwd", "/etc/group", "/x"], ["/app/x"]),
        ("chmod 600 /x", {}, ["/x"], ["/etc/passwd", "/app/x"]),
        ("test -f /app/x", {"absent": {"/app/x"}}, ["/app/x"], ["/app/y"]),
        ("[ -n abc ]", {}, ["/bin/x"], ["/app/y"]),
        ("sha256sum -c /x", {}, ["/app/x", "/anything"], []),
        ("git rev-parse HEAD", {}, ["/app/.git/HEAD", "/etc/gitconfig"], []),
        ("git config --global --add safe.directory /app", {}, ["/app/.git", "/root/.gitconfig"], ["/app/main.go"]),
        ("useradd -r app", {}, ["/etc/login.defs", "/etc/passwd"], ["/app/x", "/home/app"]),
        ("useradd -m app", {}, ["/etc/skel", "/home/app"], ["/app/x"]),
        ("update-ca-certificates", {}, ["/usr/local/share/ca-certificates/x.crt", "/etc/ssl"], ["/app/x"]),
    ],
)
def test_reads(ask: Ask, line: str, known: dict[str, object], read: list[str], unread: list[str]) -> None:
    effects = ask(line, **known)
    assert effects.unknown is None
    assert [path for path in read if not reads(effects, path)] == []
    assert [path for path in unread if reads(effects, path)] == []


INSTALLS = ["apt-get install -y gcc", "apk add --no-cache gcc", "dnf install -y gcc", "microdnf install gcc"]


@pytest.mark.parametrize("line", INSTALLS)
@pytest.mark.parametrize(
    ("root", "apart"),
    [
        pytest.param("/app", True, id="own-top-level-directory"),
        pytest.param("/usr/src/app", True, id="usr-src"),
        pytest.param("/opt/app", True, id="below-opt"),
        pytest.param("/home/node/app", True, id="below-home"),
        pytest.param("/usr/local/app", True, id="below-usr-local-beside-the-standard-ones"),
        pytest.param("/var/www/html", False, id="web-servers-write-there"),
        pytest.param("/usr/local/bin", False, id="on-the-search-path"),
        pytest.param("/usr/share/nginx/html", False, id="nginx-installs-there"),
        pytest.param("/etc/nginx", False, id="settings"),
        pytest.param("/opt", False, id="vendors-install-in-opt"),
        pytest.param("/tmp/build", False, id="scripts-use-tmp"),
        pytest.param("/", False, id="everything"),
    ],
)
def test_installing_packages_leaves_the_project_alone(ask: Ask, line: str, root: str, apart: bool) -> None:
    effects = ask(line, project_roots=(root,), cwd=root)
    assert effects.unknown is None
    where = Region((root,))
    assert effects.reads.overlaps(where) is not apart
    assert any(write.region.overlaps(where) for write in effects.writes) is not apart
    assert any(text.startswith("package-scripts:") for text in effects.assumptions)


@pytest.mark.parametrize(
    "package", ["linux-headers-amd64", "zfs-dkms", "libgtest-dev", "gcc-12-source", "kernel-devel"]
)
def test_packages_of_sources_write_usr_src(ask: Ask, package: str) -> None:
    effects = ask(f"apt-get install -y {package}", project_roots=("/usr/src/app",))
    assert effects.writes[0].region.overlaps(Region(("/usr/src/app",)))


@pytest.mark.parametrize("variable", ["PATH", "PYTHONPATH", "PERL5LIB", "LD_LIBRARY_PATH"])
def test_package_scripts_read_what_variables_point_to(ask: Ask, variable: str) -> None:
    environment = {"PATH": "/usr/bin", variable: "/usr/src/app/tools"}
    effects = ask("apt-get install -y gcc", project_roots=("/usr/src/app",), environment=environment)
    assert reads(effects, "/usr/src/app/tools/x")
    elsewhere = ask("apt-get install -y gcc", environment={"PATH": "/usr/bin", variable: "/app/tools"})
    assert reads(elsewhere, "/app/tools/x")


@pytest.mark.parametrize(
    ("name", "heeded"), [("DEBIAN_FRONTEND", True), ("LC_ALL", True), ("VERSION", False), ("COMMIT", False)]
)
def test_variables_of_package_scripts(ask: Ask, name: str, heeded: bool) -> None:
    variables = ask("apt-get install -y gcc").variables
    assert variables is not None
    matching = [v for v in variables if v == name or (v.endswith("*") and name.startswith(v[:-1]))]
    assert bool(matching) is heeded


@pytest.mark.parametrize(
    "line", ["useradd -r app", "adduser -D app", "groupadd app", "addgroup -S app", "usermod -aG x app"]
)
def test_accounts(ask: Ask, line: str) -> None:
    effects = ask(line)
    assert effects.unknown is None
    written = Region(tuple(path for write in effects.writes for path in write.region.include))
    for path in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"):
        assert written.covers(Region((path,)))
    assert not written.overlaps(Region(("/app", "/etc/ssl", "/usr")))
    assert any(text.startswith("account-dates:") for text in effects.assumptions)


@pytest.mark.parametrize(
    ("line", "home"),
    [
        ("useradd app", "/home/app"),
        ("useradd -m -d /srv/app app", "/srv/app"),
        ("useradd -b /srv -m app", "/srv/app"),
        ("useradd -M app", None),
        ("useradd -r app", None),
        ("useradd -r -m app", "/home/app"),
        ('useradd -u ?"$UID" -M app', None),
        ("adduser --system --no-create-home app", None),
        ("adduser --disabled-password --gecos x app", "/home/app"),
        ("adduser -S -D -H app", None),
        ("adduser -D -h /srv/app app", "/srv/app"),
        ("adduser app wheel", None),
    ],
)
def test_homes(ask: Ask, line: str, home: str | None) -> None:
    effects = ask(line)
    assert effects.unknown is None
    homes = [write.region.include[0] for write in effects.writes[1:]]
    assert homes == ([] if home is None else [home])


@pytest.mark.parametrize(
    ("line", "known", "words"),
    [
        pytest.param("cp ?$A b", {}, "`$A` is not known", id="cp-source-from-a-variable"),
        pytest.param("rm -rf ?$DIR", {}, "not known", id="rm-of-a-variable"),
        pytest.param("rm -rf ?$DIR/*", {}, "not known", id="pattern-below-a-variable"),
        pytest.param("rm -rf ?~/x", {}, "not known", id="home-directory-of-somebody"),
        pytest.param("rm ?*", {}, "look like an option", id="pattern-may-match-an-option"),
        pytest.param("rm -rf ?/x/{a,../../etc}", {}, "not known", id="braces-that-go-up"),
        pytest.param("rm -rf /", {}, "removes `/`", id="rm-root"),
        pytest.param("rm -rf .", {}, "refuses", id="rm-working-directory"),
        pytest.param("rm x", {"cwd": None}, "working directory", id="relative-to-an-unknown-directory"),
        pytest.param("mkdir --context=x /y", {}, "`--context=x` is not modelled", id="unknown-option"),
        pytest.param("./mkdir x", {}, "need not be the system's", id="script-of-the-project-by-path"),
        pytest.param("/app/bin/cp a b", {}, "need not be the system's", id="program-of-the-project-by-path"),
        pytest.param(
            "mkdir /x",
            {"context": {"/usr/local/bin/mkdir": "mkdir"}},
            "comes from the build context",
            id="shadowed-by-COPY",
        ),
        pytest.param("mkdir /x", {"environment": {"PATH": "bin:/bin"}}, "PATH", id="relative-search-path"),
        pytest.param("cp a x", {"files": {"/app/a"}}, "may be a link", id="destination-may-be-a-link"),
        pytest.param("cp -u /a /b", {}, "`-u`", id="cp-compares-times"),
        pytest.param("cp -r /s/. .", {"directories": {"/s", "/app"}}, "may hold links", id="merge-into-the-project"),
        pytest.param("chown -RL app /x", {}, "`-L`", id="chown-follows-links"),
        pytest.param("chown ?$UID /x", {}, "not known", id="owner-may-be-two-words"),
        pytest.param("ln /a /b", {}, "hard link", id="hard-link"),
        pytest.param("ln -s /app/bin/x /usr/bin/x", {}, "second name", id="link-into-the-project"),
        pytest.param(
            "ln -sT /srv/x /app", {"directories": set()}, "puts files of the context", id="link-in-place-of-the-project"
        ),
        pytest.param("ln -s / /x", {}, "fills from the context", id="link-above-the-project"),
        pytest.param(
            "ln -s /usr/lib /x", {"project_roots": ()}, "directory of the system", id="link-to-system-directory"
        ),
        pytest.param("ln -s /data /usr", {}, "directory of the system", id="link-in-place-of-usr"),
        pytest.param("ln -s /d /x", {"directories": {"/d"}}, "the directory `/d`", id="link-to-a-directory"),
        pytest.param("sed -i s/a/b/w /etc/f", {}, "not plain", id="sed-writes-a-file"),
        pytest.param("sed -i s/a/b/e /etc/f", {}, "not plain", id="sed-starts-a-program"),
        pytest.param("sed 1r/etc/shadow /etc/f", {}, "not plain", id="sed-reads-a-file"),
        pytest.param("sed -i s/[/]w/x/ /etc/f", {}, "not plain", id="sed-delimiter-in-brackets"),
        pytest.param('sed -i ?"s/a/$V/" /etc/f', {}, "not known", id="sed-script-from-a-variable"),
        pytest.param("sed -f x.sed /etc/f", {}, "`-f`", id="sed-script-file"),
        pytest.param("tar -xf x.tar", {"files": {"/app/x.tar"}}, "links of the context", id="unpack-into-the-project"),
        pytest.param("tar -xPf /x.tar -C /y", {}, "`-P`", id="tar-absolute-names"),
        pytest.param("tar -xf /x.tar --to-command=sh", {}, "--to-command", id="tar-starts-a-program"),
        pytest.param("tar -xf host:/x.tar -C /y", {}, "another machine", id="tar-remote"),
        pytest.param("tar -xf ?$X -C /y", {}, "not known", id="tar-archive-from-a-variable"),
        pytest.param(
            "tar -xf /x -C /y",
            {"environment": {"PATH": "/bin", "TAR_OPTIONS": "-P"}},
            "TAR_OPTIONS",
            id="tar-options-from-outside",
        ),
        pytest.param(": ?${X:=y}", {}, "assign", id="expansion-that-assigns"),
        pytest.param("printf -v X y", {}, "assigns", id="printf-assigns"),
        pytest.param("test a -nt b", {}, "times", id="test-compares-times"),
        pytest.param("[ -v X ]", {}, "variable", id="test-asks-the-shell"),
        pytest.param("apt-get install -y ./x.deb", {}, "package of its own", id="apt-local-file"),
        pytest.param("apt-get install -y /tmp/x.deb", {}, "package of its own", id="apt-absolute-file"),
        pytest.param("apt-get install -y ?$(cat_packages.txt)", {}, "not known", id="apt-list-from-a-file"),
        pytest.param("apt-get install -y ?$PACKAGES", {}, "not known", id="apt-list-from-a-variable"),
        pytest.param("apt-get install -y ?gcc=$V", {}, "double quotes", id="apt-version-unquoted"),
        pytest.param("apt-get -o Dir::Etc=/x update", {}, "`Dir::Etc=/x`", id="apt-moved-directories"),
        pytest.param("apt-get -o DPkg::Post-Invoke=x update", {}, "Post-Invoke", id="apt-hook"),
        pytest.param("apt-get -c x.conf update", {}, "`-c`", id="apt-settings-file"),
        pytest.param("apt-get build-dep -y .", {}, "build-dep", id="apt-reads-the-project"),
        pytest.param("dpkg -i x.deb", {}, "`-i`", id="dpkg-local-file"),
        pytest.param("apk add --allow-untrusted ./x.apk", {}, "package of its own", id="apk-local-file"),
        pytest.param("apk add -X /repo gcc", {}, "may lie in the image", id="apk-local-repository"),
        pytest.param("apk add --root /x gcc", {}, "`--root` is not", id="apk-other-root"),
        pytest.param("dnf install -y ./x.rpm", {}, "package of its own", id="dnf-local-file"),
        pytest.param("dnf --installroot=/x install gcc", {}, "installroot", id="dnf-other-root"),
        pytest.param("dnf --setopt=cachedir=/x install gcc", {}, "cachedir", id="dnf-moved-cache"),
        pytest.param("dnf builddep x.spec", {}, "builddep", id="dnf-reads-the-project"),
        pytest.param("useradd -R /x app", {}, "`-R`", id="useradd-chroot"),
        pytest.param("useradd ?$NAME", {}, "not known", id="useradd-name-from-a-variable"),
        pytest.param("usermod -u 10 app", {}, "`-u`", id="usermod-changes-owners-of-files"),
        pytest.param("useradd -m -d / app", {}, "home directory is `/`", id="useradd-home-is-root"),
        pytest.param(
            "useradd app",
            {"context": {"/etc/default/useradd": "useradd"}},
            "build context",
            id="useradd-settings-from-context",
        ),
        pytest.param("curl -K x https://example.org", {}, "`-K`", id="curl-settings-file"),
        pytest.param("curl -d @x https://example.org", {}, "names a file", id="curl-sends-a-file"),
        pytest.param("curl file:///etc/passwd", {}, "not a plain", id="curl-local-file"),
        pytest.param("curl -o /x ?https://example.org/$V", {}, "double quotes", id="curl-address-unquoted"),
        pytest.param('curl -O ?"https://example.org/$V"', {}, "which file", id="curl-name-unknown-in-project"),
        pytest.param(
            "curl -o /x https://h/a", {"context": {"/root/.curlrc": "c"}}, "build context", id="curlrc-from-context"
        ),
        pytest.param("wget -r https://example.org", {}, "`-r`", id="wget-recursive"),
        pytest.param(
            "wget https://example.org/x", {"user": None, "environment": {}}, "home directory", id="wget-home-unknown"
        ),
        pytest.param("git fetch", {}, "no model of `git fetch`", id="git-changes-the-repository"),
        pytest.param("git tag v1", {}, "makes a tag", id="git-tag-makes-one"),
        pytest.param("git branch", {}, "may change", id="git-branch"),
        pytest.param("git --git-dir=/x describe", {}, "not modelled", id="git-elsewhere"),
        pytest.param("git -c core.pager=x log", {}, "`git -c` is not", id="git-setting-starts-a-program"),
        pytest.param("git describe --dirty", {"files": {"/app/.git"}}, "elsewhere", id="gitfile"),
        pytest.param("git clone /srv/x /y", {}, "may lie in the image", id="git-clone-local"),
        pytest.param("git ?$X", {}, "subcommand", id="git-subcommand-unknown"),
        pytest.param(
            "git describe", {"environment": {"PATH": "/bin", "GIT_DIR": "/x"}}, "GIT_DIR", id="git-dir-elsewhere"
        ),
        pytest.param("rm -rf ?./*/x", {}, "may go through a link", id="pattern-in-the-middle"),
        pytest.param("rm -rf ?./*/", {}, "may go through a link", id="pattern-with-a-slash"),
        pytest.param("mv ?./*/x /y", {}, "may go through a link", id="mv-pattern-in-the-middle"),
        pytest.param("sed -i s/a/b/ ?./*/x", {}, "may go through a link", id="sed-pattern-in-the-middle"),
        pytest.param("tee -", {}, "`-`", id="tee-dash"),
        pytest.param("tar -cf /x.tar a -C /b c", {}, "operands before it", id="tar-directory-after-an-operand"),
        pytest.param("tar -xf /x.tar a -C /b", {}, "operands before it", id="tar-extracts-before-directory"),
        pytest.param("apt-get -o Acquire::https::CaInfo=ca.pem update", {}, "CaInfo", id="apt-certificate-file"),
        pytest.param(
            "apt-get -o Acquire::http::Proxy-Auto-Detect=/x update", {}, "Proxy-Auto-Detect", id="apt-proxy-program"
        ),
        pytest.param("git -C a -C b describe", {}, "second `-C`", id="git-two-directories"),
        pytest.param("git config edit", {}, "editor", id="git-config-editor"),
        pytest.param("git clone https://example.org", {}, "no path", id="git-clone-of-a-host"),
        pytest.param("git show --ext-diff", {}, "`--ext-diff`", id="git-external-diff"),
        pytest.param("gunzip /x", {}, "does not end", id="gunzip-guesses-the-name"),
        pytest.param("gzip -r /x", {}, "`-r`", id="gzip-tree"),
        pytest.param("gzip link", {}, "may be a link", id="gzip-link"),
        pytest.param("passwd app", {}, "asks for a password", id="passwd-asks"),
        pytest.param(
            "wget https://h.org/x", {"context": {"/etc/wgetrc": "w"}}, "build context", id="wgetrc-from-context"
        ),
        pytest.param("unzip ?$X", {}, "not known", id="unzip-unknown-archive"),
    ],
)
def test_refuses(ask: Ask, line: str, known: dict[str, object], words: str) -> None:
    reason = ask(line, **known).unknown
    assert reason is not None
    assert words in reason
    assert "\n" not in reason
    assert not reason.endswith(".")


def test_an_unknown_search_path_is_a_printed_assumption(ask: Ask) -> None:
    assert ask("mkdir /x").assumptions == ()
    (assumption,) = ask("mkdir /x", environment={}).assumptions
    assert assumption.startswith("system-commands:")


def test_directories_on_the_search_path_are_probed(ask: Ask) -> None:
    effects = ask("mkdir /x", environment={"PATH": "/tools:/usr/bin:/app/bin", "LD_LIBRARY_PATH": "/app/lib"})
    assert {"/tools/mkdir", "/app/bin/mkdir"} <= {*effects.probes}
    assert reads(effects, "/app/lib/libc.so.6")
    assert not reads(effects, "/app/main.go")


def test_programs_that_a_program_starts_are_probed(ask: Ask) -> None:
    effects = ask("tar -xzf /x.tgz -C /y", files={"/x.tgz"}, directories={"/y"}, environment={"PATH": "/tools:/bin"})
    assert "/tools/gzip" in effects.probes


@pytest.mark.parametrize(
    ("entry", "known", "fine"),
    [
        pytest.param("/app/node_modules/.bin", {}, False, id="an-install-may-have-brought-it"),
        pytest.param("/app/bin", {"absent": {"/app/bin/mkdir"}}, True, id="surely-not-there"),
        pytest.param("/usr/local/bin", {"project_roots": ("/usr/local/bin",)}, True, id="assumed-of-usr-local"),
    ],
)
def test_a_search_path_through_the_project(ask: Ask, entry: str, known: dict[str, object], fine: bool) -> None:
    effects = ask("mkdir /x", environment={"PATH": f"{entry}:/usr/bin"}, **known)
    assert (effects.unknown is None) is fine
    if "project_roots" in known:
        assert any(text.startswith("system-commands:") for text in effects.assumptions)


@pytest.mark.parametrize(
    "line",
    [
        "head -c 32 /dev/urandom",
        "cat /proc/cpuinfo",
        "grep -c processor /proc/cpuinfo",
        "cat /proc/sys/kernel/random/uuid",
        "cp /etc/resolv.conf /x",
        "cp -r /etc /backup",
        "cp -r ?/etc/*.conf /backup",
        "grep -r x /etc",
        "cat /etc/hosts",
        "test -e /dev/kvm",
        "[ -f /.dockerenv ]",
        "sed -n 1p /proc/version",
        "sha256sum /etc/hostname",
        "gzip /x",
    ],
)
def test_what_the_builder_provides_is_the_world(ask: Ask, line: str) -> None:
    effects = ask(line, project_roots=())
    assert effects.unknown is None
    assert effects.world is World.FREE


@pytest.mark.parametrize("line", ["cat /etc/passwd", "test -c /dev/null", "cp /dev/null /x", "cp /etc/os-release /x"])
def test_files_of_the_image_are_not_the_world(ask: Ask, line: str) -> None:
    assert ask(line).world is World.NONE


@pytest.mark.parametrize("line", ["apt-get purge -y gcc", "apk del .build", "dnf clean all", "apt-get autoremove -y"])
def test_dates_in_logs_are_a_printed_assumption(ask: Ask, line: str) -> None:
    assert any(text.startswith("log-dates:") for text in ask(line).assumptions)


@pytest.mark.parametrize("line", ["tee /var/log/x", "chmod 755 /usr/local/bin/yarn", "cp /a /usr/local/bin/x"])
def test_links_outside_the_project_are_a_printed_assumption(ask: Ask, line: str) -> None:
    assert any(text.startswith("links-stay-outside:") for text in ask(line).assumptions)


@pytest.mark.parametrize(
    ("line", "variable", "path"),
    [
        ("curl https://h.org/x", "SSL_CERT_FILE", "/app/ca.pem"),
        ("curl https://h.org/x", "CURL_CA_BUNDLE", "/app/ca.pem"),
        ("wget -qO- https://h.org/x", "OPENSSL_CONF", "/app/openssl.cnf"),
        ("apt-get install -y gcc", "HOME", "/app/.dpkg.cfg"),
        ("dpkg -l", "HOME", "/app/.dpkg.cfg"),
    ],
)
def test_paths_in_variables_are_read(ask: Ask, line: str, variable: str, path: str) -> None:
    value = "/app" if variable == "HOME" else path
    usual = {"PATH": "/usr/bin", "HOME": "/root"}
    assert not reads(ask(line, environment=usual, files={path}), path)
    named = ask(line, environment={**usual, variable: value}, files={path})
    assert named.unknown is None
    assert reads(named, path)


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ("curl https://h.org/x", "CURL_HOME"),
        ("curl https://h.org/x", "SSLKEYLOGFILE"),
        ("wget https://h.org/x", "WGETRC"),
        ("git log", "GIT_TRACE2_EVENT"),
        ("git clone https://h.org/a/b /b", "GIT_SSH_COMMAND"),
        ("git describe", "GIT_CONFIG_COUNT"),
        ("tar -cf /x /y", "TAPE"),
        ("unzip /x.zip -d /y", "UNZIP"),
        ("gunzip /x.gz", "GZIP"),
        ("adduser app", "PERL5OPT"),
        ("cp /a /b", "POSIXLY_CORRECT"),
    ],
)
def test_variables_that_change_the_command_itself(ask: Ask, line: str, variable: str) -> None:
    environment = {"PATH": "/usr/bin", "HOME": "/root"}
    assert ask(line, environment=environment).unknown is None
    reason = ask(line, environment={**environment, variable: "1"}).unknown
    assert reason is not None
    assert f"`{variable}`" in reason


@pytest.mark.parametrize(
    ("script", "plain"),
    [
        ("s/[[:space:]]*$//", True),
        ("s/[^/]*$//", False),
        ("s/[]a]/x/g", True),
        ("s/a/[/", True),
        ("s|[/]|x|", True),
        ("/[[:digit:]]/d", True),
        ("s/[[:alpha:]/]/;y/w out/aaaaa/", False),
        ("s/[[:a:]/]/y/w/p/", False),
        ("/[[:alpha:]/]w out/", False),
        ("s/[[.-.]/]/x/w out", False),
        ("s[a[b[", False),
        ("/x/w out", False),
        ("1!w out", False),
        ("s/a/b/gw out", False),
        ("s/a/b/;e", False),
        ("y/ab/cd/;R in", False),
        ("a\\\nw out", True),
        ("#n", False),
        ("$!{N;D}", True),
        ("/a/,+2d", True),
        ("0~3p", True),
    ],
)
def test_sed_scripts(script: str, plain: bool) -> None:
    assert plain_script(script) is plain


@pytest.mark.parametrize(
    "program", sorted(p for p, target in MODELS.items() if ".commands." in target and ".go." not in target)
)
def test_every_registered_model_refuses_an_unknown_option(ask: Ask, program: str) -> None:
    effects = ask(f"{program} --no-such-option-anywhere=1 ?$X")
    prints_its_arguments = {"echo", "true", "false", ":", "printf", "test", "["}
    if program in prints_its_arguments:
        assert effects.writes == () or effects.unknown is not None
    else:
        assert effects.unknown is not None
