package progress

import "time"

const (
	// window is how far back the pace is measured: an API that has become slower, or
	// the first steps that go one at a time, must not count for long.
	window = time.Minute
	// patience is how long a pace is measured before it is believed.
	patience = 3 * time.Second
)

// meter estimates the time left from the pace of the last minute.
type meter struct {
	doing   string
	samples []sample // oldest first
}

type sample struct {
	at   time.Time
	done int64
}

// left is how long the rest takes; 0 if that is not known.
func (m *meter) left(at time.Time, doing string, done, total int64) time.Duration {
	if m.doing != doing {
		m.doing, m.samples = doing, nil
	}
	for len(m.samples) > 1 && at.Sub(m.samples[1].at) >= window {
		m.samples = m.samples[1:]
	}
	if n := len(m.samples); n == 0 || at.Sub(m.samples[n-1].at) >= time.Second {
		m.samples = append(m.samples, sample{at, done})
	}
	first := m.samples[0]
	took, progressed := at.Sub(first.at), done-first.done
	if total <= done || progressed <= 0 || took < patience {
		return 0
	}
	return time.Duration(float64(took) * float64(total-done) / float64(progressed))
}
