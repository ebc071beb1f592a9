package scaleway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
)

// maxChange bounds the body of a change; a visibility has some 30 bytes.
const maxChange = 4 << 10

// writeOnly lets nothing pass, before anything is sent, but the five changes
// that an Editor makes, to the API host: DELETE of a tag, an image or a
// namespace, and PATCH of an image or a namespace. A query is refused too: the
// only one there is asks the API to delete by force.
type writeOnly struct {
	next http.RoundTripper
	host string // the API host; the secret key goes nowhere else
}

func (t *writeOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	err := t.refuse(req)
	if err == nil {
		return t.next.RoundTrip(req)
	}
	if req.Body != nil {
		_ = req.Body.Close() // a RoundTripper must, and nothing was read from it
	}
	return nil, &unsentError{err}
}

func (t *writeOnly) refuse(req *http.Request) error {
	kind, err := changed(req.URL.EscapedPath())
	switch {
	case req.URL.Host != t.host:
		return fmt.Errorf("refused to send a request to %s: this client talks to %s only", req.URL.Host, t.host)
	case err != nil:
		return err
	case req.URL.RawQuery != "" || req.URL.ForceQuery:
		return errors.New("refused to send a change with a query")
	case req.Method == http.MethodDelete && req.ContentLength == 0:
		return nil
	case req.Method == http.MethodPatch && kind != "tags" && req.ContentLength > 0 && req.ContentLength <= maxChange:
		return nil
	}
	return fmt.Errorf("refused to send this %s of %s: it is no change that this client makes", req.Method, kind)
}

// changed says what kind of object a path names, and refuses every path that
// names none.
func changed(path string) (kind string, err error) {
	refused := errors.New("refused to send a change: its path names no tag, image or namespace")
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
