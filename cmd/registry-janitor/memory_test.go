package main

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestTheLowerMemoryLimitCounts(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	none := func() (uint64, error) { return 0, memlimit.ErrNoLimit }
	for name, row := range map[string]struct {
		given     int64 // GOMEMLIMIT
		container memlimit.Provider
		want      int64
	}{
		"neither":               {math.MaxInt64, none, math.MaxInt64},
		"only the container's":  {math.MaxInt64, memlimit.Limit(500 << 20), 450 << 20},
		"only GOMEMLIMIT":       {400 << 20, none, 400 << 20},
		"a lower GOMEMLIMIT":    {400 << 20, memlimit.Limit(500 << 20), 400 << 20},
		"a higher GOMEMLIMIT":   {2 << 30, memlimit.Limit(500 << 20), 450 << 20},
		"no groups of the kind": {math.MaxInt64, func() (uint64, error) { return 0, memlimit.ErrCgroupsNotSupported }, math.MaxInt64},
	} {
		debug.SetMemoryLimit(row.given)
		limitMemory(row.container)
		if got := debug.SetMemoryLimit(-1); got != row.want {
			t.Errorf("%s: got %d, want %d", name, got, row.want)
		}
	}
}
