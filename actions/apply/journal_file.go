package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/registry-janitor/registry-janitor/actions"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrJournalLocked: another run is writing to the journal.
var ErrJournalLocked = errors.New("another run is writing to the journal")

// JournalFile is a Journal of JSON Lines, for runs without a ledger: a run a
// file, or many. Every record is on disk when its method returns; records of
// steps in flight share a write. It is safe for concurrent use.
type JournalFile struct {
	file *os.File
	run  string
	now  func() time.Time

	mu      sync.Mutex
	next    *journalBatch // takes records; nil when none has been added
	writing bool
	err     error // of the first write that failed: nothing is written after it
}

// journalBatch is the records of one write.
type journalBatch struct {
	lines   bytes.Buffer
	written chan struct{} // closed when err is known
	err     error
}

// JournalRun says which run writes to a journal.
type JournalRun struct {
	ID   string           // unique; required
	Plan string           // the id of its plan
	Who  string           // "user@host"; may be empty
	Now  func() time.Time // nil is the system's clock
}

// OpenJournalFile opens a journal to add a run to, and creates it, for its owner
// only, where there is none. A record at its end that was cut off, since the
// process or the machine died while it was written, is removed: nothing was sent
// for it. The file is locked until Close, where the system can do that;
// ErrJournalLocked says that another process holds it.
func OpenJournalFile(path string, run JournalRun) (*JournalFile, error) {
	if run.Now == nil {
		run.Now = wallClock
	}
	file, err := openJournal(path)
	if err != nil {
		return nil, fmt.Errorf("opening the journal %s: %w", path, err)
	}
	j := &JournalFile{file: file, run: run.ID, now: run.Now}
	if err := j.write(journalRecord{Event: eventBegin, Plan: run.Plan, Who: run.Who}); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

func openJournal(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	err = lockFile(file)
	if err == nil {
		err = cutTorn(file)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// cutTorn removes what follows the last line break.
func cutTorn(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		if _, err := file.ReadAt(block[:end-start], start); err != nil {
			return err
		}
		if at := bytes.LastIndexByte(block[:end-start], '\n'); at >= 0 {
			return shorten(file, start+int64(at)+1, size)
		}
		end = start
	}
	return shorten(file, 0, size)
}

func shorten(file *os.File, to, size int64) error {
	if to == size {
		return nil
	}
	return file.Truncate(to)
}

// syncFolder makes the entry of a new file last. Some systems cannot do that, and
// do not need it.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = folder.Sync()
	return folder.Close()
}

// Intend implements Journal.
func (j *JournalFile) Intend(_ context.Context, s actions.Step) error {
	return j.write(journalRecord{Event: eventIntend, Step: &s})
}

// Done implements Journal.
func (j *JournalFile) Done(_ context.Context, r actions.StepResult) error {
	return j.write(journalRecord{Event: eventDone, StepResult: &r})
}

// Resolved records what became of a step of an earlier run that was interrupted.
func (j *JournalFile) Resolved(run string, r actions.StepResult) error {
	return j.write(journalRecord{Run: run, Event: eventDone, StepResult: &r})
}

// Ended records that the run has come to its end, with the counts of its outcome.
func (j *JournalFile) Ended(o *actions.Outcome) error {
	counts := *o
	counts.Results = []actions.StepResult{} // they are in the journal already, or were not tried
	return j.write(journalRecord{Event: eventEnd, Outcome: &counts})
}

// Close releases the file.
func (j *JournalFile) Close() error { return j.file.Close() }

// write adds a record and returns once it is on disk. While one batch is being
// written, the next one gathers, so that any number of steps in flight shares
// two.
func (j *JournalFile) write(rec journalRecord) error {
	if rec.Run == "" {
		rec.Run = j.run
	}
	rec.Time = j.now().UTC()
	line, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.mu.Lock()
	if j.err != nil {
		defer j.mu.Unlock()
		return j.err
	}
	if j.next == nil {
		j.next = &journalBatch{written: make(chan struct{})}
	}
	batch := j.next
	batch.lines.Write(append(line, '\n'))
	if !j.writing {
		j.writing = true
		j.flush()
	}
	j.mu.Unlock()
	<-batch.written
	return batch.err
}

// flush writes the batch that has gathered, and leaves the next one to another
// goroutine, so that no step waits for the records of others. The caller holds
// j.mu.
func (j *JournalFile) flush() {
	batch := j.next
	j.next = nil
	j.mu.Unlock()
	_, err := j.file.Write(batch.lines.Bytes())
	if err == nil {
		err = j.file.Sync()
	}
	j.mu.Lock()
	if err != nil && j.err == nil {
		j.err = fmt.Errorf("writing the journal: %w", err)
	}
	batch.err = j.err
	close(batch.written)
	switch {
	case j.next == nil:
		j.writing = false
	case j.err != nil:
		j.next.err = j.err
		close(j.next.written)
		j.next, j.writing = nil, false
	default:
		go func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.flush()
		}()
	}
}
