package kube

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Access is how a cluster is reached.
type Access int

// The ways to reach a cluster.
const (
	// ByKubeconfig is with a file, as kubectl does.
	ByKubeconfig Access = iota
	// InCluster is with the service account of the pod that asks.
	InCluster
)

// Options say which cluster is asked, and for what.
type Options struct {
	// Name is how reasons call the cluster; "" is the name of its context, or
	// "in-cluster".
	Name   string
	Access Access
	// Kubeconfig is the file; "" is what kubectl takes: the files that KUBECONFIG
	// lists, or else ~/.kube/config.
	Kubeconfig string
	// Context is one of the kubeconfig; "" is its current one, as it is when the
	// cluster is first named.
	Context string
	// Namespaces are those that are asked; none are all.
	Namespaces []string
	// ReplicaSets is how many revisions of each Deployment, StatefulSet and DaemonSet
	// count, the newest first; 0 is all that the cluster remembers.
	ReplicaSets int
	// UserAgent is what the program calls itself.
	UserAgent string
	// Logger takes what is tried again; nil is silence.
	Logger *slog.Logger
}

// Cluster is one cluster that may use images.
type Cluster struct {
	o      Options
	name   string
	login  login
	limits limits

	mu      sync.Mutex
	context string // pinned, so that nobody who switches contexts changes whom it asks
}

// limits bound what one reading of a cluster may take.
type limits struct {
	page     int           // objects that are asked for at once
	pages    int           // of one list
	restarts int           // of a list whose snapshot is gone
	attempts int           // at one page
	wait     time.Duration // before the second attempt; each later one waits twice as long
	longest  time.Duration // that the cluster may ask to wait
	request  time.Duration // for one page
	whole    time.Duration // for everything
	object   int64         // bytes of one object
	parallel int           // lists that are read at once
}

func defaultLimits() limits {
	return limits{
		page: 500, pages: 20_000, restarts: 5, attempts: 4, wait: 250 * time.Millisecond, longest: 30 * time.Second,
		request: time.Minute, whole: 10 * time.Minute, object: 16 << 20, parallel: 3,
	}
}

// New is a cluster, of which nothing is asked yet. A kubeconfig that cannot be
// read is an error of Mentions, when it may have come to be.
func New(o Options) *Cluster {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{o: o, context: o.Context, login: defaultLogin(), limits: defaultLimits()}
	if o.Access == ByKubeconfig && c.context == "" {
		c.context = c.currentContext()
	}
	switch {
	case o.Name != "":
		c.name = o.Name
	case o.Access == InCluster:
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

// Name is what reasons and gaps call it: "kubernetes prod-eu".
func (c *Cluster) Name() string { return "kubernetes " + c.name }

// Mentions are the images that the cluster uses, as they are written there, each
// with its user: "kubernetes prod-eu: Deployment shop/api". Only those that may
// be of this registry are returned, each once, sorted. With an error come those
// that could be read.
func (c *Cluster) Mentions(ctx context.Context) ([]registry.RawUse, error) {
	link, err := c.connect()
	if err != nil {
		return nil, err
	}
	defer link.close()
	limited, cancel := context.WithTimeoutCause(ctx, c.limits.whole, errTooSlow)
	defer cancel()
	s := newSurvey(c.Name(), c.o.ReplicaSets)
	err = s.read(limited, link, c.o.Namespaces)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return s.mentions(), err
}

// errTooSlow is why everything ends when the whole takes too long.
var errTooSlow = errors.New("the cluster takes too long to answer")
