package actions

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"iter"
	"slices"
)

// Names are the names of tags. They are packed into one string, each after its length,
// because the plan of a large registry holds millions of them. Their JSON is a list.
type Names struct{ packed string }

// NamesOf packs names in the order of the list.
func NamesOf(list ...string) Names {
	var packed []byte
	for _, name := range list {
		packed = append(binary.AppendUvarint(packed, uint64(len(name))), name...)
	}
	return Names{string(packed)}
}

// All are the names in their order.
func (n Names) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := n.packed; rest != ""; {
			length, size := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
			end := size + int(length) //nolint:gosec // G115: it was the length of a string
			if !yield(rest[size:end]) {
				return
			}
			rest = rest[end:]
		}
	}
}

// IsEmpty reports whether there is no name.
func (n Names) IsEmpty() bool { return n.packed == "" }

// Has reports whether a name is among them.
func (n Names) Has(name string) bool {
	for has := range n.All() {
		if has == name {
			return true
		}
	}
	return false
}

// Equal reports whether both have the same names in the same order.
func (n Names) Equal(other Names) bool { return n == other }

// MarshalJSON writes a list.
func (n Names) MarshalJSON() ([]byte, error) {
	var list bytes.Buffer
	e := json.NewEncoder(&list)
	e.SetEscapeHTML(false) // the encoder of the whole escapes what it wants to
	err := e.Encode(slices.AppendSeq([]string{}, n.All()))
	return list.Bytes(), err
}

// UnmarshalJSON reads a list.
func (n *Names) UnmarshalJSON(text []byte) error {
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	*n = NamesOf(list...)
	return nil
}
