package modules

import (
	"strings"
	"testing"
)

// A short name is near to many words, so only clear mistakes count.
func TestMeantDecision(t *testing.T) {
	for word, want := range map[string]string{
		"deletes": "delete", "dleete": "delete", "Keep": "keep", "kepe": "keep", "keeps": "keep", "visbility": "visibility",
		"deny_": "deny", "wran": "warn", "old": "", "kind": "", "named": "", "dirty": "", "drop": "", "any": "", "when": "",
	} {
		if got := meantDecision(strings.ToLower(word)); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
