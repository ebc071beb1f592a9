package actions

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Packed names have the JSON of the list that they were packed from, whatever is in them.
func TestNamesAreWrittenAsAList(t *testing.T) {
	for _, list := range [][]string{
		{},
		{""},
		{"latest"},
		{"", "a", strings.Repeat("long", 100), "é\u2028<&>\"\\\n\x00\xff"},
	} {
		names := NamesOf(list...)
		if got := slices.AppendSeq([]string{}, names.All()); !slices.Equal(got, list) {
			t.Errorf("got %q, want %q", got, list)
		}
		if names.IsEmpty() != (len(list) == 0) || !names.Equal(NamesOf(list...)) || names.Equal(NamesOf("another")) {
			t.Errorf("%q: IsEmpty or Equal is wrong", list)
		}
		for _, escape := range []bool{false, true} {
			encode := func(v any) string {
				var b bytes.Buffer
				e := json.NewEncoder(&b)
				e.SetEscapeHTML(escape)
				must(t, e.Encode(v))
				return b.String()
			}
			text := encode(list)
			if diff := cmp.Diff(text, encode(names)); diff != "" {
				t.Error(diff)
			}
			var back []string
			var packed Names
			must(t, json.Unmarshal([]byte(text), &back))
			must(t, json.Unmarshal([]byte(text), &packed))
			if !packed.Equal(NamesOf(back...)) {
				t.Errorf("%s is read as %q", text, packed)
			}
		}
	}
	if err := json.Unmarshal([]byte(`[1]`), new(Names)); err == nil {
		t.Error("a number is read as a name")
	}
}

func TestNamesStopWhenAsked(t *testing.T) {
	for name := range NamesOf("a", "b").All() {
		if name != "a" {
			t.Errorf("got %s after the end", name)
		}
		break
	}
}
