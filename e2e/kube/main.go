// Command kube-e2e runs registry-janitor against a real Kubernetes API server and
// the emulator of the registry, and checks what it keeps, for whom, and what it
// does without the right to list. It must never connect to another cluster or registry:
// it starts both, on free ports of this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	var s setting
	flag.StringVar(&s.etcd, "etcd", "", "the etcd to start")
	flag.StringVar(&s.apiserver, "apiserver", "", "the kube-apiserver to start")
	flag.StringVar(&s.program, "program", "", "the registry-janitor to run")
	flag.StringVar(&s.examples, "examples", "", "the folder of examples")
	flag.StringVar(&s.work, "work", "", "a folder to work in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kube-e2e:", err)
		stop()
		os.Exit(1)
	}
	fmt.Println("kube-e2e: everything passed")
}

// setting holds the programs and folders of the check.
type setting struct {
	etcd, apiserver, program, examples, work string
}

func (s *setting) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.work, 0o700); err != nil {
		return err
	}
	c, err := startCluster(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	fmt.Println("kube-apiserver", c.version)
	if err := c.deploy(ctx, s); err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	return (&story{setting: s, cluster: c}).tell(ctx)
}

// file writes a file of the check and returns its path.
func (s *setting) file(name, text string) (string, error) {
	path := filepath.Join(s.work, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// kubeconfig writes one for a token, with a context prod-eu.
func (s *setting) kubeconfig(c *cluster, name, token string) error {
	_, err := s.file(name, fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: prod-eu, context: {cluster: c, user: u}}]
current-context: prod-eu
`, c.url, c.authority, token))
	return err
}

// documents returns the YAML documents of an example.
func (s *setting) documents(name string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(s.examples, "kubernetes", "rbac", name))
	if err != nil {
		return nil, err
	}
	return strings.Split(string(text), "\n---\n"), nil
}
