package archive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Record is one tag in the archive, and its JSON in archive list.
type Record struct {
	Ref       string    `json:"ref"` // in full: rg.fr-par.scw.cloud/prod/api:pr-12
	Digest    string    `json:"digest"`
	DeletedAt time.Time `json:"deleted_at"` // when it was archived, right before its deletion
	Run       string    `json:"run"`        // that deleted it; "" if a restoration moved the tag
	Rule      string    `json:"rule"`       // by which it was deleted; several are separated by ", "
	Until     time.Time `json:"until"`      // when it may be purged
	Reason    string    `json:"reason,omitempty"`
	Who       string    `json:"by,omitempty"`
	UpdatedAt time.Time `json:"updated_at,omitzero"` // of the tag, in the registry
	// Visibility is whether the image was private or public when the tag was archived, by
	// itself or as its namespace; "" if that is not known. In old records, it is what the
	// image had set, and so can be inherit.
	Visibility string `json:"visibility,omitempty"`
	// RestoredAt is when it was last restored, and RestoredAs under which references.
	RestoredAt time.Time `json:"restored_at,omitzero"`
	RestoredAs []string  `json:"restored_as,omitempty"`

	descriptor v1.Descriptor
}

// RuleOverwritten is the rule of what a restoration moved a tag from.
const RuleOverwritten = "archive/overwritten"

// The annotations of a record in the index.
const (
	keyRef        = "org.opencontainers.image.ref.name"
	prefix        = "io.registry-janitor."
	keyDeletedAt  = prefix + "deleted-at"
	keyRun        = prefix + "run"
	keyRule       = prefix + "rule"
	keyUntil      = prefix + "until"
	keyReason     = prefix + "reason"
	keyWho        = prefix + "by"
	keyUpdatedAt  = prefix + "updated-at"
	keyVisibility = prefix + "visibility"
	keyRestoredAt = prefix + "restored-at"
	keyRestoredAs = prefix + "restored-as"

	keyPurgedAt = prefix + "purged-at" // of the index itself: when a purge last removed records
)

// readRecord reads the record of a descriptor. It is not one if another program wrote
// the descriptor.
func readRecord(d v1.Descriptor) (r Record, ok bool, err error) {
	a := d.Annotations
	if a[keyDeletedAt] == "" || a[keyUntil] == "" {
		return Record{}, false, nil
	}
	r = Record{
		Ref: a[keyRef], Digest: d.Digest.String(), Run: a[keyRun], Rule: a[keyRule], Reason: a[keyReason], Who: a[keyWho],
		Visibility: a[keyVisibility], RestoredAs: strings.Fields(a[keyRestoredAs]), descriptor: d,
	}
	for key, at := range map[string]*time.Time{keyDeletedAt: &r.DeletedAt, keyUntil: &r.Until, keyUpdatedAt: &r.UpdatedAt, keyRestoredAt: &r.RestoredAt} {
		if a[key] == "" {
			continue
		}
		if *at, err = time.Parse(time.RFC3339Nano, a[key]); err != nil {
			return Record{}, false, fmt.Errorf("the record of %s: %s is not a time: %q", a[keyRef], key, a[key])
		}
	}
	return r, true, nil
}

// described is the descriptor of the record.
func (r *Record) described() v1.Descriptor {
	d := r.descriptor
	d.Annotations = maps.Clone(d.Annotations)
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	for key, value := range map[string]string{
		keyRef: r.Ref, keyDeletedAt: stamp(r.DeletedAt), keyRun: r.Run, keyRule: r.Rule, keyUntil: stamp(r.Until), keyReason: r.Reason, keyWho: r.Who,
		keyUpdatedAt: stamp(r.UpdatedAt), keyVisibility: r.Visibility, keyRestoredAt: stamp(r.RestoredAt), keyRestoredAs: strings.Join(r.RestoredAs, " "),
	} {
		if d.Annotations[key] = value; value == "" {
			delete(d.Annotations, key)
		}
	}
	return d
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// root is the manifest of the tag.
func (r *Record) root() store.Blob { return blobOf(r.descriptor, true) }

// WithDigest is the reference with the digest, which only one record has.
func (r *Record) WithDigest() string { return r.Ref + "@" + r.Digest }

// Image is the reference without the tag.
func (r *Record) Image() string {
	image, _ := splitTag(r.Ref)
	return image
}

func splitTag(ref string) (image, tag string) {
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i], ref[i+1:]
	}
	return ref, ""
}

// Subject is what the tag of the record is attached to by its name; "" if it is an ordinary tag.
func (r *Record) Subject() registry.Subject {
	_, tag := splitTag(r.Ref)
	return registry.AttachmentSubject(tag, r.Digest)
}

// newestFirst is the order of records: those of one reference, the latest deletion first.
func newestFirst(a, b Record) int {
	return cmp.Or(b.DeletedAt.Compare(a.DeletedAt), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Digest, b.Digest))
}

// Within are the records of a tag, of an image, or of a namespace, with or without the
// host; "" is all.
func Within(records []Record, ref string) []Record {
	ref, digest, _ := strings.Cut(ref, "@")
	return slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		name := r.named(ref)
		inside := ref == "" || name == ref || strings.HasPrefix(name, ref+":") || strings.HasPrefix(name, ref+"/")
		return !inside || digest != "" && r.Digest != digest
	})
}

// named is the reference of the record in the form of another one, which may lack the
// host.
func (r *Record) named(like string) string {
	if strings.HasPrefix(like, "rg.") {
		return r.Ref
	}
	_, name, _ := strings.Cut(r.Ref, "/")
	return name
}
