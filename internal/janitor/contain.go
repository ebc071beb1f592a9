package janitor

import (
	"fmt"
	"runtime/debug"
)

// Contain turns a panic of f into a *PanicError, so that a bug ends one run and
// not the daemon, and locks are released.
func Contain(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: string(debug.Stack())}
		}
	}()
	return f()
}

// PanicError is a bug that ended a run.
type PanicError struct {
	Value any
	Stack string
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("a bug in the program ended the run (panic: %v); nothing was lost, please report it", e.Value)
}
