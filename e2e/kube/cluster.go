package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// adminToken is the token of the administrator, in a cluster that soon ends.
const adminToken = "e2e-admin"

// cluster is a running API server.
type cluster struct {
	url, authority, version string
	client                  *http.Client
	processes               []*exec.Cmd
}

// startCluster starts etcd and the API server, and waits until it is ready.
func startCluster(ctx context.Context, s *setting) (*cluster, error) {
	c := &cluster{}
	store, peers, err := freePorts()
	if err != nil {
		return nil, err
	}
	etcd := fmt.Sprintf("http://127.0.0.1:%d", store)
	err = c.start(s, s.etcd, "etcd.log", "--data-dir", filepath.Join(s.work, "etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", fmt.Sprintf("http://127.0.0.1:%d", peers), "--unsafe-no-fsync")
	if err == nil {
		err = c.startServer(ctx, s, etcd)
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// startServer starts the API server. There are no controllers: the check creates the
// objects that they would create.
func (c *cluster) startServer(ctx context.Context, s *setting, etcd string) error {
	key, public, err := accountKey(s)
	if err != nil {
		return err
	}
	tokens, err := s.file("tokens.csv", adminToken+",admin,admin,system:masters\n")
	if err != nil {
		return err
	}
	port, _, err := freePorts()
	if err != nil {
		return err
	}
	certificates := filepath.Join(s.work, "certificates")
	c.url, c.authority = fmt.Sprintf("https://127.0.0.1:%d", port), filepath.Join(certificates, "apiserver.crt")
	err = c.start(s, s.apiserver, "apiserver.log", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", fmt.Sprint(port),
		"--cert-dir", certificates, "--authorization-mode", "RBAC", "--token-auth-file", tokens, "--service-cluster-ip-range", "10.0.0.0/24",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", public, "--service-account-signing-key-file", key,
		"--disable-admission-plugins", "ServiceAccount")
	if err != nil {
		return err
	}
	return c.await(ctx)
}

func (c *cluster) start(s *setting, program, log string, args ...string) error {
	out, err := os.Create(filepath.Join(s.work, log))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, s.work
	if err := cmd.Start(); err != nil {
		return err
	}
	c.processes = append(c.processes, cmd)
	return nil
}

// stop ends the processes, the last one first.
func (c *cluster) stop() error {
	var errs []error
	for i := len(c.processes) - 1; i >= 0; i-- {
		if err := c.processes[i].Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
		_ = c.processes[i].Wait() // it was killed
	}
	return errors.Join(errs...)
}

// await waits until the server is ready, and reads its version.
func (c *cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		if c.connect() == nil {
			if _, err := c.do(ctx, "GET", "/readyz", "", ""); err == nil {
				break
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("the API server does not become ready: %w", ctx.Err())
		}
	}
	answer, err := c.do(ctx, "GET", "/version", "", "")
	if err != nil {
		return err
	}
	var version struct{ GitVersion, GoVersion string }
	if err := json.Unmarshal(answer, &version); err != nil {
		return err
	}
	c.version = version.GitVersion + " (" + version.GoVersion + ")"
	return nil
}

func (c *cluster) connect() error {
	authority, err := os.ReadFile(c.authority)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	return nil
}

// do sends a request of the administrator.
func (c *cluster) do(ctx context.Context, method, path, kind, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}

// freePorts returns two free ports.
func freePorts() (a, b int, err error) {
	for _, port := range []*int{&a, &b} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, err
		}
		defer l.Close()
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return a, b, nil
}

// accountKey writes the key that tokens of service accounts are signed with.
func accountKey(s *setting) (private, public string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", "", err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}
	private, err = s.file("sa.key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	if err != nil {
		return "", "", err
	}
	public, err = s.file("sa.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return private, public, err
}
