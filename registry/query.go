package registry

// Query selects the namespaces or images of one region to list. Empty fields do
// not filter; the others must all match.
type Query struct {
	Region         Region // required
	ProjectID      string
	OrganizationID string
	NamespaceID    string // images only
	Name           string // exact
}
