package scanner_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// tiny is a registry with one namespace, whose second image cannot be read.
type tiny struct{}

func (tiny) Namespaces(context.Context, registry.Query) ([]registry.Namespace, error) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return []registry.Namespace{{
		ID: "1", Name: "prod", Region: "fr-par", Status: registry.StatusReady, ImageCount: 2, CreatedAt: at, UpdatedAt: at,
	}}, nil
}

func (tiny) Images(context.Context, registry.Query) iter.Seq2[registry.Image, error] {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return func(yield func(registry.Image, error) bool) {
		for _, name := range []string{"api", "web"} {
			image := registry.Image{
				ID: name, Name: name, NamespaceID: "1", Status: registry.StatusReady, Visibility: registry.Private, CreatedAt: at, UpdatedAt: at,
			}
			if !yield(image, nil) {
				return
			}
		}
	}
}

func (tiny) Image(context.Context, registry.Region, string) (registry.Image, error) {
	return registry.Image{}, registry.ErrNotFound
}

func (tiny) Tags(_ context.Context, _ registry.Region, imageID string) ([]registry.Tag, error) {
	if imageID == "web" {
		return nil, fmt.Errorf("HTTP 500")
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return []registry.Tag{{Name: "v1", ID: "t", Digest: "sha256:1", Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at}}, nil
}

// A scan delivers complete images, and a gap for each image that it could not read.
func ExampleScan() {
	scope := scanner.Scope{Regions: []registry.Region{"fr-par"}}
	scan := scanner.Scan(context.Background(), tiny{}, scanner.Options{Scope: scope})
	var image, gap string
	for item := range scan.Items() {
		switch {
		case item.Image != nil:
			image = fmt.Sprintf("%s has %d tag", item.Image.Ref(), len(item.Image.Tags))
		case item.Gap != nil:
			gap = fmt.Sprintf("%s: %s", item.Gap.Subject, item.Gap.Error)
		}
	}
	fmt.Println(image)
	fmt.Println(gap)
	fmt.Println(scan.Err())
	// Output:
	// rg.fr-par.scw.cloud/prod/api has 1 tag
	// rg.fr-par.scw.cloud/prod/web: HTTP 500
	// <nil>
}

// An inventory is a scan in a file. Read back, it delivers the same items.
func ExampleReadInventory() {
	var file bytes.Buffer
	taken := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	w, err := scanner.NewInventoryWriter(&file, scanner.Header{TakenAt: taken})
	if err != nil {
		fmt.Println(err)
		return
	}
	scan := scanner.Scan(context.Background(), tiny{}, scanner.Options{Scope: scanner.Scope{Regions: []registry.Region{"fr-par"}}})
	for item := range scan.Items() {
		if err := w.Write(item); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	inventory, err := scanner.ReadInventory(&file)
	if err != nil {
		fmt.Println(err)
		return
	}
	stream := inventory.Stream(context.Background())
	items := 0
	for range stream.Items() {
		items++
	}
	fmt.Println(inventory.Header.TakenAt.Format(time.DateOnly), items, stream.Err())
	// Output:
	// 2026-11-22 4 <nil>
}
