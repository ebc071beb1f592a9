package store

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// The files in the folder of incoming copies that processes lock.
const (
	indexLock = "index.lock" // while the index is replaced
	useLock   = "use.lock"   // shared by who copies, exclusive for who purges
)

// lockPause is how long to wait before asking again for a lock that another process has.
const lockPause = 20 * time.Millisecond

// Enter takes the lock of those who copy.
func (f *Folder) Enter(ctx context.Context) (leave func(), err error) {
	l, err := f.lock(useLock)
	if err != nil {
		return nil, err
	}
	if _, err := l.TryRLockContext(ctx, lockPause); err != nil && !hasNoLocks(err) {
		return nil, refusedByDisk(err)
	}
	return release(l), nil
}

// EnterAlone takes the lock of who purges.
func (f *Folder) EnterAlone(context.Context) (leave func(), err error) {
	l, err := f.lock(useLock)
	if err != nil {
		return nil, err
	}
	switch got, err := l.TryLock(); {
	case hasNoLocks(err):
	case err != nil:
		return nil, refusedByDisk(err)
	case !got:
		return nil, ErrBusy
	}
	return release(l), nil
}

// lockIndex keeps other processes from replacing the index.
func (f *Folder) lockIndex(ctx context.Context) (unlock func(), err error) {
	l, err := f.lock(indexLock)
	if err != nil {
		return nil, err
	}
	if _, err := l.TryLockContext(ctx, lockPause); err != nil && !hasNoLocks(err) {
		return nil, refusedByDisk(err)
	}
	return release(l), nil
}

// lock is a lock that nobody has yet. Some file systems have no locks: there, as in a
// bucket, one process at a time must use the archive.
func (f *Folder) lock(file string) (*flock.Flock, error) {
	if err := f.mkdir(incoming); err != nil {
		return nil, err
	}
	return flock.New(filepath.Join(f.root, incoming, file), flock.SetPermissions(0o644)), nil // who may only read the file can lock it
}

// hasNoLocks reports whether the file system has no locks: one of NFS may have none, or only
// those of files that are open for writing.
func hasNoLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.EBADF)
}

func release(l *flock.Flock) func() { return func() { _ = l.Unlock() } }

// unlocked are the locks of a store that has none.
type unlocked struct{}

// Enter keeps nobody away.
func (unlocked) Enter(context.Context) (leave func(), err error) { return func() {}, nil }

// EnterAlone keeps nobody away.
func (unlocked) EnterAlone(context.Context) (leave func(), err error) { return func() {}, nil }
