// Command sbom writes what a Go program was built from as a CycloneDX document:
//
//	go run -C tools ./sbom -o FILE PROGRAM
//
// It reads what the Go linker recorded in the program itself, so it lists what is
// in it, and not what could have been. The same program gives the same bytes.
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	out := flag.String("o", "", "the `FILE` to write")
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: sbom -o FILE PROGRAM")
		os.Exit(2)
	}
	if err := write(*out, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(out, program string) error {
	bom, err := describe(program)
	if err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		_ = file.Close()
		return fmt.Errorf("writing %s: %w", out, err)
	}
	return file.Close()
}

// describe reads a program.
func describe(program string) (*cdx.BOM, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was built from: %w", program, err)
	}
	sum, err := sha256File(program)
	if err != nil {
		return nil, err
	}
	main := component(&info.Main)
	main.Type = cdx.ComponentTypeApplication
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	main.Properties = settings(info)

	bom := cdx.NewBOM()
	bom.SerialNumber = serial(sum)
	bom.Metadata = &cdx.Metadata{Component: &main}
	components := modules(info)
	bom.Components = &components
	bom.Dependencies = dependencies(main, components)
	bom.Compositions = &[]cdx.Composition{{
		Aggregate:  cdx.CompositionAggregateComplete,
		Assemblies: &[]cdx.BOMReference{cdx.BOMReference(main.BOMRef)},
	}}
	return bom, nil
}

func sha256File(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(name), err)
	}
	return h.Sum(nil), nil
}

// serial is a UUID (RFC 9562, version 8) that follows from the program alone.
func serial(sum []byte) string {
	u := slices.Clone(sum[:16])
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u)
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// modules are those that the program has code of, and Go's standard library,
// which has vulnerabilities of its own.
func modules(info *debug.BuildInfo) []cdx.Component {
	out := []cdx.Component{component(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, component(m))
	}
	slices.SortFunc(out, func(a, b cdx.Component) int { return cmp.Compare(a.PackageURL, b.PackageURL) })
	return out
}

// component is a module; its package URL is of the form that the specification of
// package URLs gives for Go.
func component(m *debug.Module) cdx.Component {
	url := "pkg:golang/" + m.Path
	if m.Version != "" && m.Version != "(devel)" {
		url += "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	}
	c := cdx.Component{BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url}
	if m.Sum != "" {
		c.Properties = &[]cdx.Property{{Name: "go.sum", Value: m.Sum}}
	}
	return c
}

// settings are how the program was built, as "go version -m" lists them.
func settings(info *debug.BuildInfo) *[]cdx.Property {
	out := []cdx.Property{{Name: "go.version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		out = append(out, cdx.Property{Name: "go.build." + s.Key, Value: s.Value})
	}
	return &out
}

func dependencies(main cdx.Component, components []cdx.Component) *[]cdx.Dependency {
	refs := make([]string, 0, len(components))
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	return &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
}
