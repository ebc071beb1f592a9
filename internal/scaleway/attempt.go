package scaleway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/retry"
	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

const (
	maxBody      = 64 << 20 // of an answer; a page of 100 rows has some 30 kB
	maxErrorBody = 64 << 10 // of an answer that is not a success
	maxMessage   = 300      // characters of it that an error quotes
	maxReused    = 1 << 20  // of a buffer that is used again
)

// attempt sends one request and reads its whole answer within the timeout. It
// returns one JSON object or an error, because the SDK takes an empty 200 for an
// empty list, and loses the status of an error whose JSON is broken.
type attempt struct {
	next    http.RoundTripper
	timeout time.Duration
	skew    *clockSkew
	redact  *credentials.Redactor
	bodies  sync.Pool // of *bytes.Buffer, for answers that nothing refers to any more
}

func (t *attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	defer cancel()
	resp, err := inTime(req.WithContext(ctx), t.next.RoundTrip)
	if err != nil {
		return nil, t.explain(req, ctx, err)
	}
	defer resp.Body.Close()
	t.skew.note(resp.Header)
	if resp.StatusCode != http.StatusOK {
		return nil, t.refusal(resp)
	}
	buffer := t.buffer()
	body, err := readBody(resp, buffer)
	if err != nil {
		return nil, t.explain(req, ctx, err)
	}
	problem, take := implausible(resp.Header, body), takerOf(req.Context())
	switch {
	case problem != "":
	case take == nil:
		problem = unusable(req, body)
	default:
		problem = take(body)
		body = nil // the SDK reads nothing
		t.release(buffer)
	}
	if problem != "" {
		return nil, &answerError{problem: problem}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// buffer is an empty one, new or used.
func (t *attempt) buffer() *bytes.Buffer {
	if used, ok := t.bodies.Get().(*bytes.Buffer); ok {
		used.Reset()
		return used
	}
	return new(bytes.Buffer)
}

// release takes a buffer back, unless it is unusually large.
func (t *attempt) release(b *bytes.Buffer) {
	if b.Cap() <= maxReused {
		t.bodies.Put(b)
	}
}

// explain distinguishes the timeout of this attempt from the end of the caller's
// context.
func (t *attempt) explain(req *http.Request, ctx context.Context, err error) error {
	if req.Context().Err() == nil && ctx.Err() != nil {
		return &timeoutError{after: t.timeout}
	}
	return err
}

// readBody reads the whole body of a success into the buffer, up to maxBody.
func readBody(resp *http.Response, body *bytes.Buffer) ([]byte, error) {
	// The announced length only saves copies: it is not trusted further.
	body.Grow(int(min(max(resp.ContentLength, 0), 1<<20)) + bytes.MinRead)
	n, err := body.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if n > maxBody {
		return nil, &terminalError{fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)}
	}
	return body.Bytes(), nil
}

// implausible returns what is wrong with a success, before its JSON is read, or "".
func implausible(header http.Header, body []byte) string {
	contentType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "its body is empty"
	case contentType != "application/json":
		return "it is not JSON (Content-Type " + strconv.Quote(header.Get("Content-Type")) + ")"
	}
	return ""
}

// unusable returns why the SDK must not read an answer, or "". A listing must state its
// total: without it, a lost row could not be noticed.
func unusable(req *http.Request, body []byte) string {
	trimmed := bytes.TrimSpace(body)
	switch {
	case trimmed[0] != '{' || !json.Valid(trimmed):
		return "its body is not a complete JSON object"
	case req.Method == http.MethodGet && slices.Contains([]string{"namespaces", "images", "tags"}, path.Base(req.URL.Path)) && !bytes.Contains(trimmed, []byte(`"total_count"`)):
		return "the listing has no total_count"
	}
	return ""
}

// refusal makes the error of an answer other than 200.
func (t *attempt) refusal(resp *http.Response) error {
	// A part of the body that cannot be read is only missing in the text.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	kind, message := t.message(resp.Header, body)
	return &statusError{
		code:       resp.StatusCode,
		kind:       kind,
		message:    message,
		retryAfter: retry.After(resp.Header, t.skew.now()),
	}
}

// apiError is the shape of the API's error bodies.
type apiError struct {
	Message  string `json:"message"`
	Type     string `json:"type"`
	Resource string `json:"resource"`
	Details  []struct {
		ArgumentName string `json:"argument_name"`
		HelpMessage  string `json:"help_message"`
		Action       string `json:"action"`
		Resource     string `json:"resource"`
	} `json:"details"`
}

// message returns the text of an error body on one line, and the type it states.
// The text is redacted before it is cut, so that no part of the secret key is left.
func (t *attempt) message(header http.Header, body []byte) (kind, message string) {
	contentType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	var quoted string
	switch contentType {
	case "application/json":
		var e apiError
		if json.Unmarshal(body, &e) == nil {
			kind, quoted = e.Type, e.text()
		}
	case "text/plain":
		quoted = string(body)
	}
	quoted = strings.Join(strings.FieldsFunc(t.redact.Text(quoted), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	return kind, text.Clip(quoted, maxMessage)
}

func (e *apiError) text() string {
	parts := []string{e.Message}
	if e.Message == "" {
		parts[0] = e.Type
	}
	for _, d := range e.Details {
		detail := strings.TrimSpace(strings.Join([]string{d.ArgumentName, d.HelpMessage, d.Action, d.Resource}, " "))
		if detail != "" {
			parts = append(parts, detail)
		}
	}
	return strings.Join(parts, ": ")
}
