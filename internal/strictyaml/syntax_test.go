package strictyaml

import "testing"

// Columns count characters, also after a quoted text.
func TestColumnsAreThoseOfCharacters(t *testing.T) {
	if got := scanSource([]byte(`a: "éé\é", b: [`)).bracket; got != (place{1, 15}) {
		t.Errorf("the bracket is at %v", got)
	}
}
