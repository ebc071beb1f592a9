package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

const header = "package janitor.image.own\n\n"

func TestWhatDoesNotCompile(t *testing.T) {
	for name, row := range map[string]struct{ module, want string }{
		"a typo in a field": {
			header + "delete contains tag.nmae if some tag in input.tags",
			`p0.rego:3:17: package janitor.image.own, rule delete: type error: undefined ref: tag.nmae`,
		},
		"a typo names the fields there are": {
			header + "delete contains tag.nmae if some tag in input.tags",
			`"age_days" "age_seconds" "attachment_of"`,
		},
		"a typo that a type cannot show": {
			header + "keep contains {\"tag\": tag.nmae} if {\n\tmain := [t | some t in input.tags; startswith(t.name, \"main-\")]\n\tsome tag in array.slice(main, 0, 10)\n}",
			`p0.rego:3:27: package janitor.image.own, rule keep: unknown name "nmae": no schema, data file, rule or object has it (did you mean name?)`,
		},
		"a typo in an argument":       {header + "old(t) if t.age_dayz > 3\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\told(tag)\n}", `unknown name "age_dayz"`},
		"a typo in the configuration": {header + "keep contains tag.name if {\n\tsome tag in input.tags\n\ttag.rank < data.config.limits.keep_at_lest\n}", `unknown name "keep_at_lest"`},
		"a number compared with a string": {
			header + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.age_days < \"30d\"\n}",
			`p0.rego:5:2: package janitor.image.own, rule delete: type error: lt: invalid argument(s)`,
		},
		"a time compared as a string": {
			header + "delete contains tag.name if {\n\tsome tag in input.tags\n\ttag.created_at < \"2026\"\n}",
			`lt: invalid argument(s)`,
		},
		"a request to the network": {
			header + "delete contains \"x\" if http.send({}).status_code == 200",
			`p0.rego:3:24: package janitor.image.own, rule delete: type error: undefined function http.send`,
		},
		"a look-up in the DNS":      {header + "warn contains \"x\" if net.lookup_ip_addr(\"x\")", `undefined function net.lookup_ip_addr`},
		"the runtime":               {header + "warn contains \"x\" if opa.runtime().env", `undefined function opa.runtime`},
		"a random number":           {header + "warn contains \"x\" if rand.intn(\"x\", 3) == 1", `undefined function rand.intn`},
		"a random identifier":       {header + "warn contains uuid.rfc4122(\"x\")", `undefined function uuid.rfc4122`},
		"the facts of the built-in": {header + "warn contains \"x\" if input.facts", `undefined ref: input.facts`},
		"an unused local":           {header + "warn contains \"x\" if y := 1", `assigned var y unused`},
		"a package that is never evaluated": {
			"package janitor.images.own\n\nwarn contains \"x\"",
			`p0.rego:1:1: package janitor.images.own: package janitor.images.own is never evaluated`,
		},
		"a package without a name": {"package janitor.image\n\nwarn contains \"x\"", `name it janitor.image.<name>`},
		"delete as a complete rule": {
			header + "delete := {\"a\"}",
			`p0.rego:3:1: package janitor.image.own, rule delete: write delete contains … if …`,
		},
		"delete as an object": {header + "delete[name] contains \"why\" if name := \"x\"", `write delete contains … if …`},
		"deny as a boolean":   {header + "deny if true", `write deny contains … if …`},
		"keep as a function":  {header + "keep(x) := x", `keep is a decision, not a function`},
		"visibility as a set": {header + "visibility contains \"private\"", `write visibility := "private" if …`},
		"a reserved name":     {header + "__janitor_delete contains 1", `names that begin with __janitor_ are reserved`},
		"an image field of a namespace policy": {
			"package janitor.namespace.own\n\nwarn contains \"x\" if input.image.name == \"x\"",
			`undefined ref: input.image`,
		},
		"Rego of before version 1": {header + "delete[x] { x := 1 }", `if`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryEngine(t, builds, row.module)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

// Facts follow older_than, policies may follow older_than_seconds: a document in
// which they differ is refused.
func TestDurationsMustAgree(t *testing.T) {
	for name, row := range map[string]struct{ config, want string }{
		"another length": {`retention: [{name: a, match: {tags: ["*"]}, delete: {older_than: 14d, older_than_seconds: 60}}]`, `older_than_seconds is 60, which is not the length of older_than: "14d"`},
		"a length alone": {`retention: [{name: a, match: {tags: ["*"]}, delete: {older_than_seconds: 60}}]`, `not the length of older_than: ""`},
		"not a duration": {`retention: [{name: a, match: {tags: ["*"]}, delete: {older_than: soon}}]`, `soon`},
		"the same":       {`retention: [{name: a, match: {tags: ["*"]}, delete: {older_than: 1m, older_than_seconds: 60}}]`, ""},
	} {
		_, err := tryEngine(t, row.config)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := tryEngine(t, builds,
		header+"delete contains tag.nmae if some tag in input.tags",
		"package janitor.image.other\n\ndeny if true\n\nkeep := 1",
	)
	if err == nil || !strings.Contains(err.Error(), "p0.rego:3") || !strings.Contains(err.Error(), "p1.rego:3") {
		t.Errorf("got %v", err)
	}
}

func TestHelpersAndDataOfOnesOwn(t *testing.T) {
	e := newEngine(t, builds,
		"package acme.lib\n\nold(tag) if tag.age_days > 3",
		"package acme.unused\n\nx := input.image.name",
		"package janitor.image.own\n\nimport data.acme.lib\n\ndelete contains tag.name if {\n\tsome tag in input.tags\n\tlib.old(tag)\n}",
		"package janitor.namespace.own\n\nwarn contains \"seen\" if input.namespace.image_count > 0",
	)
	v := judge(t, e, anImage(aTag("x", 4*days), aTag("y", 1*days)))
	if len(v.Tags[0].Delete) != 0 || len(v.Tags[1].Delete) != 1 || v.Err != nil {
		t.Errorf("got %v", words(v))
	}
}

func TestWrongShapesFailTheImage(t *testing.T) {
	for name, row := range map[string]struct{ rule, want string }{
		"a tag that is not there":           {`delete contains "nope"`, `rule delete gave "nope": image rg.fr-par.scw.cloud/prod/api has no tag "nope"`},
		"a number":                          {`delete contains 3`, `rule delete gave 3: want a string or an object`},
		"a list":                            {`keep contains ["pr-1"]`, `want a string or an object`},
		"an empty string":                   {`delete contains ""`, `want more than an empty string`},
		"an unknown field":                  {`delete contains {"tag": "pr-1", "msg": "x"}`, `field "msg" is unknown`},
		"a reason that is not a string":     {`delete contains {"tag": "pr-1", "reason": 1}`, `field "reason" must be a string that is not empty`},
		"no subject":                        {`delete contains {"reason": "x"}`, `want exactly one of "tag", "image" and "namespace"`},
		"two subjects":                      {`delete contains {"tag": "pr-1", "image": "api"}`, `want exactly one of`},
		"another image":                     {`delete contains {"image": "web"}`, `image "web" is not the one that is judged`},
		"a namespace":                       {`delete contains {"namespace": "prod"}`, `namespace "prod" is not the one that is judged`},
		"an unknown visibility":             {`visibility := "secret"`, `"secret" is not a visibility`},
		"a visibility of a number":          {`visibility := 1`, `want a string or an object`},
		"a visibility without one":          {`visibility := {"reason": "x"}`, `a field is missing`},
		"a violation without reason":        {`deny contains {"tag": "pr-1"}`, `a field is missing`},
		"a violation of no such tag":        {`warn contains {"tag": "x", "reason": "y"}`, `has no tag "x"`},
		"two visibilities":                  {"visibility := \"private\" if input.region\n\nvisibility := \"public\" if input.image", `eval_conflict_error`},
		"a built-in that fails":             {`keep contains tag.name if { some tag in input.tags; time.parse_rfc3339_ns("2026-11-22") > 0 }`, `eval_builtin_error`},
		"a built-in that fails in a delete": {`delete contains tag.name if { some tag in input.tags; to_number("x") > 0 }`, `eval_builtin_error`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, builds, "package janitor.image.own\n\n"+row.rule, "package janitor.image.fine\n\ndelete contains \"main-1\"")
			v := judge(t, e, anImage(aTag("pr-1", 15*days), aTag("main-1", 0)))
			if v.Err == nil || !strings.Contains(v.Err.Error(), row.want) || !strings.Contains(v.Err.Error(), "policy janitor.image.own") {
				t.Errorf("got %v, want %s", v.Err, row.want)
			}
			if len(v.Tags) != 2 || len(v.Tags[0].Delete) == 0 || len(v.Tags[1].Delete) == 0 {
				t.Errorf("what the others mark is lost: %v", words(v))
			}
		})
	}
}

func TestVisibility(t *testing.T) {
	for name, row := range map[string]struct {
		rules string
		want  registry.Visibility
	}{
		"a plain value":               {`visibility := "private"`, "private"},
		"an object":                   {`visibility := {"visibility": "public", "reason": "because"}`, "public"},
		"a default":                   {`default visibility := "private"`, "private"},
		"a default that gives way":    {"default visibility := \"private\"\n\nvisibility := \"public\" if input.image", "public"},
		"an else":                     {"visibility := \"public\" if input.image.name == \"x\"\n\nelse := \"private\"", "private"},
		"two rules of the same value": {"visibility := \"private\" if input.region\n\nvisibility := \"private\" if input.image", "private"},
		"none":                        {`visibility := "private" if input.image.name == "x"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, newEngine(t, "", header+row.rules), anImage(aTag("x", 0)))
			var got registry.Visibility
			if v.Visibility != nil {
				got = v.Visibility.To
			}
			if got != row.want || v.Err != nil {
				t.Errorf("got %v, want %q", words(v), row.want)
			}
		})
	}
}

func TestTheMostPrivateWins(t *testing.T) {
	e := newEngine(t, "", "package janitor.image.a\n\nvisibility := \"public\"", "package janitor.image.b\n\nvisibility := \"inherit\"")
	v := judge(t, e, anImage(aTag("x", 0)))
	if v.Visibility == nil || v.Visibility.To != registry.Inherit || len(v.Violations) != 1 {
		t.Fatalf("got %v", words(v))
	}
	want := "policies differ: b/visibility asks for inherit, the most private, and wins; a/visibility asks for public"
	if got := v.Violations[0].Reason.Text; got != want {
		t.Errorf("got %s", got)
	}
}

func TestAPolicyThatIsNotEnforcedHasNoEffect(t *testing.T) {
	const trial = "# METADATA\n# custom: {enforce: false}\npackage janitor.image.a\n\n"
	for name, row := range map[string]struct {
		modules    []string
		to         registry.Visibility
		reportOnly bool
		violation  string
	}{
		"alone it is shown":      {[]string{trial + `visibility := "private"`}, "private", true, ""},
		"an enforced one wins":   {[]string{trial + `visibility := "private"`, "package janitor.image.b\n\nvisibility := \"public\""}, "public", false, "policies differ: b/visibility asks for public, and wins; a/visibility, which is not enforced, asks for private"},
		"and may be of one mind": {[]string{trial + `visibility := "private"`, "package janitor.image.b\n\nvisibility := \"private\""}, "private", false, ""},
		"a deny only warns":      {[]string{trial + `deny contains "no"`, "package janitor.image.b\n\nvisibility := \"private\""}, "private", false, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, newEngine(t, "", row.modules...), anImage(aTag("x", 0)))
			enforced := func(r registry.Reason) bool { return !r.ReportOnly }
			if v.Err != nil || v.Visibility.To != row.to || slices.ContainsFunc(v.Visibility.Reasons, enforced) == row.reportOnly {
				t.Errorf("got %v", words(v))
			}
			got := ""
			for _, violation := range v.Violations {
				got = violation.Text
				if violation.Severity != registry.Warn {
					t.Errorf("a violation is %s", violation.Severity)
				}
			}
			if got != row.violation {
				t.Errorf("violation %q, want %q", got, row.violation)
			}
		})
	}
}

func TestRunawayPolicyIsStopped(t *testing.T) {
	e := newEngine(t, builds, header+`warn contains "x" if {
	xs := numbers.range(1, 1000)
	some a in xs
	some b in xs
	some c in xs
	a + b + c == 0
}`)
	var v registry.Verdict
	inTime(e, 30*time.Millisecond, func() bool {
		v = judge(t, e, anImage(aTag("pr-1", 15*days)))
		return len(v.Tags) > 0 && len(v.Tags[0].Delete) > 0 &&
			(v.Err == nil || strings.Contains(v.Err.Error(), "own: stopped"))
	})
	if stopped := fmt.Sprintf("policy janitor.image.own: stopped after %s", e.limits.timeout); v.Err == nil || !strings.Contains(v.Err.Error(), stopped) {
		t.Errorf("got %v, want %s", v.Err, stopped)
	}
	if len(v.Tags) == 0 || len(v.Tags[0].Delete) == 0 {
		t.Errorf("what the others mark is lost: %v", words(v))
	}
}

// inTime judges with a time limit, and with longer ones as long as the limit stops a
// policy that has done nothing wrong: on a busy machine, any of them can be late.
func inTime(e *Engine, limit time.Duration, judged func() bool) {
	for e.limits.timeout = limit; !judged() && e.limits.timeout < 64*limit; {
		e.limits.timeout *= 4
	}
}

func TestGreedyPolicyIsStopped(t *testing.T) {
	e := newEngine(t, builds, header+`warn contains "x" if {
	xs := [s | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); s := sprintf("%d-%d", [a, b])]
	count(xs) == 0
}`)
	e.limits.maxHeap = 16 << 20
	e.limits.timeout = 300_000_000_000 // 5 min: a busy machine must not stop it for the other reason
	v := judge(t, e, anImage(aTag("pr-1", 15*days)))
	if v.Err == nil || !strings.Contains(v.Err.Error(), "policy janitor.image.own: stopped: it takes more than 16 MiB of memory") {
		t.Errorf("got %v", v.Err)
	}
}
