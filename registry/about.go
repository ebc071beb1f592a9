package registry

import "context"

// About returns a context for reading what the reference names. It changes nothing:
// the progress of a run shows the reference instead of the ID.
func About(ctx context.Context, ref Ref) context.Context {
	return context.WithValue(ctx, aboutKey{}, ref)
}

// WhatAbout returns the reference of About.
func WhatAbout(ctx context.Context) (Ref, bool) {
	ref, ok := ctx.Value(aboutKey{}).(Ref)
	return ref, ok
}

type aboutKey struct{}
