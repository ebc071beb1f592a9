# METADATA
# title: Builders of inputs for the tests of policies
# description: |
#   testing.image([testing.tag("pr-1", "15d"), testing.tag("pr-2", "3d")]) is the
#   input that a policy of package janitor.image.<name> sees: every field of the
#   schema, the tags newest first. testing.namespace("prod") is that of a policy
#   of package janitor.namespace.<name>.
#
#   Ages are whole numbers with units, largest first: 90s, 12h, 15d, 1d12h, 2w,
#   6mo, 1y. They count back from testing.now. An invalid age or an unknown
#   option fails the test.
package janitor.testing

# The time of the scan.
now := "2026-11-22T12:00:00Z"

# An image with these tags, in namespace prod.
image(tags) := image_with({}, tags)

# An image with these tags. Options: name, namespace (a name, or the options of
# namespace_with and name), region, visibility, size_bytes, age, created_age,
# status, now.
image_with(options, tags) := {
	"now": time_of(options),
	"region": region,
	"namespace": namespace,
	"image": {
		"name": name,
		"id": uuid(reference),
		"ref": reference,
		"visibility": visibility,
		"effective_visibility": effective_visibility(visibility, namespace),
		"status": object.get(options, "status", "ready"),
		"size_bytes": object.get(options, "size_bytes", 1000000 * count(tags)),
		"created_at": before(options, created),
		"updated_at": before(options, updated),
		"age_days": floor_div(updated, 86400),
		"tag_count": count(tags),
	},
	"tags": complete(options, reference, tags),
} if {
	known(options, {"name", "namespace", "region", "visibility", "size_bytes", "age", "created_age", "status", "now"})
	region := object.get(options, "region", "fr-par")
	namespace := namespace_of(options)
	name := object.get(options, "name", "api")
	reference := sprintf("rg.%s.scw.cloud/%s/%s", [region, namespace.name, name])
	visibility := object.get(options, "visibility", "inherit")
	updated := seconds(object.get(options, "age", "10d"))
	created := seconds(object.get(options, "created_age", "400d"))
}

# A tag of an age, for image: ready, not in use, with a digest of its own.
tag(name, age) := tag_with(name, age, {})

# A tag with options: digest (any word; tags with the same word share it),
# status, created_age, in_use, id, content. Without content, that of the tag is not
# known. Options of content: kind, media_type, platforms, labels, annotations, built
# (an age; by default that of the tag), size_bytes, parts, subject; {} is an image for
# linux/amd64.
tag_with(name, age, options) := {"name": name, "age": age, "options": options} if {
	known(options, {"digest", "status", "created_age", "in_use", "id", "content"})
	known(
		object.get(options, "content", {}),
		{"kind", "media_type", "platforms", "labels", "annotations", "built", "size_bytes", "parts", "subject"},
	)
}

# The input of a namespace policy.
namespace(name) := namespace_with(name, {})

# The input of a namespace policy. Options: id, project_id, description,
# is_public, size_bytes, image_count, age, created_age, region, now.
namespace_with(name, options) := {
	"now": time_of(options),
	"region": object.get(options, "region", "fr-par"),
	"namespace": namespace_object(name, options),
} if {
	known(options, namespace_options | {"region", "now"})
}

namespace_options := {"id", "project_id", "description", "is_public", "size_bytes", "image_count", "age", "created_age"}

namespace_of(options) := namespace_object("prod", {"image_count": 1}) if not "namespace" in object.keys(options)

namespace_of(options) := namespace_object(options.namespace, {"image_count": 1}) if is_string(options.namespace)

namespace_of(options) := namespace_object(object.get(options.namespace, "name", "prod"), object.union({"image_count": 1}, options.namespace)) if {
	is_object(options.namespace)
	known(options.namespace, namespace_options | {"name"})
}

namespace_object(name, options) := {
	"name": name,
	"id": object.get(options, "id", uuid(name)),
	"project_id": object.get(options, "project_id", uuid("project")),
	"description": object.get(options, "description", ""),
	"is_public": object.get(options, "is_public", false),
	"size_bytes": object.get(options, "size_bytes", 0),
	"image_count": object.get(options, "image_count", 0),
	"created_at": before(options, seconds(object.get(options, "created_age", "400d"))),
	"updated_at": before(options, updated),
	"age_days": floor_div(updated, 86400),
} if {
	updated := seconds(object.get(options, "age", "10d"))
}

effective_visibility("inherit", namespace) := "public" if namespace.is_public

effective_visibility("inherit", namespace) := "private" if not namespace.is_public

effective_visibility(visibility, _) := visibility if visibility != "inherit"

# Every field of every tag, newest first, ties by name.
complete(options, reference, tags) := [full |
	sorted := sort([[seconds(t.age), t.name, t] | some t in tags])
	some rank, [_, name, entry] in sorted
	age := seconds(entry.age)
	digest := digest_of(entry)
	base := {
		"name": name,
		"id": object.get(entry.options, "id", uuid(sprintf("%s:%s", [reference, name]))),
		"ref": sprintf("%s:%s", [reference, name]),
		"digest": digest,
		"status": object.get(entry.options, "status", "ready"),
		"created_at": before(options, seconds(object.get(entry.options, "created_age", entry.age))),
		"updated_at": before(options, age),
		"age_days": floor_div(age, 86400),
		"age_seconds": age,
		"rank": rank,
		"shares_digest_with": [other.name |
			some [_, _, other] in sorted
			other.name != name
			digest_of(other) == digest
		],
		"in_use": object.get(entry.options, "in_use", []),
		"bucket": bucket(nanoseconds(options) - (age * 1000000000)),
	}
	full := object.union_n([base, version(name), attachment(name, digest), content_of(options, entry)])
]

content_of(options, entry) := {"content": object.union(with_defaults, subject)} if {
	content := entry.options.content
	built := seconds(object.get(content, "built", entry.age))
	with_defaults := {
		"kind": object.get(content, "kind", "image"),
		"media_type": object.get(content, "media_type", "application/vnd.oci.image.manifest.v1+json"),
		"platforms": object.get(content, "platforms", ["linux/amd64"]),
		"labels": object.get(content, "labels", {}),
		"annotations": object.get(content, "annotations", {}),
		"built_at": before(options, built),
		"built_days": floor_div(built, 86400),
		"size_bytes": object.get(content, "size_bytes", 1000000),
		"parts": object.get(content, "parts", []),
	}
	subject := object.filter(content, ["subject"])
} else := {}

digest_of(entry) := sprintf("sha256:%s", [crypto.sha256(entry.name)]) if not "digest" in object.keys(entry.options)

digest_of(entry) := entry.options.digest if contains(object.get(entry.options, "digest", ""), ":")

digest_of(entry) := sprintf("sha256:%s", [crypto.sha256(entry.options.digest)]) if {
	not contains(entry.options.digest, ":")
}

# A semantic version: X.Y.Z, a leading v and leading zeros allowed, with an optional
# pre-release, and build metadata after the _ that stands for the + which tags cannot
# hold.
version(name) := {"semver": {"major": to_number(p[1]), "minor": to_number(p[2]), "patch": to_number(p[3]), "prerelease": p[4]}} if {
	some p in regex.find_all_string_submatch_n(version_pattern, name, 1)
}

version(name) := {} if not regex.match(version_pattern, name)

version_pattern := concat("", [
	`^v?0*(0|[1-9][0-9]*)\.0*(0|[1-9][0-9]*)\.0*(0|[1-9][0-9]*)`,
	`(?:-([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?`,
	`(?:_[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`,
])

# The digest that an attachment names, which may be shortened. A tag that is named
# after its own digest is not an attachment.
attachment(name, digest) := {"attachment_of": subject} if {
	some m in regex.find_all_string_submatch_n(attachment_pattern, name, 1)
	subject := sprintf("%s:%s", [concat("", [m[1], m[3]]), concat("", [m[2], m[4]])])
	not startswith(digest, subject)
} else := {}

attachment_pattern := `^(?:(sha256)-([0-9a-f]{64})|(sha512)-([0-9a-f]{64,128}))(?:\..*)?$`

# The calendar periods of a time, in UTC; weeks by ISO 8601.
bucket(ns) := {
	"hour": time.format([ns, "UTC", "2006-01-02T15"]),
	"day": time.format([ns, "UTC", "2006-01-02"]),
	"week": sprintf("%04d-W%02d", [year, week]),
	"month": time.format([ns, "UTC", "2006-01"]),
	"year": time.format([ns, "UTC", "2006"]),
} if {
	thursday := time.add_date(ns, 0, 0, 4 - weekdays[time.weekday(ns)])
	year := time.date(thursday)[0]
	first := time.parse_rfc3339_ns(sprintf("%04d-01-01T00:00:00Z", [year]))
	week := floor_div(thursday - first, 604800000000000) + 1
}

weekdays := {"Monday": 1, "Tuesday": 2, "Wednesday": 3, "Thursday": 4, "Friday": 5, "Saturday": 6, "Sunday": 7}

time_of(options) := object.get(options, "now", now)

nanoseconds(options) := time.parse_rfc3339_ns(time_of(options))

before(options, age) := time.format([nanoseconds(options) - (age * 1000000000), "UTC", "2006-01-02T15:04:05.999999Z07:00"])

# The length of an age in seconds.
seconds(age) := sum([length |
	some part in regex.find_all_string_submatch_n(`([0-9]+)([a-z]+)`, age, -1)
	length := to_number(part[1]) * units[part[2]]
]) if {
	regex.match(`^(?:[0-9]+y)?(?:[0-9]+mo)?(?:[0-9]+w)?(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?$`, age)
	age != ""
} else := fail(sprintf("%v is not an age: write 90s, 12h, 15d, 1d12h, 2w, 6mo or 1y", [age]))

units := {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2592000, "y": 31536000}

uuid(text) := sprintf("%s-%s-%s-%s-%s", [substring(h, 0, 8), substring(h, 8, 4), substring(h, 12, 4), substring(h, 16, 4), substring(h, 20, 12)]) if {
	h := crypto.md5(text)
}

floor_div(a, b) := floor(a / b)

known(options, names) if count(object.keys(options) - names) == 0

known(options, names) := fail(sprintf("unknown option %v: use one of %v", [object.keys(options) - names, names])) if {
	count(object.keys(options) - names) > 0
}

# A mistake in a test must fail it: the text is in the error of to_number.
fail(text) := to_number(text)
