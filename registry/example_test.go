package registry_test

import (
	"fmt"

	"github.com/registry-janitor/registry-janitor/registry"
)

func ExampleParseRef() {
	ref, err := registry.ParseRef("rg.fr-par.scw.cloud/prod/api/worker:pr-12")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ref.Region, ref.Namespace, ref.Image, ref.Tag)
	fmt.Println(ref.WithoutTag())
	// Output:
	// fr-par prod api/worker pr-12
	// rg.fr-par.scw.cloud/prod/api/worker
}

// A use of a digest is a use of every tag that has it.
func ExampleUseIndex() {
	image := &registry.Image{
		Namespace: &registry.Namespace{Name: "prod", Region: "fr-par"}, Name: "api",
		Tags: []registry.Tag{{Name: "v2", Digest: "sha256:b"}, {Name: "v1", Digest: "sha256:a"}, {Name: "stable", Digest: "sha256:a"}},
	}
	index := registry.NewUseIndex([]registry.Use{
		{Ref: image.TagRef("v2"), By: "references file"},
		{Ref: image.Ref(), Digest: "sha256:a", By: "kubernetes prod-eu: Deployment shop/api"},
	})
	_, tags := index.InImage(image)
	for i, users := range tags {
		fmt.Println(image.Tags[i].Name, users)
	}
	// Output:
	// v2 [references file]
	// v1 [kubernetes prod-eu: Deployment shop/api]
	// stable [kubernetes prod-eu: Deployment shop/api]
}
