package credentials

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
)

// Redactor removes the secret key from a text: in any case, with or without dashes, in
// hexadecimal digits, and in base64, also as a part of something longer.
type Redactor struct{ secret *regexp.Regexp }

// NewRedactor makes a Redactor of a secret key.
func NewRedactor(secretKey string) *Redactor {
	dashes := strings.ReplaceAll(regexp.QuoteMeta(secretKey), "-", "-?")
	bare := strings.ReplaceAll(secretKey, "-", "")
	forms := []string{secretKey, strings.ToLower(secretKey), strings.ToUpper(secretKey), strings.ToLower(bare), strings.ToUpper(bare)}
	patterns := []string{"(?i:" + dashes + ")"}
	for _, form := range forms {
		patterns = append(patterns, "(?i:"+hex.EncodeToString([]byte(form))+")")
	}
	if raw, err := hex.DecodeString(bare); err == nil {
		forms = append(forms, string(raw))
	}
	for _, form := range forms {
		for before := range 3 {
			patterns = append(patterns, inBase64(form, before))
		}
	}
	return &Redactor{secret: regexp.MustCompile(strings.Join(patterns, "|"))}
}

// anyBase64 is one character of either alphabet. At its ends a secret may share one
// with what is beside it.
const anyBase64 = "[A-Za-z0-9+/_-]"

// inBase64 is a pattern for a secret in base64, standard or for URLs, with or without
// padding, with as many bytes of something else before it in its first group of three.
func inBase64(secret string, before int) string {
	bits := 8 * (before + len(secret))
	encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
	known := encoded[(8*before+5)/6 : bits/6]
	pattern := strings.NewReplacer("+", "[+-]", "/", "[/_]").Replace(known)
	if before > 0 {
		pattern = anyBase64 + "?" + pattern
	}
	if bits%6 > 0 {
		pattern += anyBase64 + "?"
	}
	return pattern + "={0,2}"
}

// Text is a text without the secret key.
func (r *Redactor) Text(s string) string {
	return r.secret.ReplaceAllLiteralString(s, "[secret key]")
}
