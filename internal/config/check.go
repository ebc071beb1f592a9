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
)

// checks are the shapes of strings, by the name that a field's tag "is" gives
// them. Each returns what is wrong and the remedy; "" is nothing.
var checks = map[string]strictyaml.Check{
	"glob":        checkGlob,
	"name-glob":   checkNameGlob,
	"scope":       checkScope,
	"regex":       checkRegex,
	"group":       checkGroup,
	"range":       checkRange,
	"uuid":        checkUUID,
	"digest":      checkDigest,
	"region":      checkRegion,
	"namespace":   checkKubernetesNamespace,
	"zone":        checkZone,
	"cron":        checkCron,
	"factor":      checkFactor,
	"file":        checkFile,
	"currency":    checkCurrency,
	"variable":    checkVariable,
	"secret-file": checkSecretFile,
	"template":    checkTemplate,
	"link":        checkLink,
	"occasion":    checkOccasion,
}

func checkGlob(s string) (message, hint string) {
	if strings.HasPrefix(s, "!") {
		return fmt.Sprintf("is no glob that can match: %s", strictyaml.Quote(s)), "there is no negation: use except or exclude"
	}
	if !doublestar.ValidatePattern(s) {
		return fmt.Sprintf("is no valid glob: %s", strictyaml.Quote(s)), "close every [ and {, and write \\ before a character meant as itself"
	}
	return "", ""
}

// checkNameGlob is for what never holds a slash: namespaces and tags.
func checkNameGlob(s string) (message, hint string) {
	if strings.Contains(s, "/") {
		return fmt.Sprintf("is no glob that can match: %s", strictyaml.Quote(s)), "names of namespaces and tags hold no slash; images have their own key"
	}
	return checkGlob(s)
}

// checkScope is for globs over "namespace/image", which always holds a slash: a
// glob without one would silently take nothing.
func checkScope(s string) (message, hint string) {
	if s != "**" && (!strings.Contains(s, "/") || strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/")) {
		return fmt.Sprintf("matches no namespace/image: %s", strictyaml.Quote(s)), fmt.Sprintf("write %q for all images of a namespace", strings.Trim(s, "/")+"/**")
	}
	return checkGlob(s)
}

// checkRegex compiles the pattern alone too: "a)|(b" compiles only inside the
// group that anchors it, where it escapes the anchors.
func checkRegex(s string) (message, hint string) {
	for _, pattern := range []string{s, "^(?:" + s + ")$"} {
		if _, err := regexp.Compile(pattern); err != nil {
			text := err.Error()
			var bad *syntax.Error
			if errors.As(err, &bad) {
				text = string(bad.Code)
			}
			return fmt.Sprintf("is no valid regular expression: %s: %s", text, strictyaml.Quote(s)), "RE2 syntax, without lookaround and backreferences"
		}
	}
	return "", ""
}

// checkGroup is for a regular expression of which a part names a group.
func checkGroup(s string) (message, hint string) {
	if message, hint = checkRegex(s); message != "" {
		return message, hint
	}
	if regexp.MustCompile(s).NumSubexp() == 0 {
		return fmt.Sprintf("has no capture group: %s", strictyaml.Quote(s)), "put the part that names the group into brackets, such as 'env-(?P<group>[a-z]+)-.*'"
	}
	return "", ""
}

func checkRange(s string) (message, hint string) {
	if _, err := semver.NewConstraint(s); err != nil {
		return fmt.Sprintf("is no version range: %s", strictyaml.Quote(s)), `write a range such as ">=1.0.0 <2.0.0", "^1.2", or "*"`
	}
	return "", ""
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func checkUUID(s string) (message, hint string) {
	if !uuid.MatchString(s) {
		return fmt.Sprintf("must be a UUID, not %s", strictyaml.Quote(s)), "copy the ID, in lower case, such as 11111111-2222-3333-4444-555555555555"
	}
	return "", ""
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func checkDigest(s string) (message, hint string) {
	if !digest.MatchString(s) {
		return fmt.Sprintf("must be a digest, not %s", strictyaml.Quote(s)), "write sha256: and 64 hexadecimal digits in lower case"
	}
	return "", ""
}

func checkRegion(s string) (message, hint string) {
	if slices.Contains(regions(), s) {
		return "", ""
	}
	message, hint = strictyaml.NotOneOf(s, regions())
	if s == "it-mil" {
		hint = "it-mil runs containers, but has no registry"
	}
	return message, hint
}

// checkZone refuses "Local", which is another zone on another machine.
func checkZone(s string) (message, hint string) {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return fmt.Sprintf("is no known time zone: %s", strictyaml.Quote(s)), "use a name of the IANA database, such as Europe/Paris or UTC"
	}
	return "", ""
}

// anyYear is where the search for a schedule's next time begins; it spans a leap
// day.
var anyYear = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

func checkCron(s string) (message, hint string) {
	const fields = "write minute, hour, day, month and weekday, such as \"0 3 * * *\", or @daily, @every 6h"
	if strings.Contains(s, "TZ=") {
		return fmt.Sprintf("must not name a time zone: %s", strictyaml.Quote(s)), "use the key timezone"
	}
	schedule, err := cron.ParseStandard(s)
	if err != nil {
		return fmt.Sprintf("is no cron expression: %s", strictyaml.Clip(err.Error())), fields
	}
	// The library turns whatever is shorter than a second, or negative, into one.
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		if length, err := time.ParseDuration(every); err != nil || length < time.Second {
			return fmt.Sprintf("is no cron expression: %s is shorter than a second", strictyaml.Quote(s)), fields
		}
	}
	if schedule.Next(anyYear).IsZero() {
		return fmt.Sprintf("never comes: %s", strictyaml.Quote(s)), "there is no such day"
	}
	return "", ""
}

func checkFactor(s string) (message, hint string) {
	if _, ok := parseFactor(s); !ok {
		return fmt.Sprintf("is no factor above 1: %s", strictyaml.Quote(s)), "write how many times as much as usual is too much, such as 5x"
	}
	return "", ""
}

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

func checkCurrency(s string) (message, hint string) {
	if !currency.MatchString(s) {
		return fmt.Sprintf("is no code of a currency: %s", strictyaml.Quote(s)), "write its three capital letters, such as EUR"
	}
	return "", ""
}

// parseFactor reads "5x".
func parseFactor(s string) (float64, bool) {
	digits, ok := strings.CutSuffix(s, "x")
	f, err := strconv.ParseFloat(digits, 64)
	return f, ok && err == nil && f > 1 && f <= 1e6
}
