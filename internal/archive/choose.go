package archive

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Choice says which records to restore.
type Choice struct {
	// Ref is a tag, a tag or an image with "@" and a digest, or the number of a run.
	Ref string
	// Run is the number of the run that deleted it; "" is the latest that did.
	Run string
}

// Choose finds the records of a choice, one for each reference: the latest deletion.
func Choose(records []Record, c Choice) ([]Record, error) {
	found, err := Listed(records, c)
	if err != nil {
		return nil, err
	}
	if c.WholeRun() == "" {
		name, digest, _ := strings.Cut(c.Ref, "@")
		_, tag := splitTag(name)
		if tag == "" && digest == "" {
			return nil, fmt.Errorf("%s is not a tag: name a tag, or a run; archive list %s shows what can come back", c.Ref, c.Ref)
		}
		found = slices.DeleteFunc(found, func(r Record) bool {
			own := r.named(name)
			image, _ := splitTag(own)
			return own != name && (digest == "" || image != name)
		})
		if refs := refsOf(found); (digest == "" || tag != "") && len(refs) > 1 {
			return nil, fmt.Errorf("%s is ambiguous: name %s", c.Ref, text.List(refs, "or"))
		}
	}
	if len(found) == 0 {
		return nil, c.errNone()
	}
	if !strings.Contains(c.Ref, "@") {
		// The same command, run again, must not move a tag back to what it was moved from.
		deleted := slices.DeleteFunc(slices.Clone(found), func(r Record) bool { return r.Rule == RuleOverwritten })
		found = slices.Concat(deleted, found)
	}
	return latest(found), nil
}

// Listed are the records of what a choice names, or of what is in it: of an image or a
// namespace too. Only a run must have some.
func Listed(records []Record, c Choice) ([]Record, error) {
	if run := c.WholeRun(); run != "" {
		c = Choice{Run: run}
	}
	found := Within(records, c.Ref)
	if c.Run == "" {
		return found, nil
	}
	found = slices.DeleteFunc(found, func(r Record) bool { return r.Run != c.Run })
	if len(found) == 0 {
		return nil, c.errNone()
	}
	return found, nil
}

func (c Choice) errNone() error {
	return fmt.Errorf("the archive has no record of %s: archive list shows what it has", c.Words())
}

func refsOf(records []Record) []string {
	var refs []string
	for i := range records {
		refs = append(refs, records[i].Ref)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// Words name what was chosen.
func (c Choice) Words() string {
	switch run := c.WholeRun(); {
	case run != "":
		return "run " + run
	case c.Run == "":
		return c.Ref
	}
	return c.Ref + " deleted by run " + c.Run
}

// latest leaves the first record of each reference.
func latest(records []Record) []Record {
	seen := map[string]bool{}
	return slices.DeleteFunc(records, func(r Record) bool {
		again := seen[r.Ref]
		seen[r.Ref] = true
		return again
	})
}

// OnlyOne is the record to restore under another name.
func OnlyOne(records []Record) (Record, error) {
	if len(records) != 1 {
		return Record{}, errors.New("only one tag can be restored under another name, and these are " + text.Count(len(records), "tag"))
	}
	return records[0], nil
}

// WholeRun is the number of the run that the choice is all of; "" if it is a tag or a digest.
func (c Choice) WholeRun() string {
	if _, err := strconv.ParseUint(c.Ref, 10, 63); err == nil && c.Run == "" {
		return c.Ref
	}
	if c.Ref == "" {
		return c.Run
	}
	return ""
}
