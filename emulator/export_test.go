package emulator

import "github.com/registry-janitor/registry-janitor/emulator/internal/wire"

// TagID is the identifier of a tag of the world.
func TagID(region, namespace, image, tag string) string {
	return wire.Identify(region, namespace, image, tag).String()
}

// Sizes are those of all tags, by digest.
func (s *Server) Sizes() map[string]int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sizes := map[string]int64{}
	for _, r := range s.regions {
		for _, t := range r.byTag {
			t.image.makeDigests()
			sizes[t.digest.String()] = t.size
		}
	}
	return sizes
}
