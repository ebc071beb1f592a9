package scaleway

import (
	"context"
	"errors"

	"github.com/registry-janitor/registry-janitor/registry"
)

// errStopped: the consumer of a sequence stopped.
var errStopped = errors.New("stopped by the consumer")

// imageStream yields the rows of a listing while it reads them. When it reads the
// listing again, it yields only the rows that it has not yielded yet.
type imageStream struct {
	fetch   fetcher[registry.Image]
	yield   func(registry.Image, error) bool
	attempt uint8
	// listed is the last listing that had an image. If that is this listing, the row is
	// a duplicate; if it is an earlier one, the image has been yielded.
	listed map[[16]byte]uint8
}

// once reads the listing from beginning to end. It fetches the next page while it
// yields one, so that the consumer need not wait for every page.
func (s *imageStream) once(ctx context.Context) error {
	s.attempt++
	return eachPage(ctx, 1, s.fetch, s.yieldRows)
}

func (s *imageStream) yieldRows(number int32, rows []registry.Image) error {
	for _, row := range rows {
		id := idOf(row.ID)
		seen := s.listed[id]
		if seen == s.attempt {
			return duplicate(number)
		}
		s.listed[id] = s.attempt
		if seen == 0 && !s.yield(row, nil) {
			return errStopped
		}
	}
	return nil
}
