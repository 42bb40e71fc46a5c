"""Prints the configuration of a build for GitHub, GitLab and `docker buildx bake`, with the reasons as comments.

What is exported where: docs.docker.com, "Cache storage backends". Hosts of registries are placeholders or variables of the provider.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator

from dockopt.optimizer.cicache.facts import Facts
from dockopt.optimizer.inputs import InputError
from dockopt.optimizer.report.safe_text import safe

#: where each provider can keep layers between runs, the one that fits it best first
BACKENDS = {
    "github": ("gha", "registry", "local"),
    "gitlab": ("registry", "local"),
    "bake": ("registry", "gha", "local"),
}
#: of the domain that is reserved for examples (RFC 2606)
_PLACEHOLDER = "registry.example.com/group/project"

_WHY = {
    ("github", "gha"): (
        "type=gha: the cache of GitHub Actions needs no registry and no login. A branch reads its own cache and that of the",
        "default branch; 10 GB for a repository, the least used goes first. `--cache registry` has no such limit.",
    ),
    ("github", "registry"): (
        "type=registry: one cache for all runners and branches, kept as long as the registry keeps it. Only the default branch",
        "writes it: branches that overwrite each other's cache would lose it, and a pull request from a fork may not push.",
    ),
    ("github", "local"): (
        "type=local: a directory, which needs a runner that keeps its disk (self-hosted). It only ever grows: it is written anew",
        "beside the old one, which is then replaced.",
    ),
    ("gitlab", "registry"): (
        "type=registry: runners start empty, and the registry of the project is there for all of them. Each branch writes its own",
        "cache and reads that of the default branch, too.",
    ),
    ("gitlab", "local"): (
        "type=local: a directory that the runner packs into its own cache after the job. It only ever grows: it is written anew",
        "beside the old one, which is then replaced. `--cache registry` moves only the layers that are asked for.",
    ),
    ("bake", "registry"): (
        "type=registry: the same cache wherever this file is built. A machine that may not write it sets CACHE_TO to nothing.",
    ),
    ("bake", "gha"): (
        "type=gha: works only in GitHub Actions, where docker/bake-action sets the address and the token.",
    ),
    ("bake", "local"): (
        "type=local: a directory of this machine, for builders that keep none of their own. It only ever grows: remove it at times.",
    ),
}
_NO_DRIVER = "The docker driver cannot export a cache (unless images are kept by containerd), so the builder is one in a container."


def configuration(facts: Facts, provider: str, backend: str | None) -> str:
    """Return the text of the configuration. Raises InputError for a backend that the provider has not."""
    known = BACKENDS[provider]
    if backend is not None and backend not in known:
        raise InputError(f"`--cache {backend}` is nothing for {provider}; there are {', '.join(known)}")
    chosen = backend or known[0]
    printers: dict[str, Callable[[Facts, str], Iterable[str]]] = {"github": _github, "gitlab": _gitlab, "bake": _bake}
    reasons = [*_WHY[provider, chosen], *facts.reasons()]
    comments = [f"# {safe(reason)}" for reason in reasons]
    return "".join(f"{line}\n" for line in (*comments, *printers[provider](facts, chosen)))


def _github(facts: Facts, backend: str) -> Iterator[str]:
    source, destination = {
        "gha": (f"type=gha,scope={facts.image}", f"type=gha,scope={facts.image},mode={facts.mode},ignore-error=true"),
        "registry": _registry_cache(f"${{{{ env.IMAGE }}}}:cache-{facts.image}", facts),
        "local": _local_cache(f"${{{{ runner.tool_cache }}}}/buildkit/{facts.image}", facts),
    }[backend]
    if backend == "registry":
        there = destination.replace("${{ env.IMAGE }}", "{0}")
        on_default = "github.ref_name == github.event.repository.default_branch"
        destination = f"${{{{ {on_default} && format('{there}', env.IMAGE) || '' }}}}"
    yield from (
        "name: image",
        "on: [push, pull_request]",
        "env:",
        f"  IMAGE: {_PLACEHOLDER}",
        "jobs:",
        "  image:",
        "    runs-on: " + ("self-hosted" if backend == "local" else "ubuntu-latest"),
        "    steps:",
        "      - uses: actions/checkout@v4",
        f"      # {_NO_DRIVER}",
        "      - uses: docker/setup-buildx-action@v3",
        "      # registry, user and password of the placeholder above",
        "      - uses: docker/login-action@v3",
        "        if: github.event_name == 'push'",
        "        with:",
        f"          registry: {_PLACEHOLDER.partition('/')[0]}",
        "          username: ${{ secrets.REGISTRY_USER }}",
        "          password: ${{ secrets.REGISTRY_PASSWORD }}",
        "      - uses: docker/build-push-action@v6",
        "        with:",
        f"          context: {_yaml(facts.context)}",
        f"          file: {_yaml(facts.dockerfile)}",
        *([f"          target: {_yaml(facts.target)}"] if facts.target else []),
        "          push: ${{ github.event_name == 'push' }}",
        "          tags: ${{ env.IMAGE }}:${{ github.sha }}",
        f"          cache-from: {source}",
        f"          cache-to: {destination}",
    )
    if facts.secrets:
        yield "          secrets: |"
        yield from (f"            {name}=${{{{ secrets.{_variable(name)} }}}}" for name in facts.secrets)
    if facts.ssh:
        yield "          ssh: |"
        yield from (f"            {name}" for name in facts.ssh)
    if backend == "local":
        directory = destination.partition("dest=")[2].partition(",")[0]
        yield "      - env:"
        yield f"          NEW: {directory}"
        yield '        run: rm -rf "${NEW%.new}" && mv "$NEW" "${NEW%.new}"'


def _gitlab(facts: Facts, backend: str) -> Iterator[str]:
    if backend == "registry":
        own, default = (
            f"$CI_REGISTRY_IMAGE/cache/{facts.image}:${name}" for name in ("CI_COMMIT_REF_SLUG", "CI_DEFAULT_BRANCH")
        )
        sources = [f"type=registry,ref={own}", f"type=registry,ref={default}"]
        destination = _registry_cache(own, facts)[1]
    else:
        source, destination = _local_cache(f".buildkit-cache/{facts.image}", facts)
        sources = [source]
    options = [
        *(f'--cache-from "{source}"' for source in sources),
        f'--cache-to "{destination}"',
        '--tag "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHA" --push',
        f"--file {shlex.quote(facts.dockerfile)}",
        *([f"--target {shlex.quote(facts.target)}"] if facts.target else []),
        *(f"--secret id={shlex.quote(name)},env={_variable(name)}" for name in facts.secrets),
        *(f"--ssh {shlex.quote(name)}" for name in facts.ssh),
        shlex.quote(facts.context),
    ]
    yield from (
        "build-image:",
        "  stage: build",
        "  image: docker:28",
        "  services: [docker:28-dind]",
        "  variables:",
        "    DOCKER_TLS_CERTDIR: /certs",
        "  before_script:",
        '    - echo "$CI_REGISTRY_PASSWORD" | docker login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"',
        f"    # {_NO_DRIVER}",
        "    # It takes the certificates of the service from a context, not from the environment.",
        "    - docker context create ci",
        "    - docker buildx create --use --driver docker-container ci",
        "  script:",
        "    - |",
        "      docker buildx build \\",
        *(f"        {option} \\" for option in options[:-1]),
        f"        {options[-1]}",
    )
    if backend == "local":
        yield f"    - rm -rf .buildkit-cache/{facts.image} && mv .buildkit-cache/{facts.image}.new .buildkit-cache/{facts.image}"
        yield "  cache:"
        yield f"    key: buildkit-{facts.image}"
        yield "    paths: [.buildkit-cache]"


def _bake(facts: Facts, backend: str) -> Iterator[str]:
    source, destination = {
        "registry": _registry_cache(f"${{IMAGE}}:cache-{facts.image}", facts),
        "gha": (f"type=gha,scope={facts.image}", f"type=gha,scope={facts.image},mode={facts.mode},ignore-error=true"),
        "local": _local_cache(f".buildkit-cache/{facts.image}", facts, beside=False),
    }[backend]
    yield from _variable_block("IMAGE", _PLACEHOLDER)
    yield "# the commit: `TAG=$(git rev-parse HEAD) docker buildx bake --push`"
    yield from _variable_block("TAG", "")
    yield from _variable_block("CACHE_TO", destination)
    yield ""
    yield 'group "default" {'
    yield f'  targets = ["{facts.image}"]'
    yield "}"
    yield ""
    yield f'target "{facts.image}" {{'
    yield f'  context    = "{facts.context}"'
    yield f'  dockerfile = "{_below(facts.context, facts.dockerfile)}"'
    if facts.target:
        yield f'  target     = "{facts.target}"'
    yield '  tags       = notequal(TAG, "") ? ["${IMAGE}:${TAG}"] : []'
    yield f'  cache-from = ["{source}"]'
    yield '  cache-to   = notequal(CACHE_TO, "") ? [CACHE_TO] : []'
    if facts.secrets:
        yield f"  secret     = [{_list(f'type=env,id={name},env={_variable(name)}' for name in facts.secrets)}]"
    if facts.ssh:
        yield f"  ssh        = [{_list(facts.ssh)}]"
    yield "}"


def _variable_block(name: str, default: str) -> Iterator[str]:
    yield f'variable "{name}" {{'
    yield f'  default = "{default}"'
    yield "}"


def _registry_cache(reference: str, facts: Facts) -> tuple[str, str]:
    """`image-manifest=true`: some registries refuse a cache that is an index (the default of BuildKit before 0.21)."""
    source = f"type=registry,ref={reference}"
    return source, f"{source},mode={facts.mode},image-manifest=true,ignore-error=true"


def _local_cache(directory: str, facts: Facts, *, beside: bool = True) -> tuple[str, str]:
    new = f"{directory}.new" if beside else directory
    return f"type=local,src={directory}", f"type=local,dest={new},mode={facts.mode}"


def _below(context: str, dockerfile: str) -> str:
    """Return the Dockerfile relative to the context, as bake wants it."""
    return posixpath.relpath(dockerfile, context)


def _variable(name: str) -> str:
    """The name of a variable for a secret."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def _list(values: Iterable[str]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def _yaml(text: str) -> str:
    """A scalar in double quotes; names are plain, so there is nothing to escape in it."""
    return f'"{text}"'
