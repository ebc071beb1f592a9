package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/registry-janitor/registry-janitor/internal/retry"
)

// client sends the requests of one reading.
type client struct {
	rest   *rest.RESTClient
	guard  *guard
	limits limits
	retry  func(what string, err error) // called before something is tried again
}

// connect makes a client for one reading, so that a kubeconfig or a token that was
// renewed counts.
func (c *Cluster) connect(ctx context.Context) (*client, error) {
	config, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, errors.New("the address of the cluster is not a URL (correct server in the kubeconfig)")
	}
	g := newGuard(base, config, c.o.Redact)
	config.Wrap(g.wrap)
	config.UserAgent = c.o.UserAgent
	config.QPS = -1 // no throttling: the retry loop slows down when the cluster asks for it
	config.WarningHandler = rest.NoWarnings{}
	// Required, but not used: every answer is read as a stream, and every path is complete.
	config.GroupVersion, config.NegotiatedSerializer = &schema.GroupVersion{}, serializer.NewCodecFactory(runtime.NewScheme())
	if config.ExecProvider != nil {
		// The plugin must not read standard input: it may hold references.
		config.ExecProvider.StdinUnavailable = true
		config.ExecProvider.StdinUnavailableMessage = "standard input is not a terminal"
	}
	sender, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("reading the credentials for the cluster: %s", g.redact(err.Error()))
	}
	// A redirect would take the credentials along.
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	sender.Transport = &refusing{next: sender.Transport, guard: g}
	client := &client{guard: g, limits: c.limits, retry: func(what string, err error) {
		c.o.Logger.Warn("asking the cluster again", "cluster", c.name, "what", what, "because", err.Error())
	}}
	client.rest, err = rest.RESTClientForConfigAndClient(config, sender)
	return client, err
}

func (c *client) close() { c.guard.close() }

// request requests a path below the address of the cluster.
func (c *client) request(path ...string) *rest.Request {
	return c.rest.Get().AbsPath(path...).SetHeader("Accept", "application/json")
}

// get reads one answer, and tries again after a fault that may pass.
func (c *client) get(ctx context.Context, request *rest.Request, read func(io.Reader) error) error {
	renewed := false
	loop := retry.Loop{
		Tries: c.limits.tries,
		Again: func(err error, try int) (time.Duration, bool) {
			pause := retry.Pause(c.limits.pause, try)
			var refused *refusal
			if !errors.As(err, &refused) {
				return pause, errors.Is(err, errUnreachable) || errors.Is(err, errCut)
			}
			again := refused.mayPass()
			if refused.code == http.StatusUnauthorized && !renewed {
				again, renewed = true, true // client-go has asked the plugin for a new token
			}
			return max(pause, refused.after), again && refused.after <= c.limits.longest
		},
		Before: func(err error, _ int, _ time.Duration) { c.retry(request.URL().Path, err) },
	}
	_, err := loop.Do(ctx, func() error { return c.getOnce(ctx, request, read) })
	return err
}

// errUnreachable is a cluster that does not answer.
var errUnreachable = errors.New("the cluster does not answer")

// getOnce reads one answer.
func (c *client) getOnce(ctx context.Context, request *rest.Request, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.request, fmt.Errorf("%w within %s", errUnreachable, c.limits.request))
	defer cancel()
	answer, err := open(ctx, request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer answer.Close()
	body := &connection{from: answer}
	err = read(body)
	switch {
	case body.err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case body.err != nil:
		return fmt.Errorf("%w: %s", errCut, c.guard.redact(body.err.Error()))
	case err != nil && !errors.Is(err, errCut):
		return fmt.Errorf("an answer of the cluster cannot be decoded: %w", err)
	}
	return err
}

// open sends a request. It does not wait for a plugin that never ends: a plugin
// does not end with the context.
func open(ctx context.Context, request *rest.Request) (io.ReadCloser, error) {
	type result struct {
		answer io.ReadCloser
		err    error
	}
	results := make(chan result, 1)
	go func() {
		answer, err := request.Stream(ctx)
		results <- result{answer, err}
	}()
	select {
	case r := <-results:
		return r.answer, r.err
	case <-ctx.Done():
		go func() {
			if r := <-results; r.err == nil {
				_ = r.answer.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// connection remembers an error of the connection. Its reader cannot distinguish such an
// error from one of the answer.
type connection struct {
	from io.Reader
	err  error
}

func (c *connection) Read(into []byte) (int, error) {
	n, err := c.from.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
