package propose

import (
	"maps"
	"slices"
)

// protect writes what is kept whatever the rules decide.
func (s *Survey) protect(p *page, o Options) {
	p.line("protect:")
	if s.movingNames.tags > 0 {
		s.describe(p, "moving names", &s.movingNames, "They are kept, whatever the rules say.")
		p.list("  ", "tags", slices.Sorted(maps.Keys(s.globs)))
		p.line()
	}
	serverless(p, o.Serverless)
	p.line()
	kapsule(p, o.Kapsule)
	p.line()
	p.comment("  ", "The same for other Kubernetes clusters:")
	p.line("  # kubernetes: [{context: NAME}]")
}

func serverless(p *page, known Source) {
	const kept = "Images that serverless containers and jobs use are kept."
	switch known {
	case Failed:
		p.comment("  ", kept+" They could not be read, and until they can be, nothing is deleted: give the API key the permission sets ContainersReadOnly and ServerlessJobsReadOnly.")
	case NotRead:
		p.comment("  ", kept+" The inventory was taken without reading them, so a plan of it only warns. Before you enforce a rule, write serverless: true, so that nothing is deleted while they cannot be read.")
		p.line("  serverless: {required: false}")
		return
	case NotInScope:
		p.comment("  ", "serverless: true keeps the images that serverless containers and jobs use. The inventory was taken with its own scope and without reading them, so it cannot be planned with this setting: turn it on before you enforce a rule, and take the scan again.")
		p.line("  serverless: false")
		return
	default:
		p.comment("  ", kept)
	}
	p.line("  serverless: true")
}

func kapsule(p *page, known Source) {
	const kept = "Images that run in the Kapsule clusters of the API key are kept."
	switch known {
	case Complete:
		p.comment("  ", kept)
	case Failed:
		p.comment("  ", kept+" Not all of it could be read, and until it can be, nothing is deleted: give the API key the right to read the clusters, or name those to ask with kapsule: {clusters: [NAME]}.")
	case NotListed:
		p.comment("  ", "Whether there are Kapsule clusters is not known: give the API key the permission set KubernetesReadOnly. If they run these images, turn this on, so that what they run is kept:")
		p.line("  # kapsule: true")
		return
	default:
		p.comment("  ", "Do Kapsule clusters run these images? Then turn this on, so that what they run is kept:")
		p.line("  # kapsule: true")
		return
	}
	p.line("  kapsule: true")
}
