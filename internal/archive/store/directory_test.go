package store

import (
	"errors"
	"os"
	"testing"
)

func put(t *testing.T, f *Folder, content string) {
	t.Helper()
	if err := f.Put(t.Context(), blobOf(content), opening(content)); err != nil {
		t.Fatal(err)
	}
}

// A system that could not write something says so once. Neither the same process nor the
// next one may take the copy for good after that.
func TestWhatCannotBeSyncedIsNotRecorded(t *testing.T) {
	f := NewFolder(t.TempDir())
	put(t, f, "good")
	put(t, f, "bad")
	bad := f.path(blobOf("bad").Digest)
	if err := errors.Join(os.Remove(bad), os.Symlink("nowhere", bad)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := setIndex(t, f, "{}"); !errors.Is(err, ErrRefused) {
			t.Errorf("the index was written: %v", err)
		}
	}
	if _, err := os.Lstat(bad); err == nil {
		t.Error("the next process could take it for good")
	}
	next := NewFolder(f.root)
	put(t, next, "bad")
	if there, err := next.Has(t.Context(), blobOf("good")); !there || err != nil {
		t.Error(there, err)
	}
	if err := setIndex(t, next, "{}"); err != nil {
		t.Error(err)
	}
}

// A killed process may have left a blob that is not on the disk yet. It is synced by who
// records it, and never removed.
func TestWhatWasThereIsSyncedToo(t *testing.T) {
	f := NewFolder(t.TempDir())
	put(t, f, "blob")
	next := NewFolder(f.root)
	if there, err := next.Has(t.Context(), blobOf("blob")); !there || err != nil || len(next.loose) != 1 {
		t.Errorf("%v, %v: %v", there, err, next.loose)
	}
	if err := setIndex(t, next, "{}"); err != nil || len(next.loose) != 0 {
		t.Errorf("%v: %v", err, next.loose)
	}
}

// A manifest that is there is not written again: older records need it.
func TestADirectoryKeepsTheManifestThatItHas(t *testing.T) {
	root := t.TempDir()
	blob := blobOf("{}")
	blob.Manifest = true
	var before os.FileInfo
	for range 2 {
		f := NewFolder(root)
		if err := f.Put(t.Context(), blob, opening("{}")); err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(f.path(blob.Digest))
		if err != nil || before != nil && !os.SameFile(before, now) {
			t.Errorf("it was replaced: %v", err)
		}
		before = now
	}
}
