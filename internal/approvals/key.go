package approvals

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Key signs as one approver.
type Key struct{ signer ssh.Signer }

// Sign returns the armored signature of a message.
func (k Key) Sign(message []byte) ([]byte, error) {
	sig, err := sshsig.SignWithRand(bytes.NewReader(message), rand.Reader, k.signer, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, fmt.Errorf("signing with the key %s: %w", k.Fingerprint(), err)
	}
	return sshsig.Armor(sig), nil
}

// Fingerprint names the key, as ssh-add -l does.
func (k Key) Fingerprint() string { return ssh.FingerprintSHA256(k.signer.PublicKey()) }

// ErrPublic reports that a file has a public key, which only an agent can sign with.
var ErrPublic = errors.New("it is a public key")

// ParseKey reads a private key, as ssh-keygen writes it.
func ParseKey(data []byte) (Key, error) {
	signer, err := ssh.ParsePrivateKey(data)
	if err == nil {
		return Key{signer}, nil
	}
	if locked := (*ssh.PassphraseMissingError)(nil); errors.As(err, &locked) {
		return Key{}, errors.New("it has a passphrase: add it to your agent with ssh-add, and leave --key out")
	}
	if _, _, _, _, public := ssh.ParseAuthorizedKey(data); public == nil {
		return Key{}, ErrPublic
	}
	return Key{}, fmt.Errorf("it is not a private key that this program can use; one on a hardware token works through an agent: %w", err)
}

// Agent is a running SSH agent.
type Agent struct {
	conn   net.Conn
	client agent.ExtendedAgent
}

// OpenAgent connects to the agent at the socket that SSH_AUTH_SOCK names.
func OpenAgent(ctx context.Context, socket string) (*Agent, error) {
	if socket == "" {
		return nil, errors.New("no SSH agent runs (SSH_AUTH_SOCK is not set): start one and run ssh-add, or name a key with --key")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("connecting to the SSH agent: %w", err)
	}
	return &Agent{conn, agent.NewClient(conn)}, nil
}

// Close ends the connection.
func (a *Agent) Close() error { return a.conn.Close() }

// Key is the first key of the agent that is an allowed signer at a time. With a public
// key it is that one.
func (a *Agent) Key(s *Signers, public []byte, now time.Time) (Key, error) {
	keys, err := a.client.Signers()
	if err != nil {
		return Key{}, fmt.Errorf("reading the keys of the SSH agent: %w", err)
	}
	var wanted ssh.PublicKey
	if public != nil {
		if wanted, _, _, _, err = ssh.ParseAuthorizedKey(public); err != nil {
			return Key{}, err
		}
	}
	var refused error
	for _, key := range keys {
		if wanted != nil && string(wanted.Marshal()) != string(key.PublicKey().Marshal()) {
			continue
		}
		_, err := s.principalsOf(key.PublicKey(), now)
		if err == nil {
			return Key{key}, nil
		}
		refused = errors.Join(refused, err)
	}
	if refused != nil {
		return Key{}, fmt.Errorf("the SSH agent has no key that may approve:\n%w", refused)
	}
	return Key{}, errors.New("the SSH agent does not have the key: run ssh-add")
}
