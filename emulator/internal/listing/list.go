package listing

import (
	"cmp"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

// Row is an entry of a listing.
type Row interface {
	comparable
	Born() int64 // created_at in microseconds
	Title() string
	Ref() string
	Write(*wire.Writer)
}

// List keeps rows in the API's default order, created_at_asc, so that a page
// of it is a slice; rows of the same microsecond are in the order of their names.
// The order by name is made on first use, and dropped with every change.
type List[T Row] struct {
	Rows  []T
	named atomic.Pointer[[]T]
}

func compareRows[T Row](a, b T) int {
	return cmp.Or(cmp.Compare(a.Born(), b.Born()), cmp.Compare(a.Title(), b.Title()))
}

// Fill sets the rows of an empty listing.
func (l *List[T]) Fill(rows []T) {
	slices.SortFunc(rows, compareRows[T])
	l.Rows = rows
}

// Add adds a row.
func (l *List[T]) Add(r T) {
	at, _ := slices.BinarySearchFunc(l.Rows, r, compareRows[T])
	l.Rows = slices.Insert(l.Rows, at, r)
	l.named.Store(nil)
}

// Remove removes a row.
func (l *List[T]) Remove(r T) {
	// Rows of a whole region may agree in time and name, so the search ends where
	// the equal ones begin.
	at := sort.Search(len(l.Rows), func(i int) bool { return compareRows(l.Rows[i], r) >= 0 })
	for ; at < len(l.Rows); at++ {
		if l.Rows[at] == r {
			l.Rows = slices.Delete(l.Rows, at, at+1)
			l.named.Store(nil)
			return
		}
	}
}

// Find finds a row by its name.
func (l *List[T]) Find(name string) (found T, ok bool) {
	for _, r := range l.Rows {
		if r.Title() == name {
			return r, true
		}
	}
	return found, false
}

// byName returns the rows in the order of their names. Several readers may make
// that order at the same time; they store the same.
func (l *List[T]) byName() []T {
	if sorted := l.named.Load(); sorted != nil {
		return *sorted
	}
	rows := slices.Clone(l.Rows)
	slices.SortStableFunc(rows, func(a, b T) int { return cmp.Compare(a.Title(), b.Title()) })
	l.named.Store(&rows)
	return rows
}

// Filter returns the rows that pass every check; without checks, all of them.
func Filter[T Row](rows []T, checks []func(T) bool) []T {
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
