package actions

import (
	"time"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Count is text.Count.
func Count(n int, noun string) string { return text.Count(n, noun) }

// Thousands is text.Thousands.
func Thousands(n int) string { return text.Thousands(n) }

// Age is text.Age.
func Age(d time.Duration) string { return text.Age(d) }
