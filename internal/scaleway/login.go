package scaleway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
)

// Login is what another protocol of the registry needs, which takes the same key.
type Login struct {
	APIURL    string
	SecretKey string // must be in no error and no log; see Reader.Redact
	// Base sends requests with the TLS settings of the profile.
	Base http.RoundTripper
}

// RegistryURL is the address of the registry, in which "{region}" stands for the region:
// the configured one, or the provider's own if the API is the provider's.
func (l Login) RegistryURL(configured string) (string, error) {
	switch {
	case configured != "":
		return strings.TrimRight(configured, "/"), nil
	case l.APIURL != credentials.APIURL:
		return "", errors.New("the API is not that of the provider, so its registry is not known: set scaleway.registry_url")
	}
	return "https://rg.{region}.scw.cloud", nil
}

// Login returns the login that the Reader uses.
func (r *Reader) Login() Login { return r.login }
