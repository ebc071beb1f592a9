package oci

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

type always429 struct{}

func (always429) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = r.Body.Close()
	return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// counted counts the bodies that are open.
type counted struct {
	io.Reader
	open *int
}

func (c counted) Close() error {
	*c.open--
	return nil
}

// A body that stays open keeps what it reads from, and the room of others.
func TestEachBodyThatIsSentAgainIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := 0
		body := func() (io.ReadCloser, error) {
			if open++; open > 1 {
				t.Error("two are open")
			}
			return counted{strings.NewReader("blob"), &open}, nil
		}
		first, _ := body()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://registry.example.com/v2/", first)
		if err != nil {
			t.Fatal(err)
		}
		r.GetBody = body
		resp, err := patient(always429{}).RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests || open != 0 {
			t.Errorf("%v: %d are open", err, open)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}
