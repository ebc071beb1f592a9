package apply

import "github.com/registry-janitor/registry-janitor/actions"

// remember keeps what the policies made of an image before this run changed
// anything in it.
func (r *run) remember(ref string, j actions.Judgement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.others[ref] {
		r.first[ref] = j
	}
}

func (r *run) recall(ref string) (actions.Judgement, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.first[ref]
	return j, ok
}

// evidence is how many deletions were seen to leave other tags of their digest
// alone, and how many were confirmed.
func (r *run) evidence() (untagged, confirmed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.untagged, r.confirmed
}

func (r *run) prove(confirmed, untagged int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.confirmed += confirmed
	r.untagged += untagged
}
