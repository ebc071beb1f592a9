package emulator

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
)

func (s *Server) listNamespaces(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.params(c, "created_at", "name", "description")
	var checks []func(*namespace) bool
	if name := p.query.Get("name"); name != "" {
		checks = append(checks, func(n *namespace) bool { return n.name == name })
	}
	if id, ok := p.uuid("organization_id"); ok {
		checks = append(checks, func(n *namespace) bool { return n.organizationID == id })
	}
	if id, ok := p.uuid("project_id"); ok {
		checks = append(checks, func(n *namespace) bool { return n.projectID == id })
	}
	if p.bad != nil {
		return *p.bad
	}
	all := filter(rows(p, &r.namespaces), checks)
	if p.order.field == "description" {
		all = slices.Clone(all)
		slices.SortStableFunc(all, func(a, b *namespace) int { return cmp.Compare(a.description, b.description) })
	}
	return page(s, c, p, "namespaces", all, func(w *writer) func(*namespace) { return w.namespace })
}

func (s *Server) getNamespace(r *region, c *call) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, refusal := s.namespace(r, c)
	if n == nil {
		return refusal
	}
	return s.show(s.writer(), func(w *writer) { w.namespace(n) })
}

// namespaceName is what the API allows; the names of a world are freer.
var namespaceName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (s *Server) createNamespace(r *region, c *call) answer {
	var asked struct {
		Name           string  `json:"name"`
		Description    string  `json:"description"`
		OrganizationID *string `json:"organization_id"`
		ProjectID      *string `json:"project_id"`
		IsPublic       bool    `json:"is_public"`
	}
	if refusal := s.readJSON(c, &asked); refusal != nil {
		return *refusal
	}
	n := &namespace{name: asked.Name, description: asked.Description, isPublic: asked.IsPublic, region: r, status: statusReady}
	if refusal := s.setOwner(n, asked.OrganizationID, asked.ProjectID); refusal != nil {
		return *refusal
	}
	switch {
	case n.name == "":
		return s.invalidArgument("name", reasonRequired, "a namespace needs a name")
	case !namespaceName.MatchString(n.name):
		return s.invalidArgument("name", reasonFormat, "it must consist of lower case letters, digits and dashes")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := r.namespaces.find(n.name); ok {
		return s.problem(http.StatusConflict, "message", quote("Namespace already exist"))
	}
	now := s.now()
	n.id = s.newID(r.name, n.name)
	n.updated = microseconds(now)
	n.created = n.updated
	r.namespaces.add(n)
	r.byNamespace[n.id] = n
	return s.show(s.mutationWriter(now), func(w *writer) { w.namespace(n) })
}

// setOwner takes the project or the organization of a new namespace. The default
// project of an organization has the organization's own identifier.
func (s *Server) setOwner(n *namespace, organization, project *string) *answer {
	given, name := project, "project_id"
	if project == nil {
		given, name = organization, "organization_id"
	}
	var refusal answer
	if given == nil || project != nil && organization != nil {
		refusal = s.invalidArgument("project_id", reasonRequired, "precisely one of project_id and organization_id must be set")
		return &refusal
	}
	id, ok := parseUUID(*given)
	if !ok {
		refusal = s.invalidArgument(name, reasonFormat, "it must be a UUID")
		return &refusal
	}
	n.projectID, n.organizationID = id, s.tenant
	if project == nil {
		n.organizationID = id
	}
	return nil
}

func (s *Server) patchNamespace(r *region, c *call) answer {
	var asked struct {
		Description *string `json:"description"`
		IsPublic    *bool   `json:"is_public"`
	}
	if refusal := s.readJSON(c, &asked); refusal != nil {
		return *refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, refusal := s.namespace(r, c)
	switch {
	case n == nil:
		return refusal
	case n.status == statusDeleting:
		return s.isDeleting("namespace", n.id)
	case n.status == statusLocked:
		return s.isLocked("namespace", n.id)
	}
	if asked.Description != nil {
		n.description = *asked.Description
	}
	if asked.IsPublic != nil {
		n.isPublic = *asked.IsPublic
	}
	now := s.now()
	n.updated = microseconds(now)
	return s.show(s.mutationWriter(now), func(w *writer) { w.namespace(n) })
}

// removeNamespace deletes a namespace with all that is in it, as the API does
// without being forced.
func (s *Server) removeNamespace(r *region, c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, refusal := s.namespace(r, c)
	if n == nil {
		return refusal
	}
	now := s.now()
	if refusal := s.mayDelete("Namespace", n.status, n.id); refusal != nil {
		return *refusal
	}
	if n.status != statusDeleting {
		s.deleteNamespace(n, now)
	}
	return s.show(s.mutationWriter(now), func(w *writer) { w.namespace(n) })
}

// namespace finds the one that the call names; without it there is a refusal.
func (s *Server) namespace(r *region, c *call) (*namespace, answer) {
	id, ok := parseUUID(c.route.id)
	if !ok {
		return nil, s.invalidArgument("namespace_id", reasonFormat, "it must be a UUID")
	}
	if n := r.byNamespace[id]; n != nil {
		return n, answer{}
	}
	return nil, s.notFound("Namespace")
}
