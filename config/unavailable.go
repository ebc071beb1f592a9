package config

// unavailable is the list of what the format knows by name but this version
// cannot do: keys that are refused as soon as they ask for something. Deleting a
// row lifts its refusal; a key without a field in the types also needs one then.
// Positions in lists are left out of the paths.
var unavailable = map[string]refusal{
	"retention.group_by":      {"grouping of tags is", "remove the key, and write one rule for each group"},
	"retention.keep.hourly":   {"calendar keeps are", "remove the key, or use last or within"},
	"retention.keep.daily":    {"calendar keeps are", "remove the key, or use last or within"},
	"retention.keep.weekly":   {"calendar keeps are", "remove the key, or use last or within"},
	"retention.keep.monthly":  {"calendar keeps are", "remove the key, or use last or within"},
	"retention.keep.yearly":   {"calendar keeps are", "remove the key, or use last or within"},
	"retention.keep.semver":   {"semver keeps are", "remove the key, or keep a range with match.semver and all: true"},
	"attachments":             {"rules on attachments are", "remove the key: attachments follow their subject"},
	"protect.references_file": {"references from a file are", "remove the key, or list tags and digests under protect"},
	"protect.serverless":      {"looking up serverless uses is", "remove the key, and protect those tags by name"},
	"protect.kubernetes":      {"looking up uses in a cluster is", "remove the key, and protect those tags by name"},
	"ledger.dsn":              {"the ledger is", "remove the key"},
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
