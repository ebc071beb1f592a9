package config

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/internal/approvals"
	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// maxSigners bounds the file of allowed signers, in bytes.
const maxSigners = files.MiB

// Signers reads who may approve a plan; nil if no approval is needed.
func (c *Config) Signers() (*approvals.Signers, error) {
	if c.Approvals == nil {
		return nil, nil
	}
	path := c.Resolve(c.Approvals.AllowedSigners)
	data, err := files.Read(path, maxSigners)
	if err != nil {
		return nil, fmt.Errorf("approvals.allowed_signers: %w", err)
	}
	signers, err := approvals.ParseSigners(data)
	if err != nil {
		return nil, fmt.Errorf("approvals.allowed_signers: %s: %w", path, err)
	}
	return signers, nil
}

// checkApprovals reports a schedule that could never apply.
func (d checker) checkApprovals(c *Config) {
	if c.Approvals == nil || c.Ledger.named() || !d.Clean("ledger") {
		return
	}
	for i := range c.Schedules {
		if path := fmt.Sprintf("schedules[%d].do", i); c.Schedules[i].Do == "apply" && d.Clean(path) {
			d.Report(path, "needs ledger.dsn, where approved plans are", "set ledger.dsn or ledger.dsn_env, or remove approvals")
		}
	}
}

// signers reports a file of signers that cannot be used.
func (f finder) signers() {
	const key = "approvals.allowed_signers"
	if f.Approvals == nil || !f.wants(key) {
		return
	}
	path := f.Resolve(f.Approvals.AllowedSigners)
	data, err := files.Read(path, maxSigners)
	if err != nil {
		f.document.Report(key, "cannot be read: "+err.Error(), "write a line for each approver into it: ana@example.com ssh-ed25519 AAAA…; "+relativeHint)
		return
	}
	signers, err := approvals.ParseSigners(data)
	if err != nil {
		f.document.Report(key, path+": "+err.Error(), "see ALLOWED SIGNERS in man ssh-keygen")
		return
	}
	if people := signers.People(); people < f.Approvals.Required && f.document.Clean("approvals.required") {
		f.document.Report("approvals.required", fmt.Sprintf("can never be met: %s names %s", path, text.Thousands(people)+" "+text.Choose(people, "person", "different people")), "require fewer, or add the keys of more people")
	}
}
