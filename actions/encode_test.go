package actions

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// story is a plan with one of everything, as the package plan makes it.
func story(t testing.TB) *Plan {
	t.Helper()
	return decoded(t, "story.json")
}

func decoded(t testing.TB, name string) *Plan {
	t.Helper()
	file, err := os.Open(filepath.Join("plan", "testdata", name))
	must(t, err)
	defer file.Close()
	p, err := Decode(file)
	must(t, err)
	return p
}

func encoded(t testing.TB, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	must(t, p.Encode(&b))
	return b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheIDIsTheDigestOfTheCompactPlanWithAnEmptyID(t *testing.T) {
	p := story(t)
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(strings.Replace(encoded(t, p), p.ID, "", 1))); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256(compact.Bytes())); p.ID != want {
		t.Errorf("id is %s, want %s", p.ID, want)
	}
}

// The streaming encoder and the field tags describe the same JSON.
func TestEncodeAgreesWithTheFieldTags(t *testing.T) {
	p := story(t)
	var tagged, streamed bytes.Buffer
	enc := json.NewEncoder(&tagged)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		t.Fatal(err)
	}
	if err := json.Compact(&streamed, []byte(encoded(t, p))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(tagged.String()), strings.TrimSpace(streamed.String())); diff != "" {
		t.Errorf("(-tags +encoder):\n%s", diff)
	}
}

func TestAReformattedPlanIsTheSamePlan(t *testing.T) {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(encoded(t, story(t))), "", "\t"); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(&pretty); err != nil {
		t.Error(err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		is             error
		want           string
	}{
		{"an edited reference", "prod/api:pr-12", "prod/api:pr-99", ErrEdited, "the plan was changed after it was made"},
		{"an edited time", "2026-10-01T12:00:00.123456Z", "2026-10-01T12:00:00.123457Z", ErrEdited, ""},
		{"a lifted refusal", `"refused":[`, `"gaps":[`, nil, `gaps[0]: json: unknown field "limit"`},
		{"a forecast made real", `"forecast":true,`, ``, ErrEdited, ""},
		{"another version", `"version":1`, `"version":2`, nil, "version is 2: this program reads version 1"},
		{"an unknown field", `"summary":`, `"sumary":`, nil, `field "sumary" is unknown`},
		{"a field in other letters", `"held":[`, `"Held":[`, nil, `field "Held" is unknown`},
		{"an unknown field of a step", `"tag":`, `"tagg":`, nil, `steps[1]: json: unknown field "tagg"`},
		{"a repeated field", `"gaps":[`, `"steps":[`, nil, `field "steps" is a duplicate`},
		{"a list that is none", `"gaps":[`, `"gaps":null,"x":[`, nil, `gaps: found <nil> instead of "["`},
		{"a wrong type", `"deny":1`, `"deny":"1"`, nil, "summary: json: cannot unmarshal string"},
		{"a missing field", `,"policy_digest":"sha256:b0"`, ``, nil, `field "policy_digest" is missing`},
		{"text that is not JSON", `{"version"`, `version`, nil, "the file: invalid character"},
		{"an empty file", "", "\x00", nil, "the file: invalid character"},
		{"something after the plan", "v1.4.0\"]}\n]}\n", "v1.4.0\"]}\n]}\n{}", nil, "there is something after the end of the plan"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := encoded(t, story(t))
			if !strings.Contains(text, tt.old) {
				t.Fatalf("%q is not in the plan", tt.old)
			}
			_, err := Decode(strings.NewReader(strings.Replace(text, tt.old, tt.new, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDecodeRefusesEveryTruncation(t *testing.T) {
	text := strings.TrimSpace(encoded(t, story(t)))
	for cut := range text {
		if _, err := Decode(strings.NewReader(text[:cut])); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
}

// These plans have the right id, and contradict themselves.
func TestDecodeRefusesContradictions(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(p *Plan)
		want string
	}{
		{"a step on another tag than its reference names", func(p *Plan) { p.Steps[1].Tag = "latest" }, "region, namespace, image and tag are not those of ref"},
		{"text that is not a reference", func(p *Plan) { p.Steps[0].Ref = "api:v1" }, "is not a reference of this registry"},
		{"a deletion of an image that names a tag", func(p *Plan) { p.Steps[1].Action = DeleteImage }, "does not fit the action delete_image"},
		{"an unknown action", func(p *Plan) { p.Steps[1].Action = "purge" }, `action "purge" is unknown`},
		{"a step without an id", func(p *Plan) { p.Steps[1].ID = "" }, "id is missing"},
		{"a step without a reason", func(p *Plan) { p.Steps[1].Reasons = nil }, "reasons are missing"},
		{"a change to the same", func(p *Plan) { p.Steps[0].To = p.Steps[0].From }, "does not change the visibility"},
		{"a duplicate step", func(p *Plan) { p.Steps = append(p.Steps, p.Steps[len(p.Steps)-1]) }, "out of order, or a duplicate"},
		{"steps out of order", func(p *Plan) { p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0] }, "out of order, or a duplicate"},
		{"an unknown guard", func(p *Plan) { p.Held[0].Guard = "luck" }, `guard "luck" is unknown`},
		{"an unknown severity", func(p *Plan) { p.Violations[0].Severity = "fatal" }, `severity "fatal" is unknown`},
		{"a summary that counts something else", func(p *Plan) { p.Summary.Held = 0 }, "it does not match the entries of the plan"},
		{"no time", func(p *Plan) { p.TakenAt = time.Time{} }, "taken_at is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := story(t)
			tt.edit(p)
			p.ID = ""
			_, err := Decode(strings.NewReader(encoded(t, p)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
}

func TestWriteErrorsAreReturned(t *testing.T) {
	broken := errors.New("disk full")
	if err := story(t).Encode(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Whatever Decode accepts, Encode writes back to something that it accepts as
// the same plan.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"empty.json", "story.json"} {
		f.Add([]byte(encoded(f, decoded(f, name))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := Decode(strings.NewReader(encoded(t, p)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Error(diff)
		}
	})
}
