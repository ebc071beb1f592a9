package emulator

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody bounds the body of a request; the real ones are a few hundred bytes.
const maxBody = 1 << 20

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, errors.New("it could not be read")
	}
	return body, nil
}

// limiter allows a number of requests in each second, which begins with its first
// request.
type limiter struct {
	perSecond int // 0 means no limit

	mu     sync.Mutex
	opened time.Time
	passed int
}

func (l *limiter) allow(now time.Time) bool {
	if l.perSecond == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.opened); since >= time.Second || since < 0 {
		l.opened, l.passed = now, 0
	}
	if l.passed == l.perSecond {
		return false
	}
	l.passed++
	return true
}
