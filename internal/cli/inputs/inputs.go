// Package inputs opens what commands read: a configuration with its policies, the
// registry or a recorded scan of it, and saved plans with their signatures. It must
// never send a request before its caller asks for a feed, or print a report.
package inputs

import (
	"time"

	"github.com/registry-janitor/registry-janitor/internal/cli/terminal"
	"github.com/registry-janitor/registry-janitor/internal/files"
)

// Commands read a bounded number of bytes, so that a wrong name does not fill the memory.
const (
	MaxPlan = 1024 * files.MiB // room for more than a million steps
	// MaxInventory only ends what has no end: an inventory is read record by record.
	MaxInventory = 16 * 1024 * files.MiB

	maxConfig    = 4 * files.MiB
	maxSignature = files.MiB
)

// Opener opens the inputs of a command.
type Opener struct {
	terminal.Terminal
	Now func() time.Time
	// RetryPause is that of the client of the API; 0 is the client's own.
	RetryPause time.Duration
	Version    string // of the program
}
