// Package files reads and writes the files that an operator names. All packages read
// such files here.
//
// Read, Open and Check are for what a configuration names, such as policies, keys and
// references, and take regular files only; a symbolic link to one is fine. They must
// never wait for another program: a named pipe or a device could stop a daemon for
// ever, even against a signal to end. Stream and Write are for what a command line
// names, take named pipes and devices too, and must never wait beyond the end of their
// context. Nothing here may read more than its caller has room for, or replace
// anything but a regular file.
package files

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// MiB is the unit of all limits.
const MiB = 1 << 20

// Read returns the contents of a regular file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(path, limit)
	}
	return data, nil
}

// Open opens a regular file to read it.
func Open(path string) (*os.File, error) {
	// Opening a device may already do something.
	if info, err := os.Stat(path); err == nil {
		if err := regular(path, info); err != nil {
			return nil, err
		}
	}
	// Something else may have taken its place: then opening it does not wait either.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = regular(path, info)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Check reports why Read would refuse the file, for a library that reads it itself.
func Check(path string, limit int64) error {
	file, err := Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.Size() > limit {
		err = tooLarge(path, limit)
	}
	return err
}

func regular(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s is not a regular file but %s: name a regular file, or a link to one", path, kind(info.Mode()))
}

// kind is what an operator calls a file that is not regular.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

func tooLarge(path string, limit int64) error {
	return fmt.Errorf("%s is larger than %d MiB", path, limit/MiB)
}
