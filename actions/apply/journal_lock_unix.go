//go:build unix

package apply

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock of a file without waiting for it. The system gives it
// back when the file is closed or the process dies, however it does.
func lockFile(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrJournalLocked
	}
	return err
}
