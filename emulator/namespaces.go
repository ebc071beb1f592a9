package emulator

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"

	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
)

func namespacesOf(r *region) map[wire.UUID]*namespace { return r.byNamespace }

func (s *Server) listNamespaces(r *region, c *call) *wire.Answer {
	p := s.pages.Query(c.http, "created_at", "name", "description")
	checks := owned(p, func(n *namespace) *namespace { return n })
	if p.Bad != nil {
		return p.Bad
	}
	all := listing.Filter(listing.Rows(p, &r.namespaces), checks)
	if p.Field == "description" {
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b *namespace) int { return cmp.Compare(a.description, b.description) })
	}
	return listing.Page(p, c.fault, "namespaces", all)
}

// namespaceName is what the API allows; the names of a world are freer.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (s *Server) createNamespace(r *region, c *call) *wire.Answer {
	var request struct {
		Name           string  `json:"name"`
		Description    string  `json:"description"`
		OrganizationID *string `json:"organization_id"`
		ProjectID      *string `json:"project_id"`
		IsPublic       bool    `json:"is_public"`
	}
	if refusal := s.readJSON(c, &request); refusal != nil {
		return refusal
	}
	n := &namespace{name: request.Name, description: request.Description, isPublic: request.IsPublic, region: r, status: statusReady}
	if refusal := s.setOwner(n, request.OrganizationID, request.ProjectID); refusal != nil {
		return refusal
	}
	switch {
	case n.name == "":
		return s.api.InvalidArgument("name", wire.ReasonRequired, "a namespace needs a name")
	case !namespaceName.MatchString(n.name):
		return s.api.InvalidArgument("name", wire.ReasonFormat, "it must consist of lower case letters, digits and dashes")
	}
	if _, ok := r.namespaces.Find(n.name); ok {
		return s.api.Problem(http.StatusConflict, "message", wire.Quote("Namespace already exist"))
	}
	n.id = s.newID(r.name, n.name)
	n.updated = wire.Microseconds(c.at)
	n.created = n.updated
	r.namespaces.Add(n)
	r.byNamespace[n.id] = n
	return show(s.api.WriterAt(c.at), n)
}

// setOwner sets the project and the organization of a new namespace. The default
// project of an organization has the organization's own identifier.
func (s *Server) setOwner(n *namespace, organization, project *string) *wire.Answer {
	given, name := project, "project_id"
	if project == nil {
		given, name = organization, "organization_id"
	}
	if given == nil || project != nil && organization != nil {
		return s.api.InvalidArgument("project_id", wire.ReasonRequired, "precisely one of project_id and organization_id must be set")
	}
	id, ok := wire.ParseUUID(*given)
	if !ok {
		return s.api.InvalidArgument(name, wire.ReasonFormat, "it must be a UUID")
	}
	n.projectID, n.organizationID = id, s.tenant
	if project == nil {
		n.organizationID = id
	}
	return nil
}

func (s *Server) patchNamespace(r *region, c *call) *wire.Answer {
	var request struct {
		Description *string `json:"description"`
		IsPublic    *bool   `json:"is_public"`
	}
	if refusal := s.readJSON(c, &request); refusal != nil {
		return refusal
	}
	n, refusal := find(s, c, "Namespace", r.byNamespace)
	if refusal == nil {
		refusal = s.mayChange("Namespace", n)
	}
	if refusal != nil {
		return refusal
	}
	if request.Description != nil {
		n.description = *request.Description
	}
	if request.IsPublic != nil {
		n.isPublic = *request.IsPublic
	}
	n.updated = wire.Microseconds(c.at)
	return show(s.api.WriterAt(c.at), shown(c, n))
}

// deleteNamespace deletes a namespace with everything in it, as the API does
// without force.
func (s *Server) deleteNamespace(c *call, n *namespace) *wire.Answer {
	n.leaving = true
	s.begin(c, func() {
		n.status = statusDeleting
		n.deleted = true
		n.size = 0
		n.updated = wire.Microseconds(c.at)
	}, func() { s.dropNamespace(n) })
	return nil
}
