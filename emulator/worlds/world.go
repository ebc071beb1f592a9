package worlds

import "time"

// World is the content of a world file: what the registry holds when the emulator
// starts, how it behaves, and what goes wrong.
//
//	settings: {latency: 20ms, rate_limit: 100, shared_digest: reject, delete_delay: 1s, page_size_default: 20, compact_json: false}
//	faults:
//	  - {method: GET, path: "/images/*/tags", page: 2, status: 500, times: 1}
//	  - {method: DELETE, status: 429, every: 10}
//	namespaces:
//	  - {name: prod, region: fr-par, is_public: false, age: 400d, images: [
//	      {name: api, visibility: inherit, tags: [
//	        {name: latest, digest: A, age: 2h, created_age: 400d},
//	        {name: v1.4.0, digest: A, age: 2h},
//	        {name: "pr-{n}", count: 500, age: 1d, step: 2h, size: 120MB}]}]}
//	containers: [{name: api, namespace: shop, region: fr-par, image: "rg.fr-par.scw.cloud/prod/api:v1.4.0"}]
//	jobs: [{name: nightly, region: nl-ams, image: "rg.fr-par.scw.cloud/prod/api:latest"}]
//	clusters: [{name: prod, server: "https://127.0.0.1:6443"}]
//
// Containers and jobs are what Serverless Containers (v1, v1beta1) and Serverless
// Jobs (v1alpha2) list, clusters those of Kubernetes Kapsule (v1), with their
// kubeconfigs; faults happen to those calls too.
//
// Durations are written as in janitor.yaml: 500ms 30s 90m 12h 14d 2w 6mo 1y,
// combined largest first (1d12h). Ages count back from the start of the emulator; a
// negative one is in the future. Sizes are bytes: 120MB (decimal), 1.5GiB, or a
// plain number.
type World struct {
	Settings   Settings    `yaml:"settings"`
	Faults     []Fault     `yaml:"faults"`
	Namespaces []Namespace `yaml:"namespaces"`
	Containers []Container `yaml:"containers"`
	Jobs       []Job       `yaml:"jobs"`
	Clusters   []Cluster   `yaml:"clusters"`
}

// Settings are how the emulated API behaves. The zero value is an API without
// latency or limits, which deletes at once and rejects what is in doubt.
type Settings struct {
	// Latency of every answer; requests wait for it independently.
	Latency time.Duration `yaml:"latency"`
	// RateLimit is how many requests are answered in one second; the others get
	// 429 with an empty body. 0 means no limit.
	RateLimit int `yaml:"rate_limit"`
	// SharedDigest is what deleting a tag does when another tag of the image has
	// the same digest: reject (the default: 412, and with force=true all of them are
	// deleted), untag (only that tag is deleted) or cascade (all of them are).
	SharedDigest string `yaml:"shared_digest" one:"reject|untag|cascade"`
	// DeleteDelay is how long a deleted object is still listed, in status deleting.
	DeleteDelay time.Duration `yaml:"delete_delay"`
	// DeleteAgain is what deleting something in status deleting answers: accept
	// (the default: 200, still deleting), not_found (404) or conflict (409).
	DeleteAgain string `yaml:"delete_again" one:"accept|not_found|conflict"`
	// EmptyImages is what happens to an image without tags: keep (the default) or
	// remove.
	EmptyImages string `yaml:"empty_images" one:"keep|remove"`
	// PageSizeDefault is the page size of a request that names none; 0 means 20.
	PageSizeDefault int `yaml:"page_size_default" min:"0" max:"100"`
	// OversizePage is the answer to a page_size over 100: reject (the default: 400)
	// or clamp (100 rows).
	OversizePage string `yaml:"oversize_page" one:"reject|clamp"`
	// InlineTags limits the tag names inside an image; 0 means all of them.
	InlineTags int `yaml:"inline_tags"`
	// CompactJSON leaves out the space after each comma.
	CompactJSON bool `yaml:"compact_json"`
	// ClockSkew is added to the Date header, and to nothing else.
	ClockSkew time.Duration `yaml:"clock_skew" signed:"yes"`
	// Blobs is how the data plane answers a request for a blob: direct (the default) or
	// redirect, to a store under another host.
	Blobs string `yaml:"blobs" one:"direct|redirect"`
	// SecretKey is the only accepted X-Auth-Token; "" accepts any but an empty one.
	SecretKey string `yaml:"secret_key"`
	// OrganizationID and ProjectID own the namespaces without an owner; "" means
	// made-up ones.
	OrganizationID string `yaml:"organization_id" is:"uuid"`
	ProjectID      string `yaml:"project_id" is:"uuid"`
}

// Namespace is a registry namespace of the world.
type Namespace struct {
	Name        string `yaml:"name"`                              // unique in its region
	Region      string `yaml:"region" one:"fr-par|nl-ams|pl-waw"` // "" means fr-par
	Description string `yaml:"description" lines:"ok"`
	IsPublic    bool   `yaml:"is_public"`
	// Status "" means ready. An object that is deleting in the world stays so: only deletions
	// through the API complete.
	Status         string `yaml:"status" is:"status"`
	ProjectID      string `yaml:"project_id" is:"uuid"`      // "" means the one of the settings
	OrganizationID string `yaml:"organization_id" is:"uuid"` // "" means the one of the settings
	// Size at the start; 0 means the sum of its images. Anything beyond that sum stays when
	// they are deleted.
	Size Size `yaml:"size"`
	// Age is the time since updated_at; 0 means the age of the latest image.
	Age time.Duration `yaml:"age" signed:"yes"`
	// CreatedAge is the time since created_at; 0 means just before updated_at and
	// before everything in it.
	CreatedAge time.Duration `yaml:"created_age" signed:"yes"`
	// Count makes that many, with {n} in the name for 1, 2, 3, …
	Count  int     `yaml:"count" min:"0" max:"10000000"`
	Images []Image `yaml:"images"`
}

// Image is an image (a repository) of the world.
type Image struct {
	Name       string `yaml:"name"`                                                       // unique in its namespace; may have slashes
	Visibility string `yaml:"visibility" one:"inherit|public|private|visibility_unknown"` // "" means inherit
	Status     string `yaml:"status" is:"status"`                                         // "" means ready
	// Size at the start; 0 means the sum over the distinct digests of its tags. What
	// exceeds that sum stays when the tags are deleted.
	Size Size `yaml:"size"`
	// Age is the time since updated_at; 0 means the age of the latest tag, or just now
	// in an image without tags.
	Age time.Duration `yaml:"age" signed:"yes"`
	// CreatedAge is the time since created_at; 0 means just before updated_at and
	// before every tag.
	CreatedAge time.Duration `yaml:"created_age" signed:"yes"`
	// Count makes that many, with {n} in the name for 1, 2, 3, …; Age and CreatedAge
	// grow by Step from each to the next.
	Count int           `yaml:"count" min:"0" max:"10000000"`
	Step  time.Duration `yaml:"step"`
	Tags  []Tag         `yaml:"tags"`
}

// Tag is a tag of the world.
type Tag struct {
	// Name is unique in its image. {digest:A} in it is the 64 hex digits of the digest of
	// the word A, which an earlier tag must have: sha256-{digest:A}.sig
	Name string `yaml:"name"`
	// Digest is any word: equal words share a content, and its digest. Then one tag may
	// describe that content for all of them. sha256:<64 hex digits> stands for itself,
	// and has no content. "" means a content that no other tag has.
	Digest string `yaml:"digest"`
	// Labels and Annotations of the image; with Platforms, the labels are those of each
	// image, the annotations those of the index.
	Labels      map[string]string `yaml:"labels" lines:"ok"`
	Annotations map[string]string `yaml:"annotations" lines:"ok"`
	// Platforms make an index with an image for each. Without them, the name tells the
	// platform (1.6.0-arm64), which otherwise is linux/amd64.
	Platforms []string `yaml:"platforms" is:"platform"`
	// Parts are the names of other tags of the image, of which this one is an index. {n}
	// in them is as in the name.
	Parts []string `yaml:"parts"`
	// BuiltAge is the time since the image was built, which its config says; 0 leaves it
	// out. It grows by Step like Age. The digest depends on it, so it depends on when
	// the emulator starts.
	BuiltAge time.Duration `yaml:"built_age" signed:"yes"`
	Status   string        `yaml:"status" is:"status"` // "" means ready
	// Size of the content, which is the length of its config and layers; 0 means a
	// made-up one, and that of its parts for an index of them. If the tags of an image
	// differ about one digest, the largest counts for all of them. The content itself has
	// at least some two kilobytes, and the largest size of the word in the whole world.
	Size Size `yaml:"size"`
	// Age is the time since updated_at.
	Age time.Duration `yaml:"age" signed:"yes"`
	// CreatedAge is the time since created_at; 0 means 0.3 to 0.9 seconds more than
	// Age, as the real API has it even on a first push.
	CreatedAge time.Duration `yaml:"created_age" signed:"yes"`
	// Count makes that many, with {n} in the name and the digest for 1, 2, 3, …; Age
	// and CreatedAge grow by Step from each to the next.
	Count int           `yaml:"count" min:"0" max:"10000000"`
	Step  time.Duration `yaml:"step"`
}

// Container is a Serverless Container of the world, which uses an image. Both
// versions of that API list it (v1beta1 in its own regions), with the image as it
// is written here.
type Container struct {
	Name      string `yaml:"name"`                                     // unique in its namespace and region
	Namespace string `yaml:"namespace" is:"name"`                      // of containers, not of the registry; "" means default
	Region    string `yaml:"region" one:"fr-par|nl-ams|pl-waw|it-mil"` // "" means fr-par
	Image     string `yaml:"image"`                                    // such as rg.fr-par.scw.cloud/prod/api:v1
	// Age is the time since created_at.
	Age time.Duration `yaml:"age" signed:"yes"`
	// Count makes that many, with {n} in the name and the image for 1, 2, 3, …
	Count int `yaml:"count" min:"0" max:"10000000"`
}

// Job is a definition of Serverless Jobs of the world.
type Job struct {
	Name   string        `yaml:"name"`                              // unique in its region
	Region string        `yaml:"region" one:"fr-par|nl-ams|pl-waw"` // "" means fr-par
	Image  string        `yaml:"image"`
	Age    time.Duration `yaml:"age" signed:"yes"`
	Count  int           `yaml:"count" min:"0" max:"10000000"`
}

// Cluster is a cluster of Kubernetes Kapsule of the world. Its own API is elsewhere.
type Cluster struct {
	Name   string `yaml:"name"`                                     // unique in its region
	Region string `yaml:"region" one:"fr-par|nl-ams|pl-waw|it-mil"` // "" means fr-par
	Status string `yaml:"status" is:"status"`                       // "" means ready
	// Server is the URL of its API, with {n} like the name; "" means the one that the
	// real cluster would have.
	Server string `yaml:"server"`
	CA     string `yaml:"ca" lines:"ok"` // certificate (PEM) that signed that of the server
	// Token is the one of its administrator in the kubeconfig; "" means that it has none,
	// like clusters that only accept API keys.
	Token string        `yaml:"token"`
	Age   time.Duration `yaml:"age" signed:"yes"`
	Count int           `yaml:"count" min:"0" max:"10000000"`
}

// Regions are the regions of the registry; the first is the default.
func Regions() []string { return []string{"fr-par", "nl-ams", "pl-waw"} }

// ContainerRegions are the regions with Serverless Containers and Kubernetes. it-mil has
// only the latest version of the former's API, no registry, and no jobs.
func ContainerRegions() []string { return append(Regions(), "it-mil") }

// DefaultNamespace is the namespace of containers that name none.
const DefaultNamespace = "default"

// Size is a number of bytes.
type Size int64
