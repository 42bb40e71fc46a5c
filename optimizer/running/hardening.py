"""Settings for Compose and Kubernetes that leave a container no more than it needs, as YAML.

Sources: the Compose specification (`services.md`: cap_drop, read_only, security_opt, tmpfs, user), Kubernetes' "Configure a
Security Context" and "Pod Security Standards" (restricted), and `capabilities(7)`. They go with an image that runs without root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockopt.optimizer.accounts import NEW, Account
from dockopt.optimizer.model import Build
from dockopt.optimizer.running.needs import Needs, needs_of
from dockopt.optimizer.running.services import services_of

FORMS = ("compose", "kubernetes")
_NUMBERS = re.compile(r"(\d+)(?::(\d+))?")


class NotHardened(Exception):
    """An image for which no settings can be told; `str()` is the reason."""


def hardening(build: Build, form: str) -> str:
    """Return the fragment for the image of the last stage, in one of FORMS. Raises NotHardened, Unsupported."""
    needs = needs_of(build)
    if needs.refusal is not None:
        place = f"{needs.refusal.path or 'line'}{':' if needs.refusal.path else ' '}{needs.refusal.line}"
        raise NotHardened(needs.refusal.reason + (f" ({place})" if needs.refusal.line else ""))
    lines = [*_head(needs), *(_compose(build, needs) if form == "compose" else _kubernetes(build, needs))]
    return "\n".join(lines) + "\n"


def _account(needs: Needs) -> Account | None:
    """Return the numbers of the user: of the image as it is, else of what `non-root` makes; None for a name."""
    if needs.existing is None:
        return needs.users.account or NEW
    found = _NUMBERS.fullmatch(needs.existing)
    if found is not None:
        return Account("", int(found[1]), int(found[2] or found[1]))
    account = needs.users.account
    return account if account is not None and needs.existing.partition(":")[0] == account.name else None


def _head(needs: Needs) -> Iterator[str]:
    if needs.existing is None:
        yield "# the image runs as root as it is: this goes with what `dockopt fix --write --select non-root` makes of it"
    for question in needs.questions:
        place = question.cause.path or "Dockerfile"
        yield f"# to be answered first: {question.message} ({place}{f':{question.cause.line}' if question.cause.line else ''})"
    for path in sorted(needs.written):
        if path not in needs.volumes:
            yield f"# {needs.written[path]} has it write to {path}: give that a volume, or what it keeps is lost"


def _name(build: Build) -> str:
    found = services_of(build)
    return found[0].name if found and re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", found[0].name) else "app"


def _volumes(needs: Needs) -> dict[str, str]:
    """Return a name for the volume of each directory that is written to."""
    return {path: re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "data" for path in sorted(needs.written)}


def _compose(build: Build, needs: Needs) -> Iterator[str]:
    account = _account(needs)
    there = {mounted.target.rstrip("/") for service in services_of(build) for mounted in service.mounts}
    volumes = {path: name for path, name in _volumes(needs).items() if path not in there}
    yield "services:"
    yield f"  {_name(build)}:"
    if account is not None:
        yield f'    user: "{account.owner}"'
    yield "    read_only: true"
    yield "    cap_drop: [ALL]"
    yield '    security_opt: ["no-new-privileges:true"]'
    if needs.temporary:
        yield '    tmpfs: ["/tmp"]'
    if volumes:
        yield "    volumes:"
        yield from (f'      - "{name}:{path}"' for path, name in volumes.items())
        yield "volumes:"
        yield from (f"  {name}: {{}}" for name in volumes.values())


def _kubernetes(build: Build, needs: Needs) -> Iterator[str]:
    account = _account(needs)
    mounts = {**({"/tmp": "tmp"} if needs.temporary else {}), **_volumes(needs)}
    yield "# the specification of a Pod: `spec`, or `spec.template.spec` of a Deployment"
    yield "securityContext:"
    yield "  runAsNonRoot: true"
    if account is not None:
        yield f"  runAsUser: {account.uid}"
        yield f"  runAsGroup: {account.gid}"
        if mounts:
            yield f"  fsGroup: {account.gid}"
    else:
        yield f"  # USER is a name, `{needs.existing}`: runAsNonRoot needs its number in runAsUser"
    yield "  seccompProfile:"
    yield "    type: RuntimeDefault"
    yield "containers:"
    yield f"  - name: {_name(build)}"
    yield "    securityContext:"
    yield "      allowPrivilegeEscalation: false"
    yield "      readOnlyRootFilesystem: true"
    yield "      capabilities:"
    yield "        drop: [ALL]"
    if not mounts:
        return
    yield "    volumeMounts:"
    for path, name in mounts.items():
        yield f"      - name: {name}"
        yield f'        mountPath: "{path}"'
    yield "volumes:"
    for name in mounts.values():
        yield f"  - name: {name}"
        # what a directory that is not only temporary keeps needs a claim; which one, the cluster knows
        yield "    emptyDir: {}" + ("" if name == "tmp" else "  # or a persistentVolumeClaim")
