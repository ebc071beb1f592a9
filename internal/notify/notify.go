package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Notification says whom to tell, of what, and in which words.
type Notification struct {
	// Name is what errors call it.
	Name string
	// URLEnv is the environment variable that has the URL of the service, URLFile the
	// file; one of the two. The URL is one of shoutrrr's (slack://, teams://, smtp://,
	// generic://, and what else it knows), or a webhook as the service hands it out:
	// that of Slack, of Teams (a workflow or a connector), or any other, which gets
	// JSON with a title and a message.
	URLEnv, URLFile string
	// On is what has to have happened; nil is DefaultOn.
	On []Occasion
	// Template is the text of the message, a template of text/template over Message;
	// "" is DefaultTemplate.
	Template string
	// Link is where to read more; "" is nowhere.
	Link string
	// Repeat is after how long what lasts is told again; 0 is at every run.
	Repeat time.Duration
}

// Options say who is told.
type Options struct {
	Notifications []Notification
	// LookupEnv and ReadFile find the URLs; nil is the process's own environment and
	// files.
	LookupEnv func(string) (string, bool)
	ReadFile  func(string) ([]byte, error)
	// Timeout bounds each message; 0 is ten seconds.
	Timeout time.Duration
	// Told is called after each message, with why it could not be sent, and not where
	// there was nothing to tell; nil is nobody. Several may call it at once.
	Told func(error)
}

// DefaultTimeout is how long a service may take unless Options say otherwise.
const DefaultTimeout = 10 * time.Second

// ErrNoURL is what errors are that a missing variable or file causes.
var ErrNoURL = errors.New("there is no URL")

// Notifier tells people of runs. It remembers what it told, so that what lasts is
// not told at every run; a new one tells it once more. A nil Notifier tells nobody.
type Notifier struct {
	timeout time.Duration
	told    func(error)
	targets []*target
}

// target is one notification with its service.
type target struct {
	Notification
	template *template.Template
	service  *service
	told     *memory
}

// New reads the URLs and checks them and the templates, without sending anything.
// The error names everything that is wrong, without anything of a URL; what a
// missing variable or file causes is ErrNoURL.
func New(o Options) (*Notifier, error) {
	n := &Notifier{timeout: o.Timeout, told: o.Told}
	if n.timeout <= 0 {
		n.timeout = DefaultTimeout
	}
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

// Check looks at what New looks at, and tells what is wrong from what is only
// missing: a configuration may be checked where the secrets are not.
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
	t := &target{Notification: spec, told: newMemory()}
	fail := func(err error) (*target, error) { return nil, fmt.Errorf("notification %q: %w", spec.Name, err) }
	for _, on := range spec.On {
		if !slices.Contains(Occasions(), on) {
			return fail(fmt.Errorf("on: %q is none of %q", on, Occasions()))
		}
	}
	parsed, err := parseTemplate(spec.Template)
	if err != nil {
		return fail(err)
	}
	t.template = parsed
	raw, where, err := lookUp(spec, o)
	if err != nil {
		return fail(err)
	}
	if t.service, err = newService(raw); err != nil {
		return fail(fmt.Errorf("the URL in %s: %w", where, err))
	}
	return t, nil
}

// lookUp finds the URL of a notification, and says where it stands.
func lookUp(spec Notification, o Options) (raw, where string, err error) {
	if spec.URLEnv != "" {
		lookupEnv := o.LookupEnv
		if lookupEnv == nil {
			lookupEnv = os.LookupEnv
		}
		where = "the environment variable " + spec.URLEnv
		value, ok := lookupEnv(spec.URLEnv)
		if raw = strings.TrimSpace(value); !ok || raw == "" {
			return "", where, fmt.Errorf("%w: %s is not set", ErrNoURL, where)
		}
		return raw, where, nil
	}
	readFile := o.ReadFile
	if readFile == nil {
		readFile = os.ReadFile
	}
	where = "the file " + spec.URLFile
	data, err := readFile(spec.URLFile)
	if err != nil {
		return "", where, fmt.Errorf("%w: reading %s: %w", ErrNoURL, where, err)
	}
	if raw = strings.TrimSpace(string(data)); raw == "" {
		return "", where, fmt.Errorf("%w: %s is empty", ErrNoURL, where)
	}
	return raw, where, nil
}

// Send tells of a run everybody who asked for something that happened in it, all at
// once, each within the timeout, and tries nothing twice. The error joins those of
// all that could not be told; nothing of a URL is in it. What somebody could not be
// told is told with the next run, if it lasts.
func (n *Notifier) Send(ctx context.Context, run runs.Run) error {
	if n == nil {
		return nil
	}
	problems := make([]error, len(n.targets))
	var all sync.WaitGroup
	for i, t := range n.targets {
		all.Go(func() {
			sent, err := t.send(ctx, run, n.timeout)
			if n.told != nil && (sent || err != nil) {
				n.told(err)
			}
			if err != nil {
				problems[i] = fmt.Errorf("notification %q: %w", t.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(problems...)
}

// send tells one of a run, if there is something to tell, and reports whether it
// did.
func (t *target) send(ctx context.Context, run runs.Run, timeout time.Duration) (sent bool, err error) {
	now := momentOf(run)
	found := t.asked(happened(run))
	if run.Plan != nil { // or else it saw nothing, and nothing is known to have ended
		t.told.forget(found)
	}
	if !t.told.news(found, now, t.Repeat) {
		return false, nil
	}
	text, err := t.render(newMessage(t.Notification, run, found))
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := t.service.send(ctx, headline(run), text); err != nil {
		return false, err
	}
	t.told.remember(found, now)
	return true, nil
}

// momentOf is when a run was, as far as it says.
func momentOf(run runs.Run) time.Time {
	if run.Started.IsZero() && run.Plan != nil {
		return run.Plan.TakenAt
	}
	return run.Started
}

// asked is what of all that happened this notification is about.
func (t *target) asked(all []happening) []happening {
	return slices.DeleteFunc(all, func(h happening) bool { return !slices.Contains(t.On, h.what) })
}
