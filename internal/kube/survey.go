package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// survey gathers what a cluster uses. What is gathered twice counts once.
type survey struct {
	cluster string // "kubernetes prod-eu"
	newest  int    // revisions that count; 0 is all

	mu     sync.Mutex
	found  map[registry.RawUse]bool
	owners map[string]string           // ReplicaSet or Job → the user that owns it
	former map[string]map[string]*past // owner → revision by name
}

// past is a revision that its owner may be rolled back to.
type past struct {
	name    string
	number  int64
	ordered bool // false where nobody knows its number
	running bool
	images  []string
}

func newSurvey(cluster string, newest int) *survey {
	return &survey{
		cluster: cluster, newest: newest, found: map[registry.RawUse]bool{},
		owners: map[string]string{}, former: map[string]map[string]*past{},
	}
}

// read asks for everything: first for what owns pods, and then for the pods, so
// that they are named after their owners.
func (s *survey) read(ctx context.Context, l *link, namespaces []string) error {
	where := namespaces
	if len(where) == 0 {
		where = []string{""}
	}
	var first, last []job
	for _, r := range Resources() {
		for _, n := range where {
			if r.Kind == kindPod {
				last = append(last, job{r, n})
			} else {
				first = append(first, job{r, n})
			}
		}
	}
	counts := map[string]int{}
	var failed []failure
	// One list alone shows whether the cluster can be asked at all, and always says
	// the same when it cannot.
	for _, jobs := range [][]job{first[:1], first[1:], last} {
		failed = append(failed, s.run(ctx, l, jobs, counts)...)
		if slices.ContainsFunc(failed, func(f failure) bool { return f.ends() }) {
			break
		}
	}
	if len(failed) > 0 {
		return failures(failed)
	}
	for _, n := range namespaces {
		if counts[n] == 0 && l.missing(ctx, n) {
			return fmt.Errorf("there is no namespace %s in the cluster (correct it in protect.kubernetes)", n)
		}
	}
	return nil
}

// job is a list to read.
type job struct {
	resource  Resource
	namespace string
}

// run reads several lists at once, and counts their objects by namespace. It
// ends early when nothing else can be read either.
func (s *survey) run(ctx context.Context, l *link, jobs []job, counts map[string]int) []failure {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan job)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []failure
	for range l.limits.parallel {
		wg.Go(func() {
			for j := range queue {
				count, err := l.list(ctx, j.resource, j.namespace, func(o *object) error { return s.take(j.resource.Kind, o) })
				if err = j.resource.tolerate(err); errors.Is(err, errElsewhere) {
					continue
				}
				mu.Lock()
				counts[j.namespace] += count
				if err != nil {
					f := failure{j.resource, j.namespace, err}
					failed = append(failed, f)
					if f.ends() {
						cancel(errElsewhere)
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	wg.Wait()
	return failed
}

// errElsewhere ends a list because of another one.
var errElsewhere = errors.New("another list could not be read")

// tolerate takes a resource that no object can be of for an empty list.
func (r Resource) tolerate(err error) error {
	if r.Missing == IsNone && errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	return err
}

// missing reports whether the cluster says that there is no such namespace. One
// that may not be read may be there.
func (l *link) missing(ctx context.Context, namespace string) bool {
	err := l.get(ctx, []string{"api", "v1", "namespaces", namespace}, nil, func(io.Reader) error { return nil })
	var refused *refusal
	return errors.As(err, &refused) && refused.code == http.StatusNotFound && refused.reason == "NotFound"
}

// take gathers what an object uses.
func (s *survey) take(kind string, o *object) error {
	p, err := o.pod(kind)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user := s.user(kind, o)
	switch kind {
	case kindReplicaSet, kindControllerRevision:
		s.remember(kind, user, o, p)
		return nil
	case kindJob:
		s.owners[ownerKey(kind, o.Metadata.path())] = user
	case kindPod:
		o.resolved(func(image, id string) {
			for _, reference := range resolve(image, id) {
				s.add(reference, user)
			}
		})
	}
	for _, image := range p.images() {
		s.add(image, user)
	}
	return nil
}

// add gathers one use, if it may be of this registry.
func (s *survey) add(reference, user string) {
	if mayBeOurs(reference) {
		s.found[registry.RawUse{Reference: strings.Clone(reference), By: user}] = true
	}
}

// user names who uses what an object runs: who makes and removes it, as far as
// that is known, and so the same for all pods of one Deployment.
func (s *survey) user(kind string, o *object) string {
	m := &o.Metadata
	by := m.controller()
	switch {
	case by.Name == "" || by.Kind == "Node": // which owns the pods that its files define
		return s.named(kind, m.path())
	case kind != kindPod:
		return s.named(by.Kind, m.Namespace+"/"+by.Name)
	}
	path := m.Namespace + "/" + by.Name
	if user, ok := s.owners[ownerKey(by.Kind, path)]; ok {
		return user
	}
	if by.Kind == kindReplicaSet {
		if name, ok := m.deployment(by.Name); ok {
			return s.named(kindDeployment, m.Namespace+"/"+name)
		}
	}
	return s.named(by.Kind, path)
}

func (s *survey) named(kind, path string) string { return s.cluster + ": " + kind + " " + path }

func ownerKey(kind, path string) string { return kind + " " + path }

// remember keeps a revision until all of them are known.
func (s *survey) remember(kind, user string, o *object, p *pod) {
	r := &past{name: o.Metadata.Name}
	if kind == kindReplicaSet {
		s.owners[ownerKey(kind, o.Metadata.path())] = user
		r.number, r.ordered = o.Metadata.revision()
		r.ordered = r.ordered && o.Metadata.controller().Kind == kindDeployment
		r.running = o.Spec.Replicas == nil || *o.Spec.Replicas > 0
	} else {
		r.number, r.ordered = o.Revision, true
	}
	for _, image := range p.images() {
		if mayBeOurs(image) {
			r.images = append(r.images, strings.Clone(image))
		}
	}
	if s.former[user] == nil {
		s.former[user] = map[string]*past{}
	}
	s.former[user][o.Metadata.path()] = r
}

// rollback marks a user that does not run an image now, but may again.
const rollback = " (rollback)"

// mentions are all uses, sorted.
func (s *survey) mentions() []registry.RawUse {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user, revisions := range s.former {
		s.addFormer(user, slices.Collect(maps.Values(revisions)))
	}
	for m := range s.found {
		by, ok := strings.CutSuffix(m.By, rollback)
		if ok && s.found[registry.RawUse{Reference: m.Reference, By: by}] {
			delete(s.found, m)
		}
	}
	return slices.SortedFunc(maps.Keys(s.found), func(a, b registry.RawUse) int {
		return cmp.Or(cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.By, b.By))
	})
}

// addFormer adds the revisions of one user that count: the newest ones, those
// that run, and those of which nobody knows how old they are.
func (s *survey) addFormer(user string, revisions []*past) {
	slices.SortFunc(revisions, func(a, b *past) int {
		return cmp.Or(cmp.Compare(b.number, a.number), cmp.Compare(a.name, b.name))
	})
	newer := 0
	for _, r := range revisions {
		counts := r.running || !r.ordered || s.newest == 0 || newer < s.newest
		by := user
		if !r.running && r.ordered && newer > 0 {
			by += rollback
		}
		if r.ordered {
			newer++
		}
		if !counts {
			continue
		}
		for _, image := range r.images {
			s.add(image, by)
		}
	}
}
