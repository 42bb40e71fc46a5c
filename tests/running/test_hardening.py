"""The settings that `dockopt harden` prints are YAML, and say what the image needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from dockopt.optimizer.opening import open_build
from dockopt.optimizer.running.hardening import FORMS, NotHardened, hardening

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "non-root").iterdir())
CONTAINER = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def printed(case: Path, form: str) -> str:
    path = case / "Dockerfile"
    return hardening(open_build(path, path.read_bytes(), case).build, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_yaml_with_the_same_settings_for_all(case: Path, form: str) -> None:
    try:
        text = printed(case, form)
    except NotHardened as reason:
        assert str(reason)
        return
    found = yaml.safe_load(text)
    if form == "compose":
        (service,) = found["services"].values()
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {entry.partition(":")[0] for entry in service.get("volumes", ())} == set(found.get("volumes", ()))
    else:
        assert found["securityContext"]["runAsNonRoot"] is True
        assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = found["containers"]
        assert container["securityContext"] == CONTAINER
        assert {m["name"] for m in container.get("volumeMounts", ())} == {v["name"] for v in found.get("volumes", ())}


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("go-on-alpine", "10001:10001"),
        ("go-on-distroless", "65532:65532"),
        ("node-has-a-user", "1000:1000"),
        ("has-a-user", "1000:1000"),
        ("distroless-nonroot", "65532:65532"),
    ],
)
def test_the_user_is_the_one_that_the_image_has_or_gets(name: str, user: str) -> None:
    (case,) = (case for case in CASES if case.name == name)
    (service,) = yaml.safe_load(printed(case, "compose"))["services"].values()
    assert service["user"] == user
    context = yaml.safe_load(printed(case, "kubernetes"))["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user


def test_what_is_written_gets_a_volume_and_temporary_files_a_place() -> None:
    (case,) = (case for case in CASES if case.name == "node-writes-uploads")
    found = yaml.safe_load(printed(case, "compose"))
    (service,) = found["services"].values()
    assert (service["volumes"], service["tmpfs"]) == (["srv-uploads:/srv/uploads"], ["/tmp"])
    pod = yaml.safe_load(printed(case, "kubernetes"))
    assert pod["securityContext"]["fsGroup"] == 1000
    assert [m["mountPath"] for m in pod["containers"][0]["volumeMounts"]] == ["/tmp", "/srv/uploads"]


def test_a_question_is_printed_with_it() -> None:
    (case,) = (case for case in CASES if case.name == "port-80-exposed")
    assert "# to be answered first: it may listen on port 80" in printed(case, "compose")


@pytest.mark.parametrize("name", ["database", "socket-of-docker-in-compose", "home-of-root"])
def test_nothing_is_printed_for_what_needs_root(name: str) -> None:
    (case,) = (case for case in CASES if case.name == name)
    with pytest.raises(NotHardened):
        printed(case, "compose")
