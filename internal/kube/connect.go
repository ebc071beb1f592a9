package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// login finds out how to reach a cluster.
type login struct {
	// inCluster is what a pod is told of its own cluster.
	inCluster func() (*rest.Config, error)
}

func defaultLogin() login { return login{inCluster: rest.InClusterConfig} }

// link is a connection to a cluster.
type link struct {
	client *http.Client
	base   *url.URL
	guard  *guard
	limits limits
	retry  func(what string, err error)
}

// connect makes a connection. It is made for each reading, so that a kubeconfig
// or a token that was renewed counts.
func (c *Cluster) connect() (*link, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("the address of the cluster is no URL (correct server in the kubeconfig)")
	}
	g := newGuard(base, config)
	config.UserAgent = c.o.UserAgent
	config.Wrap(g.wrap)
	if config.ExecProvider != nil {
		// Standard input is not the plugin's: references may come on it.
		config.ExecProvider.StdinUnavailable = true
		config.ExecProvider.StdinUnavailableMessage = "nobody can be asked"
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("reading the credentials for the cluster: %s", g.hide(err.Error()))
	}
	// A redirect would take the credentials along.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &link{client: client, base: base, guard: g, limits: c.limits, retry: func(what string, err error) {
		c.o.Logger.Warn("asking the cluster again", "cluster", c.name, "what", what, "because", err.Error())
	}}, nil
}

func (l *link) close() { l.guard.close() }

// config is how to reach the cluster, in the words of client-go.
func (c *Cluster) config() (*rest.Config, error) {
	if c.o.Access == InCluster {
		config, err := c.login.inCluster()
		switch {
		case errors.Is(err, rest.ErrNotInCluster):
			return nil, errors.New("this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set (run it in the cluster, or name a kubeconfig instead of in_cluster)")
		case err != nil:
			return nil, fmt.Errorf("reading the service account of this pod: %w (does its spec say automountServiceAccountToken: false?)", err)
		}
		return config, nil
	}
	loaded, err := c.rules().Load()
	if err != nil {
		return nil, c.unreadable(err)
	}
	context := c.pin(loaded)
	if err := c.usable(loaded, context); err != nil {
		return nil, err
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*loaded, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%s: %w (try it with kubectl --context)", c.file(), err)
	}
	return config, nil
}

// rules say where the kubeconfig is.
func (c *Cluster) rules() *clientcmd.ClientConfigLoadingRules {
	if c.o.Kubeconfig != "" {
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: c.o.Kubeconfig}
	}
	return clientcmd.NewDefaultClientConfigLoadingRules()
}

func (c *Cluster) file() string {
	if c.o.Kubeconfig != "" {
		return "the kubeconfig " + c.o.Kubeconfig
	}
	return "the default kubeconfig"
}

func (c *Cluster) unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist (a relative path starts at the folder of the configuration)", c.file())
	}
	return fmt.Errorf("reading %s: %w", c.file(), err)
}

// usable checks for what client-go has poor words.
func (c *Cluster) usable(loaded *api.Config, context string) error {
	known := slices.Sorted(maps.Keys(loaded.Contexts))
	switch {
	case len(known) == 0:
		return fmt.Errorf("%s has no context (name another file in protect.kubernetes, or set KUBECONFIG)", c.file())
	case context == "":
		return fmt.Errorf("%s has no current context (name one in protect.kubernetes: %s)", c.file(), strings.Join(known, ", "))
	case !slices.Contains(known, context):
		return fmt.Errorf("%s has no context %q (it has: %s)", c.file(), context, strings.Join(known, ", "))
	}
	of := loaded.Contexts[context]
	if loaded.Clusters[of.Cluster] == nil {
		return fmt.Errorf("%s: its context %q is of cluster %q, which it does not have (correct the kubeconfig)", c.file(), context, of.Cluster)
	}
	return nil
}

// pin is the context to use, which stays the first that was found.
func (c *Cluster) pin(loaded *api.Config) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.context == "" {
		c.context = loaded.CurrentContext
	}
	return c.context
}

// currentContext is the one that the kubeconfig says, and "" while that cannot be
// read.
func (c *Cluster) currentContext() string {
	loaded, err := c.rules().Load()
	if err != nil {
		return ""
	}
	return loaded.CurrentContext
}
