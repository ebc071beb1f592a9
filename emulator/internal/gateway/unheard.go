package gateway

import "net/http"

// Unheard takes an answer that is not sent, and keeps its header only.
type Unheard http.Header

// Header is the header of the answer.
func (u Unheard) Header() http.Header { return http.Header(u) }

func (u Unheard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader does nothing.
func (u Unheard) WriteHeader(int) {}
