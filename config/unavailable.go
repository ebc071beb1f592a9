package config

// unavailable is the list of what the format knows by name but this version
// cannot do: keys that are refused as soon as they ask for something. Deleting a
// row lifts its refusal; a key without a field in the types also needs one then.
// Positions in lists are left out of the paths.
var unavailable = map[string]refusal{
	"protect.kubernetes": {"looking up uses in a cluster is", "remove the key, and protect those tags by name"},
}

// refusal says what is not there, and what to do without it.
type refusal struct{ what, hint string }

// refuse reports the key at path where it is unavailable.
func (d *decoder) refuse(path string) bool {
	r, ok := unavailable[pattern(path)]
	if ok {
		d.report(path, r.what+" not available in this version", r.hint)
	}
	return ok
}
