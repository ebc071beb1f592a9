// Package examples holds the example configurations and policies, as files to
// copy and, for the demo, as a file system. It has no code of its own.
package examples

import "embed"

// Files are the configuration of the demo, whole configurations, and the
// policies with their tests.
//
//go:embed configs demo policies
var Files embed.FS
