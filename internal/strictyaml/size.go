package strictyaml

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnits are the decimal and the binary multiples of a byte.
var sizeUnits = map[string]float64{
	"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// ParseSize reads a number of bytes, with or without a unit: 120MB, 1.5GiB,
// 1048576. A fraction of a byte is an error.
func ParseSize(s string) (int64, error) {
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789."))]
	number, err := strconv.ParseFloat(digits, 64)
	unit, known := sizeUnits[strings.TrimSpace(s[len(digits):])]
	bytes := number * unit
	switch {
	case err != nil || !known:
		return 0, fmt.Errorf("is not a size: %s", Quote(s))
	case bytes >= math.MaxInt64:
		return 0, fmt.Errorf("is too large: %s", Quote(s))
	case bytes != math.Trunc(bytes):
		return 0, fmt.Errorf("is not a whole number of bytes: %s", Quote(s))
	}
	return int64(bytes), nil
}
