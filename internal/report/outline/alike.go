package outline

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Alike are entries with the same reasons. If they differ, they only have the same
// rules, and each has to be shown with its own text.
type Alike[T any] struct {
	Entries []T
	Differ  bool
}

// First is an entry that represents all.
func (a Alike[T]) First() T { return a.Entries[0] }

// AlikeTags groups the tags that are deleted: first those with the same reasons,
// then those with the same rules.
func (o *Object) AlikeTags() []Alike[actions.Step] {
	return GroupAlike(o.Tags,
		func(s actions.Step) string { return ReasonsKey(s.Reasons) },
		func(s actions.Step) string { return RulesOf(s.Reasons) })
}

// AlikeHeld groups what is held of the object, by what holds it.
func (o *Object) AlikeHeld() []Alike[Held] {
	return AlikeHeld(o.Held, func(h Held) string { return string(h.Guard) })
}

// AlikeHeld groups held entries: first those that the same guard holds for the
// same reasons, then those of the same kind.
func AlikeHeld(entries []Held, kind func(Held) string) []Alike[Held] {
	return GroupAlike(entries, func(h Held) string {
		return string(h.Action) + "\x00" + string(h.Guard) + "\x00" + h.Detail + "\x00" + ReasonsKey(h.Reasons)
	}, kind)
}

// GroupAlike groups two or more entries that are the same, and the others by kind. The
// order of the entries stays within the groups and among them.
func GroupAlike[T any](entries []T, same, kind func(T) string) []Alike[T] {
	var single []T
	out := slices.DeleteFunc(GroupBy(entries, same), func(a Alike[T]) bool {
		if len(a.Entries) == 1 {
			single = append(single, a.Entries[0])
			return true
		}
		return false
	})
	for _, a := range GroupBy(single, kind) {
		a.Differ = len(a.Entries) > 1
		out = append(out, a)
	}
	return out
}

// GroupBy puts entries with the same key together.
func GroupBy[T any](entries []T, key func(T) string) []Alike[T] {
	var out []Alike[T]
	at := make(map[string]int)
	for _, e := range entries {
		k := key(e)
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Alike[T]{})
		}
		out[i].Entries = append(out[i].Entries, e)
	}
	return out
}

// ReasonsKey is the same for the same reasons.
func ReasonsKey(reasons []registry.Reason) string {
	var b strings.Builder
	for _, r := range reasons {
		b.WriteString(r.Rule)
		b.WriteByte(0)
		b.WriteString(r.Text)
		b.WriteByte(0)
		b.WriteString(r.Source)
		b.WriteByte(0)
	}
	return b.String()
}

// RulesOf names the rules once each.
func RulesOf(reasons []registry.Reason) string { return strings.Join(distinct(reasons, Rule), ", ") }

// distinct has the words for each of some reasons, once each.
func distinct(reasons []registry.Reason, word func(registry.Reason) string) []string {
	var rules []string
	for _, r := range reasons {
		if rule := word(r); !slices.Contains(rules, rule) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// Texts are the texts of the reasons, without the rules.
func Texts(reasons []registry.Reason) string {
	return Each(reasons, "; ", func(r registry.Reason) string { return r.Text })
}
