package packed

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

func FuzzTags(f *testing.F) {
	const id, digest = "0c019f96-c0d2-481a-bf40-e847d0f65c23", "sha256:f9edde33b393402acf33e11e8863c5a7d63a43da5e1f048433599037f1a2a738"
	f.Add("latest", id, digest, "ready", int64(1_700_000_000), int64(1_690_000_000), uint32(123_456_000), uint32(0))
	f.Add("", "", "", "", int64(-62135596800), int64(0), uint32(1), uint32(999_999_999))
	f.Add("v1", strings.ToUpper(id), strings.ToUpper(digest), "locked", int64(1), int64(2), uint32(3), uint32(4))
	f.Add("v1", "{"+id+"}", digest+"00", "deleting", int64(1), int64(2), uint32(3), uint32(4))
	f.Add(strings.Repeat("x", 300), strings.ReplaceAll(id, "-", ""), "sha512:00", "READY", int64(9e9), int64(-9e9), uint32(1000), uint32(2000))
	f.Fuzz(func(t *testing.T, name, id, digest, status string, updated, created int64, nanos, more uint32) {
		const most = 1 << 40
		if updated%most != updated || created%most != created {
			return // no date that a time can hold
		}
		at := func(seconds int64, nanos uint32) time.Time {
			return time.Unix(seconds, int64(nanos%1_000_000_000)).UTC()
		}
		tag := registry.Tag{Name: name, ID: id, Digest: digest, Status: registry.Status(status), UpdatedAt: at(updated, nanos), CreatedAt: at(created, more)}
		want := []registry.Tag{tag, {Name: "other", Status: registry.StatusReady}, tag}
		got, err := Unpack(Pack(want))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

// Whatever is in the ledger, it is an error or tags, and never a panic.
func FuzzUnPack(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0})
	f.Add(Pack([]registry.Tag{{Name: "a", ID: "b"}}))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		tags, err := Unpack(packed)
		if err != nil {
			return
		}
		again, err := Unpack(Pack(tags))
		if diff := cmp.Diff(tags, again); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

func TestTagsAreSmall(t *testing.T) {
	var tags []registry.Tag
	for i := range 50 {
		sum := sha256.Sum256([]byte{byte(i)})
		name := hex.EncodeToString(sum[:])
		at := time.Date(2026, 11, 22, i%24, 0, i, int(sum[0])*1000, time.UTC)
		id := name[:8] + "-" + name[8:12] + "-" + name[12:16] + "-" + name[16:20] + "-" + name[20:32]
		tags = append(tags, registry.Tag{Name: "main-" + name[:7], ID: id, Digest: "sha256:" + name, Status: registry.StatusReady, UpdatedAt: at, CreatedAt: at.Add(-time.Hour)})
	}
	if n := len(Pack(tags)); n > 80*len(tags) {
		t.Errorf("50 tags are packed into %d bytes", n)
	}
}

func BenchmarkUnPack(b *testing.B) {
	tag := registry.Tag{Name: "main-0123456", ID: "0c019f96-c0d2-481a-bf40-e847d0f65c23", Digest: "sha256:" + strings.Repeat("a1", 32), Status: registry.StatusReady, UpdatedAt: time.Unix(1_700_000_000, 123_000).UTC(), CreatedAt: time.Unix(1_600_000_000, 0).UTC()}
	packed := Pack([]registry.Tag{tag, tag, tag, tag, tag, tag, tag, tag, tag, tag})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Unpack(packed); err != nil {
			b.Fatal(err)
		}
	}
}
