package registry

import (
	"slices"
	"strings"
)

// PlatformName is what the name of a tag says about a platform: 1.6.0-linux-arm64-v8 is 1.6.0
// for one, and so are arm64v8-1.6.0 and 1.6.0-arm64-alpine without their alpine.
type PlatformName struct {
	Base          string   // the name without the words for a platform; "latest" if nothing else is in it
	architectures []string // the words for an architecture, in lower case
}

// ParsePlatform reads the name of a tag. A name without a word for a platform is its own
// base.
func ParsePlatform(name string) PlatformName {
	p := PlatformName{Base: name}
	found, before := false, notPlatform
	var base strings.Builder // needed once a word is found: few names have one
	for rest, separator := name, ""; ; {
		end := separatorIn(rest)
		token := rest
		if end >= 0 {
			token = rest[:end]
		}
		word := wordOf(token, separator, before)
		if word != notPlatform && !found {
			found = true
			base.WriteString(strings.TrimLeft(strings.TrimSuffix(name[:len(name)-len(rest)], separator), "-_."))
		}
		switch {
		case !found:
		case word == notPlatform:
			if base.Len() > 0 {
				base.WriteString(separator)
			}
			base.WriteString(token)
		case word == architecture:
			p.architectures = append(p.architectures, strings.ToLower(token))
		}
		before = word
		if end < 0 {
			break
		}
		separator, rest = rest[end:end+1], rest[end+1:]
	}
	if found {
		p.Base = base.String()
		if p.Base == "" {
			p.Base = "latest"
		}
	}
	return p
}

// separatorIn is where the first separator of words is, or -1.
func separatorIn(name string) int {
	for i := range len(name) {
		switch name[i] {
		case '-', '_', '.':
			return i
		}
	}
	return -1
}

// MayBePartOf reports whether the names let a tag be a part of the index that another tag
// has: they are the same without their platforms, and the index is not named after an
// architecture that the part is not named after.
func (p PlatformName) MayBePartOf(index PlatformName) bool {
	return p.Base == index.Base && !slices.ContainsFunc(index.architectures, func(a string) bool { return !slices.Contains(p.architectures, a) })
}

// word is what one word of a name says about a platform.
type word uint8

const (
	notPlatform  word = iota
	architecture      // arm64
	system            // linux, or a version of Windows
	several           // multiarch
)

// wordOf classifies a word by itself, by the separator before it, and by the word before.
func wordOf(token, separator string, before word) word {
	switch strings.ToLower(token) {
	case "amd64", "amd64v1", "amd64v2", "amd64v3", "amd64v4", "x64", "x86", "i386", "i686",
		"arm", "armhf", "armel", "armv5", "armv6", "armv7", "armv7l", "armv8", "arm32", "arm32v5", "arm32v6", "arm32v7",
		"arm64", "arm64v8", "aarch64", "ppc64", "ppc64le", "s390x", "riscv64", "loong64", "loongarch64",
		"mips", "mipsle", "mips64", "mips64le", "wasm", "wasm32":
		return architecture
	case "linux", "windows", "darwin", "freebsd", "windowsservercore", "nanoserver", "ltsc2016", "ltsc2019", "ltsc2022", "ltsc2025":
		return system
	case "multi", "multiarch", "multiplatform", "manifest", "index", "universal":
		return several
	case "386": // 1.2.386 is a version
		if separator != "." {
			return architecture
		}
	case "64": // x86_64
		if before == architecture && separator != "." {
			return architecture
		}
	case "v5", "v6", "v7", "v8": // arm64-v8, and linux-arm-v7
		if before == architecture {
			return architecture
		}
	case "1809", "1903", "1909", "2004", "20h2": // nanoserver-1809
		if before == system {
			return system
		}
	case "arch", "platform", "list": // multi-arch, manifest-list
		if before == several {
			return several
		}
	}
	return notPlatform
}
