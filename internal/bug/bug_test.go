package bug

import (
	"errors"
	"strings"
	"testing"
)

func TestPanicBecomesAnError(t *testing.T) {
	err := Contain(func() error { panic("out of cheese") })
	var found *Error
	if !errors.As(err, &found) || !strings.Contains(err.Error(), "out of cheese") || !strings.Contains(found.Stack, "TestPanicBecomesAnError") {
		t.Errorf("a panic becomes %v", err)
	}
	if err := Contain(func() error { return nil }); err != nil {
		t.Errorf("no panic becomes %v", err)
	}
}
