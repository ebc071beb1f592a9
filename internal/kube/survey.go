package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// survey collects the images that a cluster uses. Duplicates count once.
type survey struct {
	cluster string // "kubernetes prod-eu"
	newest  int    // how many revisions count; 0 is all

	mu     sync.Mutex
	found  map[registry.RawUse]bool
	owners map[string]string                   // ReplicaSet or Job → the user that owns it
	past   map[string]map[string]*pastRevision // owner → revision by name
}

// pastRevision is a revision that its owner may be rolled back to.
type pastRevision struct {
	name    string
	number  int64
	ordered bool // false if its number is unknown
	running bool
	images  []string
}

func newSurvey(cluster string, newest int) *survey {
	return &survey{
		cluster: cluster, newest: newest, found: map[registry.RawUse]bool{},
		owners: map[string]string{}, past: map[string]map[string]*pastRevision{},
	}
}

// read lists everything: the owners of pods first, so that the pods are named after
// them.
func (s *survey) read(ctx context.Context, c *client, namespaces []string) error {
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
	// The first list is read alone: if the cluster cannot be reached, that gives one
	// error, and always the same.
	for _, jobs := range [][]job{first[:1], first[1:], last} {
		failed = append(failed, s.run(ctx, c, jobs, counts)...)
		if slices.ContainsFunc(failed, func(f failure) bool { return f.isFinal() }) {
			break
		}
	}
	if len(failed) > 0 {
		return failures(failed)
	}
	for _, n := range namespaces {
		if counts[n] == 0 && c.isMissing(ctx, n) {
			return fmt.Errorf("the cluster has no namespace %s (correct it in protect.kubernetes)", n)
		}
	}
	return nil
}

// job is a list to read.
type job struct {
	resource  Resource
	namespace string
}

// run reads several lists at once, and counts their objects by namespace. It stops
// early when no other list can be read either.
func (s *survey) run(ctx context.Context, c *client, jobs []job, counts map[string]int) []failure {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan job)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed []failure
	for range c.limits.parallel {
		wg.Go(func() {
			for j := range queue {
				count, err := c.list(ctx, j.resource, j.namespace, func(o *object) error { return s.addObject(j.resource.Kind, o) })
				if err = j.resource.tolerate(err); errors.Is(err, errOtherList) {
					continue
				}
				mu.Lock()
				counts[j.namespace] += count
				if err != nil {
					f := failure{j.resource, j.namespace, err}
					failed = append(failed, f)
					if f.isFinal() {
						cancel(errOtherList)
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

// errOtherList ends a list because another one failed.
var errOtherList = errors.New("another list could not be read")

// tolerate returns nil for a resource that is not served because no object of it
// exists.
func (r Resource) tolerate(err error) error {
	if r.OnlyVersion && errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	return err
}

// addObject adds what an object uses.
func (s *survey) addObject(kind string, o *object) error {
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

// add adds one use, if it may be of this registry.
func (s *survey) add(reference, user string) {
	if mayBeOurs(reference) {
		s.found[registry.RawUse{Reference: strings.Clone(reference), By: user}] = true
	}
}

// user names the user of the images of an object: the controller of the object, if
// it is known. So all pods of a Deployment have the same user.
func (s *survey) user(kind string, o *object) string {
	m := &o.Metadata
	by := m.controller()
	switch {
	case by.Name == "" || by.Kind == "Node": // a node owns the pods that its files define
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
	r := &pastRevision{name: o.Metadata.Name}
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
	if s.past[user] == nil {
		s.past[user] = map[string]*pastRevision{}
	}
	s.past[user][o.Metadata.path()] = r
}

// rollback marks a user that does not run an image now, but may after a rollback.
const rollback = " (rollback)"

// uses returns all uses, sorted.
func (s *survey) uses() []registry.RawUse {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user, revisions := range s.past {
		s.addPast(user, slices.Collect(maps.Values(revisions)))
	}
	for use := range s.found {
		by, ok := strings.CutSuffix(use.By, rollback)
		if ok && s.found[registry.RawUse{Reference: use.Reference, By: by}] {
			delete(s.found, use)
		}
	}
	return slices.SortedFunc(maps.Keys(s.found), func(a, b registry.RawUse) int {
		return cmp.Or(cmp.Compare(a.Reference, b.Reference), cmp.Compare(a.By, b.By))
	})
}

// addPast adds the revisions of one user that count: the newest ones, the running
// ones, and the ones of unknown age.
func (s *survey) addPast(user string, revisions []*pastRevision) {
	slices.SortFunc(revisions, func(a, b *pastRevision) int {
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
