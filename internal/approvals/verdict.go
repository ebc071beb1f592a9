package approvals

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Namespace is what approvals sign for: ssh-keygen -Y sign -n registry-janitor.
const Namespace = "registry-janitor"

// Signature is one signature, armored as ssh-keygen writes it, and where it comes from.
type Signature struct {
	From    string
	Armored []byte
}

// Judge decides who has approved a message at a time, and how many are missing. A person
// counts once: keys that have a principal in common are keys of one person, and so is one
// key with several principals.
func (s *Signers) Judge(message []byte, signatures []Signature, required int, now time.Time) runs.Approvals {
	verdict := runs.Approvals{Required: required, By: []runs.Approval{}}
	var valid []signed
	for _, sig := range signatures {
		one, err := s.verify(message, sig.Armored, now)
		if err != nil {
			verdict.Refused = append(verdict.Refused, sig.From+": "+err.Error())
			continue
		}
		if !slices.ContainsFunc(valid, func(x signed) bool { return x.key == one.key }) {
			valid = append(valid, one)
		}
	}
	for _, group := range people(valid) {
		first := slices.MinFunc(group, func(a, b signed) int {
			return cmp.Or(cmp.Compare(a.principals[0], b.principals[0]), cmp.Compare(a.key, b.key))
		})
		verdict.By = append(verdict.By, runs.Approval{Principal: first.principals[0], Key: first.key})
	}
	slices.SortFunc(verdict.By, func(a, b runs.Approval) int { return cmp.Compare(a.Principal, b.Principal) })
	verdict.Missing = max(0, required-len(verdict.By))
	return verdict
}

// Verify returns who has signed a message, or why the signature does not count.
func (s *Signers) Verify(message, armored []byte, now time.Time) (runs.Approval, error) {
	one, err := s.verify(message, armored, now)
	if err != nil {
		return runs.Approval{}, err
	}
	return runs.Approval{Principal: one.principals[0], Key: one.key}, nil
}

// signed is a valid signature.
type signed struct {
	key        string // its fingerprint
	principals []string
}

func (s *Signers) verify(message, armored []byte, now time.Time) (signed, error) {
	sig, err := sshsig.Unarmor(bytes.TrimSpace(armored))
	if err != nil {
		return signed{}, fmt.Errorf("it is not an SSH signature: %w", err)
	}
	if sig.Namespace != Namespace {
		return signed{}, fmt.Errorf("it is for the namespace %q: sign with -n %s", sig.Namespace, Namespace)
	}
	principals, err := s.principalsOf(sig.PublicKey, now)
	if err != nil {
		return signed{}, err
	}
	if err := sshsig.Verify(bytes.NewReader(message), sig, sig.PublicKey, sig.HashAlgorithm, Namespace); err != nil {
		return signed{}, errors.New("it is a signature of something else: sign the plan exactly as plan -o wrote it")
	}
	return signed{ssh.FingerprintSHA256(sig.PublicKey), principals}, nil
}

// people groups signatures by who made them: those of one key, and those whose principals
// may be the same.
func people(all []signed) [][]signed {
	var groups [][]signed
	for _, one := range all {
		merged := []signed{one}
		groups = slices.DeleteFunc(groups, func(group []signed) bool {
			same := slices.ContainsFunc(group, func(x signed) bool { return x.key == one.key || overlap(x.principals, one.principals) })
			if same {
				merged = append(slices.Clone(group), merged...)
			}
			return same
		})
		groups = append(groups, merged)
	}
	return groups
}

// overlap reports whether two lists of principals may name the same person.
func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return matches(x, y) || matches(y, x) })
	})
}
