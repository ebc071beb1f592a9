package archive

import "testing"

func TestASmallBandwidthIsSharedByFewBlobs(t *testing.T) {
	for bandwidth, want := range map[int64]int{0: 64, 1: 1, 1 << 20: 16, 1 << 30: 64} {
		if got := cap(NewCopier(nil, nil, CopierOptions{Bandwidth: bandwidth}).room); got != want {
			t.Errorf("%d blobs at once with %d bytes a second, want %d", got, bandwidth, want)
		}
	}
}
