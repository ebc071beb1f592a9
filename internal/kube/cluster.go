package kube

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Options select the cluster, and what to read of it.
type Options struct {
	// Name is the name of the cluster in reasons; "" is the name of its context, or
	// "in-cluster".
	Name string
	// InCluster uses the service account of the pod that the program runs in, instead
	// of a kubeconfig.
	InCluster bool
	// Kubeconfig is the file; "" is the default of kubectl: the files that KUBECONFIG
	// lists, or else ~/.kube/config.
	Kubeconfig string
	// Access is asked before each reading for the address of the API server, the
	// certificates (PEM) that its own must be signed by, and a bearer token. It is
	// used instead of a kubeconfig; nil is none.
	Access func(context.Context) (server string, ca []byte, token string, err error)
	// Redact removes secrets from a text of the cluster, besides those that the program
	// sends there; nil removes no more.
	Redact func(string) string
	// Context is a context of the kubeconfig; "" is the current one, as it is when the
	// kubeconfig is first read.
	Context string
	// Namespaces are the namespaces to ask for; none means all.
	Namespaces []string
	// ReplicaSets is how many revisions of each Deployment, StatefulSet and DaemonSet
	// count, newest first; 0 is every revision that the cluster keeps.
	ReplicaSets int
	// UserAgent is the user agent of the requests.
	UserAgent string
	// Logger gets a warning for every request that is repeated; nil discards them.
	Logger *slog.Logger
}

// Cluster is one cluster that may use images.
type Cluster struct {
	o         Options
	name      string
	limits    limits
	inCluster func() (*rest.Config, error)

	mu      sync.Mutex
	context string // pinned, so that switching contexts does not change the cluster
}

// limits bound one reading of a cluster.
type limits struct {
	page     int           // objects for each page
	pages    int           // of one list
	restarts int           // of a list whose snapshot has expired
	tries    int           // of one page
	pause    time.Duration // before the second try; doubles from try to try
	longest  time.Duration // pause that the cluster may ask for
	request  time.Duration // for one page
	whole    time.Duration // for the whole reading
	object   int64         // bytes of one object
	parallel int           // lists that are read at once
}

func defaultLimits() limits {
	return limits{
		page: 500, pages: 20_000, restarts: 5, tries: 4, pause: 500 * time.Millisecond, longest: 30 * time.Second,
		request: time.Minute, whole: 10 * time.Minute, object: 16 << 20, parallel: 3,
	}
}

// New returns a cluster. It sends nothing, and reads the kubeconfig only for the
// name of the current context: Uses reports what is wrong with the kubeconfig.
func New(o Options) *Cluster {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
	c := &Cluster{o: o, context: o.Context, inCluster: rest.InClusterConfig, limits: defaultLimits()}
	if !o.InCluster && o.Access == nil && c.context == "" {
		c.context = c.currentContext()
	}
	switch {
	case o.Name != "":
		c.name = o.Name
	case o.InCluster:
		c.name = "in-cluster"
	case c.context != "":
		c.name = c.context
	case o.Kubeconfig != "":
		c.name = o.Kubeconfig
	default:
		c.name = "of the default kubeconfig"
	}
	return c
}

// Name is the name of the cluster in reasons and gaps: "kubernetes prod-eu".
func (c *Cluster) Name() string { return "kubernetes " + c.name }

// Uses returns the images that the cluster uses, as its objects name them, each
// with its user: "kubernetes prod-eu: Deployment shop/api". It returns only images
// that may be of this registry, sorted and without duplicates. With an error it
// returns the uses that it could read.
func (c *Cluster) Uses(ctx context.Context) ([]registry.RawUse, error) {
	limited, cancel := context.WithTimeoutCause(ctx, c.limits.whole, errTooSlow)
	defer cancel()
	api, err := c.connect(limited)
	if err != nil {
		return nil, err
	}
	defer api.close()
	s := newSurvey(c.Name(), c.o.ReplicaSets)
	err = s.read(limited, api, c.o.Namespaces)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return s.uses(), err
}

// errTooSlow ends a reading that takes longer than limits.whole.
var errTooSlow = errors.New("the cluster takes too long to answer")
