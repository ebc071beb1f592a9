package main

import (
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory lets the program collect its garbage before the kernel ends it: the
// limit is nine tenths of the container's, or GOMEMLIMIT if that is lower. Policies
// may take a part of it.
func limitMemory(ofContainer memlimit.Provider) {
	most, err := ofContainer()
	if err != nil || most == 0 {
		return // no container, or one without a limit
	}
	if limit := most / 10 * 9; limit < uint64(debug.SetMemoryLimit(-1)) { //nolint:gosec // G115: a limit is syntax.Positive
		debug.SetMemoryLimit(int64(limit)) //nolint:gosec // G115: it is lower than one that fits
	}
}
