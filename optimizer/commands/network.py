"""Programs that ask the network, always World.FREE: curl and wget; and `update-ca-certificates`, which serves them.

Facts: curl(1) 8, GNU Wget manual, busybox `networking/wget.c`, Debian's and Alpine's update-ca-certificates.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from dockopt.optimizer.commands.arguments import (
    QUOTED,
    NotUnderstood,
    Reads,
    locate,
    made_parents,
    modelled,
    parse,
    program,
    require_no_link,
)
from dockopt.optimizer.commands.registry import Invocation, Surroundings
from dockopt.optimizer.effects import Effects, Kind, World, Write
from dockopt.optimizer.regions import Region, below, join, region

_VARIABLES = (
    "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
    "NO_PROXY", "ALL_PROXY", "SSL_*", "SSLKEYLOGFILE", "CURL_*", "WGETRC", "SYSTEM_WGETRC", "HOME", "XDG_*", "NETRC",
    "OPENSSL_*", "GNUTLS_*", "REQUESTS_CA_BUNDLE", "RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES",
)  # fmt: skip
#: name resolution, certificates and settings (FHS: all of it lies in /etc and /usr/share)
CERTIFICATE_HOOKS = (
    "certificate-hooks: what packages let `update-ca-certificates` start writes below /etc, /tmp, /usr/lib, /usr/share "
    "and /var/lib/ca-certificates-java only, and the dates in the key stores that it makes do not matter"
)
_SETTINGS = ("/etc", "/usr/share", "/usr/local/share")
_URL = re.compile(r"(https?|ftp)://[^\s{}\[\]#]+|[A-Za-z0-9][A-Za-z0-9.-]*\.[a-z]+(/[^\s{}\[\]#]*)?")
#: variables that name a file or directory which is read
_PATH_VARIABLES = ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC", "OPENSSL_CONF", "HOSTALIASES")
#: variables that name settings, which may send output elsewhere, or a file that is written
_OTHER_SETTINGS = ("WGETRC", "SYSTEM_WGETRC", "CURL_HOME", "SSLKEYLOGFILE", "QLOGDIR")
_NO_FILES = ("/dev/null", "/dev/stdout", "-")


def _home(around: Surroundings) -> str:
    known, home = around.variable("HOME")
    if known and home:
        return join("/", home)
    if around.user in ("root", "0"):
        return "/root"
    raise NotUnderstood("which settings it reads depends on a home directory that is not known before the build")


def _settings(around: Surroundings, *names: str) -> Reads:
    """Return the reads of a client; its settings could send output elsewhere, so the context may not bring them."""
    home = _home(around)
    files = [join(home, name) for name in names]
    known, config = around.variable("XDG_CONFIG_HOME")
    if known and config:
        files.append(join("/", f"{config}/curlrc"))
    for file in (*files, "/etc/wgetrc", "/etc/curlrc"):
        if around.context_path(file) is not None:
            raise NotUnderstood(f"its settings `{file}` come from the build context")
    for variable in _OTHER_SETTINGS:
        if around.variable(variable)[1]:
            raise NotUnderstood(f"`{variable}` names other settings or a file that it writes")
    reads = Reads(around).entry(*_SETTINGS, *files)
    for variable in _PATH_VARIABLES:
        value = around.variable(variable)[1]
        for entry in (value or "").split(":"):
            if entry:
                reads.content(locate(entry, around).path)
    return reads


def _urls(invocation: Invocation) -> Invocation:
    """Return the command in which quoted words that start as URLs, `"https://host/$V"`, are taken as some URL."""
    argv = list(invocation.argv)
    for i, raw in enumerate(invocation.raw):
        found = re.match(r'"?https?://', raw)
        if argv[i] is not None or found is None:
            continue
        if not QUOTED.fullmatch(raw):
            raise NotUnderstood(f"`{raw}` may become several words; write it in double quotes")
        argv[i] = "https://unknown"
    return Invocation(tuple(argv), invocation.raw, invocation.line)


def _saved(path: str, reads: Reads) -> Write:
    around = reads.around
    require_no_link(path, around)
    reads.entry(path)
    certain = around.kind(path) in ("absent", "file")
    return Write(Kind.SET if certain else Kind.MAY, Region((path,)))


def _name_of(url: str) -> str | None:
    """Return the file name at the end of a URL, None if it has none or is not known."""
    address = url.partition("?")[0].partition("://")[2] or url.partition("?")[0]
    name = posixpath.basename(address) if "/" in address else ""
    return None if name in ("", ".", "..") or "%" in name else name


@modelled
def curl(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `curl [-fsSL…] [-o file|-O] url…`; without -o and -O it writes to standard output only."""
    arguments = parse(
        _urls(invocation),
        switches="-f -s -S -L -k -v -# -O -i -I -g -4 -6 -N -q --fail --silent --show-error --location --insecure "
        "--verbose --progress-bar --remote-name --include --head --globoff --ipv4 --ipv6 --compressed --create-dirs "
        "--tlsv1.2 --tlsv1.3 --http1.1 --http2 --retry-connrefused --retry-all-errors --fail-with-body "
        "--no-progress-meter --no-buffer --ssl-reqd --location-trusted --remote-name-all",
        valued="-o --output --output-dir -H --header -d --data -w --write-out",
        any_value="-A --user-agent -e --referer -X --request --retry --retry-delay --retry-max-time --connect-timeout "
        "-m --max-time --proto --proto-redir --max-redirs -u --user --limit-rate",
    )
    reads = _settings(around, ".curlrc", ".config/curlrc", ".netrc")
    for value in arguments.values("-H", "--header", "-d", "--data", "-w", "--write-out"):
        if value.startswith("@") or "%output" in value:
            raise NotUnderstood(f"`{value}` names a file")
    urls = arguments.texts()
    for url in urls:
        if not _URL.fullmatch(url):
            raise NotUnderstood(f"`{url}` is not a plain http, https or ftp address")
    into = arguments.value("--output-dir")
    directory = around.cwd if into is None else locate(into, around).path
    outputs = arguments.values("-o", "--output")
    writes = []
    for output in outputs:
        if "#" in output:
            raise NotUnderstood(f"`{output}` is a pattern")
        if output not in _NO_FILES:
            path = output if output.startswith("/") or directory is None else f"{directory}/{output}"
            path = locate(path, around).path
            if arguments.has("--create-dirs"):
                writes += made_parents(path, around)
            writes.append(_saved(path, reads))
    if arguments.has("-O", "--remote-name", "--remote-name-all"):
        if directory is None:
            raise NotUnderstood("it writes to a working directory that is not known before the build")
        for url in urls:
            name = _name_of(url)
            if name is None and any(below(directory, root) for root in around.project_roots):
                raise NotUnderstood(f"which file of `{directory}` it writes is not known before the build")
            if arguments.has("--create-dirs"):
                writes += made_parents(f"{directory}/.", around)
            writes.append(_saved(join(directory, name or "."), reads))
    return program(invocation, around, reads, writes=writes, variables=_VARIABLES, world=World.FREE)


@modelled
def wget(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `wget [-q] [-O file] [-P dir] url…`; GNU Wget also keeps `~/.wget-hsts`.

    Without -O it saves under the last part of the address, or under a new name where that is taken.
    """
    arguments = parse(
        _urls(invocation),
        switches="-q -nv -c -v -S -4 -6 --quiet --no-verbose --continue --no-check-certificate --show-progress "
        "--no-hsts --https-only --inet4-only --inet6-only --server-response --no-cache --no-cookies -n",
        valued="-O --output-document -P --directory-prefix",
        any_value="--header -U --user-agent -T --timeout -t --tries --progress --secure-protocol --waitretry "
        "--read-timeout --connect-timeout --user --password --retry-on-http-error --max-redirect",
    )
    if arguments.has("-n"):
        raise NotUnderstood("the option `-n` is not modelled")
    reads = _settings(around, ".wgetrc", ".netrc", ".wget-hsts")
    urls = arguments.texts()
    for url in urls:
        if not _URL.fullmatch(url):
            raise NotUnderstood(f"`{url}` is not a plain http, https or ftp address")
    hsts = join(_home(around), ".wget-hsts")
    require_no_link(hsts, around)
    writes = [Write(Kind.MAY, region(hsts))]
    output = arguments.value("-O", "--output-document")
    if output is not None:
        if output not in _NO_FILES:
            writes.append(_saved(locate(output, around).path, reads))
        return _fetched(invocation, reads, writes)
    prefix = arguments.value("-P", "--directory-prefix")
    directory = locate(prefix or ".", around).path
    if prefix:
        writes += made_parents(f"{directory}/.", around)
    for url in urls:
        # other than curl, it keeps what follows `?`
        name = None if "?" in url else _name_of(url)
        path = join(directory, name) if name is not None else directory
        free = name is not None and around.kind(path) == "absent"
        # a file that is there stays, and the new one is called `name.1`; redirects do not change the name
        writes.append(_saved(path if free else directory, reads))
    return _fetched(invocation, reads, writes)


def _fetched(invocation: Invocation, reads: Reads, writes: Sequence[Write]) -> Effects:
    """Return the effects of wget; that of busybox starts another program for https (`networking/wget.c`)."""
    starts = ("ssl_client", "openssl")
    return program(
        invocation, reads.around, reads, writes=writes, variables=_VARIABLES, world=World.FREE, starts=starts
    )


@modelled
def certificates(invocation: Invocation, around: Surroundings) -> Effects:
    """Model `update-ca-certificates`: collects certificates into /etc/ssl and runs the hooks of other packages.

    That the hooks (/etc/ca-certificates/update.d, Java's and Mono's) keep to the system is a printed assumption.
    """
    arguments = parse(invocation, switches="--fresh -f --verbose -v")
    if arguments.operands:
        raise NotUnderstood("it has operands")
    reads = Reads(around).entry("/etc", "/usr/share", "/usr/local/share", "/var/lib/ca-certificates-java")
    where = region("/etc", "/tmp", "/usr/share", "/usr/lib", "/var/lib/ca-certificates-java")
    return program(
        invocation,
        around,
        reads,
        writes=[Write(Kind.MAY, where)],
        variables=("JAVA_*", "HOME", "OPENSSL_*"),
        assumptions=(CERTIFICATE_HOOKS,),
        starts=("openssl", "run-parts", "trust", "java", "keytool", "sed", "find", "mktemp"),
    )
