"""What makes a script opaque, with the reason that is given; and what must not."""

import pytest
from dockopt.optimizer.shell import parse_script

BOTH = ("sh", "bash")


@pytest.mark.parametrize(
    ("text", "dialects", "reason"),
    [
        # text that no shell accepts, or that is cut off
        pytest.param("a 'b", BOTH, "a single quote is not closed", id="open-single-quote"),
        pytest.param('a "b', BOTH, "a double quote is not closed", id="open-double-quote"),
        pytest.param("a `b", BOTH, "a backquote is not closed", id="open-backquote"),
        pytest.param("a $(b", BOTH, "`)` is missing", id="open-substitution"),
        pytest.param("a ${b", BOTH, "not understood", id="open-expansion"),
        pytest.param("a &&", BOTH, "a command is missing", id="nothing-after-and"),
        pytest.param("&& a", BOTH, "`&` is not expected here", id="nothing-before-and"),
        pytest.param("a && && b", BOTH, "`&` is not expected here", id="and-and"),
        pytest.param("a ;; b", BOTH, "`;` is not expected here", id="double-semicolon"),
        pytest.param("; a", BOTH, "`;` is not expected here", id="leading-semicolon"),
        pytest.param("a |", BOTH, "a command is missing", id="nothing-after-pipe"),
        pytest.param("a )", BOTH, "`)` is not expected here", id="stray-parenthesis"),
        pytest.param("(a", BOTH, "`)` is missing", id="open-subshell"),
        pytest.param("{ a", BOTH, "`}` is missing", id="open-group"),
        pytest.param("if a; then b", BOTH, "`fi` is missing", id="open-if"),
        pytest.param("if a; then fi", BOTH, "a command is missing", id="empty-then"),
        pytest.param("for i in a; do b", BOTH, "`done` is missing", id="open-for"),
        pytest.param("case a in b) c;;", BOTH, "`case` has a pattern that is not understood", id="open-case"),
        pytest.param("fi", BOTH, "`fi` is not expected here", id="stray-fi"),
        pytest.param("a >", BOTH, "`>` has no target", id="redirection-to-nothing"),
        pytest.param("a b\\", BOTH, "a backslash ends the script", id="backslash-at-the-end"),
        pytest.param("cat <<E\nx\n", BOTH, "a heredoc is not closed by `E`", id="open-heredoc"),
        pytest.param("cat <<E", BOTH, "a heredoc has no body", id="heredoc-without-body"),
        # characters
        pytest.param("a\r\nb", BOTH, "a carriage return is not understood", id="carriage-return"),
        pytest.param("a\x00b", BOTH, "the character U+0000", id="nul"),
        pytest.param("a\x0bb", BOTH, "the character U+000B", id="vertical-tab"),
        pytest.param("a \udc80", BOTH, "the character U+DC80", id="not-utf-8"),
        # constructs
        pytest.param("f() { a; }", BOTH, "a shell function is defined", id="function"),
        pytest.param("f () (a)", BOTH, "a shell function is defined", id="function-with-blank"),
        pytest.param("function f { a; }", BOTH, "`function` is not understood", id="function-keyword"),
        pytest.param("select x in a; do b; done", BOTH, "`select` is not understood", id="select"),
        pytest.param("coproc a", BOTH, "`coproc` is not understood", id="coproc"),
        pytest.param("time a | b", BOTH, "`time` is not understood", id="time"),
        pytest.param("((a = 1))", BOTH, "`((` is read differently", id="arithmetic-command"),
        pytest.param("((a) | b)", BOTH, "`((` is read differently", id="subshell-in-subshell-without-blank"),
        pytest.param("a <(b)", BOTH, "process substitution is not understood", id="process-substitution"),
        pytest.param("a |& b", BOTH, "`|&` is bash only", id="pipe-both"),
        pytest.param("A=(b c)", BOTH, "an array is assigned to", id="array"),
        pytest.param("A[1]=b", BOTH, "an array is assigned to", id="array-element"),
        pytest.param("echo $[1+1]", BOTH, "`$[` means different things", id="old-arithmetic"),
        pytest.param("echo $'a\\nb'", BOTH, "`$'..'` with a backslash", id="ansi-c-quotes"),
        pytest.param('echo $"a"', BOTH, '`$".."` is read differently', id="translated-quotes"),
        pytest.param("echo ${!A}", BOTH, "not understood", id="indirect"),
        pytest.param("echo ${A[1]}", BOTH, "an operator that is not understood", id="array-element-read"),
        pytest.param("echo ${A:=b}", BOTH, "assigns a variable while it expands", id="assigning-expansion"),
        pytest.param("echo $((A=1))", BOTH, "assigns a variable while it expands", id="assigning-arithmetic"),
        pytest.param("echo $((A++))", BOTH, "assigns a variable while it expands", id="incrementing-arithmetic"),
        pytest.param("echo \"${A:-'b'}\"", BOTH, "quotes inside `${...}` inside quotes", id="quotes-in-quoted-default"),
        pytest.param("echo `echo \\`a\\``", BOTH, "a backslash inside backquotes", id="nested-backquotes"),
        pytest.param("a `# note` b", BOTH, "a comment inside backquotes", id="backquote-comment"),
        pytest.param("a 12>b", BOTH, "a descriptor of two digits", id="two-digit-descriptor"),
        pytest.param("a {fd}>b", BOTH, "`{name}>` is bash only", id="named-descriptor"),
        pytest.param("a >&b", BOTH, "with a target that is not a number", id="both-to-file"),
        pytest.param("a b\\\nc", BOTH, "a word is continued over a line end", id="continued-word"),
        pytest.param("a &\\\n& b", BOTH, "an operator is continued over a line end", id="continued-operator"),
        pytest.param("cat <<E \\\n&& a\nx\nE", BOTH, "a line with a heredoc is continued", id="continued-heredoc-line"),
        pytest.param("cat <<E 'a\nb'\nx\nE", BOTH, "a heredoc", id="newline-in-quotes-after-heredoc"),
        pytest.param("cat <<E\nx\\\nE\n", BOTH, "a backslash joins", id="backslash-before-heredoc-end"),
        pytest.param("cat <<-E\n\tx\n\tE\n", BOTH, "tabs are removed", id="heredoc-with-tabs"),
        # read differently by the shells that are called sh
        pytest.param("[[ a ]]", ("sh",), "(not in POSIX)", id="double-bracket-in-sh"),
        pytest.param("a &>b", ("sh",), "`&>` is bash only", id="both-redirection-in-sh"),
        pytest.param("a <<<b", ("sh",), "`<<<` is bash only", id="here-string-in-sh"),
        pytest.param("A+=b", ("sh",), "`+=` is bash only", id="appending-in-sh"),
        pytest.param("[[ a =~ b ]]", ("bash",), "`=~` in `[[`", id="regular-expression"),
        # tree-sitter-bash is wrong or lost, the grammar is not
        pytest.param("a x/`b`/$C-d", BOTH, "two parsers do not see the same", id="two-readers-differ"),
    ],
)  # fmt: skip
def test_opaque(text: str, dialects: tuple[str, ...], reason: str) -> None:
    for dialect in dialects:
        script = parse_script(text, dialect)
        assert script.opaque is not None, dialect
        assert reason in script.opaque
        assert script.steps == ()
        assert not script.is_chain()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("eval $X && a", "`eval` runs text that is not known here", id="eval"),
        pytest.param(". ./env && a", "`.` runs a file", id="dot"),
        pytest.param("source x", "`source` runs a file", id="source"),
        pytest.param("trap a EXIT; b", "`trap` runs commands at another time", id="trap"),
        pytest.param("exec a", "`exec` replaces the shell", id="exec"),
        pytest.param("exec >log; a", "`exec` replaces the shell", id="exec-redirects"),
        pytest.param("alias a=b", "`alias` gives commands another meaning", id="alias"),
        pytest.param("shopt -s extglob", "`shopt` changes how bash reads", id="shopt"),
        pytest.param("command eval a", "`eval` runs text", id="behind-command"),
        pytest.param("command -p . a", "`.` runs a file", id="behind-command-with-option"),
        pytest.param("'ev'al a", "`eval` runs text", id="quoted"),
        pytest.param("if a; then eval b; fi", "`eval` runs text", id="nested"),
        pytest.param("echo $(eval b)", "`eval` runs text", id="in-a-substitution"),
        pytest.param("set -f; a *", "`set` with an option", id="no-globbing"),
        pytest.param("set -n; a", "`set` with an option", id="not-run"),
        pytest.param("set -o posix", "`set` with an option", id="named-option"),
        pytest.param("set $X", "`set` with an option", id="unknown-option"),
        pytest.param("a || exit 0; b", "`exit` may leave the script early", id="early-success"),
        pytest.param("a || exit; b", "`exit` may leave the script early", id="early-with-last-status"),
        pytest.param("a || exit $X; b", "`exit` may leave the script early", id="early-with-unknown-status"),
        pytest.param("if a; then exit 0; fi; b", "`exit` may leave the script early", id="early-in-if"),
        pytest.param("a || exit 256; b", "`exit` may leave the script early", id="status-is-a-byte"),
    ],
)
def test_opaque_by_meaning_keeps_its_steps(text: str, reason: str) -> None:
    script = parse_script(text, "bash")
    assert script.opaque is not None
    assert reason in script.opaque
    assert script.steps
    assert not script.is_chain()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("set -eux; a", id="usual-set"),
        pytest.param("set -euxo pipefail; a", id="pipefail"),
        pytest.param("set -o errexit -o nounset; a", id="named"),
        pytest.param("set -- a b", id="positional"),
        pytest.param("set +x; a", id="turned-off"),
        pytest.param("a || exit 1; b", id="failing-exit"),
        pytest.param("a && exit 0", id="exit-at-the-end"),
        pytest.param("(a || exit 0); b", id="exit-of-a-subshell"),
        pytest.param("sh -c 'eval x'", id="another-shell"),
        pytest.param("echo eval . exec", id="as-arguments"),
        pytest.param("command -v a", id="command-v"),
        pytest.param("cp $A-$B/x-$C.tgz .", id="variables-next-to-each-other"),
        pytest.param("case x in a) ;; esac", id="empty-case-item"),
    ],
)
def test_not_opaque(text: str) -> None:
    assert parse_script(text).opaque is None


def test_deep_nesting_is_opaque_and_not_a_crash() -> None:
    for text in ("(" * 500 + "a" + ")" * 500, "{ " * 5000, "a " + "$(a " * 5000, "a " + "${a:-" * 5000, "! " * 5000):
        assert parse_script(text).opaque is not None


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        pytest.param("a && b && c", "abc", id="chain"),
        pytest.param("a; b", "b", id="only-the-last"),
        pytest.param("a || b", "b", id="left-of-or"),
        pytest.param("a && b || c", "c", id="and-or"),
        pytest.param("a || b && c", "bc", id="or-and"),
        pytest.param("a; b && c", "bc", id="last-list"),
        pytest.param("set -e; a; b", "ab", id="errexit"),
        pytest.param("set -ex\na\nb", "ab", id="errexit-lines"),
        pytest.param("set -euo pipefail; a; b", "ab", id="errexit-with-option"),
        pytest.param("set -o errexit; a; b", "ab", id="errexit-by-name"),
        pytest.param("set -e && a && b; c", "bc", id="errexit-ignores-all-but-the-last-of-a-list"),
        pytest.param("set -e; a || b; c", "bc", id="errexit-left-of-or"),
        pytest.param("set -e; ! a; b", "b", id="errexit-negated"),
        pytest.param("set -e; { a; }; b", "b", id="errexit-group-is-not-plain"),
        pytest.param("set -e; a | x; b", "ab", id="errexit-pipeline"),
        pytest.param("set -e; a; set +e; b; c", "ac", id="errexit-off"),
        pytest.param("set -e; if x; then set +e; fi; b; c", "c", id="errexit-perhaps-off"),
        pytest.param("if x; then set -e; fi; b; c", "c", id="errexit-perhaps-on"),
        pytest.param("x && set -e; b; c", "c", id="errexit-set-conditionally"),
        pytest.param("set -x; a; b", "b", id="no-errexit"),
        pytest.param("set -- -e; a; b", "b", id="positional-minus-e"),
        pytest.param("a &", "", id="background"),
        pytest.param("a & b", "b", id="background-first"),
    ],
)
def test_checked(text: str, checked: str) -> None:
    script = parse_script(text)
    assert script.opaque is None
    found = "".join(text[s.start] if s.kind != "group" else "a" for s in script.steps if s.checked)
    found = "".join(c for c in found if c in "abc" or c == "!")
    assert found == checked


def test_errexit_from_the_shell_that_runs_it() -> None:
    assert [s.checked for s in parse_script("a; b", errexit=True).steps] == [True, True]
    assert [s.checked for s in parse_script("a; b").steps] == [False, True]
