package credentials

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestSecretKeyIsHiddenInEveryEncoding(t *testing.T) {
	const secret = "5ec4e75e-c4e7-4a11-9a11-0123456789ab"
	bare := strings.ReplaceAll(secret, "-", "")
	raw, err := hex.DecodeString(bare)
	if err != nil {
		t.Fatal(err)
	}
	redact := NewRedactor(secret)
	encodings := map[string]*base64.Encoding{
		"standard": base64.StdEncoding, "standard without padding": base64.RawStdEncoding,
		"for URLs": base64.URLEncoding, "for URLs without padding": base64.RawURLEncoding,
	}
	texts := map[string]string{
		"as it is": secret, "in capitals": strings.ToUpper(secret), "without dashes": bare, "in hexadecimal digits": hex.EncodeToString([]byte(secret)),
	}
	for name, e := range encodings {
		for form, plain := range map[string]string{"the text": secret, "the text in capitals": strings.ToUpper(secret), "the text without dashes": bare, "its bytes": string(raw)} {
			for before := range 4 {
				for after := range 4 {
					text := strings.Repeat("u", before) + plain + strings.Repeat("z", after)
					texts[fmt.Sprintf("%s in base64 %s, with %d bytes before and %d after", form, name, before, after)] = e.EncodeToString([]byte(text))
				}
			}
		}
	}
	for name, text := range texts {
		got := redact.Text("token '" + text + "' is refused")
		if !strings.Contains(got, "[secret key]") {
			t.Errorf("%s: %s", name, got)
		}
		// What is left of it has at most the encoded bytes around it.
		if rest := strings.TrimSuffix(strings.TrimPrefix(got, "token '"), "' is refused"); len(strings.ReplaceAll(rest, "[secret key]", "")) > 10 {
			t.Errorf("%s leaves %s", name, rest)
		}
	}
	const harmless = "the image 5ec4e75e-0000-4a11-9a11-0123456789ab has the digest sha256:NWVjNGU3NWU"
	if got := redact.Text(harmless); got != harmless {
		t.Errorf("%s", got)
	}
}
