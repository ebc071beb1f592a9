package store

import (
	"bytes"
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
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// Folder is a Store in a directory.
type Folder struct{ root string }

// NewFolder is the store at a path, which need not exist yet.
func NewFolder(path string) *Folder { return &Folder{path} }

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
	// It is as young as a new copy, so that what looks for old blobs leaves it alone.
	return true, chtimes(f.path(b.Digest))
}

// Put writes the blob beside the others, reads it back, and renames it. SetIndex makes the
// names of all blobs durable at once.
func (f *Folder) Put(_ context.Context, b Blob, open func() (io.ReadCloser, error)) error {
	from, err := open()
	if err != nil {
		return err
	}
	defer from.Close()
	if err := f.prepare(b.Digest.Algorithm); err != nil {
		return err
	}
	// What is read back is hashed, so what is written is not.
	return f.write(f.path(b.Digest), io.LimitReader(from, b.Size+1), func(path string) error { return f.check(path, b) })
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
		return nil, "", nil
	}
	return index, versionOf(index), err
}

// SetIndex replaces index.json, once the names of the blobs are durable.
func (f *Folder) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if _, now, err := f.Index(ctx); err != nil || now != version {
		return "", errors.Join(err, ErrChanged)
	}
	if err := f.prepare("sha256"); err != nil {
		return "", err
	}
	for _, dir := range []string{filepath.Join("blobs", "sha256"), "blobs"} { // a new folder has its name in the one above
		if err := syncDir(filepath.Join(f.root, dir)); err != nil {
			return "", err
		}
	}
	if err := f.write(filepath.Join(f.root, "index.json"), bytes.NewReader(index), unchecked); err != nil {
		return "", err
	}
	return versionOf(index), syncDir(f.root)
}

func unchecked(string) error { return nil }

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
	_, err = io.Copy(io.Discard, Verify(file, b))
	return err
}

// prepare makes the folders and the marker of a layout.
func (f *Folder) prepare(algorithm string) error {
	for _, dir := range []string{incoming, filepath.Join("blobs", algorithm)} {
		if err := os.MkdirAll(filepath.Join(f.root, dir), 0o750); err != nil {
			return refusedByDisk(err)
		}
	}
	marker := filepath.Join(f.root, layoutFile)
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.write(marker, bytes.NewReader(layout()), unchecked)
}

// write makes the content of a file durable, and gives it its name once check has
// accepted it.
func (f *Folder) write(path string, from io.Reader, check func(path string) error) (err error) {
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
	err = errors.Join(err, file.Chmod(0o640), file.Sync(), file.Close())
	if err != nil {
		return refusedByDisk(err)
	}
	if err := check(file.Name()); err != nil {
		return fmt.Errorf("checking the copy: %w", err)
	}
	return refusedByDisk(os.Rename(file.Name(), path))
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
