package files

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Stream opens what a command line names as input: a regular file, or also a named
// pipe or a device, such as the one of a process substitution. It waits for the
// program at the other end until the context ends, which also ends reading. Reading
// more than limit bytes is an error.
func Stream(ctx context.Context, path string, limit int64) (io.ReadCloser, error) {
	file, err := openWaiting(ctx, path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, fmt.Errorf("%s is a folder: name a file", path)
	}
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	return &stream{Reader: Limit(file, path, limit), ctx: ctx, close: func() error {
		stop()
		return file.Close()
	}}, nil
}

// stream is an open input.
type stream struct {
	io.Reader
	ctx   context.Context
	close func() error
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && s.ctx.Err() != nil { // that the file is closed is not the reason
		err = context.Cause(s.ctx)
	}
	return n, err
}

func (s *stream) Close() error { return s.close() }

// Limit reads at most limit bytes. More are an error that names the input.
func Limit(r io.Reader, name string, limit int64) io.Reader {
	return &limited{io.LimitedReader{R: r, N: limit + 1}, name, limit}
}

type limited struct {
	io.LimitedReader
	name  string
	limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.LimitedReader.Read(p)
	if l.N <= 0 {
		return 0, tooLarge(l.name, l.limit)
	}
	return n, err
}

// Write writes what a command line names as output. A regular file is replaced in one
// step, so that no reader gets half of it, and so is the one that a symbolic link
// leads to; it keeps its permissions, and a new one gets those given. A named pipe or
// a device is written to, and waits for its reader until the context ends.
func Write(ctx context.Context, path string, perm fs.FileMode, write func(io.Writer) error) error {
	target, err := follow(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name a file", target)
	case err == nil && (isOpen(target) || !info.Mode().IsRegular()):
		return writeTo(ctx, target, write)
	case err == nil:
		perm = info.Mode().Perm()
	}
	return replace(target, perm, write)
}

// maxLinks is how many symbolic links lead to a file at most, as in Linux.
const maxLinks = 40

// follow returns where symbolic links lead to, whether or not something is there.
func follow(path string) (string, error) {
	for range maxLinks {
		link := linkAt(path)
		if link == "" || isOpen(path) {
			return path, nil
		}
		if !filepath.IsAbs(link) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			link = filepath.Join(folder, link)
		}
		path = link
	}
	return "", fmt.Errorf("it is behind more than %d symbolic links", maxLinks)
}

// linkAt is where the symbolic link at a path leads to; "" if there is none.
func linkAt(path string) string {
	link, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	return link
}

// isOpen reports whether a path names a device, or a file that a process has open:
// what is at the other end of it must stay what it is.
func isOpen(path string) bool {
	return strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/")
}

// writeTo writes to what is there.
func writeTo(ctx context.Context, path string, write func(io.Writer) error) error {
	file, err := openWaiting(ctx, path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	defer stop()
	err = write(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// replace replaces a regular file in one step.
func replace(path string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err = f.Chmod(perm); err != nil {
		return err
	}
	if err = write(f); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// openWaiting opens a file. A named pipe is open once a program has opened its other
// end; the end of the context ends the wait.
func openWaiting(ctx context.Context, path string, flag int) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.OpenFile(path, flag, 0)
		opened <- result{file, err}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		go func() { // the program may still come
			if r := <-opened; r.err == nil {
				_ = r.file.Close()
			}
		}()
		return nil, fmt.Errorf("%s: no program has opened the other end: %w", path, context.Cause(ctx))
	}
}
