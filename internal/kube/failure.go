package kube

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// failure is a list that could not be read.
type failure struct {
	resource  Resource
	namespace string // "" is all
	err       error
}

// isFinal reports whether no other list can be read either.
func (f *failure) isFinal() bool {
	var refused *refusal
	return errors.Is(f.err, errUnreachable) || errors.Is(f.err, errLogin) ||
		errors.As(f.err, &refused) && refused.code == http.StatusUnauthorized
}

// describe returns what went wrong, and what to do about it.
func (f *failure) describe() (problem, remedy string) {
	var refused *refusal
	problem = f.err.Error()
	switch {
	case errors.Is(f.err, errLogin):
		return problem, "run the plugin of the kubeconfig by hand: it must not prompt"
	case errors.Is(f.err, errUnreachable):
		return problem, "check the address of the cluster, and whether this machine may connect to it"
	case !errors.As(f.err, &refused):
		return problem, ""
	case refused.code == http.StatusUnauthorized:
		return problem, "the token or the certificate may have expired: renew it"
	case refused.code == http.StatusForbidden:
		return problem, "grant the right to list them, as examples/kubernetes/rbac does"
	case refused.code == http.StatusNotFound:
		return f.resource.absent() + " (404)", "update the cluster, or remove it from protect.kubernetes and list what it uses in a references file"
	case refused.code >= 300 && refused.code < 400:
		return problem, "redirects are not followed, because they would take the credentials along: name the address of the cluster itself"
	}
	return problem, ""
}

// failures is one error for all failures. Failures with the same remedy are one
// line of it.
func failures(all []failure) error {
	type group struct{ namespace, remedy string }
	groups := map[group][]failure{}
	for _, f := range all {
		_, remedy := f.describe()
		g := group{f.namespace, remedy}
		if remedy == "" || f.isFinal() {
			g.namespace += "\x00" + f.err.Error() // a separate line
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

// joined is one error for lists with the same remedy.
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
	problem, _ := first.describe()
	if remedy != "" {
		remedy = " (" + remedy + ")"
	}
	return &listError{fmt.Sprintf("listing %s%s: %s%s", strings.Join(slices.Compact(names), ", "), where, problem, remedy), first.err}
}

// listError has its own text instead of the text of its cause.
type listError struct {
	text  string
	cause error
}

func (e *listError) Error() string { return e.text }
func (e *listError) Unwrap() error { return e.cause }
