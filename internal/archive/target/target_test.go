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
		"oci://rg.fr-par.scw.cloud/archive/janitor":         {Kind: target.Registry, Repository: "rg.fr-par.scw.cloud/archive/janitor"},
		"s3://bucket?endpoint=https://s3.nl-ams.scw.cloud/": {Kind: target.Bucket, Bucket: "bucket", Endpoint: "https://s3.nl-ams.scw.cloud/", Region: "nl-ams"},
		"a:b":                          {Kind: target.Directory, Path: "a:b"},
		"oci://127.0.0.1:5000/janitor": {Kind: target.Registry, Repository: "127.0.0.1:5000/janitor"},
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
		"oci://host":                              "names no repository",
		"oci://host/":                             "names no repository",
		"oci:///repo":                             "names no repository",
		"oci://host/Repo":                         "upper case letters, which no repository has: write oci://host/repo",
		"oci://host/repo:tag":                     "names a tag",
		"oci://host/repo@sha256":                  "names a tag or a digest",
		"oci://host/repo/":                        "ends with /: write oci://host/repo",
		"oci://host/repo?a=b":                     "which only a bucket has",
		"oci://host/repo_":                        "a repository that cannot exist",
		"s3:/bucket/prefix":                       "no // after s3:",
		"s3:bucket?endpoint=https://KEY:SECRET@h": "no // after s3:",
		"S3:bucket":                               "no // after S3:",
		"oci:/host/repo":                          "no // after oci:",
		"file:archive":                            "no // after file:",
		"docker:host/repo":                        "no // after docker:",
		"https:/host":                             "no // after https:",
		"https://host/x":                          "unknown scheme",
		"s3://BUCK/x":                             "a bucket that cannot exist",
		"s3://my_bucket/x":                        "a bucket that cannot exist",
		"s3://bucket/x#y":                         "has a #",
		"s3://bucket?endpoint=":                   "without a value",
		"s3://bucket?region=a&region=b":           "or twice",
		"s3://bucket?storage_class=glacier":       "write storage_class=GLACIER",
		"s3://bucket?endpoint=s3.fr-par.scw.cloud&region=nl-ams": "write region=fr-par",
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
