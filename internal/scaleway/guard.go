package scaleway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// guard refuses a request before anything is sent, unless it goes to the API host
// and is allowed. It checks the request itself, so no code path can bypass it.
type guard struct {
	next  http.RoundTripper
	host  string                    // the API host; the secret key goes nowhere else
	allow func(*http.Request) error // readOnly or writeOnly
}

func (t *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	err := t.allow(req)
	if req.URL.Host != t.host {
		err = fmt.Errorf("refused to send a request to %s: this client only sends to %s", req.URL.Host, t.host)
	}
	if err == nil {
		return t.next.RoundTrip(req)
	}
	if req.Body != nil {
		_ = req.Body.Close() // a RoundTripper must close it
	}
	return nil, &unsentError{err}
}

// readOnly allows only GET: a dry run cannot send anything else.
func readOnly(req *http.Request) error {
	if req.Method != http.MethodGet {
		return fmt.Errorf("refused to send a %s: this client only reads", req.Method)
	}
	return nil
}

// maxChange bounds the body of a change; a change of the visibility has about 30 bytes.
const maxChange = 4 << 10

// writeOnly allows only the five changes of an Editor: DELETE of a tag, an image or
// a namespace, and PATCH of an image or a namespace. It refuses every query: the only
// one that exists asks the API to delete by force.
func writeOnly(req *http.Request) error {
	kind, err := changedKind(req.URL.EscapedPath())
	switch {
	case err != nil:
		return err
	case req.URL.RawQuery != "" || req.URL.ForceQuery:
		return errors.New("refused to send a change with a query")
	case req.Method == http.MethodDelete && req.ContentLength == 0:
		return nil
	case req.Method == http.MethodPatch && kind != "tags" && req.ContentLength > 0 && req.ContentLength <= maxChange:
		return nil
	}
	return fmt.Errorf("refused to send this %s of %s: this client makes no such change", req.Method, kind)
}

// changedKind returns the kind of object that a path names, and refuses every other
// path.
func changedKind(path string) (kind string, err error) {
	refused := errors.New("refused to send a change: its path does not name a tag, an image or a namespace")
	rest, ok := strings.CutPrefix(path, "/registry/v1/regions/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 || !slices.Contains(registry.Regions(), registry.Region(parts[0])) {
		return "", refused
	}
	if _, err := parseUUID(parts[2]); err != nil || !slices.Contains([]string{"tags", "images", "namespaces"}, parts[1]) {
		return "", refused
	}
	return parts[1], nil
}
