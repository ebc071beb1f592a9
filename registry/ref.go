package registry

import (
	"fmt"
	"strings"
)

// Ref names a region, a namespace, an image or a tag, depending on which of its
// last fields are empty. Its text is the reference that container tools use:
// rg.fr-par.scw.cloud/prod/api:pr-12.
type Ref struct {
	Region    Region
	Namespace string
	Image     string
	Tag       string
}

// String is the full reference.
func (r Ref) String() string {
	var b strings.Builder
	b.Grow(len("rg..scw.cloud//:") + len(r.Region) + len(r.Namespace) + len(r.Image) + len(r.Tag))
	b.WriteString("rg.")
	b.WriteString(string(r.Region))
	b.WriteString(".scw.cloud")
	if r.Namespace != "" {
		b.WriteByte('/')
		b.WriteString(r.Namespace)
	}
	if r.Image != "" {
		b.WriteByte('/')
		b.WriteString(r.Image)
	}
	if r.Tag != "" {
		b.WriteByte(':')
		b.WriteString(r.Tag)
	}
	return b.String()
}

// WithoutTag is the image of a tag; any other reference is unchanged.
func (r Ref) WithoutTag() Ref {
	r.Tag = ""
	return r
}

// WithoutImage is the namespace of an image or a tag; any other reference is
// unchanged.
func (r Ref) WithoutImage() Ref { return Ref{Region: r.Region, Namespace: r.Namespace} }

// ParseRef reads a reference as String writes it. The host is required, since the
// same name may exist in every region. References with a digest are refused.
func ParseRef(s string) (Ref, error) {
	host, rest, _ := strings.Cut(s, "/")
	region, ok := strings.CutPrefix(host, "rg.")
	if ok {
		region, ok = strings.CutSuffix(region, ".scw.cloud")
	}
	if !ok || region == "" {
		return Ref{}, fmt.Errorf("%q is not a reference of this registry: want rg.<region>.scw.cloud/<namespace>[/<image>[:<tag>]]", s)
	}
	if strings.Contains(rest, "@") {
		return Ref{}, fmt.Errorf("%q names a digest: want a tag, an image or a namespace", s)
	}
	ref := Ref{Region: Region(region)}
	ref.Namespace, rest, _ = strings.Cut(rest, "/")
	ref.Image, ref.Tag, ok = strings.Cut(rest, ":")
	if ref.Namespace == "" || strings.Contains(ref.Namespace, ":") || ok && (ref.Image == "" || ref.Tag == "") {
		return Ref{}, fmt.Errorf("%q is not a full reference: want rg.<region>.scw.cloud/<namespace>[/<image>[:<tag>]]", s)
	}
	return ref, nil
}
