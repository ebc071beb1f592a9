package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// The files in the folder of incoming copies that processes lock.
const (
	indexLock = "index.lock" // while the index is replaced
	useLock   = "use.lock"   // processes that copy share it, and one that purges has it alone
)

// lockPause is how long to wait before asking again for a lock that another process has.
const lockPause = 20 * time.Millisecond

// Enter takes the lock that copying processes share. A process that may only read the directory
// enters without it: a purge meanwhile can only make its restoration fail.
func (f *Folder) Enter(ctx context.Context) (leave func(), err error) {
	leave, err = f.lock(useLock, func(l *flock.Flock) (bool, error) { return l.TryRLockContext(ctx, lockPause) })
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return func() {}, nil
	}
	return leave, err
}

// EnterAlone takes the lock of the process that purges.
func (f *Folder) EnterAlone(context.Context) (leave func(), err error) {
	return f.lock(useLock, (*flock.Flock).TryLock)
}

// lockIndex keeps other processes from replacing the index.
func (f *Folder) lockIndex(ctx context.Context) (unlock func(), err error) {
	return f.lock(indexLock, func(l *flock.Flock) (bool, error) { return l.TryLockContext(ctx, lockPause) })
}

// lock locks a file in the way of take. On a file system without locks, it keeps no process
// away: there, as in a bucket, one process at a time must use the archive.
func (f *Folder) lock(file string, take func(*flock.Flock) (bool, error)) (unlock func(), err error) {
	if err := f.mkdir(incoming); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(f.root, incoming, file), flock.SetPermissions(0o644)) // who may only read the file can lock it
	switch taken, err := take(l); {
	case err != nil && !hasNoLocks(err):
		return nil, refusedByDisk(err)
	case err == nil && !taken:
		return nil, ErrBusy
	}
	return func() { _ = l.Unlock() }, nil
}

// hasNoLocks reports whether the file system has no locks: one of NFS may have none, or only
// those of files that are open for writing.
func hasNoLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.EBADF)
}

// unlocked are the locks of a store that has none.
type unlocked struct{}

// Enter keeps no process away.
func (unlocked) Enter(context.Context) (leave func(), err error) { return func() {}, nil }

// EnterAlone keeps no process away.
func (unlocked) EnterAlone(context.Context) (leave func(), err error) { return func() {}, nil }
