package oci

import (
	"fmt"
	"regexp"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/internal/stall"
)

// provider matches the registries of the provider.
var provider = regexp.MustCompile(`^rg\.[a-z]+-[a-z]+\.scw\.cloud$`)

// Repository connects to any repository, "host/name", to read it, push to it and delete
// manifests in it: with the docker configuration, or, at the provider's registries, with
// the password of the account. It sends no request.
func Repository(address string, password func() (string, error), userAgent string) (Connection, error) {
	repository, err := name.NewRepository(address)
	if err != nil {
		return Connection{}, fmt.Errorf("%s is not a repository: %w", address, err)
	}
	base := noFallback{patient(stall.Connections())}
	options := []remote.Option{remote.WithUserAgent(userAgent), remote.WithJobs(maxBlobs)}
	if host := repository.RegistryStr(); provider.MatchString(host) {
		secret, err := password()
		if err != nil {
			return Connection{}, err
		}
		options = append(options,
			remote.WithAuth(&authn.Basic{Username: user, Password: secret}),
			remote.WithTransport(&guard{next: base, host: host, allow: func(string) bool { return true }}),
		)
	} else {
		options = append(options, remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(base))
	}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return Connection{}, err
	}
	pusher, err := remote.NewPusher(options...)
	return Connection{repository, puller, pusher}, err
}
