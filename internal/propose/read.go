package propose

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Read surveys the inventory that is called name, and completes the options by what it
// has.
func Read(ctx context.Context, name string, from io.Reader, o *Options) (*Survey, []registry.Gap, error) {
	inventory, err := scanner.ReadInventory(from)
	if err == nil {
		inScope(inventory.Header, o)
		err = inventory.Narrow(o.Scope)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the inventory %s: %w", name, err)
	}
	survey, stream := New(inventory.Header.TakenAt), inventory.Stream(ctx)
	var gaps []registry.Gap
	functions := ""
	for item := range stream.Items() {
		switch {
		case item.Image != nil:
			survey.Add(item.Image)
			if strings.HasPrefix(item.Image.Namespace.Name, "funcscw") {
				functions = item.Image.Namespace.Name
			}
		case item.Gap != nil && item.Gap.Holds != registry.HoldsNothing:
			gaps = append(gaps, *item.Gap)
			failed(item.Gap, o)
		}
	}
	o.Gaps = len(gaps)
	switch err := stream.Err(); {
	case err != nil:
		return nil, nil, fmt.Errorf("reading %s: %w", name, err)
	case functions != "":
		return nil, nil, fmt.Errorf("the inventory %s has images of Serverless Functions (%s), which no rule may delete: take the scan again with scope: {exclude: [%q]}, or with the default scope", name, functions, Functions)
	}
	return survey, gaps, nil
}

// inScope sets the scope of a proposal, and which use sources were read. The scope is
// everything but the images of functions, or that of the inventory, because one of
// another scope can be planned only with its own.
func inScope(h scanner.Header, o *Options) {
	o.Scope = scanner.Scope{Exclude: []string{Functions}}
	o.Serverless = NotRead
	if !h.Scope.Equal(scanner.Scope{}) && !h.Scope.Equal(o.Scope) {
		o.Scope = h.Scope
		if !slices.Contains(h.Scope.Exclude, Functions) {
			o.Serverless = NotInScope
		}
	}
	if slices.Contains(h.Sources, ServerlessKey) {
		o.Serverless = Complete
	}
	if slices.Contains(h.Sources, KapsuleKey) {
		o.Kapsule = Complete
	}
}

// failed notes that a use source could not be read.
func failed(g *registry.Gap, o *Options) {
	switch g.Source {
	case ServerlessKey:
		o.Serverless = Failed
	case KapsuleKey:
		o.Kapsule = Failed
	}
}
