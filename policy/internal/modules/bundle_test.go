package modules

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
)

// Keys of every kind are understood; which algorithm they verify comes from the
// key alone.
func TestAlgorithmOf(t *testing.T) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521(), "": elliptic.P224()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := algorithmOf(&key.PublicKey); got != want {
			t.Errorf("%s: got %s", want, got)
		}
	}
	if got := algorithmOf(public); got != "EdDSA" {
		t.Errorf("got %s", got)
	}
	if got := algorithmOf("a secret"); got != "" {
		t.Errorf("got %s", got)
	}
}
