package actions

import (
	"encoding/json"
	"fmt"
)

// Measure is a number that may not be known. JSON leaves out one that is not.
type Measure struct {
	N     uint64
	Known bool
}

// Measured is a number that is known.
func Measured(n uint64) Measure { return Measure{N: n, Known: true} }

// IsZero reports whether the number is not known, so that JSON leaves it out.
func (m Measure) IsZero() bool { return !m.Known }

// MarshalJSON writes the number.
func (m Measure) MarshalJSON() ([]byte, error) { return json.Marshal(m.N) }

// UnmarshalJSON reads a number.
func (m *Measure) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &m.N); err != nil {
		return fmt.Errorf("reading a number: %w", err)
	}
	m.Known = true
	return nil
}

// Frees is how much storage some deletions free, together.
type Frees struct {
	// Bytes is the size of the layers that no tag has that is kept, each counted once in an
	// image. It is unknown if nothing is known of any of them.
	Bytes Measure `json:"frees_bytes,omitzero"`
	// Billed are those of Bytes that cost money: public images are free.
	Billed Measure `json:"frees_billed_bytes,omitzero"`
	// Unknown counts the tags that are deleted and of which that is not known; it is set
	// where Bytes is.
	Unknown Measure `json:"frees_unknown,omitzero"`
}

// Archiving is what is copied into the archive before the deletions.
type Archiving struct {
	Tags int `json:"tags"` // that are copied
	// Bytes is the size of their configs and layers, each counted once. No more than that
	// travels: what the archive has already does not.
	Bytes uint64 `json:"bytes"`
	// Images is the size of the images from which tags are copied, as the registry counts it,
	// which bounds Bytes. ImagesBilled is that of the images from which tags are deleted and that
	// cost money, which bounds what is saved.
	Images       uint64 `json:"images_bytes,omitempty"`
	ImagesBilled uint64 `json:"images_billed_bytes,omitempty"`
	// LeftOut counts the tags that the configuration leaves out: they are deleted without a copy.
	LeftOut int `json:"left_out,omitempty"`
	// Unknown counts the tags whose size is not known.
	Unknown int `json:"unknown,omitempty"`
}

// RuleFrees is what the tags that a rule marks free. What several rules mark counts for
// each of them.
type RuleFrees struct {
	Rule string `json:"rule"`
	Frees
}

// Plus is what both free, if they share no layer.
func (f Frees) Plus(other Frees) Frees {
	if other.Bytes.Known {
		f.Bytes, f.Billed, f.Unknown = Measured(f.Bytes.N+other.Bytes.N), Measured(f.Billed.N+other.Billed.N), Measured(f.Unknown.N+other.Unknown.N)
	}
	return f
}
