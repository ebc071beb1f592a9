package report

import "github.com/registry-janitor/registry-janitor/internal/text"

func clean(s string) string { return text.Clean(s) }
