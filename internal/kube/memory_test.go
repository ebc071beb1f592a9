package kube

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	manyPods = 20_000
	mostHeap = 100 << 20 // bytes
)

// TestManyPodsInLittleMemory reads 20,000 pods as large as real ones are, and
// measures the heap all the while.
func TestManyPodsInLittleMemory(t *testing.T) {
	f := serve(t, map[string][]string{"replicasets": replicaSets(2000)})
	sent := f.sendPods(manyPods)
	c := f.cluster(t, Options{})
	runtime.GC()
	peak := watchHeap(t)
	got, err := c.Uses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	most := peak()
	t.Logf("%d pods, %d MB of JSON, %d uses, %.1f MB of heap at most", manyPods, sent.Load()>>20, len(got), float64(most)/(1<<20))
	if most > mostHeap {
		t.Errorf("%d MB of heap", most>>20)
	}
	if sent.Load() < manyPods*4000 {
		t.Errorf("only %d bytes were sent", sent.Load())
	}
	if len(got) != 2*2000 { // the tag, and the tag with its digest, of each Deployment
		t.Errorf("%d uses", len(got))
	}
}

// replicaSets are as many, each of its own Deployment.
func replicaSets(n int) []string {
	var sets []string
	for i := range n {
		sets = append(sets, replicaSet("shop", fmt.Sprintf("svc-%d-5d", i), fmt.Sprintf("svc-%d", i), 1, 10, ours(fmt.Sprintf("svc-%d:v1", i))))
	}
	return sets
}

// sendPods has the fake write pods as they are asked for, so that it holds none.
func (f *fake) sendPods(n int) *atomic.Int64 {
	sent := new(atomic.Int64)
	f.before(onPods(func(w http.ResponseWriter, r *http.Request) bool {
		start, _ := strconv.Atoi(r.URL.Query().Get("continue"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		next := ""
		if start+limit < n {
			next = strconv.Itoa(start + limit)
		}
		fmt.Fprintf(w, `{"kind":"PodList","metadata":{"continue":%q},"items":[`, next)
		for i := start; i < min(start+limit, n); i++ {
			if i > start {
				fmt.Fprint(w, ",")
			}
			written, _ := fmt.Fprintf(w, bigPod, i, i%2000, i%2000, i%2000, managedFields)
			sent.Add(int64(written))
		}
		fmt.Fprint(w, "]}")
		return true
	}))
	return sent
}

// bigPod is a pod as a cluster sends it.
const bigPod = `{"metadata":{"name":"pod-%d","namespace":"shop","uid":"3a1b7a52-6c1f-4c7e-9f0e-5a3f3c3f8a11","labels":{"app":"svc","pod-template-hash":"5d"},
"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"svc-%d-5d","uid":"u","controller":true}]},
"spec":{"containers":[{"name":"main","image":"rg.fr-par.scw.cloud/prod/svc-%d:v1","env":[{"name":"A","value":"b"}]},{"name":"proxy","image":"docker.io/envoyproxy/envoy:v1"}]},
"status":{"phase":"Running","containerStatuses":[{"name":"main","imageID":"rg.fr-par.scw.cloud/prod/svc-%d@` + digestA + `"}],"x":%q}}`

var managedFields = strings.Repeat("f:containerStatuses ", 200)

// watchHeap measures the heap until the caller asks for its largest size.
func watchHeap(t *testing.T) (peak func() uint64) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan uint64)
	go func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-ticker.C:
			case <-stop:
				stopped <- most
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-stopped
	}
}
