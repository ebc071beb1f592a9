package kube

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// refusal is an answer that is no list.
type refusal struct {
	code            int
	reason, message string // of the API, fit to be shown
	after           time.Duration
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the cluster answers %d: %s", r.code, r.message)
}

// Unwrap is the error of ours that it means.
func (r *refusal) Unwrap() error {
	switch r.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return registry.ErrDenied
	case http.StatusNotFound:
		return registry.ErrNotFound
	case http.StatusTooManyRequests:
		return registry.ErrThrottled
	}
	return nil
}

// mayPass reports whether it may go better the next time.
func (r *refusal) mayPass() bool {
	switch r.code {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// errLogin is credentials that could not be had, so that nothing was asked.
var errLogin = errors.New("no credentials for the cluster")

// unreachable is the error of a request without an answer.
func (l *link) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err // the address says nothing that the name does not
	}
	text := l.guard.hide(err.Error())
	// What client-go says where a plugin fails has no type.
	if strings.HasPrefix(text, "getting credentials") {
		return fmt.Errorf("%w: %s", errLogin, text)
	}
	return fmt.Errorf("%w: %s", errUnreachable, text)
}

// failure is a list that could not be read.
type failure struct {
	resource  Resource
	namespace string // "" is all
	err       error
}

// ends reports whether no other list can be read either.
func (f *failure) ends() bool {
	var refused *refusal
	return errors.Is(f.err, errUnreachable) || errors.Is(f.err, errLogin) ||
		errors.As(f.err, &refused) && refused.code == http.StatusUnauthorized
}

// remedy is what is wrong and what to do, for people.
func (f *failure) remedy() (what, remedy string) {
	var refused *refusal
	what = f.err.Error()
	switch {
	case errors.Is(f.err, errLogin):
		return what, "run the plugin of the kubeconfig by hand: it must not ask anything"
	case errors.Is(f.err, errUnreachable):
		return what, "is the address of the cluster right, and open to this machine?"
	case !errors.As(f.err, &refused):
		return what, ""
	case refused.code == http.StatusUnauthorized:
		return what, "the token or the certificate may have expired: renew it"
	case refused.code == http.StatusForbidden:
		return what, "grant the right to list them, as examples/kubernetes/rbac does"
	case refused.code == http.StatusNotFound:
		return f.resource.absent() + " (404)", "update the cluster, or leave it out of protect.kubernetes and list what it uses in a references file"
	case refused.code >= 300 && refused.code < 400:
		return what, "redirects are not followed: the credentials would go along; name the address of the cluster itself"
	}
	return what, ""
}

// failures says what could not be read: those with one remedy together.
func failures(all []failure) error {
	type group struct{ namespace, remedy string }
	groups := map[group][]failure{}
	for _, f := range all {
		_, remedy := f.remedy()
		g := group{f.namespace, remedy}
		if remedy == "" || f.ends() {
			g.namespace += "\x00" + f.err.Error() // alone
		}
		groups[g] = append(groups[g], f)
	}
	var errs []error
	for g, of := range groups {
		slices.SortFunc(of, func(a, b failure) int { return cmp.Compare(a.resource.String(), b.resource.String()) })
		errs = append(errs, joined(of, g.remedy))
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// joined is one error for lists that have one remedy.
func joined(of []failure, remedy string) error {
	first := &of[0]
	var names []string
	for i := range of {
		names = append(names, of[i].resource.String())
	}
	where := ""
	if first.namespace != "" {
		where = " in namespace " + first.namespace
	}
	what, _ := first.remedy()
	if remedy != "" {
		remedy = " (" + remedy + ")"
	}
	return &problem{fmt.Sprintf("listing %s%s: %s%s", strings.Join(slices.Compact(names), ", "), where, what, remedy), first.err}
}

// problem is an error with a text of its own.
type problem struct {
	text  string
	cause error
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.cause }
