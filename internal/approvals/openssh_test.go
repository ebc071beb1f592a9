package approvals

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// openssh runs ssh-keygen in a folder of its own, or skips the test.
func openssh(t *testing.T) func(stdin string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	return func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "ssh-keygen", args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen %q: %v: %s", args, err, out)
		}
		return string(out)
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What ssh-keygen signs counts, for every type of key, and ssh-keygen verifies what this
// package signs by the same file of allowed signers.
func TestItAgreesWithOpenSSH(t *testing.T) {
	keygen := openssh(t)
	if err := os.WriteFile("PLAN.json", []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	kinds := []string{"ed25519", "rsa", "ecdsa"}
	for _, kind := range kinds {
		keygen("", "-q", "-t", kind, "-N", "", "-f", kind)
		file.WriteString(kind + `@x namespaces="registry-janitor,git",valid-after="20200101" ` + string(readFile(t, kind+".pub")))
	}
	if err := os.WriteFile("signers", []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := ParseSigners([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	var signatures []Signature
	for _, kind := range kinds {
		keygen("", "-Y", "sign", "-q", "-n", Namespace, "-f", kind, "PLAN.json")
		signatures = append(signatures, Signature{kind, readFile(t, "PLAN.json.sig")})
		if err := os.Remove("PLAN.json.sig"); err != nil {
			t.Fatal(err)
		}
		key, err := ParseKey(readFile(t, kind))
		if err != nil {
			t.Fatal(err)
		}
		armored, err := key.Sign([]byte(message))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("ours.sig", armored, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := keygen(message, "-Y", "verify", "-f", "signers", "-I", kind+"@x", "-n", Namespace, "-s", "ours.sig"); !strings.Contains(out, "Good") {
			t.Errorf("%s: ssh-keygen does not verify what was signed: %s", kind, out)
		}
	}
	if verdict := s.Judge([]byte(message), signatures, len(kinds), now); verdict.Missing > 0 {
		t.Errorf("signatures of ssh-keygen do not count: %+v", verdict)
	}
	keygen("", "-Y", "sign", "-q", "-n", "file", "-f", "rsa", "PLAN.json")
	if _, err := s.Verify([]byte(message), readFile(t, "PLAN.json.sig"), now); err == nil || !strings.Contains(err.Error(), `namespace "file"`) {
		t.Errorf("a signature for another namespace: %v", err)
	}
}

// A key with a passphrase, and a public key, lead to the agent.
func TestKeysThatNeedTheAgent(t *testing.T) {
	keygen := openssh(t)
	keygen("", "-q", "-t", "ed25519", "-N", "secret", "-f", "locked")
	if _, err := ParseKey(readFile(t, "locked")); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("a key with a passphrase: %v", err)
	}
	if _, err := ParseKey(readFile(t, "locked.pub")); !errors.Is(err, ErrPublic) {
		t.Errorf("a public key: %v", err)
	}
	private, err := ssh.ParseRawPrivateKeyWithPassphrase(readFile(t, "locked"), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	socket := serveAgent(t, private)
	a, err := OpenAgent(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s, err := ParseSigners([]byte("ana " + string(readFile(t, "locked.pub"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, public := range [][]byte{nil, readFile(t, "locked.pub")} {
		key, err := a.Key(s, public, now)
		if err != nil {
			t.Fatal(err)
		}
		armored, err := key.Sign([]byte(message))
		if err != nil {
			t.Fatal(err)
		}
		if by, err := s.Verify([]byte(message), armored, now); err != nil || by.Principal != "ana" {
			t.Errorf("the signature of the agent is by %+v: %v", by, err)
		}
	}
	_, other := keyOf(t, 1)
	if _, err := a.Key(s, []byte(other), now); err == nil || !strings.Contains(err.Error(), "does not have the key") {
		t.Errorf("a key that the agent does not have: %v", err)
	}
	strangers, err := ParseSigners([]byte("ben " + other))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Key(strangers, nil, now); err == nil || !strings.Contains(err.Error(), "no key that may approve") {
		t.Errorf("an agent without an allowed key: %v", err)
	}
}

// serveAgent serves an agent with one key, and returns its socket.
func serveAgent(t *testing.T, private any) string {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, conn) }()
		}
	}()
	return socket
}
