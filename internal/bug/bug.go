// Package bug turns a panic into an error, so that a bug in the program ends one run and
// not the daemon, and locks are released. Its noun is the Error.
//
// It must never hide a panic: the error has its value and its stack.
package bug

import (
	"fmt"
	"runtime/debug"
)

// Contain turns a panic of f into an *Error.
func Contain(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Value: p, Stack: string(debug.Stack())}
		}
	}()
	return f()
}

// Error is a bug that ended a run.
type Error struct {
	Value any
	Stack string
}

func (e *Error) Error() string {
	return fmt.Sprintf("a bug in the program ended the run (panic: %v); nothing was lost, please report it", e.Value)
}
