package emulator

import (
	"cmp"
	"slices"
	"sort"
	"sync/atomic"
)

// row is an entry of a listing.
type row interface {
	comparable
	born() int64 // created_at in microseconds
	title() string
	ref() string
	write(*writer)
}

// listing keeps rows in the API's default order, created_at_asc, so that a page
// of it is a slice; rows of the same microsecond are in the order of their names.
// The order by name is made on first use, and dropped with every change.
type listing[T row] struct {
	rows  []T
	named atomic.Pointer[[]T]
}

func compareRows[T row](a, b T) int {
	return cmp.Or(cmp.Compare(a.born(), b.born()), cmp.Compare(a.title(), b.title()))
}

// fill sets the rows of an empty listing.
func (l *listing[T]) fill(rows []T) {
	slices.SortFunc(rows, compareRows[T])
	l.rows = rows
}

func (l *listing[T]) add(r T) {
	at, _ := slices.BinarySearchFunc(l.rows, r, compareRows[T])
	l.rows = slices.Insert(l.rows, at, r)
	l.named.Store(nil)
}

func (l *listing[T]) remove(r T) {
	// Rows of a whole region may agree in time and name, so the search ends where
	// the equal ones begin.
	at := sort.Search(len(l.rows), func(i int) bool { return compareRows(l.rows[i], r) >= 0 })
	for ; at < len(l.rows); at++ {
		if l.rows[at] == r {
			l.rows = slices.Delete(l.rows, at, at+1)
			l.named.Store(nil)
			return
		}
	}
}

func (l *listing[T]) find(name string) (found T, ok bool) {
	for _, r := range l.rows {
		if r.title() == name {
			return r, true
		}
	}
	return found, false
}

// byName returns the rows in the order of their names. Several readers may make
// that order at the same time; they store the same.
func (l *listing[T]) byName() []T {
	if sorted := l.named.Load(); sorted != nil {
		return *sorted
	}
	rows := slices.Clone(l.rows)
	slices.SortStableFunc(rows, func(a, b T) int { return cmp.Compare(a.title(), b.title()) })
	l.named.Store(&rows)
	return rows
}

// filter returns the rows that pass every check; without checks, all of them.
func filter[T row](rows []T, checks []func(T) bool) []T {
	if len(checks) == 0 {
		return rows
	}
	var passed []T
	for _, r := range rows {
		if !slices.ContainsFunc(checks, func(check func(T) bool) bool { return !check(r) }) {
			passed = append(passed, r)
		}
	}
	return passed
}

// window returns at most size rows from offset on, counted from the end in a
// descending order.
func window[T row](rows []T, descending bool, offset, size int) []T {
	n := len(rows)
	if offset >= n {
		return nil
	}
	end := min(n, offset+size)
	if !descending {
		return rows[offset:end]
	}
	page := slices.Clone(rows[n-end : n-offset])
	slices.Reverse(page)
	return page
}
