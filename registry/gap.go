package registry

// Gap is something that could not be read or judged, so that nothing may be
// concluded from its absence. A plan keeps the subject and the error; the rest is
// for making it.
type Gap struct {
	// Subject is what could not be read: the reference of a region, a namespace or
	// an image, or the name of another source ("clock", "kubernetes prod").
	Subject string `json:"subject"`
	// Error is the reason, in words for the operator.
	Error string `json:"error"`
	// Holds is which deletions the missing part could have prevented.
	Holds Holds `json:"blinds,omitempty"`
	// Region limits Holds to one region; "" means all of them.
	Region Region `json:"region,omitempty"`
	// Source is the use source that could not be reached, as inventories name it; ""
	// for any other gap. The configuration decides what such a gap holds.
	Source string `json:"source,omitempty"`
	// Refused: the API refused the credentials themselves.
	Refused bool `json:"-"`
}

// Holds is the set of deletions that a gap holds, because the unread data could
// have prevented them.
type Holds string

const (
	// HoldsItself means that the subject was not judged, and nothing else depends on it.
	HoldsItself Holds = "itself"
	// HoldsNamespaces means that an image may have been missed, so no namespace is known
	// to be empty.
	HoldsNamespaces Holds = "namespaces"
	// HoldsAll means that the unread data could have prevented every deletion.
	HoldsAll Holds = "all"
	// HoldsNothing means that the operator said that deletions need not wait for it. It
	// is a warning.
	HoldsNothing Holds = "nothing"
)
