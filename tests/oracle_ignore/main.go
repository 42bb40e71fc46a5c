// Command oracle-ignore answers questions about ignore files with the code that BuildKit itself uses, one JSON request
// per line on standard input, one JSON answer per line on standard output.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

type request struct {
	// an ignore file and a tree of files (directories end in "/"): which of them does the client send?
	Source []byte   `json:"source"`
	Files  []string `json:"files"`
	// filepath.Match and filepath.Clean
	Patterns []string `json:"patterns"`
	Names    []string `json:"names"`
}

type answer struct {
	Error   string          `json:"error"`
	Read    []string        `json:"read"`    // ignorefile.ReadAll
	Sent    []string        `json:"sent"`    // fsutil.NewFilterFS
	Single  map[string]bool `json:"single"`  // MatchesOrParentMatches
	Matched [][]string      `json:"matched"` // per pattern the names that match, nil if the pattern is bad
	Cleaned []string        `json:"cleaned"`
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var req request
		if err := json.Unmarshal(line, &req); err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(reply(req)); err != nil {
			log.Fatal(err)
		}
	}
}

func reply(req request) (ans answer) {
	for _, pattern := range req.Patterns {
		ans.Cleaned = append(ans.Cleaned, filepath.Clean(pattern))
		names := []string{}
		for _, name := range req.Names {
			ok, err := filepath.Match(pattern, name)
			if err != nil {
				names = nil
				break
			}
			if ok {
				names = append(names, name)
			}
		}
		ans.Matched = append(ans.Matched, names)
	}
	if req.Files == nil {
		return ans
	}
	read, err := ignorefile.ReadAll(bytes.NewReader(req.Source))
	if err != nil {
		ans.Error = err.Error()
		return ans
	}
	// llb.ExcludePatterns sends them as JSON, where invalid UTF-8 is replaced
	wire, err := json.Marshal(read)
	if err != nil {
		log.Fatal(err)
	}
	var patterns []string
	if err := json.Unmarshal(wire, &patterns); err != nil {
		log.Fatal(err)
	}
	ans.Read = patterns
	if _, err := patternmatcher.New(patterns); err != nil {
		ans.Error = err.Error()
		return ans
	}
	filtered, err := fsutil.NewFilterFS(newTree(req.Files), &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err != nil {
		ans.Error = err.Error()
		return ans
	}
	ans.Sent = []string{}
	err = filtered.Walk(context.Background(), "/", func(path string, _ fs.DirEntry, err error) error {
		ans.Sent = append(ans.Sent, path)
		return err
	})
	if err != nil {
		ans.Error = err.Error()
		return ans
	}
	ans.Single = map[string]bool{}
	for _, file := range req.Files {
		matcher, err := patternmatcher.New(patterns)
		if err != nil {
			log.Fatal(err)
		}
		file = filepath.Clean(file)
		if ok, err := matcher.MatchesOrParentMatches(file); err == nil {
			ans.Single[file] = ok
		}
	}
	return ans
}

// tree is a file system in memory as fsutil wants it.
type tree struct{ files fstest.MapFS }

func newTree(files []string) tree {
	t := tree{fstest.MapFS{}}
	for _, file := range files {
		mode := fs.FileMode(0o644)
		if file[len(file)-1] == '/' {
			mode = fs.ModeDir | 0o755
		}
		t.files[filepath.Clean(file)] = &fstest.MapFile{Mode: mode}
	}
	return t
}

func (t tree) Open(path string) (io.ReadCloser, error) { return t.files.Open(path) }

func (t tree) Walk(_ context.Context, _ string, fn fs.WalkDirFunc) error {
	return fs.WalkDir(t.files, ".", func(path string, entry fs.DirEntry, err error) error {
		if path == "." {
			return nil
		}
		info, infoErr := entry.Info()
		if infoErr != nil {
			return infoErr
		}
		stat := &types.Stat{Path: path, Mode: uint32(info.Mode())}
		return fn(path, &fsutil.DirEntryInfo{Stat: stat}, err)
	})
}
