package scanner

// Filter takes what a scope holds out of a scan of another scope, item by item,
// in the order in which the scan delivered them. What the scan left out cannot
// be had from it, so the result is what both scopes hold.
type Filter struct{ narrow *narrower }

// NewFilter checks the scope.
func NewFilter(s Scope) (*Filter, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Filter{newNarrower(s)}, nil
}

// Pass returns what becomes of the item: itself, nothing, or a namespace that
// was held back and itself. It is to be called from one goroutine at a time.
func (f *Filter) Pass(item Item) []Item { return f.narrow.pass(item) }

// Equal says whether two scopes hold the same, whatever the order of their
// lists.
func (s Scope) Equal(other Scope) bool { return s.equal(other) }
