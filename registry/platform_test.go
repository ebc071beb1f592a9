package registry

import "testing"

func TestParsePlatform(t *testing.T) {
	for name, want := range map[string]string{
		"1.6.0":                             "1.6.0",
		"1.6.0-amd64":                       "1.6.0",
		"1.6.0_AMD64":                       "1.6.0",
		"1.6.0.x86_64":                      "1.6.0",
		"1.6.0-linux-arm64-v8":              "1.6.0",
		"1.6.0-linux-arm-v7":                "1.6.0",
		"1.6.0-linux-386":                   "1.6.0",
		"arm64v8-1.6.0":                     "1.6.0",
		"linux-amd64-1.6.0":                 "1.6.0",
		"1.6.0-arm64-alpine":                "1.6.0-alpine",
		"1.6.0-nanoserver-1809":             "1.6.0",
		"1.6.0-windowsservercore-ltsc2022":  "1.6.0",
		"1.6.0-multi-arch":                  "1.6.0",
		"1.6.0-manifest-list":               "1.6.0",
		"amd64":                             "latest",
		"latest-arm64":                      "latest",
		"1.2.386":                           "1.2.386",
		"v8":                                "v8",
		"1809":                              "1809",
		"arch-2026":                         "arch-2026",
		"farm64":                            "farm64",
		"-odd.":                             "-odd.",
		"":                                  "",
		"sha256-0123.sig":                   "sha256-0123.sig",
		"main-linux-amd64-2026.01-abcdef01": "main-2026.01-abcdef01",
	} {
		if got := ParsePlatform(name).Base; got != want {
			t.Errorf("the base of %q is %q, want %q", name, got, want)
		}
	}
}

func TestMayBePartOf(t *testing.T) {
	for _, c := range []struct {
		part, index string
		want        bool
	}{
		{"1.6.0-amd64", "1.6.0", true},
		{"1.6.0-linux-amd64", "1.6.0-linux", true},
		{"1.6.0-arm64-v8", "1.6.0-arm64", true},
		{"1.6.0", "1.6.0-multiarch", true},
		{"1.6.0-windowsservercore-ltsc2022", "1.6.0-windowsservercore", true},
		{"arm64", "latest", true},
		{"1.6.0-amd64", "1.6.0-arm64", false},
		{"1.6.0", "1.6.0-amd64", false},
		{"1.6.0-amd64", "1.6.1", false},
		{"1.6.0-amd64", "latest", false},
	} {
		if got := ParsePlatform(c.part).MayBePartOf(ParsePlatform(c.index)); got != c.want {
			t.Errorf("%s may be a part of %s: got %v", c.part, c.index, got)
		}
	}
}
