"""Reads one command that builds: `docker build`, `buildx build`, `podman build`, `buildah bud`, `nerdctl build`, kaniko.

Sources: the command reference of each program. A command with an option that is in none of them is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

#: stands in a word for a part of it that is not known before the command runs
HOLE = "\0"

#: programs that start another one, whose words follow
_PREFIXES = frozenset("sudo exec time command nice nohup env eatmydata".split())
_PROGRAMS = frozenset({"docker", "podman", "buildah", "nerdctl", "depot"})
#: what may stand between program and `build`
_GROUPS = frozenset({"image", "builder", "buildx"})
_BUILDS = frozenset({"build", "b", "bud", "build-using-dockerfile"})
_GLOBAL_VALUES = frozenset(
    "-H --host -c --context --config -l --log-level --connection --url --identity --root --runroot --storage-driver "
    "--storage-opt -n --namespace -a --address --builder --tlscacert --tlscert --tlskey".split()
)
_SWITCHES = frozenset(
    "--no-cache --pull --pull-always --pull-never --push --load -q --quiet --rm --force-rm --squash --squash-all --compress "
    "--disable-content-trust --check --debug -D --tls-verify --layers --no-hosts --no-hostname --stdin --http-proxy "
    "--all-platforms --inherit-labels --skip-unused-stages --identity-label --omit-history --save-stages --disable-compression "
    "--compat-volumes --stream --ipfs --save --lint --jobs-unlimited --rewrite-timestamp --skip-tls-verify --single-snapshot "
    "--no-push --cleanup --reproducible --insecure --cache --use-new-run --no-push-cache".split()
)
_VALUES = frozenset(
    "-f --file -t --tag --target --build-arg --build-arg-file --build-context --platform --os --arch --variant --label "
    "--annotation --cache-from --cache-to --output -o --progress --secret --ssh --network --add-host --allow --attest "
    "--builder --call --iidfile --metadata-file --no-cache-filter --provenance --sbom --shm-size --ulimit --cgroup-parent "
    "--cpu-period --cpu-quota -c --cpu-shares --cpuset-cpus --cpuset-mems --isolation -m --memory --memory-swap "
    "--security-opt --authfile --cache-ttl --cap-add --cap-drop --cert-dir --creds --device --dns --dns-option --dns-search "
    "--env --format --from --hooks-dir --ignorefile --ipc --jobs --logfile --manifest --pid --retry --retry-delay --runtime "
    "--runtime-flag --sign-by --signature-policy --timestamp --userns --uts -v --volume --unsetenv --unsetlabel --layer-label "
    "--decryption-key --add-annotation --project --save-tag --buildkit-host --policy --source-date-epoch".split()
)
_KANIKO_VALUES = frozenset(
    "--context --dockerfile --destination --target --build-arg --cache-repo --cache-dir --cache-ttl --customPlatform --label "
    "--context-sub-path --snapshotMode --snapshot-mode --verbosity -v --digest-file --image-name-with-digest-file --tarPath "
    "--tar-path --registry-mirror --registry-certificate --ignore-path --compression --custom-platform --git -c -f -d".split()
)
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/)", re.IGNORECASE)


@dataclass(slots=True)
class BuildCommand:
    """The words of one build command; paths as written, a HOLE where they are not known."""

    context: str
    dockerfile: str | None = None  #: None: the default one
    #: names of the default Dockerfile in the context
    defaults: tuple[str, ...] = ("Dockerfile",)
    #: a Dockerfile that is not found from the working directory is looked for in the context
    from_context: bool = False
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    named_contexts: list[str] = field(default_factory=list)


def build_command(words: Sequence[str]) -> BuildCommand | None:
    """Return what a simple command builds, None where it builds nothing from a directory or is not understood."""
    rest = list(words)
    while rest and (rest[0] in _PREFIXES or ("=" in rest[0] and rest[0].partition("=")[0].isidentifier())):
        rest.pop(0)
    if not rest:
        return None
    program = rest[0].rpartition("/")[2]
    if program == "executor" and rest[0] != program:
        return _kaniko(rest[1:])
    if program not in _PROGRAMS:
        return None
    arguments = _behind_build(rest[1:])
    return None if arguments is None else _built(program, arguments)


def _behind_build(words: Sequence[str]) -> Sequence[str] | None:
    at = 0
    while at < len(words):
        word = words[at]
        if word in _BUILDS:
            return words[at + 1 :]
        if word in _GLOBAL_VALUES:
            at += 1
        elif not word.startswith("-") and word not in _GROUPS:
            return None
        at += 1
    return None


def _built(program: str, arguments: Sequence[str]) -> BuildCommand | None:
    read = _Options(arguments, _VALUES, _SWITCHES)
    found = BuildCommand("")
    for name, value in read:
        if name in ("-f", "--file"):
            found.dockerfile = value
        elif name == "--target":
            found.target = value
        elif name == "--build-arg":
            _add_arg(found, value)
        elif name == "--build-context":
            found.named_contexts.append(value.partition("=")[0])
    if program in ("podman", "buildah"):
        found.defaults, found.from_context = ("Containerfile", "Dockerfile"), True
    if not read.understood or (found.dockerfile or "").strip() == "-":
        return None
    # a word that is all unknown may be options, or nothing; a build has one context
    operands = [word for word in read.operands if word != HOLE]
    if len(operands) > 1 or (not read.operands and not found.from_context):
        return None
    found.context = operands[0] if operands else HOLE if read.operands else "."
    return None if found.context == "-" or _REMOTE.match(found.context) else found


def _kaniko(arguments: Sequence[str]) -> BuildCommand | None:
    """`/kaniko/executor` (GoogleContainerTools/kaniko, README, "Additional Flags"): paths may be relative to the context."""
    read = _Options(arguments, _KANIKO_VALUES, _SWITCHES)
    found = BuildCommand("", from_context=True)
    below = ""
    for name, value in read:
        if name in ("--context", "-c"):
            found.context = value.removeprefix("dir://")
        elif name in ("--dockerfile", "-f"):
            found.dockerfile = value
        elif name == "--target":
            found.target = value
        elif name == "--context-sub-path":
            below = value
        elif name == "--build-arg":
            _add_arg(found, value)
    if not read.understood or not found.context or _REMOTE.match(found.context):
        return None
    if below:
        found.context = f"{found.context}/{below}"
    return found


def _add_arg(found: BuildCommand, value: str) -> None:
    name, equals, text = value.partition("=")
    if equals and HOLE not in value:
        found.args[name] = text


class _Options:
    """The options of a command, as Go's pflag reads them; `operands` and `understood` are complete after the iteration."""

    def __init__(self, words: Sequence[str], values: frozenset[str], switches: frozenset[str]) -> None:
        self.words, self.values, self.switches = words, values, switches
        self.operands: list[str] = []
        self.understood = True

    def __iter__(self) -> Iterator[tuple[str, str]]:
        rest = iter(self.words)
        for word in rest:
            if word == "--":
                self.operands += rest
            elif not word.startswith("-") or word == "-":
                self.operands.append(word)
            elif word.startswith("--"):
                name, equals, value = word.partition("=")
                if equals:
                    yield name, value
                elif name in self.values:
                    yield name, next(rest, HOLE)
                elif name not in self.switches:
                    self.understood = False
            elif word[:2] in self.values:
                yield word[:2], word[2:].removeprefix("=") or next(rest, HOLE)
            elif not all(f"-{letter}" in self.switches for letter in word[1:]):
                self.understood = False
