package registry

// Verdict is what the policies decided about one image with all its tags, or,
// when Image is nil, about one namespace. Lists of reasons are sorted, hold no
// duplicate, and may be shared: read only.
type Verdict struct {
	Namespace *Namespace // never nil
	Image     *Image     // nil for a namespace

	// Empty: proven by a complete listing, unfiltered by the scope, with zero rows.
	Empty bool

	Tags   []TagVerdict // one for each of Image.Tags, in the same order
	Delete []Reason     // they mark the image or the namespace itself
	Keep   []Reason
	// InUse names what uses anything in the image, sorted: also a digest that no tag
	// has.
	InUse      []string
	Visibility *VisibilityVerdict // nil when no policy asks for one
	Violations []Violation
	// Err is the failure of a policy: all deletions here are held.
	Err error
}

// TagVerdict is what the policies decided about one tag.
type TagVerdict struct {
	Delete []Reason // they mark the tag for deletion
	Keep   []Reason // evaluated only where something is marked, or on request
	InUse  []string // what uses it, sorted
	// Restored: it was restored from the archive, and is not one of the tags that a
	// guard counts.
	Restored bool
}

// VisibilityVerdict requires a visibility.
type VisibilityVerdict struct {
	To      Visibility
	Reasons []Reason // at least one
}
