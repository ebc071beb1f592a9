// Package retry repeats a read after a fault that may pass. Its nouns are the
// read, its tries, and the pauses between them.
//
// It must never repeat a change of the registry: it may have been made although its
// answer was lost.
package retry

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// Loop is how a read is repeated.
type Loop struct {
	// Tries is how often the read is tried at most.
	Tries int
	// Budget bounds the sum of the pauses; 0 does not bound it.
	Budget time.Duration
	// Again reports whether the error of a try, counted from 1, may pass, and how
	// long to pause before the next try. Required.
	Again func(err error, try int) (pause time.Duration, again bool)
	// Before is called before each pause, with the try that failed. Required.
	Before func(err error, try int, pause time.Duration)
}

// Do reads until that succeeds, and returns the number of tries. The error is that
// of the last try, or the cause of the context's end.
func (l Loop) Do(ctx context.Context, read func() error) (tries int, err error) {
	paused := time.Duration(0)
	for try := 1; ; try++ {
		err := read()
		if err == nil {
			return try, nil
		}
		if ctx.Err() != nil {
			return try, context.Cause(ctx)
		}
		pause, again := l.Again(err, try)
		if !again || try >= l.Tries || l.Budget > 0 && paused+pause > l.Budget {
			return try, err
		}
		l.Before(err, try, pause)
		if err := clock.Sleep(ctx, pause); err != nil {
			return try, err
		}
		paused += pause
	}
}

// Pause is how long to pause after a failed try. It doubles from try to try, from
// first on, and is up to a half shorter at random, so that requests that failed
// together are not repeated together.
func Pause(first time.Duration, try int) time.Duration {
	longest := first << (try - 1)
	return longest/2 + rand.N(longest/2+1)
}

// After is how long to wait by the Retry-After header of an answer: seconds, or a
// date by the clock of the server, which is the local one, now, if the answer has no
// date. It is negative without such a header.
func After(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return max(0, until.Sub(now))
}
