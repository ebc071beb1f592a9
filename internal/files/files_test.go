//go:build unix

package files_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// A file that is not regular may block whoever opens it: if Read did, so would the test.
func TestReadTakesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("file"), []byte("text"), 0o600),
		os.WriteFile(at("large"), make([]byte, files.MiB+1), 0o600),
		os.Symlink("file", at("link")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("pipe", at("link-to-pipe")),
		os.Symlink("none", at("dangling")),
		os.Mkdir(at("folder"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	socket, err := new(net.ListenConfig).Listen(t.Context(), "unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, tt := range []struct{ name, path, refused string }{
		{"a regular file", at("file"), ""},
		{"a link to a regular file", at("link"), ""},
		{"a named pipe that no one writes to", at("pipe"), "is not a regular file but a named pipe: name a regular file"},
		{"a link to a named pipe", at("link-to-pipe"), "is not a regular file but a named pipe"},
		{"a device without an end", "/dev/zero", "is not a regular file but a device"},
		{"a device that looks empty", os.DevNull, "is not a regular file but a device"},
		{"a socket", at("socket"), "is not a regular file but a socket"},
		{"a folder", at("folder"), "is not a regular file but a folder"},
		{"a file over the limit", at("large"), "large is larger than 1 MiB"},
		{"a link that leads nowhere", at("dangling"), "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := files.Read(tt.path, files.MiB)
			checked := files.Check(tt.path, files.MiB)
			if tt.refused == "" {
				if err != nil || checked != nil || string(data) != "text" {
					t.Errorf("it reads %q: %v, %v", data, err, checked)
				}
				return
			}
			for _, err := range []error{err, checked} {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("it gives %v, want %s", err, tt.refused)
				}
			}
		})
	}
}
