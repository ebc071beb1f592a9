package registry

// Gap is something that could not be read, so that nothing may be concluded
// from its absence.
type Gap struct {
	// Subject is what could not be read: the reference of a region, a namespace or
	// an image, or the name of another source ("clock", "kubernetes prod").
	Subject string
	// Error says why, in words for the operator.
	Error string
	// Blinds says which deletions the missing part could have vetoed.
	Blinds Blinds
	// Region limits Blinds to one region; "" means all of them.
	Region Region
	// Source is the use source that could not be asked, as inventories name it; ""
	// for any other gap. What it blinds is the configuration's to say.
	Source string
}

// Blinds is the set of deletions that a gap could have vetoed, and so holds.
type Blinds string

const (
	// BlindsItself: the subject was not judged at all, nothing else depends on it.
	BlindsItself Blinds = "itself"
	// BlindsNamespaces: an image may have gone unseen, so no namespace is known to
	// be empty.
	BlindsNamespaces Blinds = "namespaces"
	// BlindsAll: every deletion could have been vetoed.
	BlindsAll Blinds = "all"
	// BlindsNothing: it could have vetoed deletions, and the operator has said that
	// they need not wait for it. It is a warning.
	BlindsNothing Blinds = "nothing"
)
