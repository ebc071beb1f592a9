package target_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/internal/archive/target"
)

func TestAddresses(t *testing.T) {
	for address, want := range map[string]target.Target{
		"archive":                  {Kind: target.Directory, Path: "archive"},
		"/var/lib/archive":         {Kind: target.Directory, Path: "/var/lib/archive"},
		"file:///var/lib/my%20own": {Kind: target.Directory, Path: "/var/lib/my own"},
		"s3://bucket":              {Kind: target.Bucket, Bucket: "bucket"},
		"s3://bucket/a/b/?endpoint=s3.fr-par.scw.cloud&region=fr-par&storage_class=GLACIER": {
			Kind: target.Bucket, Bucket: "bucket", Prefix: "a/b", Endpoint: "https://s3.fr-par.scw.cloud", Region: "fr-par", StorageClass: "GLACIER",
		},
		"oci://rg.fr-par.scw.cloud/archive/janitor": {Kind: target.Registry, Repository: "rg.fr-par.scw.cloud/archive/janitor"},
		"oci://127.0.0.1:5000/janitor":              {Kind: target.Registry, Repository: "127.0.0.1:5000/janitor"},
	} {
		got, err := target.Parse(address)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", address, err, diff)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"":                              "is empty",
		"file://relative":               "must be an absolute path",
		"ftp://host/x":                  "unknown scheme",
		"s3://KEY:SECRET@bucket/x":      "must not have a user or a password",
		"s3:///x":                       "names no bucket",
		"s3://bucket?secret_key=SECRET": `unknown parameter: "secret_key"`,
		"s3://bucket?endpoint=https://u:SECRET@h": "an endpoint that is not an address",
		"oci://host": "names no repository",
	} {
		_, err := target.Parse(address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestWhatAGigabyteCosts(t *testing.T) {
	for address, want := range map[string]float64{
		"/archive":                           0,
		"oci://rg.fr-par.scw.cloud/archive":  0.027,
		"oci://registry.example.com/archive": 0,
		"s3://bucket?region=eu-west-3":       0,
		"s3://bucket?endpoint=https://s3.fr-par.scw.cloud&region=fr-par":                       0.0146,
		"s3://bucket?endpoint=https://s3.fr-par.scw.cloud&region=fr-par&storage_class=GLACIER": 0.00254,
		"s3://bucket?endpoint=https://s3.fr-par.scw.cloud.example.com&region=fr-par":           0,
	} {
		at, err := target.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.PerGB(0.027, "EUR"); got != want {
			t.Errorf("%s costs %v, want %v", address, got, want)
		}
	}
}
