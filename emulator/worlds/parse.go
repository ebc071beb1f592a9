package worlds

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Parse reads a world file; name stands for it in messages. It is strict: the
// error is everything that is wrong, one line for each problem:
// "file:line: path: problem (remedy)".
func Parse(name string, data []byte) (World, error) {
	var w World
	c := checker{format().Parse(name, data, &w)}
	if c.Empty() {
		c.Report("", "is empty", "write namespaces: [] for an empty registry")
	}
	c.world(&w)
	if err := c.Err(); err != nil {
		return World{}, err
	}
	return w, nil
}

// Validate checks a world that was made in Go by the rules of [Parse].
func (w *World) Validate() error {
	c := checker{format().Check(w)}
	c.world(w)
	return c.Err()
}

// checker adds what is wrong between the keys of a world.
type checker struct{ *strictyaml.Document }

func (c checker) world(w *World) {
	for i := range w.Faults {
		c.fault(&w.Faults[i], fmt.Sprintf("faults[%d]", i))
	}
	c.namespaces(w.Namespaces)
	c.contents(w.Namespaces)
	c.others(w)
}

func format() strictyaml.Format {
	return strictyaml.Format{
		Blank: true,
		Bare:  true,
		Checks: map[string]strictyaml.Check{
			"glob":     checkGlob,
			"method":   checkMethod,
			"name":     checkName,
			"path":     checkPath,
			"platform": checkPlatform,
			"status":   checkStatus,
			"uuid":     checkUUID,
		},
	}
}

var newStatus = regexp.MustCompile(`^[a-z][a-z_]*$`)

// checkStatus accepts words that the API does not have yet, because clients have
// to cope with them, but not what looks like a misspelling of one that it has.
func checkStatus(s string) (message, hint string) {
	known := []string{"unknown", "ready", "deleting", "error", "locked"}
	if slices.Contains(known, s) || text.Nearest(s, known) == "" && newStatus.MatchString(s) {
		return "", ""
	}
	return strictyaml.NotOneOf(s, known)
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func checkUUID(s string) (message, hint string) {
	if !uuid.MatchString(s) {
		return fmt.Sprintf("must be a UUID, not %q", s), "such as 11111111-2222-4333-8444-555555555555"
	}
	return "", ""
}
