package main

import (
	"context"
	"fmt"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/janitor"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scaleway"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// serverless are the use sources that the API knows of.
func serverless(reader *scaleway.Reader) []scanner.UseSource {
	var sources []scanner.UseSource
	for _, user := range reader.Serverless() {
		sources = append(sources, scanner.UseSource(user))
	}
	return sources
}

// usesNow asks again what is in use, right before a plan is applied: somebody may
// have deployed what it deletes while it waited. When somebody cannot be asked,
// nothing is applied that they could veto.
func (s *session) usesNow(ctx context.Context, plan *actions.Plan) (func(registry.Ref, string) []string, error) {
	if !janitor.Deletes(plan) {
		return nil, nil
	}
	uses, gaps, err := s.uses.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking what is in use before anything is deleted: %w", err)
	}
	if len(gaps) > 0 {
		return nil, fmt.Errorf("asking what is in use before anything is deleted: %s: %s", gaps[0].Subject, gaps[0].Error)
	}
	return registry.NewUseIndex(uses).Of, nil
}
