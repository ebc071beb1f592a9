package emulator

import "time"

// World is the content of a world file: what the registry holds when the
// emulator starts, how it behaves, and what goes wrong.
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
//
// Containers and jobs are what Serverless Containers (v1, v1beta1) and Serverless
// Jobs (v1alpha2) list; faults happen to them as well.
//
// Durations are written as in janitor.yaml: 500ms 30s 90m 12h 14d 2w 6mo 1y,
// combined largest first (1d12h). Ages are before the start of the emulator and
// may be negative, which is in the future. Sizes are bytes: 120MB (decimal),
// 1.5GiB, or a plain number.
//
// Everything is deterministic from the start time on: identifiers come from the
// names (region, namespace, image, tag), times from the ages.
type World struct {
	Settings   Settings    `yaml:"settings"`
	Faults     []Fault     `yaml:"faults"`
	Namespaces []Namespace `yaml:"namespaces"`
	Containers []Container `yaml:"containers"`
	Jobs       []Job       `yaml:"jobs"`
}

// Settings say how the emulated API behaves. The zero value is an API without
// latency or limits that deletes at once and rejects what is in doubt.
type Settings struct {
	// Latency of every answer. It is waited for without holding anything up.
	Latency time.Duration `yaml:"latency"`
	// RateLimit is how many requests are answered in one second; the others get
	// 429 with an empty body. 0 means no limit.
	RateLimit int `yaml:"rate_limit"`
	// SharedDigest is what deleting a tag does when another tag of the image has
	// the same digest: reject (the default: 412, and with force=true all of them
	// go), untag (only that tag goes) or cascade (all of them go).
	SharedDigest string `yaml:"shared_digest"`
	// DeleteDelay is how long what was deleted stays listed, in status deleting.
	DeleteDelay time.Duration `yaml:"delete_delay"`
	// DeleteAgain is what deleting something in status deleting answers: accept
	// (the default: 200, still deleting), not_found (404) or conflict (409).
	DeleteAgain string `yaml:"delete_again"`
	// EmptyImages is what becomes of an image when its last tag is gone: keep (the
	// default) or remove.
	EmptyImages string `yaml:"empty_images"`
	// PageSizeDefault is the page size when a request names none; 0 means 20.
	PageSizeDefault int `yaml:"page_size_default"`
	// OversizePage is what a page_size over 100 gets: reject (the default: 400) or
	// clamp (100 rows).
	OversizePage string `yaml:"oversize_page"`
	// InlineTags limits the tag names inline in an image; 0 means all of them.
	InlineTags int `yaml:"inline_tags"`
	// CompactJSON leaves out the space after each comma.
	CompactJSON bool `yaml:"compact_json"`
	// ClockSkew is added to the Date header, and to nothing else.
	ClockSkew time.Duration `yaml:"clock_skew"`
	// SecretKey is the only accepted X-Auth-Token; "" accepts any but an empty one.
	SecretKey string `yaml:"secret_key"`
	// OrganizationID and ProjectID own the namespaces that name no owner; "" makes
	// some up.
	OrganizationID string `yaml:"organization_id"`
	ProjectID      string `yaml:"project_id"`
}

// Namespace is a registry namespace of the world.
type Namespace struct {
	Name        string `yaml:"name"`   // unique in its region
	Region      string `yaml:"region"` // fr-par (the default), nl-ams or pl-waw
	Description string `yaml:"description"`
	IsPublic    bool   `yaml:"is_public"`
	// Status is ready unless given. An object whose status is deleting in the world
	// stays so for ever: only deletions through the API complete.
	Status         string `yaml:"status"`
	ProjectID      string `yaml:"project_id"`      // "" means the one of the settings
	OrganizationID string `yaml:"organization_id"` // "" means the one of the settings
	// Age is the time since updated_at; 0 means that of the latest image.
	Age time.Duration `yaml:"age"`
	// CreatedAge is the time since created_at; 0 means just before updated_at and
	// before everything in it.
	CreatedAge time.Duration `yaml:"created_age"`
	// Count makes that many of it, with {n} in the name for 1, 2, 3, …
	Count  int     `yaml:"count"`
	Images []Image `yaml:"images"`
}

// Image is an image (a repository) of the world.
type Image struct {
	Name       string `yaml:"name"`       // unique in its namespace; may hold slashes
	Visibility string `yaml:"visibility"` // inherit (the default), public, private or visibility_unknown
	Status     string `yaml:"status"`     // ready unless given
	// Size at the start; 0 means the sum over the distinct digests of its tags.
	// What is declared beyond that sum stays when the tags go.
	Size Size `yaml:"size"`
	// Age is the time since updated_at; 0 means that of the latest tag, or just now
	// in an image without tags.
	Age time.Duration `yaml:"age"`
	// CreatedAge is the time since created_at; 0 means just before updated_at and
	// before every tag.
	CreatedAge time.Duration `yaml:"created_age"`
	// Count makes that many of it, with {n} in the name for 1, 2, 3, …; Age and
	// CreatedAge grow by Step from each to the next.
	Count int           `yaml:"count"`
	Step  time.Duration `yaml:"step"`
	Tags  []Tag         `yaml:"tags"`
}

// Tag is a tag of the world.
type Tag struct {
	Name string `yaml:"name"` // unique in its image
	// Digest is any word: equal words share a digest, which is the SHA-256 of the
	// word; sha256:<64 hex digits> stands for itself. "" means one of its own.
	Digest string `yaml:"digest"`
	Status string `yaml:"status"` // ready unless given
	// Size of what the digest names; 0 means a made-up one. The largest that the
	// tags of an image give for one digest counts for all of them.
	Size Size `yaml:"size"`
	// Age is the time since updated_at.
	Age time.Duration `yaml:"age"`
	// CreatedAge is the time since created_at; 0 means 0.3 to 0.9 seconds more than
	// Age, as the real API has it even on a first push.
	CreatedAge time.Duration `yaml:"created_age"`
	// Count makes that many of it, with {n} in the name and the digest for 1, 2, 3,
	// …; Age and CreatedAge grow by Step from each to the next.
	Count int           `yaml:"count"`
	Step  time.Duration `yaml:"step"`
}

// Size is a number of bytes.
type Size int64

// Fault is something that goes wrong. The first five fields say for which
// requests, Times and Every how often, the others how. Of several faults that
// are due for one request, the first one of the file happens.
//
// Kinds, and the fields that belong to them:
//
//	status          an error status instead of an answer: status, body, message, retry_after (the default when status is given)
//	empty_body      200 without a body
//	html            200 with a web page
//	redirect        a redirect to location; status is 302 unless given (the default when location is given)
//	hang            no answer until the client gives up
//	reset           the connection is reset without an answer
//	truncated_json  the answer ends in its middle
//	cut_body        the connection is reset in the middle of the answer
//	short_page      rows are missing at the end of the page: rows (1 unless given)
//	changed_total   total_count differs from page to page
//	duplicate_row   the first row stands again in the place of the last one
//	delay           only delay or date_offset (the default when one of them is given)
type Fault struct {
	// Method is an HTTP method; "" means any.
	Method string `yaml:"method"`
	// Path is a glob over the path below /registry/v1/regions/{region}, with or
	// without that prefix: * matches within one segment, ** any segments. Of the
	// serverless APIs it is over the whole path, such as
	// /containers/v1/regions/*/containers, or one of /containers and
	// /job-definitions.
	Path string `yaml:"path"`
	// Region limits the fault to one region.
	Region string `yaml:"region"`
	// Ref is a glob over the name of what the request is about: namespace,
	// namespace/image or namespace/image:tag. The listing of an image's tags is
	// about the image; listings of a region are about nothing.
	Ref string `yaml:"ref"`
	// Page is the page asked for; a request that names none asks for page 1.
	Page int `yaml:"page"`

	// Times is how often the fault happens; 0 means for ever.
	Times int `yaml:"times"`
	// Every n-th matching request only; 0 and 1 mean each.
	Every int `yaml:"every"`

	Kind   string `yaml:"kind"`
	Status int    `yaml:"status"`
	// Body of an error status: json (the default), text, html or empty. A 429 has an
	// empty body and the header X-Envoy-Ratelimited unless told otherwise.
	Body string `yaml:"body"`
	// Message in the body of an error status; "" means one that fits the status.
	Message string `yaml:"message"`
	// RetryAfter sets the Retry-After header, in whole seconds.
	RetryAfter time.Duration `yaml:"retry_after"`
	// Location is where a redirect points; the path and the query of the request are
	// added to a bare host.
	Location string `yaml:"location"`
	// When says whether the API acts before the fault hides its answer: before (the
	// fault comes before it could act, the default) or after (it did what it was
	// asked). Kinds that spoil the answer itself always come after.
	When string `yaml:"when"`
	// Rows missing from a short page.
	Rows int `yaml:"rows"`
	// Delay is waited in addition to the latency, whatever the kind.
	Delay time.Duration `yaml:"delay"`
	// DateOffset is added to the Date header, whatever the kind.
	DateOffset time.Duration `yaml:"date_offset"`
}

// The words of the settings, the statuses, the visibilities and the faults.
const (
	sharedReject  = "reject"
	sharedUntag   = "untag"
	sharedCascade = "cascade"

	againAccept   = "accept"
	againNotFound = "not_found"
	againConflict = "conflict"

	emptyKeep   = "keep"
	emptyRemove = "remove"

	oversizeReject = "reject"
	oversizeClamp  = "clamp"

	statusReady    = "ready"
	statusDeleting = "deleting"
	statusLocked   = "locked"

	visibilityInherit = "inherit"
	visibilityPublic  = "public"
	visibilityPrivate = "private"
	visibilityUnknown = "visibility_unknown"

	faultStatus        = "status"
	faultEmptyBody     = "empty_body"
	faultHTML          = "html"
	faultRedirect      = "redirect"
	faultHang          = "hang"
	faultReset         = "reset"
	faultTruncatedJSON = "truncated_json"
	faultCutBody       = "cut_body"
	faultShortPage     = "short_page"
	faultChangedTotal  = "changed_total"
	faultDuplicateRow  = "duplicate_row"
	faultDelay         = "delay"

	bodyJSON  = "json"
	bodyText  = "text"
	bodyHTML  = "html"
	bodyEmpty = "empty"

	whenBefore = "before"
	whenAfter  = "after"
)
