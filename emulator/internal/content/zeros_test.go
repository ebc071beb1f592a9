package content

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"flag"
	"hash/crc32"
	"io"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the table of zeros; takes half a minute")

// rows computes the table by hashing what it is about. limit is the longest layer.
func rows(t *testing.T, limit int64) map[int]string {
	t.Helper()
	computed := map[int]string{}
	for of, u := range units() {
		packed, plain, sum := sha256.New(), sha256.New(), crc32.NewIEEE()
		write(t, packed, zeros{unit: u}, 0, headerLen)
		nothing := make([]byte, u.blocks*(u.block-blockHead))
		for n := int64(1); n <= steps && n*u.len() <= limit; n++ {
			write(t, packed, zeros{u, n}, headerLen+(n-1)*u.len(), u.len())
			plain.Write(nothing)
			sum.Write(nothing)
			state, err := packed.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			r := append(plain.Sum(state[4:36:36]), binary.LittleEndian.AppendUint32(nil, sum.Sum32())...)
			computed[of*steps+int(n)-1] = string(r)
		}
	}
	return computed
}

func write(t *testing.T, to io.Writer, z zeros, off, n int64) {
	t.Helper()
	if _, err := io.Copy(to, io.NewSectionReader(z, off, n)); err != nil {
		t.Fatal(err)
	}
}

func TestTableOfZeros(t *testing.T) {
	limit := int64(32 << 20)
	if *update {
		limit = steps * huge
	}
	computed := rows(t, limit)
	if *update {
		var b bytes.Buffer
		for i := range 3 * steps {
			b.WriteString(computed[i])
		}
		if err := os.WriteFile("zeros.bin", b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(table) != 3*steps*rowLen {
		t.Fatalf("the table has %d bytes", len(table))
	}
	for i, r := range computed {
		if table[i*rowLen:(i+1)*rowLen] != r {
			t.Errorf("row %d of the table is wrong: run this test with -update", i)
		}
	}
}
