package modules

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// A bundle is bounded, in bytes, once it is unpacked: all of it, and the Rego in it,
// which takes a hundred times as much memory when it is parsed.
const (
	maxBundle = 16 << 20
	maxRego   = 2 << 20
)

// bundleKey verifies the signatures of bundles.
type bundleKey struct{ config *bundle.VerificationConfig }

// theKey is the name under which the one key is known; the key that a bundle
// names itself is of no interest.
const theKey = "policy.verification_key"

// parseKey reads a public key in PEM. No key at all is nil: bundles need no
// signature then. A shared secret is not accepted: everyone
// who can read it could sign.
func parseKey(text []byte) (*bundleKey, error) {
	if len(text) == 0 {
		return nil, nil
	}
	wrong := func(why string) error {
		return fmt.Errorf("the verification key of bundles: %s: want a public key in PEM (RSA, ECDSA or Ed25519)", why)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, wrong("this is not PEM")
	}
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		return nil, wrong("this is a " + strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, wrong(err.Error())
	}
	algorithm := algorithmOf(public)
	if algorithm == "" {
		return nil, wrong("this kind of key is not supported")
	}
	config := &bundle.KeyConfig{Key: string(text), Algorithm: algorithm}
	return &bundleKey{bundle.NewVerificationConfig(map[string]*bundle.KeyConfig{theKey: config}, theKey, "", nil)}, nil
}

// algorithmOf is the signature algorithm of a key, by the names of RFC 7518 and
// RFC 8037. It comes from the key and never from the bundle, which could name a
// weaker one.
func algorithmOf(public any) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return "RS256"
	case *ecdsa.PublicKey:
		switch key.Curve.Params().BitSize {
		case 256:
			return "ES256"
		case 384:
			return "ES384"
		case 521:
			return "ES512"
		}
	case ed25519.PublicKey:
		return "EdDSA"
	}
	return ""
}

// addBundle reads an OPA bundle, once its signature is verified.
func (s *Set) addBundle(file string) error {
	raw, err := readFile(s.files.FS, file)
	if err != nil {
		return err
	}
	name := relative(file, s.files.Dir)
	signed, err := inspect(raw)
	if err != nil {
		return fmt.Errorf("bundle %s: %w", name, err)
	}
	reader := bundle.NewCustomReader(bundle.NewTarballLoaderWithBaseURL(bytes.NewReader(raw), file)).
		WithSizeLimitBytes(maxBundle).
		WithBundleName(name).
		WithLazyLoadingMode(false)
	if s.key == nil {
		reader = reader.WithSkipBundleVerification(true)
	} else {
		reader = reader.WithBundleVerificationConfig(s.key.config)
	}
	b, err := reader.Read()
	if err != nil {
		return s.explain(name, signed, err)
	}
	if b.Type() == bundle.DeltaBundleType || len(b.WasmModules)+len(b.PlanModules) > 0 {
		return fmt.Errorf("bundle %s holds more than Rego and data: build it with opa build -t rego", name)
	}
	for _, m := range b.Modules {
		s.addModule(Module{File: path.Join(name, m.Path), Raw: m.Raw, Bundle: name})
	}
	return s.addData(b.Data)
}

// explain words why a bundle is refused.
func (s *Set) explain(name string, signed bool, err error) error {
	var parsing ast.Errors
	switch {
	case s.key == nil || errors.As(err, &parsing):
		return fmt.Errorf("bundle %s: %w", name, err)
	case !signed:
		return fmt.Errorf("bundle %s is not signed, but policy.verification_key requires a signature: sign it with opa build --signing-key, or remove the key: %w", name, ErrSignature)
	}
	return fmt.Errorf("bundle %s is refused: its signature does not match its contents and policy.verification_key: %w", name, errors.Join(ErrSignature, err))
}

// inspect reports whether a bundle has a signature at all, and refuses one that is
// too large before anything of it is kept in memory.
func inspect(raw []byte) (signed bool, err error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return false, nil //nolint:nilerr // the reader of bundles says what is wrong
	}
	stream := &io.LimitedReader{R: unzipped, N: maxBundle}
	all, rego := int64(0), int64(0)
	for files := tar.NewReader(stream); ; {
		header, err := files.Next()
		if err == nil {
			all += header.Size // of a sparse file, the stream has less
		}
		switch {
		case stream.N <= 0 || all > maxBundle:
			return false, fmt.Errorf("it is larger than %d MiB once it is unpacked: leave out what is not a policy or its data", maxBundle>>20)
		case err != nil:
			return signed, nil //nolint:nilerr // likewise
		}
		signed = signed || path.Base(header.Name) == ".signatures.json"
		if path.Ext(header.Name) == ".rego" {
			rego += header.Size
		}
		if rego > maxRego {
			return false, fmt.Errorf("its policies are larger than %d MiB together: move tables into data files", maxRego>>20)
		}
	}
}

// ErrSignature means that a bundle is not signed, or not by the configured key.
var ErrSignature = errors.New("the signature is not valid")
