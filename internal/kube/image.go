package kube

import (
	"regexp"
	"strings"
)

// digestAtEnd matches the digest of an image ID, with or without a name before it.
// Some runtimes leave out the algorithm, which is SHA-256 then.
var digestAtEnd = regexp.MustCompile(`(?:^|@)((?:[a-z0-9]+:)?[0-9a-f]{64,128})$`)

// mayBeOurs reports whether an image may be of this registry, in any spelling. The
// caller parses it.
func mayBeOurs(image string) bool {
	return strings.Contains(strings.ToLower(image), ".scw.cloud")
}

// resolve returns the references, of any registry, that a container uses by its
// image and by the image ID in its status. The ID is "name@digest" (containerd,
// CRI-O), the same after docker-pullable:// (Docker), or a digest alone. The node may
// know the same content by another name, so the digest is in use under the name in
// the spec too.
func resolve(image, id string) []string {
	if _, rest, ok := strings.Cut(id, "://"); ok {
		id = rest
	}
	if id == "" {
		return nil
	}
	found := digestAtEnd.FindStringSubmatch(id)
	if found == nil {
		return []string{id}
	}
	digest := found[1]
	if !strings.Contains(digest, ":") {
		digest = "sha256:" + digest
	}
	var references []string
	if image != "" && !strings.Contains(image, "@") {
		references = append(references, image+"@"+digest)
	}
	name, _, named := strings.Cut(id, "@")
	if named && !sameName(image, name) {
		references = append(references, name+"@"+digest)
	}
	return references
}

// sameName reports whether an image has that name, with or without a tag, and has
// no digest of its own.
func sameName(image, name string) bool {
	rest, ok := strings.CutPrefix(image, name)
	return ok && !strings.Contains(rest, "@") && (rest == "" || rest[0] == ':')
}
