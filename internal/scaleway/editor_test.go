package scaleway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/registry"
)

const testTag = "33333333-0000-4000-8000-000000000001"

func newTestEditor(t *testing.T, base http.RoundTripper, change ...func(*Options)) *Editor {
	t.Helper()
	setenv(t, withKeys()...)
	o := Options{Base: base}
	for _, f := range change {
		f(&o)
	}
	e, err := NewEditor(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// kindsOf returns the errors of package registry that an error wraps.
func kindsOf(err error) (kinds []string) {
	for _, kind := range []error{registry.ErrNotFound, registry.ErrDenied, registry.ErrConflict, registry.ErrThrottled, registry.ErrUnknownOutcome, registry.ErrIncomplete, context.Canceled} {
		if errors.Is(err, kind) {
			kinds = append(kinds, kind.Error())
		}
	}
	return kinds
}

func TestAChangeIsSentOnceAndItsErrorTellsItsOutcome(t *testing.T) {
	const unknown, conflict, denied, throttled = "unknown outcome", "conflict", "denied", "throttled"
	for _, tt := range []struct {
		name   string
		answer roundTrip
		kind   string // "" when nothing was done for certain, "-" when it was done
		want   string
	}{
		{"200", status(200, tagRow(1)), "-", ""},
		{"200 with another object", status(200, `{}`), "-", ""},
		{"404", status(404, `{"message":"Tag was not found"}`), "not found", "404 Not Found: Tag was not found"},
		{"401", status(401, `{"type":"denied_authentication","message":"authentication is denied"}`), denied, "authentication is denied"},
		{"401 page", status(401, "<html>", "Content-Type", "text/html"), denied, "401 Unauthorized"},
		{"403 of rights", status(403, `{"type":"permissions_denied","message":"insufficient permissions"}`), denied, "insufficient permissions"},
		{"403 of a quota", status(403, `{"type":"quotas_exceeded","message":"quota exceeded"}`), conflict, "quota exceeded"},
		{"403 page", status(403, "<html>", "Content-Type", "text/html"), conflict, "403 Forbidden"},
		{"409", status(409, `{"type":"transient_state","message":"resource is in a transient state"}`), conflict, "409 Conflict: resource is in a transient state"},
		{"412", status(412, `{"type":"precondition_failed","message":"precondition failed"}`), conflict, "412 Precondition Failed: precondition failed"},
		{"423", status(423, `{"type":"locked","message":"resource is locked"}`), conflict, "423 Locked: resource is locked"},
		{"400", status(400, `{"type":"invalid_arguments","message":"invalid argument(s)"}`), "", "400 Bad Request"},
		{"410", status(410, `{"type":"expired_resource"}`), "", "410 Gone: expired_resource"},
		{"408", status(408, ``), unknown, "408 Request Timeout"},
		{"429", refuse429, throttled, "429 Too Many Requests"},
		{"500", status(500, `{"message":"internal error"}`), unknown, "500 Internal Server Error: internal error"},
		{"504 text", status(504, "upstream request timeout", "Content-Type", "text/plain"), unknown, "504 Gateway Timeout: upstream request timeout"},
		{"204", status(204, ""), unknown, "204 No Content"},
		{"302", status(302, "", "Location", "https://elsewhere.example/"), unknown, "redirects are not followed"},
		{"308", status(308, "", "Location", "https://elsewhere.example/"), unknown, "redirects are not followed"},
		{"an empty 200", status(200, ""), unknown, "its body is empty"},
		{"an HTML 200", status(200, "<html>", "Content-Type", "text/html"), unknown, "it is not JSON"},
		{"half a 200", status(200, tagRow(1)[:50]), unknown, "not a complete JSON object"},
		{"a 200 of another shape", status(200, `{"id":7}`), unknown, "could not parse"},
		{"a hang", hang, unknown, "no complete answer within 30s"},
		{"a hang in the body", hangInBody, unknown, "no complete answer within 30s"},
		{"a reset", reset, unknown, "connection reset by peer"},
	} {
		for method, change := range map[string]func(*Editor, context.Context) error{
			"DELETE tags":       func(e *Editor, ctx context.Context) error { return deleteTag(e, ctx, testRegion, testTag) },
			"DELETE images":     func(e *Editor, ctx context.Context) error { return e.DeleteImage(ctx, testRegion, testTag, soon()) },
			"DELETE namespaces": func(e *Editor, ctx context.Context) error { return e.DeleteNamespace(ctx, testRegion, testTag, soon()) },
			"PATCH images": func(e *Editor, ctx context.Context) error {
				return e.SetImageVisibility(ctx, testRegion, testTag, registry.Private, soon())
			},
			"PATCH namespaces": func(e *Editor, ctx context.Context) error {
				return e.SetNamespaceVisibility(ctx, testRegion, testTag, registry.Private, soon())
			},
		} {
			t.Run(tt.name+" to "+method, func(t *testing.T) {
				var sent []string
				e := newTestEditor(t, roundTrip(func(r *http.Request) (*http.Response, error) {
					sent = append(sent, r.Method+" "+r.URL.RequestURI())
					return tt.answer(r)
				}))
				synctest.Test(t, func(t *testing.T) {
					err := change(e, t.Context())
					verb, kind, _ := strings.Cut(method, " ")
					if want := []string{verb + " /registry/v1/regions/fr-par/" + kind + "/" + testTag}; !slices.Equal(sent, want) {
						t.Errorf("sent %q, want %q", sent, want)
					}
					if tt.kind == "-" {
						if err != nil {
							t.Error(err)
						}
						return
					}
					if err == nil {
						t.Fatal("no error")
					}
					mustContain(t, err.Error(), tt.want, testTag+" in fr-par: ")
					if got := strings.Join(kindsOf(err), ", "); got != tt.kind {
						t.Errorf("%v is %q, want %q", err, got, tt.kind)
					}
				})
			})
		}
	}
}

func TestAnInterruptedChangeHasAnUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEditor(t, roundTrip(hang), func(o *Options) { o.Concurrency = 1 })
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		go func() { results <- deleteTag(e, ctx, testRegion, testTag) }()
		synctest.Wait()
		go func() { results <- deleteTag(e, ctx, testRegion, testTag) }() // waits for its turn
		synctest.Wait()
		cancel()
		got := []string{strings.Join(kindsOf(<-results), ", "), strings.Join(kindsOf(<-results), ", ")}
		slices.Sort(got)
		if want := []string{"context canceled", "unknown outcome, context canceled"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAChangeThatWasNotSentHasNoUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		e := newTestEditor(t, counted(&sent, status(429, "", "Retry-After", "3600")))
		first := deleteTag(e, t.Context(), testRegion, testTag)
		second := deleteTag(e, t.Context(), testRegion, testTag)
		if got := fmt.Sprint(kindsOf(first), kindsOf(second), sent.Load()); got != "[throttled] [] 1" {
			t.Errorf("got %s: %v, %v", got, first, second)
		}
		mustContain(t, second.Error(), "the host asks to wait another 1h0m0s")
	})
}

func TestReadsOfAnEditorAreRepeatedAndChecked(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer roundTrip
		kind   string
		want   string
		tries  int64
	}{
		{"a tag", status(200, tagRow(1)), "-", "", 1},
		{"a 500 forever", status(500, ""), "", "500 Internal Server Error (after 5 tries)", 5},
		{"a 404", status(404, `{"message":"Tag was not found"}`), "not found", "404 Not Found: Tag was not found", 1},
		{"a 403 of rights", status(403, `{"type":"permissions_denied"}`), "denied", "permissions_denied", 1},
		{"another 403", status(403, "", "Content-Type", "text/plain"), "conflict", "403 Forbidden", 1},
		{"another tag", status(200, tagRow(2)), "", "belongs to", 1},
		{"a tag without an id", status(200, `{"name":"x"}`), "", "is not a UUID", 1},
		{"an image", status(200, imageRow(1)), "", "ready, but has no digest", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent atomic.Int64
				e := newTestEditor(t, counted(&sent, tt.answer))
				tag, _, err := e.GetTag(t.Context(), testRegion, "", testTag)
				if tt.kind == "-" {
					if err != nil || tag.Name != "t1" || tag.ID != testTag {
						t.Errorf("%+v, %v", tag, err)
					}
					return
				}
				if got := strings.Join(kindsOf(err), ", "); err == nil || got != tt.kind || sent.Load() != tt.tries {
					t.Fatalf("%v is %q, sent %d times", err, got, sent.Load())
				}
				mustContain(t, err.Error(), tt.want, "read tag "+testTag+" in fr-par: ")
			})
		})
	}
}

func TestAnEditorSendsNothingWithoutAValidID(t *testing.T) {
	var sent atomic.Int64
	e := newTestEditor(t, counted(&sent, status(200, `{}`)))
	ctx := t.Context()
	for _, id := range []string{"", "x", testTag + "/..", "../images/" + testTag, testTag + "?force=true"} {
		_, _, tag := e.GetTag(ctx, testRegion, "", id)
		_, _, image := e.GetImage(ctx, testRegion, id)
		_, _, namespace := e.GetNamespace(ctx, testRegion, id)
		_, _, tags := e.ListTags(ctx, testRegion, id)
		_, _, images := e.ListImages(ctx, testRegion, id)
		for i, err := range []error{
			tag, image, namespace, tags, images, deleteTag(e, ctx, testRegion, id), e.DeleteImage(ctx, testRegion, id, soon()), e.DeleteNamespace(ctx, testRegion, id, soon()),
			e.SetImageVisibility(ctx, testRegion, id, registry.Private, soon()), e.SetNamespaceVisibility(ctx, testRegion, id, registry.Public, soon()),
		} {
			if err == nil {
				t.Errorf("%q: call %d is made", id, i)
			}
		}
	}
	for i, err := range []error{
		deleteTag(e, ctx, "it-mil", testTag), e.SetImageVisibility(ctx, testRegion, testTag, "", soon()), e.SetNamespaceVisibility(ctx, testRegion, testTag, registry.Inherit, soon()),
	} {
		if err == nil {
			t.Errorf("call %d is made", i)
		}
	}
	if sent.Load() > 0 {
		t.Errorf("%d requests were sent", sent.Load())
	}
}

// The client sends nothing but the five changes, whatever the caller requests.
func TestWriteOnlyAllowsOnlyTheFiveChanges(t *testing.T) {
	const path = "/registry/v1/regions/fr-par/"
	for _, tt := range []struct {
		method, url, body string
		passes            bool
	}{
		{"DELETE", path + "tags/" + testTag, "", true},
		{"DELETE", path + "images/" + testTag, "", true},
		{"DELETE", path + "namespaces/" + testTag, "", true},
		{"PATCH", path + "images/" + testTag, "{}", true},
		{"PATCH", path + "namespaces/" + testTag, "{}", true},
		{"DELETE", path + "tags/" + testTag + "?force=true", "", false},
		{"DELETE", path + "tags/" + testTag + "?", "", false},
		{"DELETE", path + "tags/" + testTag, "{}", false},
		{"DELETE", path + "tags/" + testTag + "/", "", false},
		{"DELETE", path + "tags/", "", false},
		{"DELETE", path + "tags", "", false},
		{"DELETE", path + "images/" + testTag + "/tags", "", false},
		{"DELETE", path + "tokens/" + testTag, "", false},
		{"DELETE", path + "tags/%2e%2e", "", false},
		{"DELETE", "/registry/v1/regions/it-mil/tags/" + testTag, "", false},
		{"DELETE", "/iam/v1alpha1/api-keys/" + testTag, "", false},
		{"PATCH", path + "tags/" + testTag, "{}", false},
		{"PATCH", path + "images/" + testTag, "", false},
		{"PATCH", path + "images/" + testTag, strings.Repeat(" ", 5000), false},
		{"POST", path + "namespaces", "{}", false},
		{"PUT", path + "images/" + testTag, "{}", false},
		{"GET", path + "tags/" + testTag, "", false},
		{"DELETE", "http://elsewhere.example" + path + "tags/" + testTag, "", false},
	} {
		t.Run(tt.method+" "+tt.url, func(t *testing.T) {
			var sent atomic.Int64
			guard := &guard{host: "api.example", allow: writeOnly, next: counted(&sent, status(200, "{}"))}
			url := tt.url
			if strings.HasPrefix(url, "/") {
				url = "http://api.example" + url
			}
			var body io.Reader
			if tt.body != "" {
				body = bytes.NewReader([]byte(tt.body))
			}
			req, err := http.NewRequestWithContext(t.Context(), tt.method, url, body)
			if err != nil {
				t.Fatal(err)
			}
			_, err = guard.RoundTrip(req)
			if (err == nil) != tt.passes || (sent.Load() == 1) != tt.passes {
				t.Errorf("error %v, sent %d", err, sent.Load())
			}
			var unsent *unsentError
			if err != nil && !errors.As(err, &unsent) {
				t.Errorf("%v does not say that nothing was sent", err)
			}
		})
	}
}

func TestErrorsOfAnEditorDoNotHoldTheSecretKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		body := `{"message":"token ` + strings.ToUpper(testSecretKey) + ` is bad","type":"invalid_arguments"}`
		e := newTestEditor(t, status(400, body), func(o *Options) { o.Logger = log.logger() })
		change := deleteTag(e, t.Context(), testRegion, testTag)
		_, _, read := e.GetTag(t.Context(), testRegion, "", testTag)
		for _, err := range []error{change, read} {
			mustContain(t, err.Error(), "[secret key] is bad")
			mustNotLeak(t, "an error", fmt.Sprintf("%+v", err))
		}
		mustNotLeak(t, "the log", log.String())
	})
}

// Every method, against an independent API, over a real
// connection.
func TestAnEditorEdits(t *testing.T) {
	w, err := worlds.Parse("world.yaml", []byte(`{namespaces: [{name: prod, is_public: true, images: [
		{name: api, visibility: public, tags: [{name: v1}, {name: v2}]}, {name: web}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := emulator.New(emulator.Options{World: w, SecretKey: testSecretKey})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	e, err := NewEditor(Options{Credentials: &Credentials{APIURL: server.URL, AccessKey: testAccessKey, SecretKey: testSecretKey}, RequestTimeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	namespaces, err := e.read.Namespaces(ctx, registry.Query{Region: testRegion})
	if err != nil {
		t.Fatal(err)
	}
	ns := namespaces[0].ID
	images, _, err := e.ListImages(ctx, testRegion, ns)
	if err != nil || len(images) != 2 {
		t.Fatal(images, err)
	}
	api := images[slices.IndexFunc(images, func(i registry.Image) bool { return i.Name == "api" })]
	tags, _, err := e.ListTags(ctx, testRegion, api.ID)
	if err != nil || len(tags) != 2 {
		t.Fatal(tags, err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	tag, _, err := e.GetTag(ctx, testRegion, "", tags[0].ID)
	must(err)
	if tag != tags[0] {
		t.Errorf("the tag is %+v, and is listed as %+v", tag, tags[0])
	}
	must(deleteTag(e, ctx, testRegion, tags[0].ID))
	if _, _, err := e.GetTag(ctx, testRegion, "", tags[0].ID); !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
	for _, to := range []registry.Visibility{registry.Private, registry.Inherit, registry.Public} {
		must(e.SetImageVisibility(ctx, testRegion, api.ID, to, soon()))
		image, _, err := e.GetImage(ctx, testRegion, api.ID)
		if err != nil || image.Visibility != to {
			t.Errorf("%+v, %v", image, err)
		}
	}
	for _, to := range []registry.Visibility{registry.Private, registry.Public} {
		must(e.SetNamespaceVisibility(ctx, testRegion, ns, to, soon()))
		namespace, _, err := e.GetNamespace(ctx, testRegion, ns)
		if err != nil || namespace.Visibility() != to {
			t.Errorf("%+v, %v", namespace, err)
		}
	}
	must(e.DeleteImage(ctx, testRegion, api.ID, soon()))
	must(e.DeleteNamespace(ctx, testRegion, ns, soon()))
	if _, _, err := e.GetNamespace(ctx, testRegion, ns); !errors.Is(err, registry.ErrNotFound) {
		t.Error(err)
	}
}

// soon is a time before which a request of a test is sent.
func soon() time.Time { return time.Now().Add(24 * time.Hour) }

func deleteTag(e *Editor, ctx context.Context, region registry.Region, id string) error {
	_, err := e.DeleteTag(ctx, region, id, soon())
	return err
}

// A deletion whose turn comes too late is not sent, and its error reports that.
func TestADeletionThatIsLateIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		e := newTestEditor(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return status(429, "", "Retry-After", "20")(r)
			}
			return status(200, tagRow(1))(r)
		}))
		if err := deleteTag(e, t.Context(), testRegion, testTag); !errors.Is(err, registry.ErrThrottled) {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := e.DeleteTag(t.Context(), testRegion, testTag, began.Add(2*time.Second))
		if !errors.Is(err, registry.ErrLate) || sent != 1 || time.Since(began) < 19*time.Second {
			t.Errorf("%v, after %s: %d requests", err, time.Since(began), sent)
		}
		tag, err := e.DeleteTag(t.Context(), testRegion, testTag, time.Now().Add(2*time.Second))
		if err != nil || tag.Digest == "" || sent != 2 {
			t.Errorf("%+v, %v: %d requests", tag, err, sent)
		}
	})
}

// The age of a reading counts from when its oldest answer was asked for, not from
// when it began to wait for its turn.
func TestAReadingKnowsWhenItWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		e := newTestEditor(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return status(429, "", "Retry-After", "20")(r)
			}
			time.Sleep(time.Second)
			return status(200, tagRow(1))(r)
		}))
		began := time.Now()
		_, at, err := e.GetTag(t.Context(), testRegion, "", testTag)
		if waited := at.Sub(began); err != nil || waited < 20*time.Second || waited > 21*time.Second || time.Since(at) < time.Second {
			t.Errorf("%v: asked for after %s, answered %s later", err, waited, time.Since(at))
		}
	})
}
