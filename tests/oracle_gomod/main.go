// Command oracle-gomod reads go.mod and go.work files with the packages of the go command, one JSON request per line on
// standard input, one JSON answer per line on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	goversion "go/version"
	"io"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

type request struct {
	Kind   string `json:"kind"` // "mod", "lax" (the go.mod of a dependency), "work" or "versions"
	Source []byte `json:"source"`
	// pairs of a module path and a version, or of two versions
	Pairs [][2]string `json:"pairs"`
}

type requirement struct {
	Path     string `json:"path"`
	Version  string `json:"version"`
	Indirect bool   `json:"indirect"`
	Line     int    `json:"line"`
}

type replacement struct {
	Old  module.Version `json:"old"`
	New  module.Version `json:"new"`
	Line int            `json:"line"`
}

type answer struct {
	Error     string        `json:"error"`
	Line      int           `json:"line"` // of the first error, 0 if it has no place
	Module    string        `json:"module"`
	Go        *string       `json:"go"`
	Toolchain *string       `json:"toolchain"`
	Require   []requirement `json:"require"`
	Replace   []replacement `json:"replace"`
	Exclude   [][2]string   `json:"exclude"`
	Retract   [][2]string   `json:"retract"`
	Tool      []string      `json:"tool"`
	Ignore    []string      `json:"ignore"`
	Godebug   [][2]string   `json:"godebug"`
	Use       []string      `json:"use"`
	UseLines  []int         `json:"useLines"`
	Facts     []facts       `json:"facts"`
}

// facts is what golang.org/x/mod says of a module path and a version.
type facts struct {
	Canonical string  `json:"canonical"`
	Major     *string `json:"major"` // nil if the path cannot be one of a module
	Fits      bool    `json:"fits"`
	Import    string  `json:"import"` // why the path is no import path
	// the pair as two versions
	Order   int `json:"order"`   // of module versions, semver.Compare
	GoOrder int `json:"goOrder"` // of the Go versions
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
	var err error
	switch req.Kind {
	case "mod":
		err = ans.mod(modfile.Parse("go.mod", req.Source, fix))
	case "lax":
		err = ans.mod(modfile.ParseLax("go.mod", req.Source, nil))
	case "work":
		err = ans.work(modfile.ParseWork("go.work", req.Source, nil))
	case "versions":
		for _, pair := range req.Pairs {
			ans.Facts = append(ans.Facts, judge(pair[0], pair[1]))
		}
	default:
		err = fmt.Errorf("there is no kind %q", req.Kind)
	}
	if err != nil {
		ans.Error = err.Error()
		if list, ok := err.(modfile.ErrorList); ok && len(list) > 0 {
			ans.Line = list[0].Pos.Line
		}
	}
	return ans
}

// fix is what the go command does with the versions of a main module, offline: one that is canonical has to fit the path.
// One that is not would be looked up; in its place stands a version that fits and has the bytes of the question in it.
func fix(path, version string) (string, error) {
	if version == "" {
		return "", fmt.Errorf("empty version")
	}
	_, major, ok := module.SplitPathVersion(path)
	if !ok {
		return "", &module.ModuleError{Path: path, Err: fmt.Errorf("invalid module path")}
	}
	if module.CanonicalVersion(version) != version {
		if major == "" {
			major = "/v1"
		}
		return fmt.Sprintf("%s.0.0-asked.x%x", strings.TrimSuffix(major[1:], "-unstable"), version), nil
	}
	return version, module.CheckPathMajor(version, major)
}

func judge(path, version string) facts {
	found := facts{Canonical: module.CanonicalVersion(version)}
	found.Order = semver.Compare(path, version)
	found.GoOrder = goversion.Compare("go"+path, "go"+version)
	if prefix, major, ok := module.SplitPathVersion(path); ok && prefix+major == path {
		found.Major = &major
		found.Fits = semver.IsValid(version) && module.CheckPathMajor(found.Canonical, major) == nil
	}
	if err := module.CheckImportPath(path); err != nil {
		found.Import = err.Error()
	}
	return found
}

func (ans *answer) mod(file *modfile.File, err error) error {
	if err != nil {
		return err
	}
	if file.Module != nil {
		ans.Module = file.Module.Mod.Path
	}
	ans.head(file.Go, file.Toolchain, file.Godebug, file.Replace)
	for _, r := range file.Require {
		ans.Require = append(ans.Require, requirement{r.Mod.Path, r.Mod.Version, r.Indirect, r.Syntax.Start.Line})
	}
	for _, e := range file.Exclude {
		ans.Exclude = append(ans.Exclude, [2]string{e.Mod.Path, e.Mod.Version})
	}
	for _, r := range file.Retract {
		ans.Retract = append(ans.Retract, [2]string{r.Low, r.High})
	}
	for _, t := range file.Tool {
		ans.Tool = append(ans.Tool, t.Path)
	}
	for _, i := range file.Ignore {
		ans.Ignore = append(ans.Ignore, i.Path)
	}
	return nil
}

func (ans *answer) work(file *modfile.WorkFile, err error) error {
	if err != nil {
		return err
	}
	ans.head(file.Go, file.Toolchain, file.Godebug, file.Replace)
	for _, u := range file.Use {
		ans.Use = append(ans.Use, u.Path)
		ans.UseLines = append(ans.UseLines, u.Syntax.Start.Line)
	}
	return nil
}

func (ans *answer) head(version *modfile.Go, toolchain *modfile.Toolchain, debug []*modfile.Godebug, replace []*modfile.Replace) {
	if version != nil {
		ans.Go = &version.Version
	}
	if toolchain != nil {
		ans.Toolchain = &toolchain.Name
	}
	for _, g := range debug {
		ans.Godebug = append(ans.Godebug, [2]string{g.Key, g.Value})
	}
	for _, r := range replace {
		ans.Replace = append(ans.Replace, replacement{r.Old, r.New, r.Syntax.Start.Line})
	}
}
