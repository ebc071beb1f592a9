package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/registry-janitor/registry-janitor/registry"
)

// thePods are n pods, each with an image of its own.
func thePods(n int) map[string][]string {
	var pods []string
	for i := range n {
		pods = append(pods, aPod("shop", fmt.Sprintf("p-%d", i), owned("StatefulSet", "db"), ours(fmt.Sprintf("db:v%d", i)), ""))
	}
	return map[string][]string{"pods": pods}
}

// onPods shows only the requests for pods.
func onPods(answer func(w http.ResponseWriter, r *http.Request) bool) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/api/v1/pods" && answer(w, r)
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	f := serve(t, thePods(1203))
	got, err := f.cluster(t, Options{}).Uses(t.Context())
	if err != nil || len(got) != 1203 {
		t.Fatalf("%d uses, %v", len(got), err)
	}
	pages := 0
	for _, r := range f.seen() {
		if r.Method != http.MethodGet || r.URL.Query().Get("limit") != "500" || r.Header.Get("Authorization") != "Bearer s3cret-token" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		if r.URL.Path == "/api/v1/pods" {
			pages++
		}
	}
	if pages != 3 {
		t.Errorf("%d pages", pages)
	}
}

// After a fault that passes, the list is complete.
func TestAFaultThatPassesIsTriedAgain(t *testing.T) {
	later := func(code int, header string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", header)
			refuse(code, "", "later").write(w)
		}
	}
	for name, answer := range map[string]func(w http.ResponseWriter){
		"too many requests":           later(http.StatusTooManyRequests, "0"),
		"asks to wait until a day":    later(http.StatusTooManyRequests, "Mon, 01 Jan 2001 00:00:00 GMT"),
		"a gateway":                   later(http.StatusBadGateway, ""),
		"no leader of etcd":           later(http.StatusInternalServerError, ""),
		"the snapshot is gone":        later(http.StatusGone, ""),
		"a plugin renews the token":   later(http.StatusUnauthorized, ""),
		"the connection is cut":       func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"it is cut within the answer": cut(`{"kind":"PodList","metadata":{},"items":[` + aPod("shop", "early", "", ours("early:v1"), "") + `,{"metadata":{"na`),
		"the answer ends early": func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"kind":"PodList","metadata":{},"items":[`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, thePods(1203))
			var second atomic.Int32
			f.before(onPods(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("continue") == "" || second.Add(1) != 1 {
					return false
				}
				answer(w)
				return true
			}))
			got, err := f.cluster(t, Options{}).Uses(t.Context())
			got = slices.DeleteFunc(got, func(m registry.RawUse) bool { return strings.Contains(m.Reference, "early") })
			if err != nil || len(got) != 1203 {
				t.Errorf("%d uses, %v", len(got), err)
			}
		})
	}
}

// cut promises more than it sends.
func cut(text string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", fmt.Sprint(len(text)+100))
		fmt.Fprint(w, text)
	}
}

// A list that cannot be read is an error with the reason and a remedy. The other
// lists are still returned.
func TestAListThatCannotBeReadIsAnError(t *testing.T) {
	say := func(text string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) { fmt.Fprint(w, text) }
	}
	page := func(meta, items string) func(w http.ResponseWriter) {
		return say(`{"kind":"PodList","apiVersion":"v1","metadata":{` + meta + `},"items":` + items + `}`)
	}
	for name, row := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   []string
		is     error
	}{
		"a right is missing": {forbidden("pods", "").write, []string{"listing pods: the cluster answers 403: pods is forbidden: User", "examples/kubernetes/rbac"}, registry.ErrDenied},
		"the token has expired": {refuse(401, "Unauthorized", "Unauthorized").write,
			[]string{"the cluster answers 401: Unauthorized", "renew it"}, registry.ErrDenied},
		"it is not served": {refuse(404, "NotFound", "the server could not find the requested resource").write, []string{"listing pods: the cluster does not serve v1 (404)", "references file"}, registry.ErrNotFound},
		"too many requests for too long": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			refuse(429, "TooManyRequests", "slow down").write(w)
		}, []string{"answers 429: slow down"}, registry.ErrThrottled},
		"too many requests all the time": {func(w http.ResponseWriter) {
			refuse(429, "TooManyRequests", "slow down").write(w)
		}, []string{"answers 429: slow down"}, registry.ErrThrottled},
		"it fails": {refuse(500, "InternalError", "etcdserver: leader changed").write, []string{"answers 500: etcdserver: leader changed"}, nil},
		"a redirect": {func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/api/v1/pods")
			w.WriteHeader(http.StatusFound)
		}, []string{"answers 302: Found", "redirects are not followed"}, nil},
		"the snapshot is always gone": {refuse(410, "Expired", "The provided continue parameter is too old").write,
			[]string{"expired before it was read, 6 times (410): The provided continue parameter is too old"}, nil},
		"the same page for ever":        {page(`"continue":"again"`, "[]"), []string{"the cluster sent the same page of the list again"}, nil},
		"more without a way there":      {page(`"remainingItemCount":3`, "[]"), []string{"3 more objects follow"}, nil},
		"cut in the middle":             {cut(`{"kind":"PodList","metadata":{},"items":[`), []string{"the answer is cut short: unexpected EOF"}, errCut},
		"ends in the middle":            {say(`{"kind":"PodList","metadata":{},"items":[{"metadata":{"name":"a"`), []string{"the answer is cut short"}, errCut},
		"nothing at all":                {say(""), []string{"the answer is cut short"}, errCut},
		"no JSON":                       {say("<html>sign in</html>"), []string{"cannot be decoded", "invalid character"}, nil},
		"another JSON":                  {say("[]"), []string{"it is not a list"}, nil},
		"a word":                        {say(`"pods"`), []string{"it is not a list"}, nil},
		"a list of something else":      {say(`{"kind":"SecretList","metadata":{},"items":[]}`), []string{`it is a "SecretList", not a list of Pod`}, nil},
		"a Status":                      {say(`{"kind":"Status","status":"Failure"}`), []string{`it is a "Status"`}, nil},
		"a list of no kind":             {say(`{"metadata":{},"items":[]}`), []string{"its kind is missing: want a list of Pod"}, nil},
		"no items":                      {say(`{"kind":"PodList","metadata":{}}`), []string{"it has no items"}, nil},
		"items twice":                   {say(`{"kind":"PodList","items":[],"items":[]}`), []string{"two lists of items"}, nil},
		"items that are not a list":     {page("", `{}`), []string{"its items are not a list"}, nil},
		"an item that is not an object": {page("", `["a"]`), []string{"object 0", "cannot unmarshal"}, nil},
		"a pod without a name":          {page("", `[{}]`), []string{"object 0: it has no name"}, nil},
		"a pod without containers":      {page("", `[{"metadata":{"name":"a","namespace":"b"}}]`), []string{"Pod b/a does not list its containers"}, nil},
		"containers of another shape": {page("", `[{"metadata":{"name":"a"},"spec":{"containers":{"c":{"image":"x"}}}}]`),
			[]string{"object 0", "cannot unmarshal object"}, nil},
		"something after the list": {say(`{"kind":"PodList","metadata":{},"items":[]}{}`), []string{"unexpected data follows"}, nil},
		"an object without end":    {page("", `[{"metadata":{"name":"`+strings.Repeat("x", 3<<20)+`"}}]`), []string{"larger than 2 MiB"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, map[string][]string{"deployments": {deployment("shop", "api", ours("api:v1"))}})
			f.before(onPods(func(w http.ResponseWriter, r *http.Request) bool { row.answer(w); return true }))
			c := f.cluster(t, Options{})
			c.limits.object = 2 << 20
			got, err := c.Uses(t.Context())
			if err == nil || row.is != nil && !errors.Is(err, row.is) {
				t.Fatalf("error %v", err)
			}
			for _, want := range append(row.want, "listing pods: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if len(got) != 1 {
				t.Errorf("the other lists: %v", got)
			}
			if n := len(f.seen()); n > len(Resources())+6 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A workload whose shape is not understood is an error, not a workload without images.
func TestAWorkloadWithoutContainersIsAnError(t *testing.T) {
	for resource, object := range map[string]string{
		"deployments":         `{"metadata":{"name":"a","namespace":"b"},"spec":{}}`,
		"statefulsets":        `{"metadata":{"name":"a","namespace":"b"},"spec":{"template":{"spec":{"containers":[]}}}}`,
		"cronjobs":            `{"metadata":{"name":"a","namespace":"b"},"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}`,
		"controllerrevisions": `{"metadata":{"name":"a","namespace":"b"` + owned("DaemonSet", "d") + `},"data":{"spec":{}},"revision":1}`,
	} {
		_, err := serve(t, map[string][]string{resource: {object}}).cluster(t, Options{}).Uses(t.Context())
		if err == nil || !strings.Contains(err.Error(), "b/a does not list its containers") {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

// An old cluster may have CronJobs in a version that the program does not know, so
// that is an error. A resource that never had another version may be missing.
func TestAResourceThatIsNotServed(t *testing.T) {
	for resource, want := range map[string]string{
		"cronjobs":               "listing cronjobs.batch: the cluster does not serve them in batch/v1, as Kubernetes does since 1.21 (404)",
		"deployments":            "listing deployments.apps: the cluster does not serve them in apps/v1, as Kubernetes does since 1.9 (404)",
		"controllerrevisions":    "",
		"replicationcontrollers": "",
	} {
		f := serve(t, nil)
		f.before(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/"+resource) {
				return false
			}
			http.NotFound(w, r) // as an API server says it of a group that it does not have
			return true
		})
		_, err := f.cluster(t, Options{}).Uses(t.Context())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

// The code of the answer counts, not the code in its body: a gateway that failed
// must not look like a resource that the cluster does not serve.
func TestTheCodeInTheBodyDoesNotCount(t *testing.T) {
	f := serve(t, nil)
	f.before(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/controllerrevisions") {
			return false
		}
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not found","reason":"NotFound","code":404}`)
		return true
	})
	_, err := f.cluster(t, Options{}).Uses(t.Context())
	if err == nil || !strings.Contains(err.Error(), "listing controllerrevisions.apps: the cluster answers 502: not found") {
		t.Errorf("got %v", err)
	}
}

// An account without any right gets one error, not nine.
func TestRefusalsWithOneRemedyAreOneError(t *testing.T) {
	f := serve(t, nil)
	f.before(func(w http.ResponseWriter, r *http.Request) bool {
		at := strings.Split(r.URL.Path, "/")
		forbidden(at[len(at)-1], "").write(w)
		return true
	})
	_, err := f.cluster(t, Options{}).Uses(t.Context())
	const want = "listing controllerrevisions.apps, cronjobs.batch, daemonsets.apps, deployments.apps, jobs.batch, pods, replicasets.apps, replicationcontrollers, statefulsets.apps: the cluster answers 403: controllerrevisions is forbidden"
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "\n") > 0 || !errors.Is(err, registry.ErrDenied) {
		t.Errorf("got %v", err)
	}
	_, err = f.cluster(t, Options{Namespaces: []string{"a", "b"}}).Uses(t.Context())
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "in namespace a: ") || !strings.Contains(err.Error(), "in namespace b: ") {
		t.Errorf("got %v", err)
	}
}

// If the cluster cannot be reached, the other lists are not tried.
func TestAClusterOutOfReachIsAskedOnce(t *testing.T) {
	f := serve(t, nil)
	c := f.cluster(t, Options{Namespaces: strings.Split(strings.Repeat("n ", 99)+"n", " ")})
	f.Close()
	started := time.Now()
	_, err := c.Uses(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the cluster does not answer: ") || !strings.Contains(err.Error(), "connection refused") ||
		!strings.Contains(err.Error(), "whether this machine may connect to it") || strings.Count(err.Error(), "\n") > 1 {
		t.Errorf("got %v", err)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAClusterThatNeverAnswers(t *testing.T) {
	for name, change := range map[string]func(*limits){
		"one request":    func(l *limits) { l.request = 20 * time.Millisecond },
		"all altogether": func(l *limits) { l.whole = 20 * time.Millisecond },
	} {
		f := serve(t, nil)
		f.before(func(w http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		})
		c := f.cluster(t, Options{})
		change(&c.limits)
		_, err := c.Uses(t.Context())
		if err == nil || !strings.Contains(err.Error(), "answer") || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.cluster(t, Options{}).Uses(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: after the context ended: %v", name, err)
		}
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{InCluster: true})
		c.inCluster = func() (*rest.Config, error) {
			return &rest.Config{Host: "https://c", Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("out of reach") })}, nil
		}
		api, err := c.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var pauses []time.Duration
		last := time.Now()
		pause := func() {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
		}
		api.retry = func(string, error) { pause() }
		err = api.get(t.Context(), api.request("x"), nil)
		pause()
		if !errors.Is(err, errUnreachable) || len(pauses) != 4 || pauses[0] != 0 {
			t.Fatalf("%v, %v", err, pauses)
		}
		for try, longest := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if got := pauses[try+1]; got < longest/2 || got > longest {
				t.Errorf("the pause after try %d is %s", try+1, got)
			}
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func FuzzReadPage(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":"x","remainingItemCount":2},"items":[` + aPod("a", "b", "", ours("c"), digestA) + `]}`,
		`{"kind":"List","items":null}`, `{"items":[{}],"kind":"PodList"}`, `{"kind":"PodList","metadata":null,"items":[{"metadata":{"name":"a"},"spec":{"containers":[{}]}}]}`,
		`{"kind":"PodList","items":[` + revision("a", "b", owned("StatefulSet", "c"), 3, ours("d")) + `]} `,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		count := 0
		s := newSurvey("kubernetes c", 1)
		p, err := readPage(strings.NewReader(text), kindPod, 1<<20, func(o *object) error {
			count++
			for _, r := range Resources() {
				_ = s.addObject(r.Kind, o)
			}
			return nil
		})
		for _, m := range s.uses() {
			if !mayBeOurs(m.Reference) || !strings.HasPrefix(m.By, "kubernetes c: ") {
				t.Errorf("%+v", m)
			}
		}
		if err != nil {
			return
		}
		if p.Continue == "" && p.Remaining > 0 {
			t.Errorf("%q is a complete list", text)
		}
		// A list without its end is not a list.
		short := strings.TrimRight(text, " \t\r\n")
		if _, err := readPage(strings.NewReader(short[:len(short)-1]), kindPod, 1<<20, func(*object) error { return nil }); err == nil {
			t.Errorf("%q is a list without its end", text)
		}
	})
}
