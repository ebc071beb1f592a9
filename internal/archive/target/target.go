// Package target reads the address of an archive. Its only noun is the Target.
//
// It must never open what it names, or accept a password in it.
package target

import (
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
	// Region is that of the endpoint if it names one. Both, and StorageClass, are "" for the
	// default.
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

// Error is what is wrong with an address. It never quotes what may be a password.
type Error struct {
	What   string // "has an unknown scheme"
	Remedy string // what to do
}

func (e *Error) Error() string { return e.What + ": " + e.Remedy }

const forms = "write a path, file:///path, s3://bucket/prefix?endpoint=…&region=… or oci://host/repository"

var (
	schemes    = regexp.MustCompile(`(?i)^(s3|oci|file|docker|https?):`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	repository = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`)
)

// Parse reads a path, file:///path, s3://bucket/prefix?endpoint=…&region=…&storage_class=…
// or oci://host/repository. Its errors are of type Error.
func Parse(address string) (Target, error) {
	scheme, rest, isURL := strings.Cut(address, "://")
	meant := schemes.FindString(address)
	switch {
	case address == "":
		return Target{}, &Error{"is empty", forms}
	case meant != "" && !strings.HasPrefix(address, meant+"//"):
		return Target{}, &Error{"has no // after " + meant, forms}
	case !isURL:
		return Target{Kind: Directory, Path: address}, nil
	case strings.Contains(strings.SplitN(rest, "/", 2)[0], "@"):
		return Target{}, &Error{"must not have a user or a password", "put credentials into the environment"}
	}
	switch scheme {
	case "file":
		return parseFile(rest)
	case "s3":
		return parseBucket(address)
	case "oci":
		return parseRepository(rest)
	}
	return Target{}, &Error{fmt.Sprintf("has an unknown scheme: %q", scheme), forms}
}

func parseFile(rest string) (Target, error) {
	path, err := url.PathUnescape(rest)
	if err != nil || !filepath.IsAbs(path) {
		return Target{}, &Error{fmt.Sprintf("must be an absolute path: %q", "file://"+rest), "write file:///var/lib/archive"}
	}
	return Target{Kind: Directory, Path: path}, nil
}

func parseRepository(rest string) (Target, error) {
	host, path, _ := strings.Cut(rest, "/")
	trimmed := strings.TrimRight(rest, "/")
	wrong := func(what, remedy string) (Target, error) { return Target{}, &Error{what, remedy} }
	switch {
	case repository.MatchString(rest):
		return Target{Kind: Registry, Repository: rest}, nil
	case host == "" || strings.Trim(path, "/") == "":
		return wrong("names no repository", "write oci://host/repository")
	case strings.ContainsAny(rest, "?#"):
		return wrong("has parameters, which only a bucket has", "write oci://host/repository")
	case strings.ContainsAny(path, ":@"):
		return wrong("names a tag or a digest", "remove it: the archive sets the tags of its repository itself")
	case repository.MatchString(trimmed):
		return wrong("ends with /", "write oci://"+trimmed)
	case strings.ToLower(rest) != rest:
		return wrong("has upper case letters, which no repository has", "write oci://"+strings.ToLower(rest))
	}
	return wrong("names a repository that cannot exist", "its parts have a to z and 0 to 9, and ., _ and - between them")
}

// classes are the storage classes of S3 and of Scaleway. Other servers have some of their own.
var classes = []string{"STANDARD", "ONEZONE_IA", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY"}

func parseBucket(address string) (Target, error) {
	wrong := func(what, remedy string) (Target, error) { return Target{}, &Error{what, remedy} }
	u, err := url.Parse(address)
	switch {
	case err == nil && u.Host == "":
		return wrong("names no bucket", "write s3://bucket/prefix")
	case err != nil || !bucketName.MatchString(u.Host):
		return wrong("names a bucket that cannot exist", "a bucket has 3 to 63 characters: a to z, 0 to 9, . and -")
	case u.Fragment != "" || strings.HasSuffix(address, "#"):
		return wrong("has a #", "remove what is behind it, or write %23 if the prefix has it")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrong("has parameters that cannot be read", "write ?endpoint=…&region=…&storage_class=…")
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains([]string{"endpoint", "region", "storage_class"}, key) {
			return wrong(fmt.Sprintf("has an unknown parameter: %q", key), "write endpoint, region or storage_class; credentials come from the environment")
		}
		if len(query[key]) > 1 || query.Get(key) == "" {
			return wrong(fmt.Sprintf("has the parameter %s without a value, or twice", key), "give it one value, or remove it")
		}
	}
	t := Target{
		Kind: Bucket, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"),
		Endpoint: query.Get("endpoint"), Region: query.Get("region"), StorageClass: query.Get("storage_class"),
	}
	if upper := strings.ToUpper(t.StorageClass); upper != t.StorageClass && slices.Contains(classes, upper) {
		return wrong("has an unknown storage class", "write storage_class="+upper)
	}
	return t.withEndpoint()
}

// scaleway matches the endpoints of Scaleway, which name their region.
var scaleway = regexp.MustCompile(`^https?://s3\.([a-z]+-[a-z]+)\.scw\.cloud(:[0-9]+)?/?$`)

// withEndpoint completes the endpoint of a bucket, and takes the region from it.
func (t Target) withEndpoint() (Target, error) {
	if t.Endpoint == "" {
		return t, nil
	}
	if !strings.Contains(t.Endpoint, "://") {
		t.Endpoint = "https://" + t.Endpoint
	}
	if e, err := url.Parse(t.Endpoint); err != nil || e.Host == "" || e.User != nil || e.Scheme != "http" && e.Scheme != "https" {
		return Target{}, &Error{"has an endpoint that is not an address", "write endpoint=https://s3.fr-par.scw.cloud"}
	}
	m := scaleway.FindStringSubmatch(t.Endpoint)
	if m != nil && t.Region != "" && t.Region != m[1] {
		return Target{}, &Error{"has an endpoint of the region " + m[1] + ", and another region", "write region=" + m[1] + ", or correct the endpoint"}
	}
	if m != nil {
		t.Region = m[1]
	}
	return t, nil
}
