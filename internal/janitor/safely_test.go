package janitor

import (
	"errors"
	"strings"
	"testing"
)

func TestPanicBecomesAnError(t *testing.T) {
	err := safely(func() error { panic("out of cheese") })
	var bug *panicError
	if !errors.As(err, &bug) || !strings.Contains(err.Error(), "out of cheese") || !strings.Contains(bug.stack, "TestPanicBecomesAnError") {
		t.Errorf("it becomes %v", err)
	}
	if err := safely(func() error { return nil }); err != nil {
		t.Errorf("no panic becomes %v", err)
	}
}
