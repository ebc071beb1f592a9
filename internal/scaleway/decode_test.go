package scaleway

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// What the API may add to an answer, or write in another way, does not matter.
func TestListingsAreReadHoweverTheyAreWritten(t *testing.T) {
	const total = `"total_count":1`
	row := strings.NewReplacer(`,"status":`, `, "size":[{"of":null}], "status":`, `":"`, "\" :\n\t\"", "t1", `t\u0031`).Replace(tagRow(1))
	want, err := newTestReader(t, status(200, tagsPage(1, 1))).Tags(t.Context(), testRegion, testImage)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"the total first":       `{` + total + `,"tags":[` + tagRow(1) + `]}`,
		"other fields":          `{"next":{"tags":[null]},"tags":[` + tagRow(1) + `],"x":[[]],` + total + `}`,
		"blanks around":         "\r\n {\"tags\":[" + tagRow(1) + "],\n" + total + "}\n",
		"other fields in a row": `{"tags":[` + row + `],` + total + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newTestReader(t, status(200, body)).Tags(t.Context(), testRegion, testImage)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAListingThatContradictsItselfFails(t *testing.T) {
	twice := strings.Replace(tagRow(1), `"status"`, `"name":"other","status"`, 1)
	for name, tt := range map[string]struct {
		body, want string
		tries      int64
	}{
		"two totals":                     {`{"tags":[` + tagRow(1) + `],"total_count":1,"total_count":1}`, "not a complete JSON object", 5},
		"two lists":                      {`{"tags":[` + tagRow(1) + `],"tags":[],"total_count":1}`, "not a complete JSON object", 5},
		"two names in a row":             {`{"tags":[` + twice + `],"total_count":1}`, "not a complete JSON object", 5},
		"half a character":               {strings.Replace(tagsPage(1, 1), `"t1"`, "\"t\xc3\"", 1), "not a complete JSON object", 5},
		"a total in a row only":          {`{"tags":[` + strings.Replace(tagRow(1), `{`, `{"total_count":1,`, 1) + `]}`, "has no total_count", 5},
		"a list that ends after a wrong": {strings.Replace(tagsPage(1, 1), `"t1"`, `""`, 1)[:300], "not a complete JSON object", 5},
		"a total that is too large":      {`{"tags":[],"total_count":4294967296}`, "could not parse", 1},
		"a total below zero":             {`{"tags":[],"total_count":-1}`, "could not parse", 1},
		"a name that is a number":        {strings.Replace(tagsPage(1, 1), `"t1"`, `1`, 1), "could not parse", 1},
		"a row that is a list":           {`{"tags":[[]],"total_count":1}`, "could not parse", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			r := newTestReader(t, counted(&sent, status(200, tt.body)))
			synctest.Test(t, func(t *testing.T) {
				tags, err := r.Tags(t.Context(), testRegion, testImage)
				if err == nil || tags != nil || sent.Load() != tt.tries {
					t.Fatalf("%d tags after %d requests: %v", len(tags), sent.Load(), err)
				}
				mustContain(t, err.Error(), tt.want)
			})
		})
	}
}

// Answers are read into buffers that are used again, so nothing may refer to them.
func TestRowsOutliveTheirAnswer(t *testing.T) {
	var change atomic.Bool
	r := newTestReader(t, roundTrip(func(req *http.Request) (*http.Response, error) {
		body := tagsPage(250, pageOf(req))
		if change.Load() {
			body = strings.NewReplacer("t1", "xx", "sha256:0", "sha256:f").Replace(body)
		}
		return answer(req, 200, body), nil
	}))
	first, err := r.Tags(t.Context(), testRegion, testImage)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(first)
	change.Store(true)
	for range 3 {
		if _, err := r.Tags(t.Context(), testRegion, testImage); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(first) != before {
		t.Error("the tags have changed")
	}
}
