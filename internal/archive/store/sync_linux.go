package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncSystem has the system write everything of a file system at once, so that syncing
// each file afterwards is cheap. Only that can be trusted: not every file system does what
// it is asked here, or tells of an error.
func syncSystem(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = unix.Syncfs(int(dir.Fd()))
		_ = dir.Close()
	}
}
