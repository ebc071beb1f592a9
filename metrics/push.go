package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/push"
)

const (
	pushTimeout = 30 * time.Second
	maxAnswer   = 4 << 10 // bytes of the gateway's answer that an error may quote
)

// Push sends the metrics to the Pushgateway at a URL, whose user and password are
// used and never shown. They replace the metrics of the run before of the same job
// and command, plan or apply. The instance is not a label: pods that are gone
// would leave their metrics behind.
func (m *Metrics) Push(ctx context.Context, gateway, job string) error {
	at, err := url.Parse(gateway)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" {
		return errors.New("pushing the metrics: the URL of the Pushgateway must be http://host:port or https://host:port")
	}
	if at.RawQuery != "" || at.Fragment != "" {
		return errors.New("pushing the metrics: the URL of the Pushgateway must have no query and no fragment")
	}
	user := at.User
	at.User = nil
	pusher := push.New(at.String(), job).Gatherer(m.registry).Client(newPushClient())
	if command := m.lastCommand(); command != "" {
		pusher.Grouping("command", command)
	}
	password := ""
	if user != nil {
		password, _ = user.Password()
		pusher.BasicAuth(user.Username(), password)
	}
	if err := pusher.PushContext(ctx); err != nil {
		return fmt.Errorf("pushing the metrics to %s: %s", at, redact(err.Error(), password))
	}
	return nil
}

func (m *Metrics) lastCommand() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return validUTF8(m.command)
}

// redact removes a secret from a text: a gateway may echo it.
func redact(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "***")
}

func newPushClient() *http.Client {
	return &http.Client{
		Timeout:   pushTimeout,
		Transport: briefly{http.DefaultTransport},
		// A redirect would turn the push into a GET that changes nothing.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// briefly limits how much of an answer is read.
type briefly struct{ next http.RoundTripper }

func (b briefly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}
