package scaleway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Traffic shows what holds up the requests of a client now. It is safe for concurrent
// use; the zero value is ready.
type Traffic struct {
	mu       sync.Mutex
	waiting  int
	waits    int64
	retries  int64
	retrying map[*http.Request]string
}

// Jam is what holds up the requests at one moment.
type Jam struct {
	// Waiting is how many requests the rate limit holds back now, and Waits how many it
	// has held back so far.
	Waiting int
	Waits   int64
	// Retries is how many requests were sent again so far.
	Retries int64
	// Retrying is a request that is being tried again: "page 3 of prod/api, 3/5"; "" if
	// none is.
	Retrying string
	// Others is how many more there are.
	Others int
}

// Now returns what holds up the requests.
func (t *Traffic) Now() Jam {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := Jam{Waiting: t.waiting, Waits: t.waits, Retries: t.retries}
	for _, what := range t.retrying {
		if j.Retrying == "" || what < j.Retrying { // the same one while there are several
			j.Retrying = what
		}
	}
	j.Others = max(0, len(t.retrying)-1)
	return j
}

// wait counts a request that waits for the rate limit, until over is called with
// whether it had to.
func (t *Traffic) wait() (over func(waited bool)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting++
	return func(waited bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.waiting--
		if waited {
			t.waits++
		}
	}
}

// retry notes that a request is tried again.
func (t *Traffic) retry(req *http.Request, try int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.retrying == nil {
		t.retrying = map[*http.Request]string{}
	}
	t.retries++
	t.retrying[req] = fmt.Sprintf("%s, %d/%d", subjectOf(req), try, maxTries)
}

// finished notes that a request was answered, or given up.
func (t *Traffic) finished(req *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.retrying, req)
}

// subjectOf is what a request reads: "page 3 of prod/api".
func subjectOf(req *http.Request) string {
	what := listingOf(req.URL.Path)
	if ref, ok := registry.WhatAbout(req.Context()); ok {
		what = strings.TrimSuffix(ref.Namespace+"/"+ref.Image, "/")
	}
	if page := req.URL.Query().Get("page"); page != "" {
		return "page " + page + " of " + what
	}
	return what
}

// listingOf is what a path names, if the objects of its IDs are unknown.
func listingOf(path string) string {
	_, rest, _ := strings.Cut(path, "/regions/")
	parts := strings.Split(rest, "/")
	region := parts[0]
	switch {
	case len(parts) == 4 && parts[3] == "tags":
		return "the tags of an image in " + region
	case len(parts) == 2:
		return "the " + strings.ReplaceAll(parts[1], "-", " ") + " in " + region
	case len(parts) == 3 && parts[1] != "":
		return "one of the " + parts[1] + " in " + region
	}
	return path
}
