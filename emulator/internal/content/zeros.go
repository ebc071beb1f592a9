package content

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"io"
)

// A layer consists of two members of gzip:
//
//   - one with zeros, in stored blocks of the same length: a header of 64 bytes, the
//     blocks, and an end.
//   - one without content, whose header has what no other layer has.
//
// The header and the blocks are the same for all layers of as many blocks, and end where
// a block of SHA-256 does. So the table has the state of SHA-256 behind them, with the
// digest and the checksum of the zeros themselves.
const (
	headerLen = 64
	endLen    = 5 + 8 // an empty last block, the checksum and the length
	// ownLen is the length of the second member with nothing added: header, length of the
	// field, its name and length, a digest, a number, an empty block, checksum and length.
	ownLen = 10 + 2 + 4 + len(Digest{}) + 1 + 2 + 8

	smallBlock = 256     // bytes of a block with its header
	largeBlock = 1 << 16 // the same
	blockHead  = 5
	steps      = 255              // rows of the table for each unit
	huge       = largeBlock * 256 // the largest unit: 256 large blocks
)

// units are the three lengths of which a layer has 1 to 255.
func units() [3]unit {
	return [3]unit{{smallBlock, 1}, {largeBlock, 1}, {largeBlock, 256}}
}

// unit is a number of blocks of one length.
type unit struct{ block, blocks int64 }

func (u unit) len() int64 { return u.block * u.blocks }

// table has a row for 1 to 255 of each unit: the state of SHA-256 behind the blocks, the
// digest of the zeros, and their CRC-32.
//
//go:embed zeros.bin
var table string

const rowLen = 32 + 32 + 4

// row is the row of the table for n of a unit.
func row(of int, n int64) string {
	at := (of*steps + int(n) - 1) * rowLen
	return table[at : at+rowLen]
}

// zeros is the part of a layer that the table is about.
type zeros struct {
	unit unit
	n    int64
}

func (z zeros) len() int64 { return headerLen + z.n*z.unit.len() }

// unpacked is the number of zeros.
func (z zeros) unpacked() int64 { return z.n * z.unit.blocks * (z.unit.block - blockHead) }

// gzipHeader begins a member of gzip that has a field of n bytes in its header.
func gzipHeader(buf []byte, n int) []byte {
	buf = append(buf, 0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(4+n))                  //nolint:gosec // see layers
	return binary.LittleEndian.AppendUint16(append(buf, 'r', 'j'), uint16(n)) //nolint:gosec // see layers
}

// blockHeader is the header of a stored block: its length, and the same inverted.
func (u unit) blockHeader() (h [blockHead]byte) {
	n := uint16(u.block - blockHead) //nolint:gosec // at most 65,531
	binary.LittleEndian.PutUint16(h[1:], n)
	binary.LittleEndian.PutUint16(h[3:], ^n)
	return h
}

var errNegative = errors.New("reading before the beginning")

// ReadAt makes the bytes from off on.
func (z zeros) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errNegative
	}
	size := z.len()
	if off >= size {
		return 0, io.EOF
	}
	var err error
	if rest := size - off; int64(len(p)) > rest {
		p, err = p[:rest], io.EOF
	}
	clear(p)
	if off < headerLen {
		header := gzipHeader(make([]byte, 0, headerLen), headerLen-16)
		copy(p, header[min(off, int64(len(header))):])
	}
	head := z.unit.blockHeader()
	first := max(0, (off-headerLen)/z.unit.block)
	for at := headerLen + first*z.unit.block - off; at < int64(len(p)); at += z.unit.block {
		for i, b := range head {
			if to := at + int64(i); to >= 0 && to < int64(len(p)) {
				p[to] = b
			}
		}
	}
	return len(p), err
}
