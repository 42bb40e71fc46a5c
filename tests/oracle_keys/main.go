// Command oracle-keys answers, one JSON line for each JSON line on stdin, which cache keys BuildKit gives to the steps of a
// Dockerfile in a context, without building anything.
//
// The definition comes from dockerfile2llb, the key of an operation from its own CacheMap, and what COPY and bind mounts select
// of the context from cache/contenthash. Only the walk over the inputs is written here, after solver/edge.go. A base image has a
// digest made of its name: no registry is asked.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/cache/contenthash"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/snapshot"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/llbsolver/ops"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/worker"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// node is a file (Data), a link (Target) or a directory (Dir) of the context.
type node struct {
	Path   string `json:"path"`
	Data   []byte `json:"data"`
	Target string `json:"target"`
	Dir    bool   `json:"dir"`
	Mode   uint32 `json:"mode"` // permission bits
}

type request struct {
	Source    []byte            `json:"source"`
	Nodes     []node            `json:"nodes"`
	BuildArgs map[string]string `json:"buildArgs"`
	Target    string            `json:"target"`
	Platform  string            `json:"platform"`
	Merge     bool              `json:"merge"` // the store can merge layers, so that --link means something
	Lint      bool              `json:"lint"`  // what `docker build --check` says is wanted, and nothing else
	Image     bool              `json:"image"` // the configuration of the image is wanted, and nothing else
}

// step is the operation of one instruction. Hope is its key with every input left out that may match by content although its own key
// is new: an earlier build in which no step has this hope cannot give the result.
type step struct {
	Line int    `json:"line"`
	Kind string `json:"kind"`
	Key  string `json:"key"`
	Hope string `json:"hope"`
}

type answer struct {
	Error    string   `json:"error"`
	Steps    []step   `json:"steps"`
	Warnings []string `json:"warnings"` // names of checks, once for each place
	Image    any      `json:"image"`    // OCI image configuration
}

// resolver knows every image: its digest is that of its name, and it has nothing but a PATH; those of Go begin in /go.
type resolver struct{}

func (resolver) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	directory := ""
	if strings.HasPrefix(ref, "docker.io/library/golang:") {
		directory = `,"WorkingDir":"/go"`
	}
	// without a layer it would count as scratch
	config := `{"architecture":"amd64","os":"linux","history":[{"created_by":"a layer"}],"rootfs":{"type":"layers","diff_ids":["` +
		digest.FromString("layer").String() +
		`"]},"config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]` + directory + `}}`
	return ref, digest.FromString(ref), []byte(config), nil
}

// contextRef stands for the snapshot of the context: the hashes of its files are known, it cannot be mounted.
type contextRef struct {
	cache.ImmutableRef
	id string
}

func (r *contextRef) ID() string                                 { return r.id }
func (r *contextRef) GetEqualMutable() (cache.RefMetadata, bool) { return nil, false }
func (r *contextRef) GetExternal(string) ([]byte, error)         { return nil, errors.New("nothing is stored") }
func (r *contextRef) SetExternal(string, []byte) error           { return nil }
func (r *contextRef) Mount(context.Context, bool, session.Group) (snapshot.Mountable, error) {
	return nil, errors.New("the context is not mounted")
}

// namelessWorker is asked for its name when a path of the context is missing.
type namelessWorker struct{ worker.Worker }

func (namelessWorker) ID() string { return "" }

type hashed struct {
	os.FileInfo
	digest digest.Digest
}

func (h *hashed) Digest() digest.Digest { return h.digest }

// newContext hashes the files as the local source does when the client sends them (owner root, no times).
func newContext(ctx context.Context, id string, nodes []node) (*contextRef, error) {
	ref := &contextRef{id: id}
	hashes, err := contenthash.GetCacheContext(ctx, ref)
	if err != nil {
		return nil, err
	}
	sort.Slice(nodes, func(i, j int) bool { return nodes[i].Path < nodes[j].Path })
	for _, n := range nodes {
		stat := &types.Stat{Path: n.Path, Mode: n.Mode, Size: int64(len(n.Data))}
		switch {
		case n.Target != "":
			stat.Mode, stat.Linkname, stat.Size = uint32(os.ModeSymlink)|0o777, n.Target, 0
		case n.Dir:
			stat.Mode |= uint32(os.ModeDir)
		}
		h, err := contenthash.NewFromStat(stat)
		if err != nil {
			return nil, err
		}
		if _, err := h.Write(n.Data); err != nil {
			return nil, err
		}
		info := &hashed{&fsutil.StatInfo{Stat: stat}, digest.NewDigest(digest.SHA256, h)}
		if err := hashes.HandleChange(fsutil.ChangeKindAdd, n.Path, info, nil); err != nil {
			return nil, err
		}
	}
	return ref, nil
}

// vertex is what the operations ask of their place in the graph.
type vertex struct {
	solver.Vertex
	inputs []solver.Edge
}

func (v vertex) Name() string          { return "" }
func (v vertex) Digest() digest.Digest { return "" }
func (v vertex) Inputs() []solver.Edge { return v.inputs }

type keys struct{ key, hope string }

type walk struct {
	ctx     context.Context
	ops     map[string]*pb.Op
	context *contextRef
	known   map[string]keys
}

func sum(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

func (w *walk) cacheMap(op *pb.Op) (*solver.CacheMap, error) {
	v := vertex{inputs: make([]solver.Edge, len(op.Inputs))}
	var o solver.Op
	var err error
	switch action := op.Op.(type) {
	case *pb.Op_Exec:
		o, err = ops.NewExecOp(v, action, op.Platform, nil, nil, nil, nil, nil, nil, false)
	case *pb.Op_File:
		o, err = ops.NewFileOp(v, action, nil, nil, nil)
	case *pb.Op_Merge:
		o, err = ops.NewMergeOp(v, action, nil)
	default:
		err = fmt.Errorf("operation %T is not known", op.Op)
	}
	if err != nil {
		return nil, err
	}
	found, _, err := o.CacheMap(w.ctx, nil, 0)
	return found, err
}

// fromNothing tells that an operation has no input: its definition says what it makes.
func fromNothing(op *pb.Op) bool { return op.GetFile() != nil && len(op.Inputs) == 0 }

// keysOf follows solver/edge.go: the digest of the operation, and for each input either its key with the selector or, without that, the
// content that is selected. The context has no key of its own, so there it is always the content.
func (w *walk) keysOf(dgst string) (keys, error) {
	if found, ok := w.known[dgst]; ok {
		return found, nil
	}
	op := w.ops[dgst]
	if op == nil {
		return keys{}, fmt.Errorf("operation %s is missing", dgst)
	}
	if source := op.GetSource(); source != nil {
		if !strings.HasPrefix(source.Identifier, "docker-image://") {
			return keys{}, fmt.Errorf("the source %s has no key before the build", source.Identifier)
		}
		key := sum("image", source.Identifier, op.Platform.String())
		w.known[dgst] = keys{key, key}
		return w.known[dgst], nil
	}
	cacheMap, err := w.cacheMap(op)
	if err != nil {
		return keys{}, err
	}
	key, hope := []string{"op", cacheMap.Digest.String()}, []string{"op", cacheMap.Digest.String()}
	for i, input := range op.Inputs {
		dep, other := cacheMap.Deps[i], w.ops[input.Digest]
		if source := other.GetSource(); source != nil && strings.HasPrefix(source.Identifier, "local://") {
			if dep.ComputeDigestFunc == nil {
				return keys{}, errors.New("a use of the context that has no content key")
			}
			content, err := dep.ComputeDigestFunc(w.ctx, worker.NewWorkerRefResult(w.context, namelessWorker{}), nil)
			if err != nil {
				return keys{}, err
			}
			key, hope = append(key, "content", content.String()), append(hope, "content", content.String())
			continue
		}
		input_, err := w.keysOf(input.Digest)
		if err != nil {
			return keys{}, err
		}
		index := fmt.Sprint(input.Index)
		key = append(key, "input", input_.key, index, dep.Selector.String())
		switch {
		case dep.ComputeDigestFunc == nil:
			hope = append(hope, "input", input_.hope, index, dep.Selector.String())
		case fromNothing(other):
			hope = append(hope, "made", input_.key, dep.Selector.String())
		default:
			hope = append(hope, "any content")
		}
	}
	w.known[dgst] = keys{sum(key...), sum(hope...)}
	return w.known[dgst], nil
}

func capabilities(merge bool) *apicaps.CapSet {
	var list []*apicaps.PBCap
	for _, c := range pb.Caps.All() {
		if merge || apicaps.CapID(c.ID) != pb.CapMergeOp {
			list = append(list, c)
		}
	}
	set := pb.Caps.CapSet(list)
	return &set
}

// checked returns what BuildKit's own checks find.
func checked(ctx context.Context, source []byte, options dockerfile2llb.ConvertOpt) (answer, error) {
	// it is only asked where a warning lies
	options.SourceMap.Definition = &llb.Definition{}
	results, err := dockerfile2llb.DockerfileLint(ctx, source, options)
	if err != nil {
		return answer{}, err
	}
	if results.Error != nil {
		return answer{}, errors.New(results.Error.Message)
	}
	found := []string{}
	for _, warning := range results.Warnings {
		found = append(found, warning.RuleName)
	}
	return answer{Warnings: found}, nil
}

func reply(ctx context.Context, number int, r request) (answer, error) {
	platform, err := platforms.Parse(r.Platform)
	if err != nil {
		return answer{}, err
	}
	options := dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: r.BuildArgs, Target: r.Target},
		MetaResolver:   resolver{},
		LLBCaps:        capabilities(r.Merge),
		SourceMap:      llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", r.Source),
		TargetPlatform: &platform,
	}
	if r.Lint {
		return checked(ctx, r.Source, options)
	}
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, r.Source, options)
	if err != nil {
		return answer{}, err
	}
	if r.Image {
		return answer{Image: result.Image}, nil
	}
	definition, err := result.State.Marshal(ctx, llb.Platform(platform))
	if err != nil {
		return answer{}, err
	}
	ref, err := newContext(ctx, fmt.Sprintf("context-%d", number), r.Nodes)
	if err != nil {
		return answer{}, err
	}
	defer contenthash.ClearCacheContext(ref)
	w := &walk{ctx: ctx, ops: map[string]*pb.Op{}, context: ref, known: map[string]keys{}}
	order := []string{}
	for _, raw := range definition.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(raw); err != nil {
			return answer{}, err
		}
		dgst := digest.FromBytes(raw).String()
		w.ops[dgst] = op
		order = append(order, dgst)
	}
	found := answer{Steps: []step{}}
	locations := definition.Source.GetLocations()
	for _, dgst := range order {
		op := w.ops[dgst]
		var kind string
		switch op.Op.(type) {
		case *pb.Op_Exec:
			kind = "exec"
		case *pb.Op_File:
			kind = "file"
		case *pb.Op_Merge:
			kind = "merge"
		default:
			continue
		}
		found_, err := w.keysOf(dgst)
		if err != nil {
			return answer{}, err
		}
		// equal operations of several instructions are one, with the places of all
		for _, location := range locations[dgst].GetLocations() {
			if len(location.Ranges) > 0 {
				found.Steps = append(found.Steps, step{int(location.Ranges[0].Start.Line), kind, found_.key, found_.hope})
			}
		}
	}
	return found, nil
}

func main() {
	ctx := context.Background()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encode := json.NewEncoder(out)
	for number := 0; ; number++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var r request
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		found, err := reply(ctx, number, r)
		if err != nil {
			found = answer{Error: err.Error()}
		}
		if err := encode.Encode(found); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
	out.Flush()
}
