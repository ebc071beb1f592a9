package report

import (
	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// Freed words how much storage deletions free, and what a month of it costs; "" if nothing is
// known.
func Freed(f actions.Frees, p runs.Price) string { return outline.Freed(f, p) }
