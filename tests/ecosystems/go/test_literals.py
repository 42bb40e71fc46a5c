"""Strings and embedded files of Go sources."""

from __future__ import annotations

from dockopt.optimizer.ecosystems.go.literals import Literal, texts_of
from hypothesis import given
from hypothesis import strategies as st

SOURCE = b"""package main

import (
	"embed"
	tpl "html/template"
)
import "os"

// "no string"
/* "none
either" */
//go:embed static "two words" all:pages/*.html
var files embed.FS

// go:embed none
var quote, letter = '"', 'x'
var raw = `a
"b"`
var text = "say \\"hi\\" in \\u00e4"
"""


def test_strings_are_found_where_they_stand() -> None:
    assert texts_of(SOURCE).literals == (Literal('a\n"b"', 17), Literal('say "hi" in ä', 19))


def test_embedded_files_are_those_of_directives() -> None:
    assert texts_of(SOURCE).embedded == ("static", "two words", "all:pages/*.html")


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    assert all(literal.text for literal in texts_of(data).literals)


@given(st.text(alphabet="\"`\\/*'\nabc:embedgo ", max_size=80))
def test_no_source_is_too_odd(source: str) -> None:
    texts_of(source.encode())
