package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// requestsPath is where the request log is served.
const requestsPath = "/_emulator/requests"

// maxRequests bounds the log of a long-running server; when it is full, the oldest
// half is dropped.
const maxRequests = 1_000_000

// Request is an entry of the request log.
type Request struct {
	Order  int       `json:"order"` // 1 is the first request that arrived
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query"`           // as sent, without the question mark
	Status int       `json:"status"`          // 0 until the answer is sent
	Fault  string    `json:"fault,omitempty"` // the kind of fault that happened to it
}

// Requests returns the request log in the order of arrival.
func (s *Server) Requests() []Request { return s.log.entries() }

// requestLog keeps the requests. It must never keep a header: one has the secret
// key.
type requestLog struct {
	mu      sync.Mutex
	dropped int
	list    []Request
}

func (l *requestLog) begin(r *http.Request, at time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == maxRequests {
		l.list = slices.Delete(l.list, 0, maxRequests/2)
		l.dropped += maxRequests / 2
	}
	order := l.dropped + len(l.list) + 1
	l.list = append(l.list, Request{Order: order, Time: at.UTC(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery})
	return order
}

func (l *requestLog) status(order, status int) {
	l.change(order, func(r *Request) { r.Status = status })
}

func (l *requestLog) fault(order int, kind string) {
	l.change(order, func(r *Request) { r.Fault = kind })
}

func (l *requestLog) change(order int, change func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := order - l.dropped - 1; at >= 0 {
		change(&l.list[at])
	}
}

func (l *requestLog) entries() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// serveRequests writes the log as a JSON array with one request a line, which
// both a parser and grep understand.
func (s *Server) serveRequests(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "the request log is read-only", http.StatusMethodNotAllowed)
		return
	}
	body := []byte("[")
	for i, entry := range s.log.entries() {
		line, err := json.Marshal(entry)
		if err != nil {
			http.Error(w, "request "+strconv.Itoa(entry.Order)+": "+err.Error(), http.StatusInternalServerError)
			return
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(body, '\n'), line...)
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(append(body, "\n]\n"...))
}
