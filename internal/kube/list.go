package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// list reads a whole list in one namespace, or ("") in all, and counts its
// objects. An object may be taken more than once: a page that could not be read is
// read again, and so is the list when its snapshot is gone.
func (l *link) list(ctx context.Context, r Resource, namespace string, take func(*object) error) (int, error) {
	for restarts := 0; ; restarts++ {
		count, err := l.listOnce(ctx, r, namespace, take)
		var refused *refusal
		if !errors.As(err, &refused) || refused.code != http.StatusGone {
			return count, err
		}
		if restarts == l.limits.restarts {
			return count, fmt.Errorf("the list expired before it was read, %d times (410): %s", restarts+1, refused.message)
		}
		l.retry(r.String(), err)
	}
}

func (l *link) listOnce(ctx context.Context, r Resource, namespace string, take func(*object) error) (int, error) {
	next, count := "", 0
	seen := map[string]bool{}
	for range l.limits.pages {
		path, query := r.list(namespace, l.limits.page, next)
		var p page
		err := l.get(ctx, path, query, func(body io.Reader) (err error) {
			p, err = readPage(body, r.Kind, l.limits.object, func(o *object) error {
				count++
				return take(o)
			})
			return err
		})
		switch {
		case err != nil:
			return count, err
		case p.Continue == "":
			return count, nil
		case seen[p.Continue]:
			return count, errors.New("the list does not go on: the cluster sends the same page again")
		}
		next = p.Continue
		seen[next] = true
	}
	return count, fmt.Errorf("the list has more than %d pages", l.limits.pages)
}

// get reads one answer, several times if need be.
func (l *link) get(ctx context.Context, path []string, query url.Values, read func(io.Reader) error) error {
	renewed := false
	for attempt, wait := 1, l.limits.wait; ; attempt, wait = attempt+1, 2*wait {
		err := l.getOnce(ctx, path, query, read)
		if err == nil || ctx.Err() != nil {
			return because(ctx, err)
		}
		pause := wait
		var refused *refusal
		if errors.As(err, &refused) {
			again := refused.mayPass()
			if refused.code == http.StatusUnauthorized && !renewed {
				again, renewed = true, true // a plugin has a new token now
			}
			if !again || refused.after > l.limits.longest {
				return err
			}
			pause = max(pause, refused.after)
		} else if !errors.Is(err, errUnreachable) && !errors.Is(err, errCut) {
			return err
		}
		if attempt == l.limits.attempts {
			return err
		}
		l.retry(strings.Join(path, "/"), err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// because is the error, or why everything ends.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// errUnreachable is a cluster that gave no answer.
var errUnreachable = errors.New("the cluster gives no answer")

// getOnce reads one answer.
func (l *link) getOnce(ctx context.Context, path []string, query url.Values, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.limits.request, fmt.Errorf("%w within %s", errUnreachable, l.limits.request))
	defer cancel()
	at := l.base.JoinPath(path...)
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := l.do(req)
	if err != nil {
		return l.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	body := &wire{from: resp.Body}
	if resp.StatusCode != http.StatusOK {
		return l.refused(resp, body)
	}
	err = read(body)
	switch {
	case body.err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case body.err != nil:
		return fmt.Errorf("%w: %s", errCut, l.guard.hide(body.err.Error()))
	case err != nil && !errors.Is(err, errCut):
		return fmt.Errorf("an answer of the cluster is not understood: %w", err)
	}
	return err
}

// do sends a request. A plugin that never ends must not keep it waiting: plugins
// do not know of the context.
func (l *link) do(req *http.Request) (*http.Response, error) {
	type answer struct {
		resp *http.Response
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		resp, err := l.client.Do(req)
		answers <- answer{resp, err}
	}()
	select {
	case a := <-answers:
		return a.resp, a.err
	case <-req.Context().Done():
		go func() {
			if a := <-answers; a.err == nil {
				_ = a.resp.Body.Close()
			}
		}()
		return nil, context.Cause(req.Context())
	}
}

// wire remembers what is wrong with the connection, which an error of who reads
// from it hides.
type wire struct {
	from io.Reader
	err  error
}

// Read reads.
func (w *wire) Read(into []byte) (int, error) {
	n, err := w.from.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// status is how the API says what is wrong.
type status struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Details struct {
		RetryAfterSeconds int `json:"retryAfterSeconds"`
	} `json:"details"`
}

// maxStatus bounds what is read of an answer that is no list, in bytes.
const maxStatus = 64 << 10

// refused is the error of an answer that is no list.
func (l *link) refused(resp *http.Response, body io.Reader) error {
	r := &refusal{code: resp.StatusCode}
	text, err := io.ReadAll(io.LimitReader(body, maxStatus))
	var s status
	if err == nil && json.Unmarshal(text, &s) == nil && s.Kind == "Status" {
		r.reason, r.message = s.Reason, l.guard.hide(s.Message)
	}
	if r.message == "" {
		r.message = http.StatusText(resp.StatusCode)
	}
	r.after = max(time.Duration(s.Details.RetryAfterSeconds)*time.Second, retryAfter(resp.Header.Get("Retry-After")))
	return r
}

// retryAfter is a header of seconds, or of a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<20)) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, until(date))
	}
	return 0
}
