package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// Folder is a Store in a directory.
type Folder struct {
	root string

	mu     sync.Mutex
	loose  map[v1.Hash]bool // the blobs that may not be on the disk yet; true: this process wrote it
	failed error            // of the first sync that failed
}

// NewFolder is the store at a path, which need not exist yet.
func NewFolder(path string) *Folder { return &Folder{root: path, loose: map[v1.Hash]bool{}} }

// incoming is the folder of copies that are being written. It is in the same file
// system as the blobs, so that renaming moves them.
const incoming = "incoming"

// abandoned is the age of a copy that no process writes any more.
const abandoned = 24 * time.Hour

// Has hashes the blob. A copy that is damaged is not there.
func (f *Folder) Has(_ context.Context, b Blob) (bool, error) {
	err := f.check(f.path(b.Digest), b)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrDamaged):
		return false, nil
	case err != nil:
		return false, refusedByDisk(err)
	}
	f.loosen(b.Digest, false) // another process may have been killed before it synced it
	// It is as young as a new copy, so that what looks for old blobs leaves it alone.
	return true, chtimes(f.path(b.Digest))
}

// Put writes the blob beside the others, reads it back, and renames it. SetIndex makes
// all blobs durable at once.
func (f *Folder) Put(ctx context.Context, b Blob, open func() (io.ReadCloser, error)) error {
	if b.Manifest { // one that is there is durable, and older records need it
		if there, err := f.Has(ctx, b); err != nil || there {
			return err
		}
	}
	from, err := open()
	if err != nil {
		return err
	}
	defer from.Close()
	if err := errors.Join(f.prepare(ctx, b.Digest.Algorithm), f.mkdir(incoming)); err != nil {
		return err
	}
	// What is read back is hashed, so what is written is not.
	err = f.write(f.path(b.Digest), io.LimitReader(from, b.Size+1), func(file *os.File) error {
		_, err := file.Seek(0, io.SeekStart)
		return errors.Join(err, hashed(file, b))
	})
	if err == nil {
		f.loosen(b.Digest, true)
	}
	return err
}

func (f *Folder) loosen(digest v1.Hash, written bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loose[digest] = f.loose[digest] || written
}

// sync makes all blobs durable. After a failed sync, a system may say that the next one
// succeeded although the content is lost: so every later one fails too, and the next
// process copies these blobs again.
func (f *Folder) sync() error {
	f.mu.Lock()
	loose, failed := f.loose, f.failed
	f.loose = map[v1.Hash]bool{}
	f.mu.Unlock()
	if failed != nil || len(loose) == 0 {
		return failed
	}
	syncSystem(f.root)
	group := new(errgroup.Group)
	group.SetLimit(maxSyncs)
	for digest, written := range loose {
		group.Go(func() error {
			err := syncFile(f.path(digest))
			if err != nil && written {
				err = errors.Join(err, os.Remove(f.path(digest)))
			}
			return err
		})
	}
	err := group.Wait()
	if err != nil {
		err = fmt.Errorf("%w: what was copied cannot be made durable: %w", ErrRefused, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = err
	return err
}

// maxSyncs is how many files are synced at once.
const maxSyncs = 32

// syncFile makes the content of a file durable.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Open opens the file of the blob.
func (f *Folder) Open(_ context.Context, b Blob) (io.ReadCloser, error) {
	file, err := os.Open(f.path(b.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is %w", b.Digest, ErrNotFound)
	}
	return file, err
}

// Index reads index.json.
func (f *Folder) Index(context.Context) (index []byte, version string, err error) {
	index, err = os.ReadFile(filepath.Join(f.root, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, unmarked := os.Stat(filepath.Join(f.root, layoutFile)); unmarked == nil {
			err = errNoIndex
		} else {
			return nil, "", nil
		}
	}
	return index, versionOf(index), err
}

// SetIndex replaces index.json, once the blobs and their names are durable.
func (f *Folder) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if err := f.sync(); err != nil {
		return "", err
	}
	if err := f.prepare(ctx, "sha256"); err != nil {
		return "", err
	}
	unlock, err := f.lockIndex(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, now, err := f.Index(ctx); err != nil || now != version {
		return "", cmp.Or(err, ErrChanged)
	}
	for _, dir := range []string{filepath.Join("blobs", "sha256"), "blobs"} { // a new folder has its name in the one above
		if err := syncDir(filepath.Join(f.root, dir)); err != nil {
			return "", err
		}
	}
	if err := f.write(filepath.Join(f.root, "index.json"), bytes.NewReader(index), (*os.File).Sync); err != nil {
		return "", err
	}
	return versionOf(index), syncDir(f.root)
}

func versionOf(index []byte) string {
	sum := sha256.Sum256(index)
	return hex.EncodeToString(sum[:])
}

// Stored lists the files of blobs, and removes copies that a killed process left.
func (f *Folder) Stored(context.Context) ([]Stored, error) {
	left, err := os.ReadDir(filepath.Join(f.root, incoming))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range left {
		if filepath.Ext(entry.Name()) == ".lock" {
			continue
		}
		if info, gone := entry.Info(); gone == nil && clock.Now().Sub(info.ModTime()) > abandoned {
			if err := os.Remove(filepath.Join(f.root, incoming, entry.Name())); err != nil {
				return nil, err
			}
		}
	}
	all := []Stored{}
	entries, err := os.ReadDir(filepath.Join(f.root, "blobs", "sha256"))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	for _, entry := range entries {
		digest, bad := v1.NewHash("sha256:" + entry.Name())
		info, gone := entry.Info()
		if bad == nil && gone == nil && info.Mode().IsRegular() {
			all = append(all, Stored{digest, info.Size(), info.ModTime()})
		}
	}
	return all, err
}

// Remove removes the file of the blob.
func (f *Folder) Remove(_ context.Context, b Blob) (bool, error) {
	err := os.Remove(f.path(b.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// path is made of a digest alone: the hexadecimal digits that v1.NewHash checked.
func (f *Folder) path(digest v1.Hash) string {
	return filepath.Join(f.root, "blobs", digest.Algorithm, digest.Hex)
}

// check hashes a file.
func (f *Folder) check(path string, b Blob) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return hashed(file, b)
}

// hashed reads a file to its end, and compares it with the blob.
func hashed(file io.Reader, b Blob) error {
	_, err := io.Copy(io.Discard, Verify(file, b))
	return err
}

// prepare makes the folders, an index without records, and then the marker of a layout: a
// marker without an index shows that an index was lost.
func (f *Folder) prepare(ctx context.Context, algorithm string) error {
	if err := f.mkdir(filepath.Join("blobs", algorithm)); err != nil {
		return err
	}
	marker := filepath.Join(f.root, layoutFile)
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	unlock, err := f.lockIndex(ctx) // another process may be doing the same
	if err != nil {
		return err
	}
	defer unlock()
	index := filepath.Join(f.root, "index.json")
	if _, err := os.Stat(index); errors.Is(err, fs.ErrNotExist) {
		if err := f.write(index, bytes.NewReader(emptyIndex()), (*os.File).Sync); err != nil {
			return err
		}
	}
	return f.write(marker, bytes.NewReader(layout()), (*os.File).Sync)
}

func (f *Folder) mkdir(dir string) error {
	return refusedByDisk(os.MkdirAll(filepath.Join(f.root, dir), 0o750))
}

// write writes a file, and gives it its name once accept has returned.
func (f *Folder) write(path string, from io.Reader, accept func(*os.File) error) (err error) {
	file, err := os.CreateTemp(filepath.Join(f.root, incoming), "*")
	if err != nil {
		return refusedByDisk(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = io.Copy(file, from)
	if err = errors.Join(err, file.Chmod(0o640)); err == nil {
		err = accept(file)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	return refusedByDisk(err)
}

// refusedByDisk marks the errors that do not pass.
func refusedByDisk(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// syncDir makes a rename durable, where the system can sync a folder.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) || err != nil && strings.Contains(err.Error(), "not supported") {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

func chtimes(path string) error {
	now := clock.Now()
	return os.Chtimes(path, now, now)
}
