package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"
	build "github.com/open-policy-agent/opa/v1/compile"
)

// keyPair is a private key and its public one, in PEM.
func keyPair(t *testing.T, private any, public any) (string, []byte) {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open})
}

func rsaPair(t *testing.T) (string, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair(t, key, &key.PublicKey)
}

const bundled = `# METADATA
# title: Bundled
package janitor.image.bundled

delete contains tag.name if {
	some tag in input.tags
	startswith(tag.name, data.prefixes[_])
}
`

// buildBundle makes a bundle with OPA's own tools, signed if a key is given.
func buildBundle(t *testing.T, algorithm, private string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"own.rego":           bundled,
		"own_test.rego":      "package janitor.image.bundled_test\n\nimport data.janitor.image.bundled\n\ntest_it if count(bundled.delete) == 0 with input.tags as []",
		"prefixes/data.json": `["pr-"]`,
	} {
		path := filepath.Join(dir, "src", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	c := build.New().WithPaths(filepath.Join(dir, "src")).WithAsBundle(true).WithOutput(&out)
	if private != "" {
		c = c.WithBundleSigningConfig(bundle.NewSigningConfig(private, algorithm, ""))
	}
	if err := c.Build(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "policies.tar.gz")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBundles(t *testing.T) {
	rsaSecret, rsaPublic := rsaPair(t)
	_, otherPublic := rsaPair(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecSecret, ecPublic := keyPair(t, curve, &curve.PublicKey)
	signed, unsigned := buildBundle(t, "RS256", rsaSecret), buildBundle(t, "", "")
	for name, row := range map[string]struct {
		path string
		key  []byte
		want string
	}{
		"unsigned, without a key":         {unsigned, nil, ""},
		"signed, without a key":           {signed, nil, ""},
		"signed by the key":               {signed, rsaPublic, ""},
		"signed by a key on a curve":      {buildBundle(t, "ES256", ecSecret), ecPublic, ""},
		"signed by another key":           {signed, otherPublic, "is refused: its signature does not match its contents and policy.verification_key"},
		"signed by a key of another kind": {signed, ecPublic, "is refused: its signature does not match"},
		"not signed":                      {unsigned, rsaPublic, "is not signed, but policy.verification_key requires a signature"},
		"changed after it was signed":     {tamper(t, signed), rsaPublic, "is refused: its signature does not match"},
		"a key that is a secret":          {signed, []byte(rsaSecret), "this is a private key: want a public key in PEM"},
		"a key that is not PEM":           {signed, []byte("hunter2"), "this is not PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Dir(row.path)
			e, err := New(context.Background(), Options{Paths: []string{row.path}, Dir: dir, VerificationKey: row.key})
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Fatalf("got %v, want %s", err, row.want)
				}
				if strings.Contains(row.want, "signature") && !errors.Is(err, ErrSignature) {
					t.Errorf("%v is not ErrSignature", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v := judge(t, e, anImage(aTag("pr-1", days), aTag("main", days)))
			if len(v.Tags) != 2 || len(v.Tags[1].Delete) != 1 || v.Err != nil {
				t.Fatalf("got %v", words(v))
			}
			if got := v.Tags[1].Delete[0].Source; !strings.HasPrefix(got, "policies.tar.gz/") {
				t.Errorf("the source is %s", got)
			}
		})
	}
}

// A key that verifies bundles is of no use while loose files decide too. Tests
// decide nothing.
func TestWithAKeyEveryPolicyIsInABundle(t *testing.T) {
	secret, public := rsaPair(t)
	signed := buildBundle(t, "RS256", secret)
	for name, row := range map[string]struct{ file, text, want string }{
		"a loose policy":    {"own.rego", "package janitor.image.loose", "these are not: own.rego: pack them with opa build --bundle --signing-key"},
		"a loose helper":    {"lib/helper.rego", "package helper", "these are not: lib/helper.rego: "},
		"a loose data file": {"extra/data.json", "{}", "these are not: extra/data.json: "},
		"a loose test":      {"own_test.rego", "package own_test", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text, err := os.ReadFile(signed)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, row.file), row.text)
			write(t, filepath.Join(dir, "policies.tar.gz"), string(text))
			_, err = New(context.Background(), Options{Paths: []string{dir}, Dir: dir, VerificationKey: public})
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// A bundle that is too large is refused before it is unpacked into memory.
func TestBundlesAreBoundedInTotal(t *testing.T) {
	for name, row := range map[string]struct {
		files  int
		member string
		size   int64
		want   string
	}{
		"many large data files": {30, "%d/data.json", 60 << 20, "is larger than 16 MiB once it is unpacked"},
		"many small data files": {40, "%d/data.json", 1 << 20, "is larger than 16 MiB once it is unpacked"},
		"many other files":      {40, "%d/README.md", 1 << 20, "is larger than 16 MiB once it is unpacked"},
		"many policies":         {40, "%d.rego", 100 << 10, "policies are larger than 2 MiB together"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "policies.tar.gz")
			var out bytes.Buffer
			zipped := gzip.NewWriter(&out)
			to := tar.NewWriter(zipped)
			zeros := bytes.Repeat([]byte{' '}, 1<<20)
			for i := range row.files {
				if err := to.WriteHeader(&tar.Header{Name: fmt.Sprintf(row.member, i), Mode: 0o600, Size: row.size}); err != nil {
					t.Fatal(err)
				}
				for left := row.size; left > 0; left -= int64(len(zeros)) {
					if _, err := to.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
						t.Fatal(err)
					}
				}
				if int64(i)*row.size > 64<<20 {
					break // enough to make the point
				}
			}
			if err := errors.Join(to.Flush(), zipped.Close()); err != nil {
				t.Fatal(err)
			}
			write(t, path, out.String())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := New(context.Background(), Options{Paths: []string{path}})
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
				t.Errorf("it took %d MiB to refuse it", took>>20)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tamper changes what a bundle deletes, and leaves its signature.
func tamper(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	from, to := tar.NewReader(unzipped), tar.NewWriter(zipped)
	changed := false
	for {
		header, err := from.Next()
		if err == io.EOF {
			break
		}
		text, err2 := io.ReadAll(from)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		worse := bytes.ReplaceAll(text, []byte("startswith(tag.name, data.prefixes[_])"), []byte("true"))
		changed = changed || len(worse) != len(text)
		header.Size = int64(len(worse))
		if err := to.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(worse); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(to.Close(), zipped.Close()); err != nil || !changed {
		t.Fatal("nothing was changed", err)
	}
	name := filepath.Join(t.TempDir(), "policies.tar.gz")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
