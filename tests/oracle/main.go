// Command oracle answers, one JSON line for each JSON line on stdin, how BuildKit itself reads a Dockerfile.
//
// A request is {"op": "parse", "source": <base64>}, {"op": "expand", "source": <base64 of a word>, "escape": "\\",
// "env": {NAME: <base64>}, "skipQuotes": bool} or {"op": "mount", "source": <base64 of the value of a --mount flag>}.
// Text in answers is base64: it need not be valid UTF-8.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

type request struct {
	Op         string            `json:"op"`
	Source     []byte            `json:"source"`
	Escape     string            `json:"escape"`
	Env        map[string][]byte `json:"env"`
	SkipQuotes bool              `json:"skipQuotes"`
}

type heredoc struct {
	Name   []byte `json:"name"`
	Fd     uint   `json:"fd"`
	Expand bool   `json:"expand"`
	Chomp  bool   `json:"chomp"`
	Body   []byte `json:"body"`
}

type node struct {
	Keyword  []byte    `json:"keyword"`
	Start    int       `json:"start"`
	End      int       `json:"end"`
	Original []byte    `json:"original"`
	Flags    [][]byte  `json:"flags"`
	Args     [][]byte  `json:"args"`
	JSON     bool      `json:"json"`
	Child    *node     `json:"child"`
	Heredocs []heredoc `json:"heredocs"`
	Comments [][]byte  `json:"comments"`
}

type stage struct {
	Name     []byte `json:"name"`
	Base     []byte `json:"base"`
	Platform []byte `json:"platform"`
	Commands int    `json:"commands"`
}

type mount struct {
	Type     string `json:"type"`
	From     []byte `json:"from"`
	Source   []byte `json:"source"`
	Target   []byte `json:"target"`
	ID       []byte `json:"id"`
	Sharing  string `json:"sharing"`
	ReadOnly bool   `json:"readOnly"`
}

type answer struct {
	Nodes       []node   `json:"nodes"`
	Escape      string   `json:"escape"`
	Warnings    int      `json:"warnings"`
	Syntax      []byte   `json:"syntax"`
	Check       []byte   `json:"check"`
	ParseError  *string  `json:"parseError"`
	TypedError  *string  `json:"typedError"`
	Stages      []stage  `json:"stages"`
	MetaArgs    int      `json:"metaArgs"`
	Result      []byte   `json:"result"`
	Words       [][]byte `json:"words"`
	ExpandError *string  `json:"expandError"`
	ErrorStart  int      `json:"errorStart"` // first and last line to which an error is attributed, 0 if to none
	ErrorEnd    int      `json:"errorEnd"`
	Mount       *mount   `json:"mount"`
	RunError    *string  `json:"runError"`
}

func text(err error) *string {
	if err == nil {
		return nil
	}
	message := err.Error()
	return &message
}

func (result *answer) locate(err error) {
	var located *parser.LocationError
	if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
		lines := located.Locations[0]
		result.ErrorStart, result.ErrorEnd = lines[0].Start.Line, lines[len(lines)-1].End.Line
	}
}

func list(values []string) [][]byte {
	result := [][]byte{}
	for _, value := range values {
		result = append(result, []byte(value))
	}
	return result
}

func convert(n *parser.Node) node {
	result := node{
		Keyword: []byte(n.Value), Start: n.StartLine, End: n.EndLine, Original: []byte(n.Original),
		Flags: list(n.Flags), JSON: n.Attributes["json"], Comments: list(n.PrevComment), Args: [][]byte{},
		Heredocs: []heredoc{},
	}
	for next := n.Next; next != nil; next = next.Next {
		if len(next.Children) == 1 {
			child := convert(next.Children[0])
			result.Child = &child
		} else {
			result.Args = append(result.Args, []byte(next.Value))
		}
	}
	for _, h := range n.Heredocs {
		result.Heredocs = append(result.Heredocs, heredoc{[]byte(h.Name), h.FileDescriptor, h.Expand, h.Chomp, []byte(h.Content)})
	}
	return result
}

func parse(source []byte) (result answer) {
	tree, err := parser.Parse(bytes.NewReader(source))
	if err != nil {
		result.ParseError = text(err)
		result.locate(err)
		return result
	}
	result.Escape = string(tree.EscapeToken)
	result.Warnings = len(tree.Warnings)
	if syntax, _, _, ok := parser.DetectSyntax(source); ok {
		result.Syntax = []byte(syntax)
	}
	if check, _, _, ok := parser.ParseDirective("check", source); ok {
		result.Check = []byte(check)
	}
	result.Nodes = []node{}
	for _, child := range tree.AST.Children {
		result.Nodes = append(result.Nodes, convert(child))
	}
	stages, metaArgs, err := instructions.Parse(tree.AST, linter.New(&linter.Config{}))
	if err != nil {
		result.TypedError = text(err)
		result.locate(err)
		return result
	}
	result.MetaArgs = len(metaArgs)
	result.Stages = []stage{}
	for _, s := range stages {
		result.Stages = append(result.Stages, stage{[]byte(s.Name), []byte(s.BaseName), []byte(s.Platform), len(s.Commands)})
	}
	return result
}

type environment map[string][]byte

func (e environment) Get(name string) (string, bool) {
	value, ok := e[name]
	return string(value), ok
}

func (e environment) Keys() []string {
	keys := make([]string, 0, len(e))
	for key := range e {
		keys = append(keys, key)
	}
	return keys
}

func expand(r request) (result answer) {
	lex := shell.NewLex([]rune(r.Escape)[0])
	lex.SkipProcessQuotes = r.SkipQuotes
	word, _, err := lex.ProcessWord(string(r.Source), environment(r.Env))
	if err != nil {
		result.ExpandError = text(err)
		return result
	}
	result.Result = []byte(word)
	words, err := lex.ProcessWords(string(r.Source), environment(r.Env))
	if err != nil {
		result.ExpandError = text(err)
		return result
	}
	result.Words = list(words)
	return result
}

// readMount puts the value into a RUN instruction, parses that, and then runs it with an expansion that changes nothing.
func readMount(value []byte) (result answer) {
	var source bytes.Buffer
	source.WriteString("FROM a\nRUN --mount=")
	for _, char := range value {
		source.Write([]byte{'\\', char})
	}
	source.WriteString(" x\n")
	tree, err := parser.Parse(&source)
	if err != nil {
		result.ParseError = text(err)
		return result
	}
	stages, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{}))
	if err != nil {
		result.TypedError = text(err)
		return result
	}
	run := stages[0].Commands[0].(*instructions.RunCommand)
	if err := run.Expand(func(word string) (string, error) { return word, nil }); err != nil {
		result.RunError = text(err)
		return result
	}
	m := instructions.GetMounts(run)[0]
	result.Mount = &mount{
		string(m.Type), []byte(m.From), []byte(m.Source), []byte(m.Target), []byte(m.CacheID), string(m.CacheSharing), m.ReadOnly,
	}
	return result
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if strings.TrimSpace(string(line)) != "" {
			var r request
			if err := json.Unmarshal(line, &r); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			var result answer
			switch r.Op {
			case "expand":
				result = expand(r)
			case "mount":
				result = readMount(r.Source)
			default:
				result = parse(r.Source)
			}
			encoded, err := json.Marshal(result)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			out.Write(encoded)
			out.WriteByte('\n')
			if in.Buffered() == 0 {
				out.Flush()
			}
		}
		if err != nil {
			out.Flush()
			return
		}
	}
}
