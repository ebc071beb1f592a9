// Package target reads the address of an archive. Its only noun is the Target.
//
// It must never open what it names, or accept a password in it.
package target

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Kind is where an archive lies.
type Kind string

// The kinds of targets.
const (
	Directory Kind = "directory"
	Bucket    Kind = "bucket"
	Registry  Kind = "registry"
)

// Target is a parsed address. Only the fields of its kind are set.
type Target struct {
	Kind Kind
	// Path of a directory, as written.
	Path string
	// Bucket and Prefix of the objects; the prefix has no slash at either end.
	Bucket, Prefix string
	// Endpoint of an S3 service other than AWS, such as https://s3.fr-par.scw.cloud.
	// Region and StorageClass are "" for the default.
	Endpoint, Region, StorageClass string
	// Repository is "host/name".
	Repository string
}

// provider matches what the provider hosts.
var provider = regexp.MustCompile(`(^rg|//s3)\.[a-z]+-[a-z]+\.scw\.cloud(/|$)`)

// IsProvider reports whether a repository, "host/name", is in a registry of the provider.
func IsProvider(repository string) bool { return provider.MatchString(repository) }

// PerGB is what 10⁹ bytes cost there for a month, in a currency in which those of a
// registry of the provider cost so much; 0 if it is not known. The prices of buckets are an
// estimate, without taxes and requests: Scaleway has no API for its price list, which is
// https://www.scaleway.com/en/pricing/storage/
func (t Target) PerGB(inRegistry float64, currency string) float64 {
	switch {
	case t.Kind == Registry && IsProvider(t.Repository):
		return inRegistry
	case t.Kind != Bucket || currency != "EUR" || !provider.MatchString(t.Endpoint):
		return 0
	}
	return map[string]float64{"": 0.0146, "STANDARD": 0.0146, "ONEZONE_IA": 0.0075, "GLACIER": 0.00254}[t.StorageClass]
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	repository = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
)

// Parse reads a path, file:///path, s3://bucket/prefix?endpoint=…&region=…&storage_class=…
// or oci://host/repository. Its errors never quote what may be a password.
func Parse(address string) (Target, error) {
	scheme, rest, isURL := strings.Cut(address, "://")
	switch {
	case address == "":
		return Target{}, errors.New("is empty")
	case !isURL:
		return Target{Kind: Directory, Path: address}, nil
	case strings.Contains(strings.SplitN(rest, "/", 2)[0], "@"):
		return Target{}, errors.New("must not have a user or a password: put credentials into the environment")
	}
	switch scheme {
	case "file":
		return parseFile(rest)
	case "s3":
		return parseBucket(address)
	case "oci":
		if !repository.MatchString(rest) {
			return Target{}, fmt.Errorf("names no repository: %q: write oci://host/repository", address)
		}
		return Target{Kind: Registry, Repository: rest}, nil
	}
	return Target{}, fmt.Errorf("has an unknown scheme: %q: write a path, file:///…, s3://… or oci://…", scheme)
}

func parseFile(rest string) (Target, error) {
	path, err := url.PathUnescape(rest)
	if err != nil || !filepath.IsAbs(path) {
		return Target{}, fmt.Errorf("must be an absolute path: %q: write file:///var/lib/archive", "file://"+rest)
	}
	return Target{Kind: Directory, Path: path}, nil
}

func parseBucket(address string) (Target, error) {
	u, err := url.Parse(address)
	if err != nil || !bucketName.MatchString(u.Host) {
		return Target{}, errors.New("names no bucket: write s3://bucket/prefix")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Target{}, errors.New("has parameters that cannot be read: write ?endpoint=…&region=…&storage_class=…")
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains([]string{"endpoint", "region", "storage_class"}, key) {
			return Target{}, fmt.Errorf("has an unknown parameter: %q: write endpoint, region or storage_class; credentials come from the environment", key)
		}
	}
	t := Target{
		Kind: Bucket, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"),
		Endpoint: query.Get("endpoint"), Region: query.Get("region"), StorageClass: query.Get("storage_class"),
	}
	if t.Endpoint == "" {
		return t, nil
	}
	if !strings.Contains(t.Endpoint, "://") {
		t.Endpoint = "https://" + t.Endpoint
	}
	if e, err := url.Parse(t.Endpoint); err != nil || e.Host == "" || e.User != nil || e.Scheme != "http" && e.Scheme != "https" {
		return Target{}, errors.New("has an endpoint that is not an address: write endpoint=https://s3.fr-par.scw.cloud")
	}
	return t, nil
}
