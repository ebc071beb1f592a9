package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Notification is one receiver of messages.
type Notification struct {
	// Name names it in errors.
	Name string
	// URLEnv is the environment variable with the URL of the service, URLFile the file
	// with it; set one of them. The URL is one of shoutrrr (slack://, teams://, smtp://,
	// generic://), or the https:// URL of a webhook: of Slack, of Teams (a workflow or a
	// connector), or of any other service, which receives JSON with a title and a
	// message.
	URLEnv, URLFile string
	// On are the occasions for a message; nil is DefaultOn.
	On []Occasion
	// Owners are those whose waivers the messages are about; nil is the whole run. Set On
	// to OnWaiver with it.
	Owners []string
	// Template is a text/template over Message; "" is DefaultTemplate.
	Template string
	// Link is a page with more about the run; "" is none.
	Link string
	// Repeat is how long a persistent problem causes no further message; 0 repeats the
	// message at every run.
	Repeat time.Duration
}

// Options are the receivers of messages, and how to reach them.
type Options struct {
	Notifications []Notification
	// LookupEnv reads the variables; nil is os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Timeout is the limit for each message; 0 is DefaultTimeout.
	Timeout time.Duration
	// Sent, if set, is called after each message, with the error if it could not be
	// sent. Calls may be concurrent.
	Sent func(error)
}

// DefaultTimeout is how long a service may take unless Options have another limit.
const DefaultTimeout = 10 * time.Second

// ErrNoURL is the error for a missing variable or file.
var ErrNoURL = errors.New("it has no URL")

// Notifier sends messages about runs. It remembers what it sent, so that a
// persistent problem does not cause a message at every run. A nil Notifier sends
// nothing.
type Notifier struct {
	timeout time.Duration
	sent    func(error)
	targets []*target
}

// target is one notification with its service.
type target struct {
	Notification
	template *template.Template
	service  *service
	sent     *memory
}

// New reads the URLs and checks them and the templates, without sending anything.
// The error names every problem, and contains no part of a URL; it is ErrNoURL for
// a missing variable or file.
func New(o Options) (*Notifier, error) {
	n := &Notifier{timeout: cmp.Or(o.Timeout, DefaultTimeout), sent: o.Sent}
	var problems []error
	for _, spec := range o.Notifications {
		t, err := newTarget(spec, o)
		problems = append(problems, err)
		n.targets = append(n.targets, t)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return n, nil
}

// Check checks what New checks, and separates missing URLs from other problems: a
// configuration may be checked on a machine without the secrets.
func Check(o Options) (missing, wrong error) {
	for _, spec := range o.Notifications {
		switch _, err := newTarget(spec, o); {
		case errors.Is(err, ErrNoURL):
			missing = errors.Join(missing, err)
		default:
			wrong = errors.Join(wrong, err)
		}
	}
	return missing, wrong
}

func newTarget(spec Notification, o Options) (*target, error) {
	if len(spec.On) == 0 {
		spec.On = DefaultOn()
	}
	t := &target{Notification: spec, sent: &memory{sent: map[Occasion]map[string]time.Time{}}}
	if err := t.open(o); err != nil {
		return nil, fmt.Errorf("notification %q: %w", spec.Name, err)
	}
	return t, nil
}

// open checks the occasions and the template, and reads the URL.
func (t *target) open(o Options) (err error) {
	for _, on := range t.On {
		if !slices.Contains(Occasions(), on) {
			return fmt.Errorf("on: %q is not one of %q", on, Occasions())
		}
	}
	if t.template, err = parseTemplate(t.Template); err != nil {
		return err
	}
	raw, where, err := readURL(t.Notification, o.LookupEnv)
	if err != nil {
		return err
	}
	if t.service, err = newService(raw); err != nil {
		return fmt.Errorf("the URL in %s: %w", where, err)
	}
	return nil
}

// maxURLFile bounds the file of a URL, in bytes.
const maxURLFile = files.MiB

// readURL reads the URL of a notification, and names the place.
func readURL(n Notification, lookupEnv func(string) (string, bool)) (raw, where string, err error) {
	if n.URLEnv != "" {
		if lookupEnv == nil {
			lookupEnv = os.LookupEnv
		}
		where = "the environment variable " + n.URLEnv
		value, _ := lookupEnv(n.URLEnv)
		if raw = strings.TrimSpace(value); raw == "" {
			return "", where, fmt.Errorf("%w: %s is not set", ErrNoURL, where)
		}
		return raw, where, nil
	}
	where = "the file " + n.URLFile
	data, err := files.Read(n.URLFile, maxURLFile)
	if err != nil {
		return "", where, fmt.Errorf("%w: reading %s: %w", ErrNoURL, where, err)
	}
	if raw = strings.TrimSpace(string(data)); raw == "" {
		return "", where, fmt.Errorf("%w: %s is empty", ErrNoURL, where)
	}
	return raw, where, nil
}

// Send sends the messages about a run to all receivers at the same time, each within
// the timeout. It never tries again: if a message cannot be sent, the next run sends
// it, provided that the occasion persists. The error joins those of all receivers,
// and contains no part of a URL.
func (n *Notifier) Send(ctx context.Context, run runs.Run) error {
	if n == nil {
		return nil
	}
	problems := make([]error, len(n.targets))
	var all sync.WaitGroup
	for i, t := range n.targets {
		all.Go(func() {
			sent, err := t.send(ctx, run, n.timeout)
			if n.sent != nil && (sent || err != nil) {
				n.sent(err)
			}
			if err != nil {
				problems[i] = fmt.Errorf("notification %q: %w", t.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(problems...)
}

// send sends the message about a run to one receiver, if the run has a new occasion
// for it, and reports whether it did.
func (t *target) send(ctx context.Context, run runs.Run, timeout time.Duration) (sent bool, err error) {
	now := run.Began()
	found := slices.DeleteFunc(occurrences(run, t.Owners), func(o occurrence) bool { return !slices.Contains(t.On, o.occasion) })
	if run.Plan != nil { // without a plan the run cannot tell what has ended
		t.sent.forget(found)
	}
	if !t.sent.isNews(found, now, t.Repeat) {
		return false, nil
	}
	message := newMessage(t.Notification, run, found)
	text, err := t.render(message)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := t.service.send(ctx, message.Headline, text); err != nil {
		return false, err
	}
	t.sent.remember(found, now)
	return true, nil
}
