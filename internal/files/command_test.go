//go:build unix

package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// write writes a text to a path.
func write(ctx context.Context, path, text string) error {
	return files.Write(ctx, path, 0o640, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}

func TestWriteReplacesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Mkdir(at("folder"), 0o700),
		os.WriteFile(at("old"), []byte("old"), 0o604),
		os.Symlink("old", at("link")),
		os.Symlink("link", at("link-to-link")),
		os.Symlink("folder/new", at("dangling")),
		os.Symlink("loop", at("loop")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, path, written string
		perm                fs.FileMode
	}{
		{"a new file", "new", "new", 0o640},
		{"a file, which keeps its permissions", "old", "old", 0o604},
		{"a link", "link", "old", 0o604},
		{"a link to a link", "link-to-link", "old", 0o604},
		{"a link that leads nowhere", "dangling", "folder/new", 0o640},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := os.Readlink(at(tt.path))
			if err := write(t.Context(), at(tt.path), tt.name); err != nil {
				t.Fatal(err)
			}
			if after, _ := os.Readlink(at(tt.path)); after != before {
				t.Errorf("it led to %q, and leads to %q", before, after)
			}
			data, err := os.ReadFile(at(tt.written))
			info, _ := os.Lstat(at(tt.written))
			if err != nil || string(data) != tt.name || info.Mode() != tt.perm {
				t.Errorf("%s has %q, %v: %v", tt.written, data, info.Mode(), err)
			}
		})
	}
	for path, want := range map[string]string{"folder": "folder is a folder: name a file", "loop": "behind more than 40 symbolic links"} {
		if err := write(t.Context(), at(path), "text"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %s", path, err, want)
		}
	}
	failed := errors.New("half of it")
	if err := files.Write(t.Context(), at("old"), 0o600, func(io.Writer) error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 7 {
		t.Errorf("the folder has %v: a temporary file was left", entries)
	}
	if data, _ := os.ReadFile(at("old")); string(data) != "a link to a link" {
		t.Errorf("half of a file is visible: %q", data)
	}
}

func TestWriteGoesThroughAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link} {
		read := make(chan string)
		go func() {
			in, err := files.Stream(t.Context(), pipe, files.MiB)
			if err != nil {
				t.Error(err)
			} else {
				data, _ := io.ReadAll(in)
				_ = in.Close() // or the next writer could write to this reader
				read <- string(data)
			}
			close(read)
		}()
		if err := write(t.Context(), path, "text"); err != nil {
			t.Fatal(err)
		}
		if got := <-read; got != "text" {
			t.Errorf("the reader got %q", got)
		}
		if info, err := os.Lstat(pipe); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
			t.Errorf("the pipe is now %v: %v", info, err)
		}
	}
}

// The device is a copy of the null device, so that a failure destroys nothing.
func TestWriteGoesThroughADevice(t *testing.T) {
	device := filepath.Join(t.TempDir(), "null")
	if err := syscall.Mknod(device, syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
		t.Skipf("making a device: %v", err) // only root may
	}
	if err := write(t.Context(), device, "text"); errors.Is(err, fs.ErrPermission) {
		t.Skipf("the file system has no devices: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(device); err != nil || info.Mode().Type() != fs.ModeDevice|fs.ModeCharDevice {
		t.Errorf("the device is now %v: %v", info, err)
	}
}

// A program at the other end may never come, or never go on.
func TestTheEndOfTheContextEndsTheWait(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if _, err := files.Stream(ended, pipe, files.MiB); !errors.Is(err, stopped) {
		t.Errorf("reading gives %v", err)
	}
	if err := write(ended, pipe, "text"); !errors.Is(err, stopped) {
		t.Errorf("writing gives %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	both, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that opening it does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	in, err := files.Stream(ctx, pipe, files.MiB)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	go cancel(stopped)
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, stopped) {
		t.Errorf("reading what does not come gives %v", err)
	}
}

func TestStreamIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		size    int
		refused string
	}{
		{files.MiB, ""},
		{files.MiB + 1, "file is larger than 1 MiB"},
	} {
		if err := os.WriteFile(path, make([]byte, tt.size), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := files.Stream(t.Context(), path, files.MiB)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		_ = in.Close()
		if tt.refused == "" && (err != nil || len(data) != tt.size) || tt.refused != "" && (err == nil || !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%d bytes: read %d: %v", tt.size, len(data), err)
		}
	}
	if _, err := files.Stream(t.Context(), filepath.Dir(path), files.MiB); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder gives %v", err)
	}
}
