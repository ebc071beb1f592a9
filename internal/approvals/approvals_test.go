package approvals

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const message = "the plan\n"

// keyOf is a key of a seed, and its line without principals.
func keyOf(t *testing.T, seed byte) (Key, string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+seed)), ed25519.SeedSize)))
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return Key{signer}, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// Signatures of keys count by the people that the file makes of them.
func TestPeopleCountOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		signers []string // "PRINCIPALS OPTIONS KEY", where KEY is the number of a key
		sign    []byte
		want    []string
	}{
		{"two people", []string{"ana 0", "ben 1"}, []byte{0, 1}, []string{"ana", "ben"}},
		{"one of them twice", []string{"ana 0", "ben 1"}, []byte{0, 0}, []string{"ana"}},
		{"one key of two principals", []string{"ana,ben 0"}, []byte{0}, []string{"ana"}},
		{"one key in two lines", []string{"ana 0", "ben 0"}, []byte{0}, []string{"ana"}},
		{"two keys of one principal", []string{"ana 0", "ana 1"}, []byte{0, 1}, []string{"ana"}},
		{"two keys of one person with two names", []string{"ana,ana@x 0", "ana@x,ana 1"}, []byte{0, 1}, []string{"ana"}},
		{"keys that a third one joins", []string{"ana 0", "ben 1", "ana,ben 2"}, []byte{0, 1, 2}, []string{"ana"}},
		{"a pattern that may be the other", []string{"*@x 0", "ana@x 1"}, []byte{0, 1}, []string{"*@x"}},
		{"patterns apart", []string{"*@x 0", "ana@y 1"}, []byte{0, 1}, []string{"*@x", "ana@y"}},
		{"a key that is not allowed", []string{"ana 0"}, []byte{0, 1}, []string{"ana"}},
		{"the namespace", []string{`ana namespaces="registry-janitor" 0`, `ben namespaces="file,registry-*" 1`}, []byte{0, 1}, []string{"ana", "ben"}},
		{"another namespace", []string{`ana namespaces="file" 0`, `ben namespaces="*,!registry-janitor" 1`}, []byte{0, 1}, nil},
		{"a key of today", []string{`ana valid-after="20261122Z",valid-before="20261122120000Z" 0`}, []byte{0}, []string{"ana"}},
		{"a key of tomorrow", []string{`ana valid-after="20261123Z" 0`}, []byte{0}, nil},
		{"a key of a second ago", []string{`ana valid-before="20261122115959Z" 0`}, []byte{0}, nil},
		{"principals in quotes", []string{`"ana" 0`}, []byte{0}, []string{"ana"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file strings.Builder
			for _, line := range c.signers {
				i := strings.LastIndexByte(line, ' ')
				_, public := keyOf(t, line[i+1]-'0')
				fmt.Fprintf(&file, "# a comment\n%s %s comment\n", line[:i], public)
			}
			s, err := ParseSigners([]byte(file.String()))
			if err != nil {
				t.Fatal(err)
			}
			var signatures []Signature
			for _, seed := range c.sign {
				key, _ := keyOf(t, seed)
				armored, err := key.Sign([]byte(message))
				if err != nil {
					t.Fatal(err)
				}
				signatures = append(signatures, Signature{"s", armored})
			}
			verdict := s.Judge([]byte(message), signatures, 2, now)
			var got []string
			for _, by := range verdict.By {
				got = append(got, by.Principal)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" || verdict.Missing != max(0, 2-len(c.want)) {
				t.Errorf("approved by (-want +got), and %d missing:\n%s", verdict.Missing, diff)
			}
			if backward := s.Judge([]byte(message), reversed(signatures), 2, now); len(backward.By) != len(verdict.By) {
				t.Errorf("in another order, %d people have approved, not %d", len(backward.By), len(verdict.By))
			}
		})
	}
}

func reversed(list []Signature) []Signature {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func TestSignaturesThatDoNotCount(t *testing.T) {
	key, public := keyOf(t, 0)
	s, err := ParseSigners([]byte("ana " + public + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	good, err := key.Sign([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, message, armored, want string }{
		{"of another plan", "another plan\n", string(good), "something else"},
		{"of the plan without its line break", strings.TrimSpace(message), string(good), "something else"},
		{"not a signature", message, "hello", "not an SSH signature"},
		{"cut", message, string(good[:len(good)/2]), "not an SSH signature"},
		{"nothing", message, "", "not an SSH signature"},
	} {
		if _, err := s.Verify([]byte(c.message), []byte(c.armored), now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := s.Verify([]byte(message), append(good, "\n\n"...), now); err != nil {
		t.Errorf("blank lines after the signature: %v", err)
	}
}

func TestBadSigners(t *testing.T) {
	_, public := keyOf(t, 0)
	for _, c := range []struct{ file, want string }{
		{"", "it has no key"},
		{"# only a comment\n", "it has no key"},
		{"\nana@x\n", "line 2: it has no valid key"},
		{"ana ssh-ed25519 AAAA\n", "line 1: it has no valid key"},
		{"ana,,ben " + public, "a principal is empty"},
		{"ana,!ben " + public, "is negated"},
		{"ana cert-authority " + public, "cert-authority is not supported"},
		{"ana cert-authority,namespaces=\"x\" " + public, "cert-authority is not supported"},
		{"ana valid-after=\"2026\" " + public, `valid-after: "2026" is not a time`},
		{"ana valid-before=\"20261340\" " + public, "valid-before: "},
		{"ana no-pty " + public, `the option "no-pty" is unknown`},
		{"ana namespaces=\"\" " + public, "namespaces has no value"},
	} {
		if _, err := ParseSigners([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.file, err, c.want)
		}
	}
}

func FuzzParseSigners(f *testing.F) {
	f.Add("ana,ben namespaces=\"a,b\",valid-after=\"20260101\" ssh-ed25519 AAAA comment\n# x\n")
	f.Fuzz(func(t *testing.T, file string) {
		s, err := ParseSigners([]byte(file))
		if err == nil && s.People() == 0 {
			t.Error("a file without people is valid")
		}
	})
}
