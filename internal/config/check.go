package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/bmatcuk/doublestar/v4"
	"github.com/robfig/cron/v3"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// checks are the shapes of strings, by the name that the tag "is" gives them.
var checks = map[string]strictyaml.Check{
	"glob":       checkGlob,
	"name-glob":  checkNameGlob,
	"scope":      checkScope,
	"value-glob": checkValueGlob,
	"platform":   checkPlatform,
	"kind":       checkKind,
	"regex":      checkRegex,
	"group":      checkGroup,
	"version":    checkVersion,
	"range":      checkRange,
	"uuid": shape(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
		"must be a UUID, not ", "copy the ID, in lower case, such as 11111111-2222-3333-4444-555555555555"),
	"digest": shape(`^sha256:[0-9a-f]{64}$`,
		"must be a digest, not ", "write sha256: and 64 hexadecimal digits in lower case"),
	"region":         checkRegion,
	"cluster-region": checkClusterRegion,
	"namespace": shape(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`,
		"is not a Kubernetes namespace: ", "write its whole name; for all namespaces, remove the key"),
	"zone":   checkZone,
	"cron":   checkCron,
	"factor": checkFactor,
	"file":   checkFile,
	"currency": shape(`^[A-Z]{3}$`,
		"is not a currency code: ", "write its three capital letters, such as EUR"),
	"variable":     variableOf(urlHint),
	"secret-file":  fileOf(urlHint),
	"template":     checkTemplate,
	"link":         checkLink,
	"registry-url": checkRegistryURL,
	"dsn":          checkDSN,
	"dsn-variable": variableOf(dsnHint),
	"dsn-file":     fileOf(dsnHint),
	"occasion":     checkOccasion,
	"date":         checkDate,
	"archive":      checkArchive,
	"bandwidth":    checkBandwidth,
}

// shape is the check that a string matches a pattern.
func shape(pattern, problem, remedy string) strictyaml.Check {
	valid := regexp.MustCompile(pattern)
	return func(s string) (message, hint string) {
		if valid.MatchString(s) {
			return "", ""
		}
		return problem + strictyaml.Quote(s), remedy
	}
}

func checkGlob(s string) (message, hint string) {
	if strings.HasPrefix(s, "!") {
		return fmt.Sprintf("never matches a name: %s", strictyaml.Quote(s)), "globs cannot be negated: use except or exclude"
	}
	if !doublestar.ValidatePattern(s) {
		return fmt.Sprintf("is not a valid glob: %s", strictyaml.Quote(s)), "close every [ and {, and write \\ before a character that stands for itself"
	}
	return "", ""
}

// checkNameGlob is for names without slashes: namespaces and tags.
func checkNameGlob(s string) (message, hint string) {
	if strings.Contains(s, "/") {
		return fmt.Sprintf("never matches a name: %s", strictyaml.Quote(s)), "names of namespaces and tags have no slash; use the key images for images"
	}
	return checkGlob(s)
}

// checkValueGlob is for values of labels, which may be anything.
func checkValueGlob(s string) (message, hint string) {
	if !doublestar.ValidatePattern(s) {
		return checkGlob(s)
	}
	return "", ""
}

// checkKind is for what a tag can have.
func checkKind(s string) (message, hint string) {
	if kinds := rules.Kinds(); !slices.Contains(kinds, s) {
		return strictyaml.NotOneOf(s, kinds)
	}
	return "", ""
}

var platform = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+(/[a-z0-9.]+)?$`)

// architectures are those that go by other names elsewhere.
var architectures = map[string]string{"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "aarch64": "arm64", "armhf": "arm/v7", "armv7": "arm/v7", "i386": "386"}

// checkPlatform is for a platform as images name it.
func checkPlatform(s string) (message, hint string) {
	system, architecture, _ := strings.Cut(s, "/")
	known, other := architectures[architecture]
	switch {
	case other:
		return fmt.Sprintf("is not a platform of images: %s", strictyaml.Quote(s)), "write " + system + "/" + known
	case !platform.MatchString(s):
		return fmt.Sprintf("is not a platform: %s", strictyaml.Quote(s)), "write system/architecture, such as linux/arm64, or system/architecture/variant, such as linux/arm/v7"
	}
	return "", ""
}

// checkScope is for globs over "namespace/image", which always has a slash: a glob
// without one would silently match nothing.
func checkScope(s string) (message, hint string) {
	if message, hint = checkGlob(s); message != "" {
		return message, hint
	}
	if strings.Trim(s, "/") == "" {
		return fmt.Sprintf("matches no namespace/image: %s", strictyaml.Quote(s)), "write \"**\" for all images"
	}
	if s != "**" && (!strings.Contains(s, "/") || strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/")) {
		return fmt.Sprintf("matches no namespace/image: %s", strictyaml.Quote(s)), fmt.Sprintf("write %q for all images of a namespace", strings.Trim(s, "/")+"/**")
	}
	return "", ""
}

// checkRegex compiles the pattern alone too: "a)|(b" compiles only inside the group
// that anchors it, and would escape the anchors there.
func checkRegex(s string) (message, hint string) {
	_, err := rules.Steps(s)
	if err == nil {
		_, err = rules.Anchored(s)
	}
	var bad *syntax.Error
	switch {
	case err == nil:
		return "", ""
	case rules.IsLarge(err):
		return fmt.Sprintf("is %s: %s", err, strictyaml.Quote(s)), "shorten it: write classes such as [a-z0-9]+ instead of lists of words, and smaller repetitions"
	case errors.As(err, &bad):
		return fmt.Sprintf("is not a valid regular expression: %s: %s", bad.Code, strictyaml.Quote(s)), "write RE2 syntax, without lookaround and backreferences"
	}
	return fmt.Sprintf("is not a valid regular expression: %s: %s", err, strictyaml.Quote(s)), "write RE2 syntax, without lookaround and backreferences"
}

// checkGroup is for a regular expression with a part that names a group.
func checkGroup(s string) (message, hint string) {
	if message, hint = checkRegex(s); message != "" {
		return message, hint
	}
	if regexp.MustCompile(s).NumSubexp() == 0 {
		return fmt.Sprintf("has no capture group: %s", strictyaml.Quote(s)), "put the part that names the group into parentheses, such as 'env-(?P<group>[a-z]+)-.*'"
	}
	return "", ""
}

// checkVersion is for a regular expression with a part that is the version.
func checkVersion(s string) (message, hint string) {
	if message, hint = checkGroup(s); strings.HasPrefix(message, "has no capture group") {
		hint = "put the version into parentheses, such as 'api-v(?P<version>.+)'"
	}
	return message, hint
}

func checkRange(s string) (message, hint string) {
	if s == "true" {
		return "is not a version range: true", `write "*" for every version`
	}
	if _, err := semver.NewConstraint(s); err != nil {
		return fmt.Sprintf("is not a version range: %s", strictyaml.Quote(s)), `write a range such as ">=1.0.0 <2.0.0", "^1.2", or "*"`
	}
	return "", ""
}

func checkRegion(s string) (message, hint string) {
	if message, hint = oneOf(s, regions()); s == "it-mil" {
		hint = "remove it: it-mil runs containers, but has no registry"
	}
	return message, hint
}

// checkClusterRegion is for the regions that have Kubernetes Kapsule.
func checkClusterRegion(s string) (message, hint string) {
	return oneOf(s, ClusterRegions())
}

func oneOf(s string, known []string) (message, hint string) {
	if slices.Contains(known, s) {
		return "", ""
	}
	return strictyaml.NotOneOf(s, known)
}

// checkZone refuses "Local", which depends on the machine.
func checkZone(s string) (message, hint string) {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return fmt.Sprintf("is not a known time zone: %s", strictyaml.Quote(s)), "write a name of the IANA database, such as Europe/Paris or UTC"
	}
	return "", ""
}

// anyYear is where the search for the next time of a schedule begins: a leap year.
var anyYear = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func checkCron(s string) (message, hint string) {
	const fields = "write minute, hour, day, month and weekday, such as \"0 3 * * *\", or @daily, @every 6h"
	if strings.Contains(s, "TZ=") {
		return fmt.Sprintf("must not name a time zone: %s", strictyaml.Quote(s)), "use the key timezone"
	}
	schedule, err := cron.ParseStandard(s)
	if err != nil {
		return fmt.Sprintf("is not a cron expression: %s", strictyaml.Clip(err.Error())), fields
	}
	// The library takes anything shorter than a second, or negative, as a second.
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		if length, err := time.ParseDuration(every); err != nil || length < time.Second {
			return fmt.Sprintf("is not a cron expression: %s is shorter than a second", strictyaml.Quote(s)), fields
		}
	}
	if schedule.Next(anyYear).IsZero() {
		return fmt.Sprintf("never happens: %s", strictyaml.Quote(s)), "write a day that the calendar has"
	}
	return "", ""
}

// keywords are the beginning of a connection string in the form of other programs:
// "host=db password=…" or "Server=db;Pwd=…".
var keywords = regexp.MustCompile(`(?i)(^|[\s;])(host|hostaddr|port|user|user id|uid|username|password|pwd|passfile|dbname|database|server|data source|service|sslmode)\s*=`)

// shellVariable is a reference to a variable, as in a shell, and nothing else.
var shellVariable = regexp.MustCompile(`^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$`)

// dsnHint is the remedy for a DSN in place of where it is.
const dsnHint = "for the DSN itself, write dsn; to keep a password out of this file, put the DSN into an environment variable or a file, and name that with dsn_env or dsn_file"

// checkDSN never quotes what it refuses, which may have a password.
func checkDSN(s string) (message, hint string) {
	scheme, _, isURL := strings.Cut(s, "://")
	switch {
	case strings.Contains(s, "${") || shellVariable.MatchString(s):
		name := "LEDGER_DSN"
		if m := shellVariable.FindStringSubmatch(s); m != nil {
			name = m[1]
		}
		return "is not expanded: it refers to a variable", "write ledger: {dsn_env: " + name + "}, and set that variable to the whole DSN"
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return "", ""
	case keywords.MatchString(s):
		return "must be the path of a file or a URL, not a list of keywords", "write postgres://user:password@host:port/database, special characters percent-encoded; or postgres:// alone, with PGHOST, PGUSER and PGPASSWORD in the environment"
	case strings.HasPrefix(s, "~"):
		return "is not expanded: it begins with ~", "write the path out; a relative one starts at the folder of this file"
	case isURL || strings.HasPrefix(s, "file:") || strings.Contains(s, ":memory:") || strings.Contains(s, "@tcp(") || strings.Contains(s, "@unix("):
		return "must be the path of a file, or start with postgres://", "for SQLite, write the path alone, such as /var/lib/registry-janitor/ledger.db"
	}
	return "", ""
}

func checkFactor(s string) (message, hint string) {
	if _, ok := parseFactor(s + "x"); ok {
		return fmt.Sprintf("is not a factor: %s", strictyaml.Quote(s)), "write " + s + "x"
	}
	if _, ok := parseFactor(s); !ok {
		return fmt.Sprintf("is not a factor above 1: %s", strictyaml.Quote(s)), "write how many times the usual number is too much, such as 5x"
	}
	return "", ""
}

// parseFactor reads "5x".
func parseFactor(s string) (float64, bool) {
	digits, ok := strings.CutSuffix(s, "x")
	f, err := strconv.ParseFloat(digits, 64)
	return f, ok && err == nil && f > 1 && f <= 1e6
}
