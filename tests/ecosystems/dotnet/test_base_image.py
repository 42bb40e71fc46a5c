"""What is known of the SDK's image, and of which of its tags."""

from __future__ import annotations

import pytest
from dockopt.optimizer.bases import facts_of

SDK = "mcr.microsoft.com/dotnet/sdk"


@pytest.mark.parametrize("tag", ["", ":8.0", ":9.0-alpine", ":10.0-noble-aot", ":8.0@sha256:0"])
def test_nothing_of_the_users_lies_in_the_root_directory(tag: str) -> None:
    facts = facts_of(SDK + tag)
    assert facts.user == "root"
    assert facts.cwd == "/"
    assert facts.environment["NUGET_PACKAGES"] is None
    assert "/" in facts.complete
    assert "/home" not in facts.complete  # since 8.0 there is a user `app`


@pytest.mark.parametrize("tag", [":8.0-azurelinux3.0", ":6.0-cbl-mariner2.0", ":$VERSION", "@sha256:0"])
def test_other_distributions_may_have_more_there(tag: str) -> None:
    facts = facts_of(SDK + tag)
    assert facts.user == "root"
    assert not facts.complete


@pytest.mark.parametrize(
    "name", [f"{SDK}:8.0-nanoserver-ltsc2022", "mcr.microsoft.com/dotnet/aspnet:8.0", "example.org/dotnet/sdk:8.0"]
)
def test_nothing_is_known_of_others(name: str) -> None:
    assert facts_of(name).user is None
