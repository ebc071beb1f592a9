package archive

import "testing"

// LookAgain has tests look at a tag again however short its restoration is.
func LookAgain(t testing.TB) {
	was := believed
	t.Cleanup(func() { believed = was })
	believed = -1
}
