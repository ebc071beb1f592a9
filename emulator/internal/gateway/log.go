package gateway

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxRequests bounds the log of a long-running server; when it is full, the oldest
// half is dropped.
const maxRequests = 1_000_000

// Request is an entry of the request log.
type Request struct {
	Order  int       `json:"order"` // 1 is the first request that arrived
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Host   string    `json:"host,omitempty"` // of requests to the data plane
	Path   string    `json:"path"`
	Query  string    `json:"query"`           // as sent, without the question mark
	Status int       `json:"status"`          // 0 until the answer is sent
	Fault  string    `json:"fault,omitempty"` // the kind of fault that happened to it
}

// Log keeps the requests. It must never keep a header: one has the secret key.
type Log struct {
	mu      sync.Mutex
	dropped int
	list    []Request
}

// Begin adds a request, and returns its number. host is "" unless it belongs in the log.
func (l *Log) Begin(r *http.Request, host string, at time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == maxRequests {
		l.list = slices.Delete(l.list, 0, maxRequests/2)
		l.dropped += maxRequests / 2
	}
	order := l.dropped + len(l.list) + 1
	l.list = append(l.list, Request{Order: order, Time: at.UTC(), Method: r.Method, Host: host, Path: r.URL.Path, Query: r.URL.RawQuery})
	return order
}

// Status notes the status of an answer.
func (l *Log) Status(order, status int) {
	l.change(order, func(r *Request) { r.Status = status })
}

// Fault notes the kind of a fault.
func (l *Log) Fault(order int, kind string) {
	l.change(order, func(r *Request) { r.Fault = kind })
}

func (l *Log) change(order int, change func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := order - l.dropped - 1; at >= 0 {
		change(&l.list[at])
	}
}

// Entries are the requests in the order of arrival.
func (l *Log) Entries() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// ServeHTTP writes the log as a JSON array with one request a line, which both a parser
// and grep understand.
func (l *Log) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "the request log is read-only", http.StatusMethodNotAllowed)
		return
	}
	body := []byte("[")
	for i, entry := range l.Entries() {
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
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, "\n]\n"...))
}
