package emulator

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

func faultKinds() []string {
	return []string{
		faultStatus, faultEmptyBody, faultHTML, faultRedirect, faultHang, faultReset,
		faultTruncatedJSON, faultCutBody, faultShortPage, faultChangedTotal, faultDuplicateRow, faultDelay,
	}
}

// spoilsAnswer says of a kind that it needs an answer of the API to spoil.
func spoilsAnswer(kind string) bool {
	switch kind {
	case faultTruncatedJSON, faultCutBody, faultShortPage, faultChangedTotal, faultDuplicateRow, faultDelay:
		return true
	}
	return false
}

// kindOf is the kind of a fault, found from its other fields when it names none.
func kindOf(f *Fault) string {
	switch {
	case f.Kind != "":
		return f.Kind
	case f.Status != 0 && f.Location == "":
		return faultStatus
	case f.Location != "":
		return faultRedirect
	case f.Delay != 0 || f.DateOffset != 0:
		return faultDelay
	}
	return ""
}

func (v *validator) fault(f *Fault, at string) {
	if !methodName.MatchString(f.Method) {
		v.add(at+".method", fmt.Sprintf("%q is no method", f.Method), "in capitals: GET, POST, PATCH or DELETE")
	}
	v.word(at+".region", f.Region, containerRegions()...)
	v.glob(at+".path", f.Path)
	if region, _, ok := cutRegion(f.Path); ok && !slices.Contains(regionNames(), region) && region != "*" && region != "{region}" {
		v.add(at+".path", fmt.Sprintf("%q is unknown", region), suggest(region, append(regionNames(), "*")))
	}
	v.glob(at+".ref", f.Ref)
	v.word(at+".kind", f.Kind, faultKinds()...)
	v.word(at+".body", f.Body, bodyJSON, bodyText, bodyHTML, bodyEmpty)
	v.word(at+".when", f.When, whenBefore, whenAfter)
	v.atLeastZero(at+".page", int64(f.Page))
	v.atLeastZero(at+".times", int64(f.Times))
	v.atLeastZero(at+".every", int64(f.Every))
	v.atLeastZero(at+".rows", int64(f.Rows))
	v.atLeastZero(at+".delay", int64(f.Delay))
	v.atLeastZero(at+".retry_after", int64(f.RetryAfter))
	v.faultKind(f, at)
}

// faultKind checks the fields that belong to one kind only.
func (v *validator) faultKind(f *Fault, at string) {
	kind := kindOf(f)
	switch {
	case kind == "":
		v.add(at, "nothing goes wrong", "give a status or a kind")
	case kind == faultStatus && (f.Status < 400 || f.Status > 599):
		v.add(at+".status", fmt.Sprintf("%d is no error status", f.Status), "400 to 599")
	case kind == faultRedirect && f.Location == "":
		v.add(at+".location", "is missing", "a redirect needs one, such as https://registry.example")
	case kind == faultRedirect && f.Status != 0 && (f.Status < 300 || f.Status > 399):
		v.add(at+".status", fmt.Sprintf("%d is no redirect", f.Status), "300 to 399")
	case kind != faultStatus && kind != faultRedirect && f.Status != 0:
		v.add(at+".status", "does not go with kind "+kind, "remove one of them")
	}
	only := []struct {
		key   string
		given bool
		kinds []string
	}{
		{"body", f.Body != "", []string{faultStatus}},
		{"message", f.Message != "", []string{faultStatus}},
		{"retry_after", f.RetryAfter != 0, []string{faultStatus}},
		{"location", f.Location != "", []string{faultRedirect}},
		{"rows", f.Rows != 0, []string{faultShortPage}},
	}
	for _, field := range only {
		if field.given && !slices.Contains(field.kinds, kind) {
			v.add(at+"."+field.key, "goes only with kind "+field.kinds[0], "remove it or change the kind")
		}
	}
	if f.When == whenBefore && spoilsAnswer(kind) {
		v.add(at+".when", "kind "+kind+" comes after the API has acted", "remove it")
	}
	if f.RetryAfter%time.Second != 0 {
		v.add(at+".retry_after", "is no whole number of seconds", "the header holds seconds")
	}
}

func (v *validator) glob(at, pattern string) {
	for _, segment := range strings.Split(pattern, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			v.add(at, fmt.Sprintf("%q is no glob", pattern), "* for one segment, ** for any")
			return
		}
	}
}
