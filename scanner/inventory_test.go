package scanner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

var takenAt = time.Date(2026, 11, 22, 12, 0, 0, 987654321, time.UTC)

// full is a world that gives every type of item, with values that are hard to encode.
func full() *fake {
	f := new(fake).add("fr-par", "prod", "api", "web", "locked", "void").add("fr-par", "idle").add("nl-ams", "prod", "api").add("fr-par", "going")
	f.namespace("fr-par", "prod").Description = "a \"quoted\" <b>&\u2028\nthing"
	f.namespace("fr-par", "idle").ProjectID = "p2"
	f.namespace("fr-par", "going").Status = "deleting"
	f.image("fr-par", "prod", "locked").Status = "locked"
	f.image("fr-par", "prod", "api").SizeBytes = 1<<64 - 1
	f.image("fr-par", "prod", "api").TagNames = []string{"t1999", "t0"}
	f.image("fr-par", "prod", "void").SizeBytes = 0
	f.image("fr-par", "prod", "void").TagNames = nil
	f.tags[imageID("fr-par", "prod", "void")] = nil
	var tags []registry.Tag
	for i := range 2000 { // longer than any buffer
		tags = append(tags, tag(fmt.Sprintf("t%d", i), time.Duration(i*i)))
	}
	tags[7].Status, tags[7].Digest = "error", ""
	f.tags[imageID("fr-par", "prod", "api")] = tags
	f.errs = map[string]error{"tags " + imageID("fr-par", "prod", "web"): errBoom, "namespaces pl-waw": errBoom}
	return f
}

func use() Item {
	return Item{Use: &registry.Use{
		Ref:    registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api", Tag: "t1"},
		Digest: "sha256:t1", By: "kubernetes prod: Deployment shop/api",
	}}
}

func write(t testing.TB, items []Item, scope Scope) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewInventoryWriter(&b, Header{TakenAt: takenAt, Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if err := w.Write(item); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, content []byte) ([]Item, error) {
	t.Helper()
	i, err := ReadInventory(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return drain(i.Stream(t.Context()))
}

func TestInventoryReadsBackExactlyWhatWasScanned(t *testing.T) {
	items := append(scanAll(t, full(), Options{}), use())
	content := write(t, items, Scope{})
	inventory, err := ReadInventory(iotest.OneByteReader(bytes.NewReader(content)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Header{TakenAt: takenAt}, inventory.Header); diff != "" {
		t.Error(diff)
	}
	got := collect(t, inventory.Stream(t.Context()))
	if diff := cmp.Diff(items, got); diff != "" {
		t.Error(diff)
	}
	mustBeOrdered(t, got)
	if again := write(t, got, Scope{}); !bytes.Equal(content, again) {
		t.Error("written again, the inventory differs")
	}
}

func TestInventoryKeepsTheInstantOfALocalTime(t *testing.T) {
	local := takenAt.In(time.FixedZone("here", 3600))
	var b bytes.Buffer
	w, err := NewInventoryWriter(&b, Header{TakenAt: local})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	inventory, err := ReadInventory(&b)
	if err != nil || inventory.Header.TakenAt != takenAt {
		t.Errorf("%v, %v", inventory, err)
	}
}

func TestInventoryIsJSONLinesOfTypedRecords(t *testing.T) {
	items := scanAll(t, new(fake).add("fr-par", "prod", "api"), Options{Concurrency: 1, Scope: only1("fr-par")})
	slices.SortStableFunc(items, func(a, b Item) int { return byLine(b, a) })
	want := lines(
		`{"type":"inventory","version":1,"taken_at":"2026-11-22T12:00:00.987654321Z","scope":{"regions":["fr-par"]}}`,
		`{"type":"namespace","region":"fr-par","name":"prod","id":"ns-fr-par-prod","project_id":"p1","organization_id":"o1","description":"","status":"ready","is_public":false,"size_bytes":0,"image_count":1,"created_at":"2026-01-01T00:00:00.123456789Z","updated_at":"2026-01-01T00:00:00.123456789Z"}`,
		`{"type":"listed","region":"fr-par","namespace_id":"ns-fr-par-prod","empty":false}`,
		`{"type":"image","region":"fr-par","namespace":"prod","namespace_id":"ns-fr-par-prod","name":"api","id":"im-fr-par-prod-api","status":"ready","visibility":"inherit","size_bytes":5,"created_at":"2026-01-01T00:00:00.123456789Z","updated_at":"2026-01-01T00:00:00.123456789Z","tag_names":["latest"],"tags":[{"name":"latest","id":"tag-latest","digest":"sha256:latest","status":"ready","created_at":"2026-01-01T00:00:00.123456789Z","updated_at":"2026-01-01T00:00:00.123456789Z"}]}`,
		`{"type":"end","namespaces":1,"images":1,"tags":1,"listed":1,"skipped":0,"uses":0,"gaps":0}`,
		"")
	if diff := cmp.Diff(want, string(write(t, items, only1("fr-par")))); diff != "" {
		t.Error(diff)
	}
}

func TestTruncatedInventoryIsAnErrorWhereverItIsCut(t *testing.T) {
	f := new(fake).add("fr-par", "prod", "api", "web").add("fr-par", "idle")
	content := write(t, append(scanAll(t, f, Options{}), use()), Scope{})
	for cut := range content {
		_, err := read(t, content[:cut])
		if err == nil || !strings.HasPrefix(err.Error(), "inventory: line ") {
			t.Fatalf("cut at byte %d of %d: %v", cut, len(content), err)
		}
	}
	if _, err := read(t, content); err != nil {
		t.Error(err)
	}
}

// A single line that is lost, repeated or moved is an error.
func TestInventoryWithALineLostOrRepeatedIsAnError(t *testing.T) {
	records := strings.SplitAfter(strings.TrimSuffix(string(write(t, append(scanAll(t, full(), Options{}), use()), Scope{})), "\n"), "\n")
	records[len(records)-1] += "\n"
	for at := range records {
		for name, changed := range map[string][]string{
			"lost":     slices.Delete(slices.Clone(records), at, at+1),
			"repeated": slices.Insert(slices.Clone(records), at, records[at]),
		} {
			if _, err := read(t, []byte(strings.Join(changed, ""))); err == nil {
				t.Errorf("line %d %s: no error:\n%.200s", at+1, name, records[at])
			}
		}
	}
}

func TestBadInventoriesAreExplainedByLine(t *testing.T) {
	items := scanAll(t, new(fake).add("fr-par", "prod", "api"), Options{Concurrency: 1, Scope: only1("fr-par")})
	slices.SortStableFunc(items, func(a, b Item) int { return byLine(b, a) }) // namespace, listed, image
	good := string(write(t, append(items, use()), Scope{}))
	gap := `{"type":"gap","subject":"x","error":"y","blinds":"itself"}` + "\n"
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{"bad JSON", `"is_public":false`, `"is_public":fals`, []string{"line 2", "bad record"}},
		{"not an object", `{"type":"listed","region":"fr-par","namespace_id":"ns-fr-par-prod","empty":false}`, `[1]`, []string{"line 3", "not a JSON object"}},
		{"null", `{"type":"listed","region":"fr-par","namespace_id":"ns-fr-par-prod","empty":false}`, `null`, []string{"line 3", `unknown type of record ""`}},
		{"an empty line", `{"type":"listed"`, "\n" + `{"type":"listed"`, []string{"line 3"}},
		{"an unknown type", `"type":"listed"`, `"type":"guess"`, []string{"line 3", `unknown type of record "guess"`}},
		{"a second header", `{"type":"listed","region":"fr-par","namespace_id":"ns-fr-par-prod","empty":false}`, `{"type":"inventory"}`, []string{"line 3", "unknown type"}},
		{"an unknown field", `"empty":false`, `"empty":false,"full":true`, []string{"line 3", "full"}},
		{"an unknown field of a tag", `"digest":`, `"diggest":`, []string{"line 4", "diggest"}},
		{"a bad timestamp", `"updated_at":"2026-01-01T00:00:00.123456789Z"}]}`, `"updated_at":"yesterday"}]}`, []string{"line 4", "yesterday"}},
		{"a timestamp left out", `,"updated_at":"2026-01-01T00:00:00.123456789Z"}]}`, `}]}`, []string{"line 4", `tag "latest"`, "updated_at is missing"}},
		{"two records on a line", `"empty":false}`, `"empty":false}{}`, []string{"line 3", "more on the line"}},
		{"an image without its namespace", `"namespace_id":"ns-fr-par-prod","name"`, `"namespace_id":"other","name"`, []string{"line 4", "without its namespace"}},
		{"an image of another namespace", `"namespace":"prod"`, `"namespace":"test"`, []string{"line 4", "without its namespace"}},
		{"an image without a name", `"name":"api"`, `"name":""`, []string{"line 4", "name is missing"}},
		{"an image that is not ready", `"status":"ready","visibility"`, `"status":"locked","visibility"`, []string{"line 4", "locked"}},
		{"a tag without a digest", `"digest":"sha256:latest"`, `"digest":""`, []string{"line 4", "no digest"}},
		{"no tags beside a size", `"tags":[{"name":"latest","id":"tag-latest","digest":"sha256:latest","status":"ready","created_at":"2026-01-01T00:00:00.123456789Z","updated_at":"2026-01-01T00:00:00.123456789Z"}]`, `"tags":[]`, []string{"line 4", "tag listing lacks 1 tag that the image names: latest"}},
		{"a count that is wrong", `"tags":1`, `"tags":2`, []string{"line 6", "closing record counts"}},
		{"a record after the end", `"gaps":0}` + "\n", `"gaps":0}` + "\n" + gap, []string{"line 7", "more after the closing record"}},
		{"half a record after the end", `"gaps":0}` + "\n", `"gaps":0}` + "\n" + `{`, []string{"line 7", "more after"}},
		{"a gap of unknown reach", `{"type":"listed"`, strings.Replace(gap, "itself", "everything", 1) + `{"type":"listed"`, []string{"line 3", "everything"}},
		{"no header", `"type":"inventory"`, `"type":"gap"`, []string{"line 1", "header"}},
		{"a newer version", `"version":1`, `"version":2`, []string{"line 1", "version 2"}},
		{"no time", `"taken_at":"2026-11-22T12:00:00.987654321Z",`, ``, []string{"line 1", "taken_at"}},
		{"a bad scope", `"scope":{}`, `"scope":{"include":["[a"]}`, []string{"line 1", "glob"}},
		{"an unknown scope", `"scope":{}`, `"scope":{"tags":["a"]}`, []string{"line 1", "tags"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatal("the inventory is unchanged")
			}
			_, err := read(t, []byte(bad))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestInventoryReportsItsReaderAndWriter(t *testing.T) {
	if _, err := ReadInventory(iotest.ErrReader(errBoom)); !errors.Is(err, errBoom) {
		t.Error(err)
	}
	if _, err := ReadInventory(strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Error(err)
	}
	pipe, broken := io.Pipe()
	_ = pipe.CloseWithError(errBoom)
	w, err := NewInventoryWriter(broken, Header{TakenAt: takenAt})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errBoom) {
		t.Errorf("a failed write was lost: %v", err)
	}
	if _, err := NewInventoryWriter(broken, Header{}); err == nil {
		t.Error("an inventory without a time was begun")
	}
	if err := w.Write(use()); err == nil {
		t.Error("wrote after the end")
	}
}

func TestInventoryWriterRefusesWhatCouldNotBeRead(t *testing.T) {
	f := new(fake).add("fr-par", "prod", "api")
	items := scanAll(t, f, Options{Concurrency: 1, Scope: only1("fr-par")})
	for name, item := range map[string]Item{
		"nothing":                        {},
		"two things":                     {Use: use().Use, Gap: &registry.Gap{Subject: "x", Holds: registry.HoldsAll}},
		"an image before its namespace":  items[slices.IndexFunc(items, func(i Item) bool { return i.Image != nil })],
		"a listing before its namespace": items[slices.IndexFunc(items, func(i Item) bool { return i.Listed != nil })],
	} {
		w, err := NewInventoryWriter(io.Discard, Header{TakenAt: takenAt})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(item); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestNarrowedInventoryIsTheScanOfThatScope(t *testing.T) {
	content := write(t, scanAll(t, full(), Options{}), Scope{})
	scopes := map[string]Scope{
		"everything":        {},
		"spelled out":       {Regions: []registry.Region{"pl-waw", "nl-ams", "fr-par"}, Include: []string{"**"}},
		"one region":        only1("nl-ams"),
		"a failed region":   only1("pl-waw"),
		"a namespace":       {Include: []string{"prod/**"}},
		"images only":       {Include: []string{"prod/a*", "going/x"}},
		"without an image":  {Exclude: []string{"prod/web"}},
		"a project":         {ProjectIDs: []string{"P2"}},
		"an organization":   {OrganizationID: "o1"},
		"another one":       {OrganizationID: "o2"},
		"namespaces itself": {Include: []string{"idle", "prod", "going"}},
	}
	for name, scope := range scopes {
		t.Run(name, func(t *testing.T) {
			f := full()
			f.namespaces = slices.DeleteFunc(f.namespaces, func(n registry.Namespace) bool {
				return !scope.owned(n.ProjectID, n.OrganizationID) // the API does this
			})
			f.images = slices.DeleteFunc(f.images, func(i registry.Image) bool { return f.namespaceOf(&i) == nil })
			want := scanAll(t, f, Options{Scope: scope})
			inventory, err := ReadInventory(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			if err := inventory.Narrow(scope); err != nil {
				t.Fatal(err)
			}
			got := collect(t, inventory.Stream(t.Context()))
			slices.SortFunc(want, byLine)
			mustBeOrdered(t, got)
			slices.SortFunc(got, byLine)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNarrowInventoryOnlyServesItsOwnScope(t *testing.T) {
	taken := Scope{Include: []string{"prod/**", "test/**"}}
	content := write(t, nil, taken)
	for name, tt := range map[string]struct {
		scope Scope
		fine  bool
	}{
		"the same":           {taken, true},
		"in another order":   {Scope{Include: []string{"test/**", "prod/**"}, Regions: registry.Regions()}, true},
		"a narrower one":     {Scope{Include: []string{"prod/**"}}, false},
		"everything":         {Scope{}, false},
		"an invalid one":     {Scope{Include: []string{"["}}, false},
		"of another project": {Scope{Include: taken.Include, ProjectIDs: []string{"p"}}, false},
		"without an image":   {Scope{Include: taken.Include, Exclude: []string{"prod/x"}}, false},
		"of another tenant":  {Scope{Include: taken.Include, OrganizationID: "o"}, false},
		"in a single region": {Scope{Include: taken.Include, Regions: []registry.Region{"fr-par"}}, false},
	} {
		inventory, err := ReadInventory(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if err := inventory.Narrow(tt.scope); (err == nil) != tt.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadInventory(f *testing.F) {
	w := write(f, []Item{use(), {Gap: &registry.Gap{Subject: "x", Holds: registry.HoldsAll}}}, Scope{})
	f.Add(w)
	f.Add(bytes.Replace(w, []byte(`"gap"`), []byte(`"namespace"`), 1))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		items, err := read(t, content)
		if err != nil {
			return
		}
		// What is read without error can be written and read again.
		again, err := read(t, write(t, items, Scope{}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(items, again); diff != "" {
			t.Error(diff)
		}
	})
}

// Random worlds survive the round trip, and any changed byte is either an error
// or changes nothing but values.
func TestInventoryRoundTripOfRandomItems(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	text := func() string {
		runes := []rune("aZ0-_./ \"\\<>&\u2028\n\t日é")
		b := []rune{'x'}
		for range random.IntN(8) {
			b = append(b, runes[random.IntN(len(runes))])
		}
		return string(b)
	}
	at := func() time.Time { return time.Unix(random.Int64N(4e9), random.Int64N(1e9)).UTC() }
	for range 200 {
		var items []Item
		for n := range 1 + random.IntN(3) {
			namespace := &registry.Namespace{
				ID: fmt.Sprint("n", n), Name: text(), Region: "fr-par", ProjectID: text(), Description: text(),
				Status: registry.StatusReady, IsPublic: random.IntN(2) == 0, SizeBytes: random.Uint64(), CreatedAt: at(), UpdatedAt: at(),
			}
			items = append(items, Item{Namespace: namespace}, Item{Listed: &Listed{Namespace: namespace, Empty: random.IntN(2) == 0}})
			for i := range random.IntN(4) {
				image := &registry.Image{
					Namespace: namespace, NamespaceID: namespace.ID, ID: fmt.Sprint("i", n, i), Name: text(),
					Status: registry.StatusReady, Visibility: registry.Visibility(text()), CreatedAt: at(), UpdatedAt: at(),
				}
				for k := range random.IntN(5) {
					image.Tags = append(image.Tags, registry.Tag{
						ID: text(), Name: fmt.Sprint(k, text()), Digest: text(), Status: registry.Status(text()), CreatedAt: at(), UpdatedAt: at(),
					})
				}
				slices.SortFunc(image.Tags, registry.CompareAge)
				items = append(items, Item{Image: image})
			}
			items = append(items, Item{Gap: &registry.Gap{Subject: text(), Error: text(), Holds: registry.HoldsItself}},
				Item{Gap: &registry.Gap{Subject: "kubernetes", Error: text(), Holds: registry.HoldsNothing, Source: text()}},
				Item{Skipped: &Skipped{Ref: registry.Ref{Region: "pl-waw", Namespace: text(), Image: text()}, Status: registry.Status(text())}})
		}
		got, err := read(t, write(t, items, Scope{}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(items, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func BenchmarkInventory(b *testing.B) {
	f := new(fake)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("image-%d", i))
	}
	f.add("fr-par", "prod", names...)
	for _, name := range names {
		var tags []registry.Tag
		for i := range 50 {
			tg := tag(fmt.Sprintf("main-%d", i), time.Duration(i)*time.Hour)
			tg.ID, tg.Digest = "33333333-0000-4000-8000-000000000001", "sha256:"+strings.Repeat("0", 64)
			tags = append(tags, tg)
		}
		f.tags[imageID("fr-par", "prod", name)] = tags
	}
	items, err := drain(Scan(b.Context(), f, Options{Scope: only1("fr-par")}))
	if err != nil {
		b.Fatal(err)
	}
	content := write(b, items, Scope{})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			write(b, items, Scope{})
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50_000, "ns/tag")
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			if _, err := read(b, content); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50_000, "ns/tag")
	})
}

func TestInventoryNamesItsUseSources(t *testing.T) {
	var b strings.Builder
	w, err := NewInventoryWriter(&b, Header{TakenAt: takenAt, Sources: []string{"serverless"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	i, err := ReadInventory(strings.NewReader(b.String()))
	if err != nil || fmt.Sprint(i.Header.Sources) != "[serverless]" {
		t.Errorf("%+v, %v", i, err)
	}
}
