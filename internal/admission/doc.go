// Package admission decides whether a saved plan may be applied: whether enough people have
// approved it, and whether it is one of this registry, within the limits. Its nouns are the
// approvals of a plan, the signed bytes that they are of, and the Census of the registry.
//
// It must never believe what a plan says about itself, or count a signature that it has
// not verified.
package admission
