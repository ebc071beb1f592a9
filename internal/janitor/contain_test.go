package janitor

import (
	"errors"
	"strings"
	"testing"
)

func TestPanicBecomesAnError(t *testing.T) {
	err := Contain(func() error { panic("out of cheese") })
	var bug *PanicError
	if !errors.As(err, &bug) || !strings.Contains(err.Error(), "out of cheese") || !strings.Contains(bug.Stack, "TestPanicBecomesAnError") {
		t.Errorf("a panic becomes %v", err)
	}
	if err := Contain(func() error { return nil }); err != nil {
		t.Errorf("no panic becomes %v", err)
	}
}
