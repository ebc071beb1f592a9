package policy

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/topdown/cache"

	"github.com/registry-janitor/registry-janitor/policy/internal/facts"
	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/policy/schema"
)

// DefaultTimeout bounds the evaluation of one image or namespace.
const DefaultTimeout = 10 * time.Second

// Options of an Engine. The zero value has the built-in policies and no rules.
type Options struct {
	// Config is the configuration as a document of plain maps, slices, strings,
	// numbers and booleans. Policies see it as data.config, and the built-in ones
	// are driven by it. A duration K has its length beside it as K_seconds.
	Config map[string]any
	// Paths are the operator's own policies: Rego files, folders, bundles
	// (.tar.gz). Files named *_test.rego are never part of the policy set.
	Paths []string
	// Trial are further policies, whose decisions are shown but never applied. A file
	// that is in both is on trial.
	Trial []string
	// VerificationKey is the public key, in PEM, by which every bundle must be
	// signed; empty lets bundles in without a signature.
	VerificationKey []byte
	// FS is where Paths are; nil is the machine's own file system.
	FS fs.FS
	// Dir is what reported file names are relative to; "" leaves them as they are.
	Dir string
	// Timeout bounds all evaluations for one image or namespace together; 0 means
	// DefaultTimeout.
	Timeout time.Duration
	// MaxHeap bounds, in bytes, how much the heap grows while one image is judged; 0
	// means 512 MiB, or a quarter of the memory limit of the program if that is less.
	MaxHeap uint64
	// Logger takes what policies print, at level debug; nil drops it.
	Logger *slog.Logger
}

// Engine is a compiled policy set. It is immutable and safe for concurrent use.
type Engine struct {
	rules      *facts.Rules
	reportOnly map[string]bool
	image      *program
	namespace  *program
	digest     string
	limits     limits
	stuck      atomic.Pointer[error] // an evaluation could not be stopped
}

// New loads, checks and compiles the policy set. Every problem of the operator's
// modules is reported at once, with file, line, package and rule.
func New(ctx context.Context, o Options) (*Engine, error) {
	set, err := facts.Compile(o.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the rules of the configuration: %w", err)
	}
	sources, err := modules.Load(modules.Files{Paths: o.Paths, Trial: o.Trial, VerificationKey: o.VerificationKey, FS: o.FS, Dir: o.Dir, Config: o.Config})
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(sources.Missing(), modules.Problems(sources.Check())); err != nil {
		return nil, err
	}
	data := sources.Document()
	e := &Engine{rules: set, reportOnly: set.ReportOnly(), digest: sources.Digest(), limits: newLimits(ctx, o)}
	if e.image, err = compile(ctx, modules.Image, sources, set, data); err != nil {
		return nil, fmt.Errorf("compiling the image policies: %w", err)
	}
	if e.namespace, err = compile(ctx, modules.Namespace, sources, set, data); err != nil {
		return nil, fmt.Errorf("compiling the namespace policies: %w", err)
	}
	return e, nil
}

// Digest is "sha256:<hex>" over the names and contents of the policy set, the
// built-in policies included.
func (e *Engine) Digest() string { return e.digest }

// Files are the modules that judge something, helpers included, and the built-in
// ones that the configuration has rules for.
func (e *Engine) Files() []string { return slices.Concat(e.image.files, e.namespace.files) }

// At pins the engine to the time of a scan. The zero Depth evaluates keep rules
// only where something is marked for deletion.
func (e *Engine) At(now time.Time, depth Depth) *Judge {
	return &Judge{
		engine: e,
		now:    now.UTC(),
		depth:  depth,
		cache:  cache.NewInterQueryValueCache(context.Background(), cacheConfig()),
		facts: &facts.Scan{
			Rules: e.rules, Now: now.UTC(), Full: e.image.own, Readers: e.image.readers, Explain: depth == Everything,
		},
	}
}

// cacheConfig bounds how many regular expressions and globs are remembered.
func cacheConfig() *cache.Config {
	const entries = 500
	return &cache.Config{InterQueryBuiltinValueCache: cache.InterQueryBuiltinValueCacheConfig{MaxNumEntries: new(int(entries))}}
}

// Depth is how much of a verdict the caller needs.
type Depth string

const (
	// WhatCounts evaluates keep rules only where something is marked for deletion.
	WhatCounts Depth = ""
	// Everything evaluates every rule, so that every decision can be explained.
	Everything Depth = "everything"
)

// Schema is the JSON Schema of the input that policies of a subject, "image" or
// "namespace", see.
func Schema(subject string) ([]byte, error) { return schema.Text(subject) }

// ErrSignature reports that a bundle is not signed, or not by the configured key.
var ErrSignature = modules.ErrSignature
