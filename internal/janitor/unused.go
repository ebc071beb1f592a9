package janitor

import (
	"github.com/registry-janitor/registry-janitor/internal/lint"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// show shows an item of the feed to what finds patterns that match nothing. References is
// the name of the references file.
func show(u *lint.Unused, item scanner.Item, references string) {
	switch {
	case item.Image != nil:
		u.Add(item.Image.Namespace, item.Image)
	case item.Quiet != nil:
		quiet := *item.Quiet.Image
		quiet.Status = "" // its tags are not read
		u.Add(quiet.Namespace, &quiet)
	case item.Namespace != nil:
		u.Add(item.Namespace, nil)
	case item.Listed != nil:
		u.Add(item.Listed.Namespace, nil)
	case item.Skipped != nil && item.Skipped.Ref.Image == "":
		u.AddGap() // its images are not listed
	case item.Skipped != nil:
		s := item.Skipped
		n := &registry.Namespace{Region: s.Ref.Region, Name: s.Ref.Namespace, ProjectID: s.ProjectID, OrganizationID: s.OrganizationID}
		u.Add(n, &registry.Image{Namespace: n, Name: s.Ref.Image, Status: s.Status})
	case item.Gap != nil && item.Gap.Subject == references:
		u.ForgetReferences()
	case item.Gap != nil && lookup.HidesObjects(item.Gap):
		u.AddGap()
	}
}
