package kube

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// config returns the settings of the connection.
func (c *Cluster) config(ctx context.Context) (*rest.Config, error) {
	if c.o.Access != nil {
		server, ca, token, err := c.o.Access(ctx)
		if err != nil {
			return nil, err
		}
		return &rest.Config{Host: server, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}, nil
	}
	if c.o.InCluster {
		config, err := c.inCluster()
		switch {
		case errors.Is(err, rest.ErrNotInCluster):
			return nil, errors.New("the program does not run in a pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set (run it in the cluster, or name a kubeconfig instead of in_cluster)")
		case err != nil:
			return nil, fmt.Errorf("reading the service account of this pod: %w (does its spec say automountServiceAccountToken: false?)", err)
		}
		return config, nil
	}
	loaded, err := c.load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist (a relative path starts at the folder of the configuration)", c.file())
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", c.file(), err)
	}
	pinned := c.pin(loaded)
	if err := c.check(loaded, pinned); err != nil {
		return nil, err
	}
	if err := checkFiles(loaded, pinned); err != nil {
		return nil, fmt.Errorf("%s: %w", c.file(), err)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*loaded, pinned, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%s: %w (try it with kubectl --context)", c.file(), err)
	}
	return config, nil
}

// rules locate the kubeconfig.
func (c *Cluster) rules() *clientcmd.ClientConfigLoadingRules {
	if c.o.Kubeconfig != "" {
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: c.o.Kubeconfig}
	}
	return clientcmd.NewDefaultClientConfigLoadingRules()
}

// maxFile bounds a kubeconfig, and each file that it names, in bytes.
const maxFile = 16 * files.MiB

// load reads the kubeconfig, or the default ones.
func (c *Cluster) load() (*api.Config, error) {
	rules := c.rules()
	for _, path := range rules.GetLoadingPrecedence() {
		err := files.Check(path, maxFile)
		// Of the default kubeconfigs only some need exist.
		if err != nil && (rules.ExplicitPath != "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
	}
	return rules.Load()
}

// checkFiles checks the files that client-go will read. Its own error is the better one
// for a file that does not exist.
func checkFiles(loaded *api.Config, context string) error {
	cluster, user := loaded.Clusters[loaded.Contexts[context].Cluster], loaded.AuthInfos[loaded.Contexts[context].AuthInfo]
	if user == nil {
		user = &api.AuthInfo{}
	}
	for _, path := range []string{cluster.CertificateAuthority, user.ClientCertificate, user.ClientKey, user.TokenFile} {
		if err := files.Check(path, maxFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c *Cluster) file() string {
	if c.o.Kubeconfig != "" {
		return "the kubeconfig " + c.o.Kubeconfig
	}
	return "the default kubeconfig"
}

// check reports mistakes for which client-go has no clear message.
func (c *Cluster) check(loaded *api.Config, context string) error {
	known := slices.Sorted(maps.Keys(loaded.Contexts))
	switch {
	case len(known) == 0:
		return fmt.Errorf("%s has no context (name another file in protect.kubernetes, or set KUBECONFIG)", c.file())
	case context == "":
		return fmt.Errorf("%s has no current context (name one in protect.kubernetes: %s)", c.file(), strings.Join(known, ", "))
	case !slices.Contains(known, context):
		return fmt.Errorf("%s has no context %q (it has: %s)", c.file(), context, strings.Join(known, ", "))
	}
	if cluster := loaded.Contexts[context].Cluster; loaded.Clusters[cluster] == nil {
		return fmt.Errorf("%s: its context %q names the cluster %q, which does not exist (correct the kubeconfig)", c.file(), context, cluster)
	}
	return nil
}

// pin returns the context to use: always the first one that was found.
func (c *Cluster) pin(loaded *api.Config) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.context == "" {
		c.context = loaded.CurrentContext
	}
	return c.context
}

// currentContext is the current context of the kubeconfig, or "" while that cannot
// be read.
func (c *Cluster) currentContext() string {
	loaded, err := c.load()
	if err != nil {
		return ""
	}
	return loaded.CurrentContext
}
