"""What the shell reader makes of each construct, and what it refuses."""

import pytest
from dockopt.optimizer.shell import (
    Command,
    Glob,
    Lit,
    Other,
    Script,
    Subst,
    Var,
    Word,
    parse_script,
)


def understood(text: str, dialect: str = "sh", **options: bool) -> Script:
    script = parse_script(text, dialect, **options)
    assert script.opaque is None
    return script


def names(text: str, dialect: str = "sh") -> list[str | None]:
    return [command.name for command in understood(text, dialect).commands]


def only_word(text: str, dialect: str = "sh") -> Word:
    """The second word of `echo TEXT`."""
    (step,) = understood(f"echo {text}", dialect).steps
    assert step.command is not None
    assert len(step.command.words) == 2
    return step.command.words[1]


def all_words(script: Script) -> list[Word]:
    found: list[Word] = []
    for command in script.commands:
        found += command.words
        found += [a.value for a in command.assignments]
        for redirect in command.redirects:
            found.append(redirect.target)
            if redirect.body is not None:
                found.append(redirect.body)
    return found


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        pytest.param("go mod download", [("", "simple", "go mod download")], id="one"),
        pytest.param("  a   b  ", [("", "simple", "a   b")], id="blanks-around"),
        pytest.param("a && b\t&&  c", [("", "simple", "a"), ("&&", "simple", "b"), ("&&", "simple", "c")], id="and"),
        pytest.param("a || b", [("", "simple", "a"), ("||", "simple", "b")], id="or"),
        pytest.param("a; b ;c;", [("", "simple", "a"), (";", "simple", "b"), (";", "simple", "c")], id="semicolons"),
        pytest.param("a\nb\n\n c\n", [("", "simple", "a"), ("\n", "simple", "b"), ("\n", "simple", "c")], id="lines"),
        pytest.param("a &&\n\n b", [("", "simple", "a"), ("&&", "simple", "b")], id="newline-after-and"),
        pytest.param("a && \\\n b", [("", "simple", "a"), ("&&", "simple", "b")], id="continued-line"),
        pytest.param("a b\\\n c", [("", "simple", "a b\\\n c")], id="continued-inside-a-command"),
        pytest.param("a b\\\n && c", [("", "simple", "a b"), ("&&", "simple", "c")], id="continued-right-after-a-word"),
        pytest.param("a | b |\nc", [("", "pipeline", "a | b |\nc")], id="pipeline"),
        pytest.param("a | b && c", [("", "pipeline", "a | b"), ("&&", "simple", "c")], id="pipeline-in-chain"),
        pytest.param("! a", [("", "negated", "! a")], id="negated"),
        pytest.param("! a | b", [("", "negated", "! a | b")], id="negated-pipeline"),
        pytest.param("(a; b) && c", [("", "subshell", "(a; b)"), ("&&", "simple", "c")], id="subshell"),
        pytest.param("{ a; b; } && c", [("", "group", "{ a; b; }"), ("&&", "simple", "c")], id="group"),
        pytest.param("{ a; } >x 2>&1; b", [("", "group", "{ a; } >x 2>&1"), (";", "simple", "b")], id="to-file"),
        pytest.param("if a; then b; else c; fi ;", [("", "if", "if a; then b; else c; fi")], id="if"),
        pytest.param("if a; then b; elif c; then d; fi", [("", "if", "if a; then b; elif c; then d; fi")], id="elif"),
        pytest.param("for i in 1 2; do a $i; done", [("", "for", "for i in 1 2; do a $i; done")], id="for"),
        pytest.param("for i in *.x\ndo\na\ndone", [("", "for", "for i in *.x\ndo\na\ndone")], id="for-in-lines"),
        pytest.param("while a; do b; done", [("", "other", "while a; do b; done")], id="while"),
        pytest.param("until a; do b; done", [("", "other", "until a; do b; done")], id="until"),
        pytest.param("case $x in a|b) c;; (*) ;; esac", [("", "case", "case $x in a|b) c;; (*) ;; esac")], id="case"),
        pytest.param("case x in a) c; esac;d", [("", "case", "case x in a) c; esac"), (";", "simple", "d")], id="end"),
        pytest.param("a & b", [("", "other", "a"), ("&", "simple", "b")], id="background"),
        pytest.param("a && b & c", [("", "other", "a && b"), ("&", "simple", "c")], id="background-takes-the-list"),
        pytest.param("x; a && b & c", [("", "simple", "x"), (";", "other", "a && b"), ("&", "simple", "c")], id="bg"),
        pytest.param("A=1", [("", "simple", "A=1")], id="assignment"),
        pytest.param(">f", [("", "simple", ">f")], id="redirection-only"),
        pytest.param("[ -f x ] && a", [("", "simple", "[ -f x ]"), ("&&", "simple", "a")], id="bracket"),
        pytest.param("(a) # note", [("", "subshell", "(a)")], id="comment-after-compound"),
        pytest.param("", [], id="empty"),
        pytest.param("# only a comment", [], id="comment-only"),
    ],
)  # fmt: skip
def test_steps(text: str, steps: list[tuple[str, str, str]]) -> None:
    script = understood(text)
    assert [(s.connector, s.kind, text[s.start : s.end]) for s in script.steps] == steps
    for step in script.steps:
        assert (step.command is not None) == (step.kind == "simple")


def test_double_bracket_is_a_step_without_a_command_in_bash() -> None:
    script = understood("[[ $A == b* && -n $C ]] && d", "bash")
    assert [(s.kind, s.connector) for s in script.steps] == [("test", ""), ("simple", "&&")]
    assert script.steps[0].variables == {"A", "C"}
    assert script.steps[0].commands == ()


@pytest.mark.parametrize(
    ("source", "literal", "parts"),
    [
        pytest.param("abc", "abc", (Lit("abc"),), id="plain"),
        pytest.param("'a b'", "a b", (Lit("a b"),), id="single-quoted"),
        pytest.param('"a b"', "a b", (Lit("a b"),), id="double-quoted"),
        pytest.param("a'b'\"c\"d", "abcd", (Lit("abcd"),), id="glued"),
        pytest.param("''", "", (Lit(""),), id="empty-single"),
        pytest.param('""', "", (Lit(""),), id="empty-double"),
        pytest.param("a\\b\\$c", "ab$c", (Lit("ab$c"),), id="escapes"),
        pytest.param('"a\\b\\$\\"\\\\"', 'a\\b$"\\', (Lit('a\\b$"\\'),), id="escapes-in-quotes"),
        pytest.param('"a\\\nb"', "ab", (Lit("ab"),), id="continuation-in-quotes"),
        pytest.param("a\\ b", "a b", (Lit("a b"),), id="escaped-blank"),
        pytest.param("'$A`b`\\'", "$A`b`\\", (Lit("$A`b`\\"),), id="nothing-in-single-quotes"),
        pytest.param("a#b", "a#b", (Lit("a#b"),), id="hash-inside-a-word"),
        pytest.param("a~b", "a~b", (Lit("a~b"),), id="tilde-inside-a-word"),
        pytest.param("{}", "{}", (Lit("{}"),), id="empty-braces"),
        pytest.param("{a}", "{a}", (Lit("{a}"),), id="braces-without-comma"),
        pytest.param("[", "[", (Lit("["),), id="lone-bracket"),
        pytest.param("]", "]", (Lit("]"),), id="lone-closing-bracket"),
        pytest.param("--x=y,z", "--x=y,z", (Lit("--x=y,z"),), id="option"),
        pytest.param("$A", None, (Var("A", "$A"),), id="variable"),
        pytest.param("${A}", None, (Var("A", "${A}"),), id="braced-variable"),
        pytest.param('"$A"', None, (Var("A", "$A", True),), id="quoted-variable"),
        pytest.param('x"${A}y"', None, (Lit("x"), Var("A", "${A}", True), Lit("y")), id="variable-inside"),
        pytest.param("a*b?", None, (Lit("a"), Glob("*"), Lit("b"), Glob("?")), id="star-and-question-mark"),
        pytest.param("'*'", "*", (Lit("*"),), id="quoted-star"),
        pytest.param("\\*", "*", (Lit("*"),), id="escaped-star"),
        pytest.param("x[ab]y", None, (Lit("x"), Glob("[ab]"), Lit("y")), id="bracket-expression"),
        pytest.param("~", None, (Glob("~"),), id="tilde"),
        pytest.param("~/x", None, (Glob("~"), Lit("/x")), id="tilde-path"),
        pytest.param("--prefix=~/x", None, (Lit("--prefix="), Glob("~"), Lit("/x")), id="tilde-after-equals"),
        pytest.param("'~'", "~", (Lit("~"),), id="quoted-tilde"),
        pytest.param("{a,b}", None, (Other("{a,b}"),), id="braces-differ-between-shells"),
        pytest.param("${A:-b}", None, (Other("${A:-b}", frozenset("A")),), id="default"),
        pytest.param("${A%.*}", None, (Other("${A%.*}", frozenset("A")),), id="suffix"),
        pytest.param('"${A##*/}"', None, (Other("${A##*/}", frozenset("A"), (), True),), id="prefix-quoted"),
        pytest.param("${#A}", None, (Other("${#A}", frozenset("A")),), id="length"),
        pytest.param("${A:-$B}", None, (Other("${A:-$B}", frozenset("AB")),), id="default-from-another"),
        pytest.param("$((A + 1))", None, (Other("$((A + 1))", frozenset("A")),), id="arithmetic"),
        pytest.param("$?", None, (Other("$?"),), id="status"),
        pytest.param("$1", None, (Other("$1"),), id="positional"),
    ],
)  # fmt: skip
def test_word(source: str, literal: str | None, parts: tuple[object, ...]) -> None:
    word = only_word(source)
    assert (word.raw, word.literal, word.parts) == (source, literal, parts)


def test_bash_expands_braces() -> None:
    assert only_word("x{a,b}", "bash").parts == (Lit("x"), Glob("{a,b}"))
    assert only_word("{1..3}", "bash").parts == (Glob("{1..3}"),)


@pytest.mark.parametrize("source", ["$(ls -a)", "`ls -a`"])
def test_substitution(source: str) -> None:
    text = f"echo x{source} y"
    script = understood(text)
    part = script.steps[0].commands[0].words[1].parts[1]
    assert isinstance(part, Subst)
    assert part.raw == source
    (inner,) = part.script.commands
    assert text[inner.start : inner.end] == "ls -a"
    assert [c.name for c in script.steps[0].commands] == ["echo", "ls"]
    assert text[part.script.start : part.script.end] == "ls -a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a $(b $(c) | d) $(e)", ["a", "b", "c", "d", "e"], id="nested-substitutions"),
        pytest.param("A=$(b) C=`d`", [None, "b", "d"], id="in-assignments"),
        pytest.param("a >$(b)", ["a", "b"], id="in-redirections"),
        pytest.param("a ${x:-$(b)}", ["a", "b"], id="in-defaults"),
        pytest.param('a "x $(b "$(c)")"', ["a", "b", "c"], id="in-quotes"),
        pytest.param("for i in $(a); do b; done", ["a", "b"], id="in-for"),
        pytest.param("case $(a) in x) b;; esac", ["a", "b"], id="in-case"),
        pytest.param("if a | b; then (c); else { d; }; fi", ["a", "b", "c", "d"], id="in-compounds"),
        pytest.param("cat <<E\n$(a)\nE\nb", ["cat", "a", "b"], id="in-heredocs"),
        pytest.param("$X a", [None], id="name-from-a-variable"),
        pytest.param("'a' b", ["a"], id="quoted-name"),
        pytest.param("echo if then fi", ["echo"], id="reserved-words-as-arguments"),
        pytest.param("a $(case x in y) b;; esac)", ["a", "b"], id="case-in-substitution"),
    ],
)
def test_all_commands_are_found(text: str, expected: list[str | None]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("a $A ${B}", {"A", "B"}, id="plain"),
        pytest.param("a '$A'", set(), id="single-quoted"),
        pytest.param('a "${A:-$(b $C)}"', {"A", "C"}, id="nested"),
        pytest.param("A=1 b $C", {"C"}, id="assigned-is-not-read"),
        pytest.param("a $((X*2)) $?", {"X"}, id="arithmetic"),
        pytest.param("for i in $L; do x; done", {"L"}, id="for-words"),
        pytest.param("cat <<E\n$A\nE\n", {"A"}, id="heredoc"),
        pytest.param("cat <<'E'\n$A\nE\n", set(), id="quoted-heredoc"),
        pytest.param("{ a; } >$F", {"F"}, id="redirection-of-a-group"),
    ],
)
def test_variables(text: str, variables: set[str]) -> None:
    (step,) = understood(text).steps
    assert step.variables == variables


def test_word_variables_are_those_of_the_word() -> None:
    (step,) = understood("a $A b$B${C#x} d").steps
    assert [word.variables for word in step.commands[0].words] == [set(), {"A"}, {"B", "C"}, set()]


def test_assignments_and_redirections() -> None:
    text = "A=1 B=\"x y\" C= npm ci >out 2>&1 <in 3>>'l o g' arg"
    (command,) = understood(text).commands
    assert [(a.name, a.value.literal, a.append) for a in command.assignments] == [
        ("A", "1", False),
        ("B", "x y", False),
        ("C", "", False),
    ]
    assert [word.literal for word in command.words] == ["npm", "ci", "arg"]
    assert [(r.op, r.fd, r.target.literal, r.duplicates) for r in command.redirects] == [
        (">", None, "out", False),
        (">&", 2, "1", True),
        ("<", None, "in", False),
        (">>", 3, "l o g", False),
    ]
    assert [text[r.start : r.end] for r in command.redirects] == [">out", "2>&1", "<in", "3>>'l o g'"]


def test_no_patterns_in_an_assigned_value() -> None:
    (command,) = understood("A=*.c B={a,b} C=~/x").commands
    assert [a.value.literal for a in command.assignments] == ["*.c", "{a,b}", None]


def test_bash_redirections() -> None:
    commands = understood("a &>x; b &>>y; c <<<z", "bash").commands
    found = [(r.op, r.target.literal) for command in commands for r in command.redirects]
    assert found == [("&>", "x"), ("&>>", "y"), ("<<<", "z")]


def test_redirections_of_compounds_belong_to_the_step() -> None:
    (step,) = understood("for i in a; do b; done >f").steps
    assert [(r.op, r.target.literal) for r in step.redirects] == [(">", "f")]
    assert step.loop_variables == {"i"}
    assert [c.redirects for c in step.commands] == [()]


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        pytest.param("cat <<EOF >f\na b\n$X\nEOF\nls\n", [("a b\n$X\n", None)], id="expanded"),
        pytest.param("cat <<EOF\na b\nEOF", [("a b\n", "a b\n")], id="nothing-to-expand"),
        pytest.param("cat <<'EOF'\n$X\\\nEOF", [("$X\\\n", "$X\\\n")], id="quoted"),
        pytest.param("cat <<EOF\nEOF\n", [("", "")], id="empty"),
        pytest.param('cat <<EOF\n"\'\\"\\$\nEOF\n', [('"\'\\"\\$\n', '"\'\\"$\n')], id="quotes-are-text"),
        pytest.param("cat <<-EOF\nx\nEOF\n", [("x\n", "x\n")], id="strip-without-tabs"),
    ],
)
def test_heredoc(text: str, bodies: list[tuple[str, str | None]]) -> None:
    script = understood(text)
    found = [r.body for c in script.commands for r in c.redirects if r.body is not None]
    assert [(body.raw, body.literal) for body in found] == bodies


def test_the_line_goes_on_after_a_heredoc() -> None:
    script = understood("cat <<E | sort && b\nx\nE\nc")
    assert [(s.connector, s.kind) for s in script.steps] == [("", "pipeline"), ("&&", "simple"), ("\n", "simple")]


def test_comments() -> None:
    text = "a # one\nb #two\n# three\nc '#no'"
    script = understood(text)
    assert [text[start:end] for start, end in script.comments] == ["# one", "#two", "# three"]
    assert len(script.steps) == 3


def test_a_comment_in_a_joined_line_eats_the_rest() -> None:
    text = "a && b # && c"
    script = understood(text)
    assert [s.commands[0].name for s in script.steps] == ["a", "b"]
    assert script.comments == ((7, len(text)),)


@pytest.mark.parametrize(
    "text",
    [
        'a \'b\' "c $D" e=f >g && H=1 i $(j `k`) ; [ -f "$l" ] | m',
        "é 'ü ß' \"→$(ö)\" && ñ # ÿ",
        'cat <<E\n$(a b)\nE\nif x; then y "$z"; fi',
    ],
)
def test_offsets_give_the_source(text: str) -> None:
    script = understood(text)
    for word in all_words(script):
        assert text[word.start : word.end] == word.raw
    for command in script.commands:
        spans = [(w.start, w.end) for w in command.words] + [(a.start, a.end) for a in command.assignments]
        spans += [(r.start, r.end) for r in command.redirects]
        assert command.start == min(start for start, _ in spans)
        assert command.end == max(end for _, end in spans)


@pytest.mark.parametrize(
    ("text", "chain"),
    [("a && b && c", True), ("a", True), ("a && b; c", False), ("a || b", False), ("", False), ("a &&", False)],
)
def test_is_chain(text: str, chain: bool) -> None:
    assert parse_script(text).is_chain() is chain


def test_pipeline_lists_its_commands_only_when_all_are_simple() -> None:
    assert [c.name for c in understood("a | b").steps[0].pipeline] == ["a", "b"]
    assert understood("a | (b)").steps[0].pipeline == ()


def test_command_without_words_has_no_name() -> None:
    command = understood("A=1").steps[0].command
    assert isinstance(command, Command)
    assert (command.words, command.name) == ((), None)


def test_unknown_dialect() -> None:
    with pytest.raises(ValueError, match="`powershell` is not a dialect"):
        parse_script("a", "powershell")


@pytest.mark.parametrize(
    "text", [" && ".join(["a"] * 2000), " | ".join(["a"] * 2000), "; ".join(["a"] * 2000), "[ " + "! " * 2000 + "a ]"]
)
def test_long_scripts_are_no_deeper_than_short_ones(text: str) -> None:
    """The tree that confirms the reading has a level for each `&&`; that must not count as nested calls."""
    assert parse_script(text).opaque is None
