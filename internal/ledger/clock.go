package ledger

import "time"

// wallClock is the time where the caller gives none.
func wallClock() time.Time { return time.Now() }
