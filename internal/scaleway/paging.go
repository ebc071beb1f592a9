package scaleway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
	"golang.org/x/sync/errgroup"
)

const (
	// pageSize is the largest size that the API serves. Its default of 20 would need
	// five times as many calls.
	pageSize = 100
	// maxListings is how often an inconsistent listing is listed in total.
	maxListings = 3
)

// page is one page of a listing.
type page[T any] struct {
	rows  []T
	total uint64 // of the whole listing, as this page states it
}

// fetcher reads one page; pages count from 1.
type fetcher[T any] func(ctx context.Context, number int32) (page[T], error)

// pageError names the page on which a listing failed.
type pageError struct {
	page int32
	err  error
}

func (e *pageError) Error() string { return fmt.Sprintf("page %d: %v", e.page, e.err) }
func (e *pageError) Unwrap() error { return e.err }

// inconsistentError is a listing whose pages do not match. Paging is by offset: if a
// row is deleted between two pages, another one is missing, and if a row is added,
// another one may be duplicate. That happens now and then in a registry in use.
type inconsistentError struct{ problem string }

func (e *inconsistentError) Error() string { return e.problem }

// relist lists until the listing is consistent, at most maxListings times. It does
// not repeat a listing that failed: the retrier has repeated its calls.
func relist(once func() error) error {
	var err error
	for range maxListings {
		err = once()
		var inconsistent *inconsistentError
		if !errors.As(err, &inconsistent) {
			return err
		}
	}
	return fmt.Errorf("%w: listed %d times, and never consistent: %w", registry.ErrIncomplete, maxListings, err)
}

// listAll reads a whole listing: the first page, then the others concurrently.
func listAll[T any](ctx context.Context, concurrency int, fetch fetcher[T], id func(*T) [16]byte) ([]T, error) {
	var rows []T
	err := relist(func() error {
		parts, err := listPages(ctx, concurrency, fetch)
		if err != nil {
			return err
		}
		rows = rows[:0]
		seen := make(map[[16]byte]struct{}, len(parts)*pageSize)
		for number := int32(1); int(number) <= len(parts); number++ {
			for _, row := range parts[number] {
				if _, twice := seen[id(&row)]; twice {
					return duplicate(number)
				}
				seen[id(&row)] = struct{}{}
				rows = append(rows, row)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// listPages reads every page once, by number. It allocates nothing in advance,
// because the number of pages comes from the server. If several pages fail, the error
// is that of the first one, whichever failed first: so it waits for the pages before
// one that fails, and gives up those after it.
func listPages[T any](ctx context.Context, concurrency int, fetch fetcher[T]) (map[int32][]T, error) {
	first, err := fetchPage(ctx, fetch, 1, nil)
	if err != nil {
		return nil, err
	}
	p := &pagesRead[T]{rows: map[int32][]T{1: first.rows}, reading: map[int32]context.CancelFunc{}}
	var group errgroup.Group
	group.SetLimit(concurrency)
	last := lastPage(first.total)
	for number := int32(2); number <= last && ctx.Err() == nil && !p.hasFailed(); number++ {
		ctx := p.begin(ctx, number)
		group.Go(func() error {
			read, err := fetchPage(ctx, fetch, number, &first.total)
			p.end(number, read.rows, err)
			return nil
		})
	}
	_ = group.Wait() // the errors are in p
	if p.err == nil && len(p.rows) < int(last) {
		return nil, context.Cause(ctx)
	}
	return p.rows, p.err
}

// pagesRead are the pages of a listing that were read so far.
type pagesRead[T any] struct {
	mu      sync.Mutex
	rows    map[int32][]T
	reading map[int32]context.CancelFunc
	failed  int32 // the first page that failed; 0 for none
	err     error // its error
}

func (p *pagesRead[T]) hasFailed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed > 0
}

func (p *pagesRead[T]) begin(ctx context.Context, number int32) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading[number] = cancel
	return ctx
}

func (p *pagesRead[T]) end(number int32, rows []T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reading[number]()
	delete(p.reading, number)
	switch {
	case err == nil:
		p.rows[number] = rows
	case p.failed == 0 || number < p.failed:
		p.failed, p.err = number, err
		for other, cancel := range p.reading {
			if other > number {
				cancel()
			}
		}
	}
}

// fetchPage reads one page, and checks that its listing has the given total; nil for
// the first page, which states the total.
func fetchPage[T any](ctx context.Context, fetch fetcher[T], number int32, total *uint64) (page[T], error) {
	p, err := fetch(ctx, number)
	if err != nil {
		return page[T]{}, &pageError{page: number, err: err}
	}
	if total != nil && p.total != *total {
		return page[T]{}, &inconsistentError{fmt.Sprintf("page %d counts %d rows in total, page 1 counted %d", number, p.total, *total)}
	}
	before := uint64(number-1) * pageSize //nolint:gosec // G115: pages count from 1
	want := min(pageSize, p.total-before)
	if uint64(len(p.rows)) != want {
		return page[T]{}, &inconsistentError{fmt.Sprintf("page %d has %d rows instead of %d, of %d in total", number, len(p.rows), want, p.total)}
	}
	return p, nil
}

// lastPage is the number of the last page; 1 for an empty listing. The API counts in
// 32 bits, so it always fits.
func lastPage(total uint64) int32 {
	return int32(max(1, (total+pageSize-1)/pageSize)) //nolint:gosec // G115: see above
}

func duplicate(number int32) error {
	return &inconsistentError{fmt.Sprintf("page %d repeats a row of this listing", number)}
}
