package scaleway

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// readPage has the SDK request a page of a listing, and reads the rows of the answer
// from the wire, where one checks and translates each. The SDK sees an empty answer:
// its decoder would read every byte three times, and take ten times as long.
func readPage[Row, T any](ctx context.Context, list string, one func(*Row) (T, error), request func(scw.RequestOption) error) (page[T], error) {
	l := &listing[Row, T]{list: list, one: one}
	if err := request(scw.WithContext(context.WithValue(ctx, takerKey{}, taker(l.decode)))); err != nil {
		return page[T]{}, err
	}
	if l.err == nil && l.rows == nil { // null, or another document
		l.err = errors.New("the answer holds no list")
	}
	return page[T]{rows: l.rows, total: uint64(l.total)}, l.err
}

// taker takes the body of a success, which it must not keep. It returns what is wrong
// with it, if another try may mend that, or "".
type taker func(body []byte) (problem string)

type takerKey struct{}

// takerOf returns who takes the answer to a request; nil if the SDK reads it.
func takerOf(ctx context.Context) taker {
	decode, _ := ctx.Value(takerKey{}).(taker)
	return decode
}

// listing is one page as the API answers it: an object with the rows and their total.
type listing[Row, T any] struct {
	list string                // the name of the rows
	one  func(*Row) (T, error) // checks and translates a row

	room    int // rows that the answer has at most, roughly
	rows    []T // nil without a list
	total   uint32
	counted bool  // the answer has a total: without it, a lost row could not be noticed
	err     error // of the first row that is wrong, or of something else that no other try mends
}

func (l *listing[Row, T]) decode(body []byte) (problem string) {
	const shortestRow = 250 // bytes
	*l = listing[Row, T]{list: l.list, one: l.one, room: min(len(body)/shortestRow+1, pageSize)}
	err := json.Unmarshal(body, l)
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntax) || errors.Is(err, errNoObject):
		return "its body is not a complete JSON object"
	case err != nil:
		l.err = fmt.Errorf("could not parse the answer: %w", err)
	case !l.counted:
		return "the listing has no total_count"
	}
	return ""
}

var errNoObject = errors.New("not an object")

// UnmarshalJSONFrom reads the object. After a wrong row it reads on, since the object
// may be incomplete, which another try may mend.
func (l *listing[Row, T]) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if in.PeekKind() != '{' {
		return errNoObject
	}
	return eachMember(in, func(name string) error {
		switch name {
		case l.list:
			return l.readRows(in)
		case "total_count":
			l.counted = in.PeekKind() != 'n'
			return json.UnmarshalDecode(in, &l.total)
		}
		return in.SkipValue()
	})
}

func (l *listing[Row, T]) readRows(in *jsontext.Decoder) error {
	if in.PeekKind() != '[' {
		return json.UnmarshalDecode(in, &l.rows) // null is not a list, anything else an error
	}
	l.rows = make([]T, 0, l.room)
	row := new(Row)
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != ']' {
		if err := l.readRow(in, row); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}

// readRow reads a row into row, whatever that held, and adds what it is translated to.
func (l *listing[Row, T]) readRow(in *jsontext.Decoder, row *Row) error {
	null := in.PeekKind() == 'n'
	*row = *new(Row)
	if err := json.UnmarshalDecode(in, row); err != nil {
		return err
	}
	switch {
	case l.err != nil: // an earlier row decides
		return nil //nolint:nilerr // it is returned at the end
	case null:
		l.err = errors.New("a row is null")
		return nil
	}
	var translated T
	translated, l.err = l.one(row)
	l.rows = append(l.rows, translated)
	return nil
}

// eachMember reads an object; member reads the value of each name.
func eachMember(in *jsontext.Decoder, member func(name string) error) error {
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != '}' {
		name, err := in.ReadToken()
		if err == nil {
			err = member(name.String())
		}
		if err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}
