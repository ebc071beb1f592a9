package archive

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
)

func TestABlobIsMountedFromTheSameRegistryAlone(t *testing.T) {
	repository := func(address string, o ...name.Option) name.Repository {
		t.Helper()
		r, err := name.NewRepository(address, o...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	from := store.NewRepository(repository("127.0.0.1:5000/archive/janitor"), nil, nil)
	for what, row := range map[string]struct {
		to      name.Repository
		mounted bool
	}{
		"the same registry":            {repository("127.0.0.1:5000/prod/api"), true},
		"the same by an http address":  {repository("127.0.0.1:5000/prod/api", name.Insecure), true},
		"another one of the same host": {repository("127.0.0.1:5001/prod/api"), false},
	} {
		t.Run(what, func(t *testing.T) {
			p := push{archive: New("oci://", from), to: oci.Connection{Repository: row.to}}
			if _, mounted := p.mountable(&store.Layer{}).(*remote.MountableLayer); mounted != row.mounted {
				t.Error(mounted)
			}
		})
	}
}
