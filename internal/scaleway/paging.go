package scaleway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
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

// listAll reads a whole listing, several pages at once.
func listAll[T any](ctx context.Context, concurrency int, fetch fetcher[T], id func(*T) [16]byte) ([]T, error) {
	var all []T
	err := relist(func() error {
		all = nil
		var seen map[[16]byte]struct{}
		return eachPage(ctx, concurrency, fetch, func(number int32, rows []T) error {
			if all == nil {
				seen = make(map[[16]byte]struct{}, len(rows))
			}
			for i := range rows {
				seen[id(&rows[i])] = struct{}{}
			}
			if len(seen) != len(all)+len(rows) {
				return duplicate(number)
			}
			if all == nil {
				all = rows // most listings are one page
			} else {
				all = append(all, rows...)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads every page once, and hands them to take in their order. While take
// has one, up to ahead of the next ones are on their way; the first, which states how
// many there are, is read alone. If several pages fail, the error is that of the first
// one, whichever failed first. It allocates nothing in advance, because the number of
// pages comes from the server.
func eachPage[T any](ctx context.Context, ahead int, fetch fetcher[T], take func(number int32, rows []T) error) error {
	first, err := fetchPage(ctx, fetch, 1, nil)
	if err != nil {
		return err
	}
	type fetched struct {
		page page[T]
		err  error
	}
	var coming []chan fetched // in the order of the pages
	ctx, cancel := context.WithCancel(ctx)
	var fetches sync.WaitGroup
	defer fetches.Wait() // no goroutine outlives the listing
	defer cancel()
	last, next, rows := lastPage(first.total), int32(2), first.rows
	for number := int32(1); ; number++ {
		for ; next <= last && int(next-number) <= ahead; next++ {
			got, wanted := make(chan fetched, 1), next
			coming = append(coming, got)
			fetches.Go(func() {
				p, err := fetchPage(ctx, fetch, wanted, &first.total)
				got <- fetched{p, err}
			})
		}
		if err := take(number, rows); err != nil || number == last {
			return err
		}
		got := <-coming[0]
		if got.err != nil {
			return got.err
		}
		coming, rows = coming[1:], got.page.rows
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
