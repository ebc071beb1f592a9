package scaleway

import (
	"net/http"

	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
)

// APIURL is the address of the API of the provider.
const APIURL = credentials.APIURL

// Login is what another protocol of the registry needs, which takes the same key.
type Login struct {
	APIURL    string
	SecretKey string // must be in no error and no log; see Reader.Hide
	// Base sends requests with the TLS settings of the profile.
	Base http.RoundTripper
}

// Login returns the login that the Reader uses.
func (r *Reader) Login() Login { return r.login }
