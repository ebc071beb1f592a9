package credentials

import (
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"
)

// An error of the API names where the refused key comes from.
func TestTheSourceOfTheKeysIsNamed(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"from SCW_ACCESS_KEY, with SCW_SECRET_KEY":                             {"SCW_ACCESS_KEY": "a", "SCW_SECRET_KEY": "b"},
		"from SCW_ACCESS_KEY, with the secret key of the Scaleway config file": {"SCW_ACCESS_KEY": "a"},
		"from the Scaleway config file, with SCW_SECRET_KEY":                   {"SCW_SECRET_KEY": "b"},
		"from the Scaleway config file":                                        {},
	} {
		t.Setenv("SCW_ACCESS_KEY", env["SCW_ACCESS_KEY"])
		t.Setenv("SCW_SECRET_KEY", env["SCW_SECRET_KEY"])
		if got := keySource(scw.LoadEnvProfile()); got != want {
			t.Errorf("%v: got %q, want %q", env, got, want)
		}
	}
}
