package syntax

import (
	"testing"

	"github.com/spf13/cobra"
)

func TestEnumTakesItsWordsInAnyCase(t *testing.T) {
	var level string
	cmd := &cobra.Command{}
	Enum(cmd, cmd.Flags(), &level, "level", "info", "least level", "info", "error")
	if level != "info" {
		t.Errorf("the default is %q", level)
	}
	if err := cmd.ParseFlags([]string{"--level", "ERROR"}); err != nil || level != "error" {
		t.Errorf("ERROR gives %q, %v", level, err)
	}
	err := cmd.ParseFlags([]string{"--level", "warn"})
	if want := `invalid argument "warn" for "--level" flag: want info or error`; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
