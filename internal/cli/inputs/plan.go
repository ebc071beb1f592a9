package inputs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/admission"
	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
)

// ReadPlan reads a saved plan.
func (o *Opener) ReadPlan(ctx context.Context, path string) (*actions.Plan, error) {
	file, err := o.OpenFile(ctx, "the plan", path, MaxPlan)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer file.Close()
	plan, err := actions.Decode(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plan, nil
}

// ReadSigned reads a saved plan that has to be, byte for byte, what plan -o wrote: that is
// what signatures are of, and what the ledger keeps.
func (o *Opener) ReadSigned(ctx context.Context, path string) (*actions.Plan, error) {
	raw, err := o.ReadFile(ctx, "the plan", path, MaxPlan)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	plan, err := actions.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	signed, err := admission.SignedBytes(plan)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(raw, signed) {
		return nil, fmt.Errorf("%s is not the file that plan -o wrote, and approvals are of that file alone: make a new plan with plan -o, or take it from the ledger", path)
	}
	return plan, nil
}

// SignatureFile is where approve puts a signature.
func SignatureFile(plan, principal string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\*?`, r) || r <= ' ' {
			return '_'
		}
		return r
	}, principal)
	return plan + "." + name + ".sig"
}

// SignaturesBeside reads PLAN.json.sig and PLAN.json.NAME.sig.
func (o *Opener) SignaturesBeside(ctx context.Context, plan string) ([]approvals.Signature, error) {
	if plan == "" || terminal.IsStream(plan) {
		return nil, nil
	}
	entries, err := os.ReadDir(filepath.Dir(plan))
	if err != nil {
		return nil, fmt.Errorf("looking for signatures beside the plan: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(plan)+".") && strings.HasSuffix(e.Name(), ".sig") {
			paths = append(paths, filepath.Join(filepath.Dir(plan), e.Name()))
		}
	}
	return o.ReadSignatures(ctx, paths)
}

// ReadSignatures reads the files of signatures.
func (o *Opener) ReadSignatures(ctx context.Context, paths []string) ([]approvals.Signature, error) {
	var all []approvals.Signature
	for _, path := range paths {
		data, err := o.ReadFile(ctx, "--signature", path, maxSignature)
		if err != nil {
			return nil, fmt.Errorf("reading a signature: %w", err)
		}
		all = append(all, approvals.Signature{From: path, Armored: data})
	}
	return all, nil
}
